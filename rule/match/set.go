package match

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Set is -m set: fields of the packet are in one of the kernel's ipsets, those
// that the command ipset makes. (Sets of one's own are Own.)
//
//	[!] --match-set name src|dst[,src|dst]…  --return-nomatch
//	! --update-counters  ! --update-subcounters
//	[!] --packets-eq n | --packets-lt n | --packets-gt n
//	[!] --bytes-eq n | --bytes-lt n | --bytes-gt n
//
// It is the kernel's own xt match, revision 4, which ip and ip6 tables have and
// inet tables have not: nf_tables' sets are other objects. The kernel knows a set
// by its number; the name becomes one when the rule is programmed, where a set
// that is not there, or holds the other family's addresses, is an error, and a
// name again when the rule is read. A set with addresses is of one family, so in
// a table for both a rule that has one wants match.Only beside it. A set that a
// rule names is neither destroyed nor renamed before the rule is gone. It mirrors
// net/netfilter/xt_set.c.
type Set struct {
	Set             Opt[nf.IPSet] // --match-set; absent is an error
	ReturnNoMatch   bool          // --return-nomatch: an entry that is marked nomatch is a match here
	KeepCounters    bool          // ! --update-counters: the set's counters stay as they are
	KeepSubcounters bool          // ! --update-subcounters: those of the sets in a list:set do
	Packets         SetCount      // --packets-eq, -lt, -gt: what the entry has counted; zero: any
	Bytes           SetCount      // --bytes-eq, -lt, -gt; zero: any
}

// InSet is "-m set --match-set name dirs".
func InSet(name string, dirs ...nf.Dir) Set { return Set{Set: Is(nf.InIPSet(name, dirs...))} }

// NotInSet is "-m set ! --match-set name dirs".
func NotInSet(name string, dirs ...nf.Dir) Set { return Set{Set: Not(nf.InIPSet(name, dirs...))} }

// SetCount is a comparison with a counter of a set's entry, made by CountIs,
// CountNot, CountBelow or CountAbove. The zero value compares nothing.
type SetCount struct {
	op uint8 // xtables.IPSetEqual, …
	n  uint64
}

// CountIs is a counter of n.
func CountIs(n uint64) SetCount { return SetCount{xtables.IPSetEqual, n} }

// CountNot is a counter of any number but n.
func CountNot(n uint64) SetCount { return SetCount{xtables.IPSetNotEqual, n} }

// CountBelow is a counter of less than n.
func CountBelow(n uint64) SetCount { return SetCount{xtables.IPSetLess, n} }

// CountAbove is a counter of more than n.
func CountAbove(n uint64) SetCount { return SetCount{xtables.IPSetGreater, n} }

// Name is "set".
func (Set) Name() string { return ipset.Name }

func (Set) ext() option.Extension { return ipset }

var ipset = &option.Spec[Set]{
	Name: "set",
	Rows: append(append([]option.Row[Set]{
		{
			Name: "--match-set", Aliases: []string{"--set"}, Args: 2, Invert: true, Want: option.IPSetWant,
			Set: func(m *Set, not bool, w []string, _ option.Context) error {
				s, err := option.ParseIPSet("--match-set", w)
				m.Set = isOrNot(not, s)
				return err
			},
			Get: func(m *Set, _ nf.Family) (bool, string, bool) {
				s, not, ok := m.Set.Get()
				return not, option.PrintIPSet(s), ok
			},
		},
		option.Flag("--return-nomatch", func(m *Set) *bool { return &m.ReturnNoMatch }),
		keepRow("--update-counters", func(m *Set) *bool { return &m.KeepCounters }),
		keepRow("--update-subcounters", func(m *Set) *bool { return &m.KeepSubcounters }),
	}, countRows("packets", func(m *Set) *SetCount { return &m.Packets })...),
		countRows("bytes", func(m *Set) *SetCount { return &m.Bytes })...),
	Check: func(m *Set, _ option.Context) error {
		if !m.Set.Given() {
			return errors.New("you must specify `--match-set' with proper arguments")
		}
		return valid(m.Set)
	},
	List: listSet,
	XT: option.XTStruct(option.XT[Set]{IPSets: func(m *Set) []*string { return []*string{&m.Set.v.Name} }}, 4,
		Set.blob, readSetBlob),
}

// keepRow is an option that says something only where it is inverted.
func keepRow(name string, field func(*Set) *bool) option.Row[Set] {
	return option.Row[Set]{
		Name: name, Invert: true,
		Set: func(m *Set, not bool, _ []string, _ option.Context) error {
			*field(m) = not
			return nil
		},
		Get: func(m *Set, _ nf.Family) (bool, string, bool) { return true, "", *field(m) },
	}
}

