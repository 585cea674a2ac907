package table

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// columns are a rule's header matches as a listing shows them.
type columns struct {
	proto    nf.Protocol
	protoNot bool
	frag     string
	in, out  string
	from, to string // with the sign before them
}

// columnsOf takes the header matches of a rule apart.
func (l *lister) columnsOf(r rule.Rule) columns {
	any := " " + l.anywhere(r)
	c := columns{frag: "--", in: "*", out: "*", from: any, to: any}
	if l.names != nil {
		c.in, c.out = "any", "any"
	}
	for m := range r.Matches() {
		switch m := m.(type) {
		case match.Protocol:
			c.proto, c.protoNot, _ = m.Proto.Get()
		case match.LaterFragments:
			c.frag = "-f"
			if _, not, _ := m.Fragment.Get(); not {
				c.frag = "!f"
			}
		case match.Iface:
			if m.Out {
				c.out = ifaceText(m)
			} else {
				c.in = ifaceText(m)
			}
		case match.Address:
			if m.Dest {
				c.to = l.address(m)
			} else {
				c.from = l.address(m)
			}
		}
	}
	return c
}

func ifaceText(m match.Iface) string {
	name, not, _ := m.Device.Get()
	if m.Prefix {
		name += "+"
	}
	if not {
		return "!" + name
	}
	return name
}

// address is an address with the sign before it: " 10.0.0.0/8", "!192.0.2.1".
func (l *lister) address(m match.Address) string {
	n, not, _ := m.Net.Get()
	sign := " "
	if not {
		sign = "!"
	}
	if l.names != nil && (n.All() || n.Addr() == netip.IPv6Unspecified()) {
		return sign + "anywhere" // ip6tables does not look at the mask
	}
	host := n.Addr().String()
	if l.names != nil {
		if name, ok := l.names.host(n.Addr()); ok {
			host = name
		}
	}
	switch p, ok := n.Prefix(); {
	case !ok:
		return sign + host + "/" + n.Mask().String()
	case p.Bits() == p.Addr().BitLen():
		return sign + host
	default:
		return sign + host + "/" + strconv.Itoa(p.Bits())
	}
}

// row prints one rule.
func (l *lister) row(n int, r rule.Rule) {
	if l.how.Numbers {
		l.left(strconv.Itoa(n), 4)
	}
	if l.how.Verbose {
		width := 5
		if l.how.Exact {
			width = 8
		}
		l.right(l.amount(r.Counters().Packets), width)
		l.right(l.amount(r.Counters().Bytes), width)
	}
	c := l.columnsOf(r)
	l.left(listed(r.Target()), 9)
	l.text(sign(c.protoNot))
	l.left(l.protocol(c.proto), 4)
	l.text(c.frag, " ")
	if l.how.Verbose {
		l.text(" ")
		l.left(c.in, 6)
		l.left(c.out, 6)
	}
	l.left(c.from, 20)
	l.left(c.to, 20)
	l.extensions(r, c)
	l.text("\n")
}

// listed is the name that a listing has for a target: NOTRACK is a spelling of CT.
func listed(t target.Target) string {
	if name := t.Name(); name != "NOTRACK" {
		return name
	}
	return "CT"
}

// extensions prints what the matches and the target have to say.
func (l *lister) extensions(r rule.Rule, c columns) {
	if _, ok := r.Target().(target.Goto); ok {
		l.text("[goto] ")
	}
	how := option.Lister{Family: r.Family(), Proto: c.proto}
	if l.names != nil {
		how.Service, how.Host = l.names.service, l.names.host
	}
	word := func(s string) {
		if rest, ok := strings.CutPrefix(s, option.Unspaced); ok {
			l.text(rest)
		} else if s != "" {
			l.text(" ", s)
		}
	}
	for m := range r.Matches() {
		if e := match.Extension(m); e != nil {
			word(e.ListText(m, &how))
		}
	}
	if e := target.Extension(r.Target()); e != nil {
		word(e.ListText(r.Target(), &how))
	}
}

func (l *lister) protocol(p nf.Protocol) string {
	switch {
	case l.names == nil:
		return strconv.Itoa(int(p))
	case p == 0:
		return "all"
	}
	return p.String()
}

func sign(not bool) string {
	if not {
		return "!"
	}
	return " "
}

// spaces is as long as the widest column.
const spaces = "                    "

// left prints a column of at least width, and a blank.
func (l *lister) left(s string, width int) {
	l.text(s, spaces[:max(0, width-len(s))], " ")
}

// right is left with the text at the right.
func (l *lister) right(s string, width int) {
	l.text(spaces[:max(0, width-len(s))], s, " ")
}
