package target

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Reject is -j REJECT: it answers and drops. It is valid in table filter, chains
// INPUT, FORWARD and OUTPUT. The zero value answers port unreachable.
//
//	--reject-with type
//
// It is native, nf_tables' reject expression, in every family. iptables and
// ip6tables have types of their own: a type that only one of them has makes the
// rule one for that family, and so does a type spelled as only one of them
// spells it ("icmp-…", "icmp6-…"). A rule for both families is printed with the
// spelling that both understand (port-unreach, tcp-reset, adm), or, for host and
// net unreachable, which have none, with iptables', which ip6tables refuses. It
// mirrors net/ipv4/netfilter/ipt_REJECT.c and net/ipv6/netfilter/ip6t_REJECT.c.
type Reject struct {
	With RejectType // --reject-with
}

// RejectType is what REJECT answers. The zero value is iptables' default: port
// unreachable. The types of one family make a rule one for that family.
type RejectType uint8

const (
	PortUnreachable  RejectType = iota // icmp-port-unreachable, icmp6-port-unreachable
	TCPReset                           // tcp-reset; needs -p tcp
	AdminProhibited                    // icmp-admin-prohibited, icmp6-adm-prohibited
	HostUnreachable                    // icmp-host-unreachable, icmp6-addr-unreachable
	NetUnreachable                     // icmp-net-unreachable, icmp6-no-route
	ProtoUnreachable                   // icmp-proto-unreachable; IPv4 only
	NetProhibited                      // icmp-net-prohibited; IPv4 only
	HostProhibited                     // icmp-host-prohibited; IPv4 only
	PolicyFail                         // icmp6-policy-fail; IPv6 only
	RejectRoute                        // icmp6-reject-route; IPv6 only
)

// A type that was spelled as one family spells it, in a text for both. Check
// takes the mark off, when the rule is one for that family.
const (
	only4 RejectType = 0x40
	only6 RejectType = 0x80
)

// NFT_REJECT_*.
const (
	rejectICMP  = 0 // a code of ICMP, or of ICMPv6, as the packet is
	rejectReset = 1
	rejectICMPX = 2 // a code that the kernel translates to the packet's family
)

// rejectName is one type as one family has it: its code in ICMP or ICMPv6, or, for
// both families, nf_tables' own, and its number in the family's xt target.
type rejectName struct {
	is          RejectType
	code, xt    uint8
	name, alias string
}

// The types in the order in which the commands look for the beginning of a name.
var (
	rejects4 = [...]rejectName{
		{NetUnreachable, 0, 0, "icmp-net-unreachable", "net-unreach"},
		{HostUnreachable, 1, 1, "icmp-host-unreachable", "host-unreach"},
		{ProtoUnreachable, 2, 2, "icmp-proto-unreachable", "proto-unreach"},
		{PortUnreachable, 3, 3, "icmp-port-unreachable", "port-unreach"},
		{NetProhibited, 9, 5, "icmp-net-prohibited", "net-prohib"},
		{HostProhibited, 10, 6, "icmp-host-prohibited", "host-prohib"},
		{TCPReset, 0, 7, "tcp-reset", "tcp-rst"},
		{AdminProhibited, 13, 8, "icmp-admin-prohibited", "admin-prohib"},
	}
	rejects6 = [...]rejectName{
		{NetUnreachable, 0, 0, "icmp6-no-route", "no-route"},
		{AdminProhibited, 1, 1, "icmp6-adm-prohibited", "adm-prohibited"},
		{HostUnreachable, 3, 3, "icmp6-addr-unreachable", "addr-unreach"},
		{PortUnreachable, 4, 4, "icmp6-port-unreachable", "port-unreach"},
		{TCPReset, 0, 6, "tcp-reset", "tcp-reset"},
		{PolicyFail, 5, 7, "icmp6-policy-fail", "policy-fail"},
		{RejectRoute, 6, 8, "icmp6-reject-route", "reject-route"},
	}
	rejectsBoth = [...]rejectName{
		{NetUnreachable, 0, 0, "net-unreach", "net-unreach"},
		{PortUnreachable, 1, 0, "port-unreach", "port-unreach"},
		{HostUnreachable, 2, 0, "host-unreach", "host-unreach"},
		{AdminProhibited, 3, 0, "adm", "adm"},
		{TCPReset, 0, 0, "tcp-reset", "tcp-reset"},
	}
)

func rejectsOf(f nf.Family) []rejectName {
	switch f {
	case nf.IPv4:
		return rejects4[:]
	case nf.IPv6:
		return rejects6[:]
	}
	return rejectsBoth[:]
}

func (t RejectType) in(f nf.Family) (rejectName, bool) {
	for _, n := range rejectsOf(f) {
		if n.is == t {
			return n, true
		}
	}
	return rejectName{}, false
}

// family is the family that has the type, Both for both.
func (t RejectType) family() nf.Family {
	t, marked := t&^(only4|only6), t&(only4|only6)
	_, ok4 := t.in(nf.IPv4)
	_, ok6 := t.in(nf.IPv6)
	switch {
	case marked == only4, ok4 && !ok6:
		return nf.IPv4
	case marked == only6, ok6 && !ok4:
		return nf.IPv6
	}
	return nf.Both
}

// String is the type as a text for both families names it, or the family that
// has it.
func (t RejectType) String() string {
	n, _ := t.in(t.family())
	return n.name
}

// Name is "REJECT".
func (Reject) Name() string { return reject.Name }

func (Reject) ext() option.Extension { return reject }