// countRows are the three options of a counter, of which one may be given.
func countRows(what string, field func(*Set) *SetCount) []option.Row[Set] {
	row := func(suffix string, op, inverted uint8) option.Row[Set] {
		return option.Row[Set]{
			Name: "--" + what + suffix, Args: 1, Invert: inverted != 0, Want: "a number from 0 to 18446744073709551615",
			Set: func(m *Set, not bool, w []string, _ option.Context) error {
				n, err := option.Uint(w[0], 0, 1<<64-1)
				switch c := field(m); {
				case err != nil:
					return fmt.Errorf("cannot parse %s as a counter value: %w", w[0], err)
				case *c != SetCount{}:
					return fmt.Errorf("only one of the --%s-[eq|lt|gt] is allowed", what)
				case not:
					*c = SetCount{inverted, n}
				default:
					*c = SetCount{op, n}
				}
				return nil
			},
			Get: func(m *Set, _ nf.Family) (bool, string, bool) {
				c := field(m)
				not := inverted != 0 && c.op == inverted
				return not, strconv.FormatUint(c.n, 10), c.op == op || not
			},
		}
	}
	return []option.Row[Set]{
		row("-eq", xtables.IPSetEqual, xtables.IPSetNotEqual), row("-lt", xtables.IPSetLess, 0), row("-gt", xtables.IPSetGreater, 0),
	}
}

func listSet(m Set, _ *option.Lister) string {
	s, not, _ := m.Set.Get()
	out := "match-set " + option.ListIPSet(s)
	if not {
		out = "! " + out
	}
	if m.ReturnNoMatch {
		out += " return-nomatch"
	}
	if m.KeepCounters {
		out += " ! update-counters"
	}
	if m.KeepSubcounters {
		out += " ! update-subcounters"
	}
	return out + m.Packets.list("packets") + m.Bytes.list("bytes")
}

func (c SetCount) list(what string) string {
	switch c.op {
	case xtables.IPSetEqual:
		return fmt.Sprintf(" %s-eq %d", what, c.n)
	case xtables.IPSetNotEqual:
		return fmt.Sprintf(" ! %s-eq %d", what, c.n)
	case xtables.IPSetLess:
		return fmt.Sprintf(" %s-lt %d", what, c.n)
	case xtables.IPSetGreater:
		return fmt.Sprintf(" %s-gt %d", what, c.n)
	}
	return ""
}

// Compile adds the kernel's match.
func (m Set) Compile(c *program.Code) error { return ipset.Kernel(c, m) }

func (m Set) blob(program.Env) (b xtables.Set) {
	s, not, _ := m.Set.Get()
	b.Match = option.EncodeIPSet(s)
	if not {
		b.Match.Flags |= xtables.IPSetInvert
	}
	for _, f := range m.flags() {
		if *f.field {
			b.Flags |= f.bit
		}
	}
	b.Packets.Op, b.Packets.Value = m.Packets.op, m.Packets.n
	b.Bytes.Op, b.Bytes.Value = m.Bytes.op, m.Bytes.n
	return b
}

// setFlag is a bit of the struct and the field that it is.
type setFlag struct {
	bit   uint32
	field *bool
}

func (m *Set) flags() []setFlag {
	return []setFlag{
		{xtables.IPSetReturnNoMatch, &m.ReturnNoMatch}, {xtables.IPSetSkipCounter, &m.KeepCounters},
		{xtables.IPSetSkipSubcounter, &m.KeepSubcounters},
	}
}

func readSetBlob(b xtables.Set, _ program.Env) (m Set, ok bool) {
	s, ok := option.DecodeIPSet(b.Match)
	m.Set = isOrNot(b.Match.Flags&xtables.IPSetInvert != 0, s)
	left := b.Flags
	for _, f := range m.flags() {
		*f.field = b.Flags&f.bit != 0
		left &^= f.bit
	}
	m.Packets, m.Bytes = SetCount{b.Packets.Op, b.Packets.Value}, SetCount{b.Bytes.Op, b.Bytes.Value}
	return m, ok && left == 0 && m.Packets.known() && m.Bytes.known()
}

// known says whether c is one of the four comparisons, or none.
func (c SetCount) known() bool {
	return c.op <= xtables.IPSetGreater && (c.op != xtables.IPSetAny || c.n == 0)
}
