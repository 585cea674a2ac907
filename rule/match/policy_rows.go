package match

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// policyRows are the options of a Policy, and then those of each element behind
// the first once more, to be printed: an option is read by the first row of its
// name, into the element that --next has gone to.
func policyRows() []option.Row[Policy] {
	rows := []option.Row[Policy]{
		option.Field("--dir", func(m *Policy) *PolicyDir { return &m.Dir }, option.Codec[PolicyDir]{
			Want: "in or out",
			Parse: func(w string, _ option.Context) (PolicyDir, error) {
				switch w {
				case "in":
					return PolicyIn, nil
				case "out":
					return PolicyOut, nil
				}
				return 0, fmt.Errorf("invalid dir %q", w)
			},
			Print: func(d PolicyDir, _ nf.Family) string { return d.String() },
		}),
		{
			Name: "--pol", Args: 1, Want: "none or ipsec",
			Set: func(m *Policy, _ bool, w []string, _ option.Context) error {
				if m.None = w[0] == "none"; !m.None && w[0] != "ipsec" {
					return fmt.Errorf("invalid policy %q", w[0])
				}
				return nil
			},
			Get: func(m *Policy, _ nf.Family) (bool, string, bool) { return false, m.pol(), true },
		},
		option.Flag("--strict", func(m *Policy) *bool { return &m.Strict }),
	}
	for i := range (Policy{}).Elements {
		if i > 0 {
			rows = append(rows, nextRow(i))
		}
		rows = append(rows,
			elementRow(i, "--reqid", func(e *PolicyElement) *Opt[uint32] { return &e.ReqID }, option.Number[uint32](0, 0xffffffff)),
			elementRow(i, "--spi", func(e *PolicyElement) *Opt[uint32] { return &e.SPI }, policySPI),
			elementRow(i, "--proto", func(e *PolicyElement) *Opt[nf.Protocol] { return &e.Proto }, policyProto),
			elementRow(i, "--mode", func(e *PolicyElement) *Opt[PolicyMode] { return &e.Mode }, policyMode),
			elementRow(i, "--tunnel-dst", func(e *PolicyElement) *Opt[netip.Prefix] { return &e.Dest }, hostPrefix),
			elementRow(i, "--tunnel-src", func(e *PolicyElement) *Opt[netip.Prefix] { return &e.Source }, hostPrefix))
	}
	return rows
}

// nextRow goes to the next element, and is printed before element i.
func nextRow(i int) option.Row[Policy] {
	return option.Row[Policy]{
		Name: "--next", Many: true,
		Set: func(m *Policy, _ bool, _ []string, _ option.Context) error {
			if int(m.next)+1 == len(m.Elements) {
				return errors.New("maximum policy depth reached")
			}
			m.next++
			return nil
		},
		Get: func(m *Policy, _ nf.Family) (bool, string, bool) { return false, "", i < m.count() },
	}
}

// elementRow is an option of the element that is being read, and is printed for
// element i.
func elementRow[V comparable](i int, name string, field func(*PolicyElement) *Opt[V], codec option.Codec[V]) option.Row[Policy] {
	row := opt(name, func(m *Policy) *Opt[V] { return field(&m.Elements[m.next]) }, codec)
	set := row.Set
	row.Many = true
	row.Set = func(m *Policy, not bool, w []string, c option.Context) error {
		if field(&m.Elements[m.next]).ok {
			return fmt.Errorf("double %s option", name)
		}
		return set(m, not, w, c)
	}
	row.Get = func(m *Policy, f nf.Family) (bool, string, bool) {
		v, not, ok := field(&m.Elements[i]).Get()
		if !ok {
			return false, "", false
		}
		return not, codec.Print(v, f), true
	}
	return row
}

// policySPI is a codec that prints hexadecimal digits.
var policySPI = option.Codec[uint32]{
	Want:  "a number from 0 to 4294967295",
	Parse: option.Number[uint32](0, 0xffffffff).Parse,
	Print: func(n uint32, _ nf.Family) string { return fmt.Sprintf("0x%x", n) },
}

var policyProto = option.Codec[nf.Protocol]{
	Want: "ah, esp or ipcomp",
	Parse: func(w string, c option.Context) (nf.Protocol, error) {
		p, err := parseProtocol(w, c)
		if w == policyProtos[protoIPComp] {
			p, err = protoIPComp, nil
		}
		if err == nil && policyProtos[p] == "" {
			err = errPolicyProto
		}
		return p, err
	},
	Print: func(p nf.Protocol, _ nf.Family) string { return policyProtos[p] },
}

var policyMode = option.Codec[PolicyMode]{
	Want: "tunnel or transport",
	Parse: func(w string, _ option.Context) (PolicyMode, error) {
		switch w {
		case "transport":
			return Transport, nil
		case "tunnel":
			return Tunnel, nil
		}
		return 0, fmt.Errorf("invalid mode %q", w)
	},
	Print: func(m PolicyMode, _ nf.Family) string { return m.String() },
}

// String is "in" or "out".
func (d PolicyDir) String() string {
	if d == PolicyOut {
		return "out"
	}
	return "in"
}

// String is "transport" or "tunnel".
func (m PolicyMode) String() string {
	if m == Tunnel {
		return "tunnel"
	}
	return "transport"
}

// pol is the word behind --pol.
func (m *Policy) pol() string {
	if m.None {
		return "none"
	}
	return "ipsec"
}

func listPolicy(m Policy, l *option.Lister) string {
	words := []string{"policy match dir", m.Dir.String(), "pol", m.pol()}
	if m.Strict {
		words = append(words, "strict")
	}
	n := m.count()
	for i := range n {
		if n > 1 {
			words = append(words, fmt.Sprintf("[%d]", i))
		}
		e := &m.Elements[i]
		add := func(format string, v any, not, ok bool) {
			if ok {
				words = append(words, blank(not)+fmt.Sprintf(format, v))
			}
		}
		add("reqid %d", e.ReqID.v, e.ReqID.not, e.ReqID.ok)
		add("spi 0x%x", e.SPI.v, e.SPI.not, e.SPI.ok)
		if l.Numeric() {
			add("proto %d", uint8(e.Proto.v), e.Proto.not, e.Proto.ok)
		} else {
			add("proto %s", policyProtos[e.Proto.v], e.Proto.not, e.Proto.ok)
		}
		add("mode %v", e.Mode.v, e.Mode.not, e.Mode.ok)
		add("tunnel-dst %s", printHost(e.Dest.v), e.Dest.not, e.Dest.ok)
		add("tunnel-src %s", printHost(e.Source.v), e.Source.not, e.Source.ok)
	}
	return strings.Join(words, " ")
}