var reject = &option.Spec[Reject]{
	Name: "REJECT",
	Rows: []option.Row[Reject]{{
		Name: "--reject-with", Args: 1, Want: "a type",
		Set: func(t *Reject, _ bool, w []string, c option.Context) (err error) {
			t.With, err = parseReject(w[0], c.Family)
			return err
		},
		Get: func(t *Reject, f nf.Family) (bool, string, bool) {
			n, ok := t.With.in(f)
			if !ok {
				n.name = t.With.String()
			}
			return false, n.name, true
		},
	}},
	Check: checkReject,
	Needs: func(t Reject) option.Needs {
		n := option.Needs{Family: t.With.family(), Tables: []string{"filter"}, Chains: []string{"INPUT", "FORWARD", "OUTPUT"}}
		if t.With&^(only4|only6) == TCPReset {
			n.Protos = []nf.Protocol{nf.TCP}
		}
		return n
	},
	List: func(t Reject, l *option.Lister) string {
		n, ok := t.With.in(l.Family)
		if !ok {
			n.name = t.With.String()
		}
		return "reject-with " + n.name
	},
	Read: readReject,
	XT:   option.XTStruct(option.XT[Reject]{Target: true, Tables: []string{"filter"}}, 0, Reject.blob, readRejectBlob),
}

// beginning finds the first type whose name or alias begins so.
func beginning(w string, f nf.Family) (RejectType, bool) {
	for _, n := range rejectsOf(f) {
		for _, name := range [...]string{n.name, n.alias} {
			if len(w) <= len(name) && strings.EqualFold(name[:len(w)], w) {
				return n.is, true
			}
		}
	}
	return 0, false
}

// parseReject reads a type's name, its alias, or the beginning of either.
func parseReject(w string, f nf.Family) (RejectType, error) {
	unknown := fmt.Errorf("unknown reject type %q", w)
	if w == "" { // iptables takes it for the first of its list
		return 0, unknown
	}
	if f != nf.Both {
		t, ok := beginning(w, f)
		if !ok {
			return 0, unknown
		}
		return t, nil
	}
	for _, n := range rejectsBoth {
		if strings.EqualFold(n.name, w) {
			return n.is, nil
		}
	}
	t4, ok4 := beginning(w, nf.IPv4)
	t6, ok6 := beginning(w, nf.IPv6)
	switch {
	case ok4 && ok6 && t4 != t6:
		return 0, fmt.Errorf("reject type %q means one thing to iptables and another to ip6tables", w)
	case ok4 && ok6:
		return t4, nil
	case ok4:
		return t4 | only4, nil
	case ok6:
		return t6 | only6, nil
	}
	return 0, unknown
}

func checkReject(t *Reject, c option.Context) error {
	t.With &^= only4 | only6
	if t.With > RejectRoute {
		return fmt.Errorf("unknown reject type %d", t.With)
	}
	if _, ok := t.With.in(c.Family); !ok && c.Family != nf.Both {
		return fmt.Errorf("unknown reject type %q", t.With)
	}
	return nil
}

// blob is what ipt_REJECT and ip6t_REJECT are given. That the type is one of the
// family is checked.
func (t Reject) blob(env program.Env) xtables.Reject {
	n, _ := t.With.in(sees(env))
	return xtables.Reject{With: uint32(n.xt)}
}

func readRejectBlob(b xtables.Reject, env program.Env) (t Reject, ok bool) {
	for _, n := range rejectsOf(sees(env)) {
		if uint32(n.xt) == b.With && env.Family != program.Inet {
			return Reject{n.is}, true
		}
	}
	return t, false
}

// Compile adds the reject expression.
func (t Reject) Compile(a program.Action) error {
	n, ok := t.With.in(sees(a.Env))
	switch {
	case !ok:
		return errors.New("REJECT: the type is of another family")
	case t.With == TCPReset && a.Env.Family == program.Inet && !a.Env.Both() && !counted(a):
		return &program.InexactError{
			Extension: "REJECT", Inet: true,
			Why:  "nft 1.0.6 lists a TCP reset for one family without the family, where no counter stands before it",
			Hint: "a rule with a counter can be in a table for both families",
		}
	case t.With == TCPReset:
		a.Add(program.Reject{Type: rejectReset})
	case a.Env.Both():
		a.Add(program.Reject{Type: rejectICMPX, Code: n.code})
	default:
		a.Add(program.Reject{Type: rejectICMP, Code: n.code})
	}
	return nil
}

// counted says whether a counter stands right before the target.
func counted(a program.Action) bool {
	exprs := a.Exprs()
	if len(exprs) == 0 {
		return false
	}
	_, ok := exprs[len(exprs)-1].(program.Counter)
	return ok
}

// sees is the family of the packets that a rule sees.
func sees(env program.Env) nf.Family {
	switch {
	case env.Both():
		return nf.Both
	case env.V6():
		return nf.IPv6
	}
	return nf.IPv4
}

func readReject(r *program.Reader) (t Reject, ok bool) {
	e, ok := r.Item(0).(program.Reject)
	if !ok || r.Env.Family == 0 { // a code means nothing without a family
		return t, false
	}
	r.Take(1)
	for _, n := range rejectsOf(sees(r.Env)) {
		switch {
		case n.is == TCPReset && e.Type == rejectReset:
			return Reject{TCPReset}, true
		case n.is != TCPReset && e.Type != rejectReset && n.code == e.Code:
			return Reject{n.is}, true
		}
	}
	return t, false
}
