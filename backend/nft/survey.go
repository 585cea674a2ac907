package nft

import (
	"context"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/internal/feature"
)

// State says whether a kernel has a feature. The zero value is Unknown.
type State uint8

const (
	// Unknown is what could not be found out: Report.Unseen says why, or it is a
	// module that is not loaded and whose file could not be looked for.
	Unknown State = iota
	// Present is what rules can use.
	Present
	// Loadable is in a module that is there and not loaded: the first rule that
	// needs it loads it.
	Loadable
	// Missing is what this kernel has not.
	Missing
)

// String is the state in a listing: "unknown", "present", "loadable", "missing".
func (s State) String() string {
	return [...]string{"unknown", "present", "loadable", "missing"}[min(int(s), 3)]
}

// Revisions is a set of revisions of an xt extension, a bit each from revision 0.
// The zero value is none.
type Revisions uint8

// String is "1-3", or "0,2"; "" for none.
func (r Revisions) String() string {
	var parts []string
	for r != 0 {
		lo := bits.TrailingZeros8(uint8(r))
		n := bits.TrailingZeros8(^(uint8(r) >> lo))
		part := fmt.Sprint(lo)
		if n > 1 {
			part += fmt.Sprintf("-%d", lo+n-1)
		}
		parts = append(parts, part)
		r &^= (1<<n - 1) << lo
	}
	return strings.Join(parts, ",")
}

// Feature is one thing that rules may need of a kernel.
type Feature struct {
	Kind  string // "expression", "match", "target", "subsystem"
	Name  string // the kernel's: "multiport", "LOG", "queue"; "exthdr dccp" is a part of exthdr
	State State  // that of the family that has it, where only one has

	// IPv4, IPv6 and Inet are the revisions that tables of a family can use; none of
	// what is no xt extension, or was not asked for.
	IPv4, IPv6, Inet Revisions

	Module string // the module that has it, or would; "": a part of nf_tables or x_tables
	Config string // the kernel's build option, CONFIG_…
	Hint   string // what to do where it is missing
}

// String is "match multiport (revision 1)", "target LED: missing, …".
func (f Feature) String() string {
	s := f.Kind + " " + f.Name
	switch {
	case f.State == Missing:
		s += ": missing; " + f.Hint
	case f.State != Present:
		s += ": " + f.State.String()
	case f.IPv4|f.IPv6 != 0:
		s += " (revision " + (f.IPv4 | f.IPv6).String() + ")"
	}
	return s
}

// Limits are what bounds a transaction in the namespace.
type Limits struct {
	// Transaction is how many bytes one may have; what is larger is staged in
	// several. A plain rule takes about 350.
	Transaction int
	// Send and Receive are the sizes of the socket's buffers in bytes, as the kernel
	// counts them.
	Send, Receive int
}

// Report is what Survey found.
type Report struct {
	Kernel     string // release: "6.18.44"
	Namespace  string // "net:[4026531840]"; "" where /proc does not say
	Generation uint32 // of the namespace's rules
	Features   []Feature
	Missing    map[string]string // name of an extension or expression to the module or option that it lacks
	Limits     Limits

	// Others are all tables, those of Gatehouse's owners included. After says so of
	// an owner's filter table at iptables' priorities.
	Others []backend.Other

	// Unseen says what could not be looked at, with the capability that it needs,
	// each once. Empty: everything was.
	Unseen []error
}

// Survey says, without side effects and without an owner, what the kernel can do
// and who else programs the namespace. It commits nothing (what it tries is in a
// transaction that does not get to its end) and loads no module: what is in a
// module that is not loaded is told from the lists in /proc/modules,
// /lib/modules/RELEASE and the kernel's configuration, as Loadable, or as Unknown
// where they are not there to be read, as in most containers.
//
// Without CAP_NET_ADMIN it reports what those lists say, and in Unseen what is
// missing. An error is only what keeps it from saying anything: a namespace that
// is not there, a kernel without nf_tables, a context that ended.
func Survey(ctx context.Context, ns Namespace) (Report, error) {
	return survey(ctx, ns)
}

// Feature finds a feature; ok is false for one that no survey knows.
func (r Report) Feature(kind, name string) (f Feature, ok bool) {
	i := slices.IndexFunc(r.Features, func(f Feature) bool { return f.Kind == kind && f.Name == name })
	if i < 0 {
		return f, false
	}
	return r.Features[i], true
}

// kinds are what is surveyed, in the order of a Report.
var kinds = [...]feature.Kind{feature.Expression, feature.Match, feature.Target, feature.Subsystem}

// known is a feature as it is known beforehand.
func known(k feature.Feature, release string) Feature {
	f := Feature{Kind: k.Kind.String(), Name: k.Name, Module: k.Module, Hint: k.Hint(false, release)}
	if k.Config != "" {
		f.Config = "CONFIG_" + k.Config
	}
	return f
}

// String is the report as a person reads it: what is missing first, then what is
// there, then whose tables there are.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Linux %s", r.Kernel)
	if r.Namespace != "" {
		fmt.Fprintf(&b, ", %s", r.Namespace)
	}
	if r.Limits.Transaction > 0 {
		fmt.Fprintf(&b, ", generation %d\n", r.Generation)
		fmt.Fprintf(&b, "one transaction: %d bytes (socket buffers: %d to send, %d to receive)", r.Limits.Transaction, r.Limits.Send, r.Limits.Receive)
	}
	b.WriteString("\n")
	for _, err := range r.Unseen {
		fmt.Fprintf(&b, "could not look: %v\n", err)
	}
	r.writeFeatures(&b)
	if len(r.Others) > 0 {
		b.WriteString("\ntables:\n")
	}
	for _, o := range r.Others {
		fmt.Fprintf(&b, "  %v\n", o)
		for _, h := range o.Hooks {
			fmt.Fprintf(&b, "    %v\n", h)
		}
	}
	return b.String()
}

func (r Report) writeFeatures(b *strings.Builder) {
	for _, kind := range kinds {
		for _, state := range [...]State{Missing, Unknown, Loadable, Present} {
			var names []string
			for _, f := range r.Features {
				if f.Kind != kind.String() || f.State != state {
					continue
				}
				name := f.Name
				if revs := f.IPv4 | f.IPv6 | f.Inet; revs > 1 {
					name += "/" + revs.String()
				}
				if state == Missing {
					name += " (" + f.Hint + ")"
				}
				names = append(names, name)
			}
			if len(names) == 0 {
				continue
			}
			plural := "s"
			if kind == feature.Match {
				plural = "es"
			}
			fmt.Fprintf(b, "\n%v%s %v:\n", kind, plural, state)
			if state == Missing {
				b.WriteString("  " + strings.Join(names, "\n  ") + "\n")
				continue
			}
			b.WriteString(filled(names))
		}
	}
}

// filled is words in lines of a terminal's width.
func filled(words []string) string {
	const width = 78
	var b strings.Builder
	at := 0
	for i, w := range words {
		if i < len(words)-1 {
			w += ","
		}
		switch {
		case at == 0:
			b.WriteString(" ")
			at = 1
		case at+1+len(w) > width:
			b.WriteString("\n ")
			at = 1
		}
		b.WriteString(" " + w)
		at += 1 + len(w)
	}
	return b.String() + "\n"
}
