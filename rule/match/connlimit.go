package match

import (
	"errors"
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Connlimit is -m connlimit: how many connections there are that share the
// packet's address, or a prefix of it, the packet's own included. Exactly one of
// Upto and Above must be given.
//
//	[!] --connlimit-upto n | [!] --connlimit-above n
//	--connlimit-mask prefix  --connlimit-saddr | --connlimit-daddr
//
// It is the kernel's own xt match, which ip and ip6 tables have and inet tables have
// not: nf_tables counts into a set that has a size, and iptables' knows none. A
// prefix that is too long, and a mask with holes, iptables turns into another;
// here they are errors. It mirrors net/netfilter/xt_connlimit.c.
type Connlimit struct {
	Upto  Opt[uint32] // --connlimit-upto: so many or fewer; Not(n) is Above n
	Above Opt[uint32] // --connlimit-above: more; Not(n) is Upto n
	Mask  Opt[uint8]  // --connlimit-mask: the prefix's length; absent: the whole address
	Dest  bool        // --connlimit-daddr: the destination's address; false: --connlimit-saddr
	sided bool        // one of the two was read; false in the normal form
}

// Name is "connlimit".
func (Connlimit) Name() string { return connlimit.Name }

func (Connlimit) ext() option.Extension { return connlimit }

const connlimitUpto, connlimitAbove = "--connlimit-upto", "--connlimit-above"

var connlimit = &option.Spec[Connlimit]{
	Name: "connlimit",
	Rows: []option.Row[Connlimit]{
		opt(connlimitUpto, func(m *Connlimit) *Opt[uint32] { return &m.Upto }, option.Number[uint32](0, 1<<32-1)),
		opt(connlimitAbove, func(m *Connlimit) *Opt[uint32] { return &m.Above }, option.Number[uint32](0, 1<<32-1)),
		connlimitMask,
		connlimitSide("--connlimit-saddr", false), connlimitSide("--connlimit-daddr", true),
	},
	Check: func(m *Connlimit, c option.Context) error { return m.check(c.Family) },
	Needs: func(m Connlimit) option.Needs {
		if n, _, _ := m.Mask.Get(); n > 32 {
			return option.Needs{Family: nf.IPv6}
		}
		return option.Needs{}
	},
	List: listConnlimit,
	XT:   option.XTStruct(option.XT[Connlimit]{Loose: true}, 1, Connlimit.blob, readConnlimit),
}

// connlimitMask is printed though it was not given, where the family says what it is.
var connlimitMask = func() option.Row[Connlimit] {
	row := plain("--connlimit-mask", func(m *Connlimit) *Opt[uint8] { return &m.Mask }, prefixLength)
	row.Get = func(m *Connlimit, f nf.Family) (bool, string, bool) {
		return false, fmt.Sprint(m.mask(f)), f != nf.Both || m.Mask.Given()
	}
	return row
}()

// connlimitSide is the row of one side; there is one in a rule.
func connlimitSide(name string, dest bool) option.Row[Connlimit] {
	return option.Row[Connlimit]{
		Name: name,
		Set: func(m *Connlimit, _ bool, _ []string, _ option.Context) error {
			if m.sided {
				return together("--connlimit-saddr", "--connlimit-daddr")
			}
			m.Dest, m.sided = dest, true
			return nil
		},
		Get: func(m *Connlimit, _ nf.Family) (bool, string, bool) { return false, "", m.Dest == dest },
	}
}

// mask is the length of the prefix.
func (m Connlimit) mask(f nf.Family) uint8 {
	if n, _, ok := m.Mask.Get(); ok {
		return n
	}
	return maxPrefix(f)
}

// check brings the inverted ones to the other's form.
func (m *Connlimit) check(f nf.Family) error {
	m.sided = false
	switch {
	case m.Upto.Given() && m.Above.Given():
		return together(connlimitUpto, connlimitAbove)
	case !m.Upto.Given() && !m.Above.Given():
		return errors.New(`You must specify "--connlimit-above" or "--connlimit-upto".`)
	}
	if n, not, _ := m.Upto.Get(); not {
		m.Upto, m.Above = Opt[uint32]{}, Is(n)
	} else if n, not, _ := m.Above.Get(); not {
		m.Upto, m.Above = Is(n), Opt[uint32]{}
	}
	if n := m.mask(f); n > maxPrefix(f) {
		return fmt.Errorf("a prefix of %d bits, %d at most", n, maxPrefix(f))
	} else if n == maxPrefix(f) && f != nf.Both {
		m.Mask = Opt[uint8]{}
	}
	return nil
}

// limit is the number, and whether it is the most that match.
func (m Connlimit) limit() (n uint32, upto bool) {
	if n, _, ok := m.Upto.Get(); ok {
		return n, true
	}
	n, _, _ = m.Above.Get()
	return n, false
}

func listConnlimit(m Connlimit, l *option.Lister) string {
	side, sign := "src", ">"
	if m.Dest {
		side = "dst"
	}
	n, upto := m.limit()
	if upto {
		sign = "<="
	}
	return fmt.Sprintf("#conn %s/%d %s %d", side, m.mask(l.Family), sign, n)
}

// Compile is the kernel's own match.
func (m Connlimit) Compile(c *program.Code) error { return connlimit.Kernel(c, m) }

func (m Connlimit) blob(env program.Env) xtables.Connlimit {
	n, upto := m.limit()
	return xtables.Connlimit{
		Mask: prefixMask(m.mask(familyOf(env))), Limit: n,
		Flags: bitIf[uint32](upto, xtables.ConnlimitInvert) | bitIf[uint32](m.Dest, xtables.ConnlimitDest),
	}
}

// readConnlimit reads blob. In IPv4 iptables leaves the bytes behind the mask set
// where none was given, and nobody looks at them.
func readConnlimit(b xtables.Connlimit, env program.Env) (m Connlimit, ok bool) {
	f := familyOf(env)
	n, ok := maskLength(b.Mask[:])
	if wideMask(b.Mask) {
		n = maxPrefix(f)
	}
	m.Mask = Is(n)
	m.Dest = b.Flags&xtables.ConnlimitDest != 0
	if b.Flags&xtables.ConnlimitInvert != 0 {
		m.Upto = Is(b.Limit)
	} else {
		m.Above = Is(b.Limit)
	}
	return m, ok && b.Flags <= xtables.ConnlimitInvert|xtables.ConnlimitDest && b.Data == 0 && m.check(f) == nil
}

// familyOf is the family of an ip or ip6 table.
func familyOf(env program.Env) nf.Family {
	switch env.Family {
	case program.IP:
		return nf.IPv4
	case program.IP6:
		return nf.IPv6
	}
	return nf.Both
}
