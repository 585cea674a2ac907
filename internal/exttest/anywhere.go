package exttest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// Anywhere runs what needs no kernel: text to rule and back, the listing, the
// program, and the property that a rule read off its program is the rule.
func Anywhere(t *testing.T, files []File) {
	for _, f := range files {
		t.Run(f.Name, func(t *testing.T) {
			for _, b := range f.Blocks {
				if b.Refused() {
					refused(t, b)
					continue
				}
				for i, r := range understood(t, b) {
					roundTrips(t, b, r)
					if i == len(b.Saves)-1 {
						listed(t, b, r)
						compiled(t, b, r)
					}
				}
			}
		})
	}
}

// refused wants an error from the text, or from the rule's place.
func refused(t testing.TB, b *Block) {
	rs, err := rule.ParseLine(b.Args, b.Family)
	if err == nil {
		err = b.placed(rs)
	}
	switch {
	case err == nil:
		t.Errorf("%v: accepted: %s", b, b.Args)
	case !strings.Contains(err.Error(), b.Error):
		t.Errorf("%v: the error is %q, want %q in it", b, err, b.Error)
	}
}

// understood parses a block and compares what it prints.
func understood(t testing.TB, b *Block) []rule.Rule {
	rs, err := rule.ParseLine(b.Args, b.Family)
	if err != nil {
		t.Errorf("%v: %s: %v", b, b.Args, err)
		return nil
	}
	if err := b.placed(rs); err != nil {
		t.Errorf("%v: %s: %v", b, b.Args, err)
	}
	if len(rs) != len(b.Saves) {
		t.Errorf("%v: %d rules, want %d", b, len(rs), len(b.Saves))
		return nil
	}
	for i, r := range rs {
		if got := r.String(); got != b.Saves[i] {
			t.Errorf("%v: saves\n     %s\nwant %s", b, got, b.Saves[i])
			continue
		}
		again, err := rule.Parse(b.Saves[i], b.Family)
		if err != nil || !again.Equal(r) {
			t.Errorf("%v: %s comes back as %s, %v", b, r, again, err)
		}
	}
	return rs
}

// variant is one kind of table that a rule may be compiled for.
type variant struct {
	env    program.Env
	family nf.Family // of the table
}

// variants are all of them; a block's own first.
func (b *Block) variants() []variant {
	var out []variant
	for _, plain := range [...]bool{false, true} {
		for _, v := range [...]variant{
			{program.Env{Family: program.Inet}, nf.Both},
			{program.Env{Family: program.IP}, nf.IPv4},
			{program.Env{Family: program.IP6}, nf.IPv6},
		} {
			v.env.Table, v.env.Plain = b.Table, plain
			v.env.Chain = builtInName(b.Chain)
			if _, ok := b.Family.And(v.family); ok && (!plain || v.family != nf.Both) {
				out = append(out, v)
			}
		}
	}
	slices.SortStableFunc(out, func(v, w variant) int { return v.distance(b) - w.distance(b) })
	return out
}

// builtInName is the chain's name where it is a built-in one.
func builtInName(name string) string {
	if chain.IsBuiltIn(name) {
		return name
	}
	return ""
}

func (v variant) distance(b *Block) int {
	if v.family == b.Family {
		return 0
	}
	return 1
}

// compile compiles a rule for a variant; nil where it has no exact form there.
func (v variant) compile(r rule.Rule) (*program.Rule, error) {
	if r = r.In(v.family); r.Err() != nil {
		return nil, nil
	}
	p, err := compile.Rule(r, v.env, true, 0)
	var inexact *program.InexactError
	if errors.As(err, &inexact) {
		return nil, nil
	}
	return p, err
}

func (v variant) String() string {
	s := v.env.Family.String()
	if v.env.Plain {
		s += ", iptables' own table"
	}
	return s
}

// roundTrips is "down and up again is the same", in every variant.
func roundTrips(t testing.TB, b *Block, r rule.Rule) {
	fits := false
	for _, v := range b.variants() {
		p, err := v.compile(r)
		if err != nil {
			t.Errorf("%v: %v: %s: %v", b, v, r, err)
			continue
		}
		if p == nil {
			continue
		}
		fits = true
		if err := v.sameAgain(r, p); err != nil {
			t.Errorf("%v: %v: %s: %v", b, v, r, err)
		}
	}
	if fits == (b.Kernel == "removed") {
		t.Errorf("%v: %s has an exact form somewhere: %t", b, r, fits)
	}
}

// sameAgain reads a rule off the program that was made of r, and compiles it.
func (v variant) sameAgain(r rule.Rule, p *program.Rule) error {
	up, _, err := compile.ReadRule(p, v.env)
	if err != nil {
		return err
	}
	if !v.same(r, up) {
		return fmt.Errorf("reads back as %q from\n%s", up, program.Dump(p.Exprs))
	}
	down, err := v.compile(up.In(v.family))
	if err != nil || down == nil {
		return fmt.Errorf("does not compile again: %v", err)
	}
	if slices.Equal(p.Exprs, down.Exprs) && p.Compat == down.Compat {
		return nil
	}
	return fmt.Errorf("compiles again to\n%swant\n%s", program.Dump(down.Exprs), program.Dump(p.Exprs))
}

// same says whether two rules are one in the variant's table, opaque only if
// raw expressions were meant. In a table for both families a rule of one reads
// back with the -4 or -6 that its command line did not have to say.
func (v variant) same(r, up rule.Rule) bool {
	f := v.family
	if f == nf.Both {
		f = r.Family()
	}
	return up.In(f).Equal(r.In(f)) && r.Opaque() == up.Opaque()
}

// compiled compares the program in the block's own variant.
func compiled(t testing.TB, b *Block, r rule.Rule) {
	if b.Program == nil {
		return
	}
	for _, v := range b.variants() {
		p, err := v.compile(r)
		if p == nil || err != nil {
			continue
		}
		var got []string
		for _, e := range p.Exprs {
			switch e.(type) {
			case program.Counter, program.Verdict:
				continue
			}
			got = append(got, e.String())
		}
		if !slices.Equal(got, b.Program) {
			t.Errorf("%v: %v: %s: the program is\n  %s\nwant\n  %s", b, v, r,
				strings.Join(got, "\n  "), strings.Join(b.Program, "\n  "))
		}
		return
	}
}

// listed compares what -L -n prints for the extensions.
func listed(t testing.TB, b *Block, r rule.Rule) {
	if b.List == "" {
		return
	}
	if got := strings.TrimRight(listing(r, b.Family), " "); got != b.List { // some end in a blank
		t.Errorf("%v: %s: lists\n     %s\nwant %s", b, r, got, b.List)
	}
}

func listing(r rule.Rule, f nf.Family) string {
	l := &option.Lister{Family: f}
	if p, ok := rule.Find[match.Protocol](r); ok {
		l.Proto, _, _ = p.Proto.Get()
	}
	var words []string
	add := func(s string) {
		if s = strings.TrimPrefix(s, option.Unspaced); s != "" {
			words = append(words, s)
		}
	}
	for m := range r.Matches() {
		if e := match.Extension(m); e != nil {
			add(e.ListText(m, l))
		}
	}
	if e := target.Extension(r.Target()); e != nil {
		add(e.ListText(r.Target(), l))
	}
	return strings.Join(words, " ")
}
