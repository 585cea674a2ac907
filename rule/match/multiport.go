package match

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Multiport is -m multiport: up to 15 ports of a protocol, a range counting as
// two. It implies -p. Exactly one of the three lists must be given.
//
//	[!] --sports port[,port|,port:port]…  [!] --dports …  [!] --ports …
//
// --sports and --dports are native: one comparison, or a lookup in a set of the
// rule's own, behind a guard that the two ports are there (xt_multiport looks at
// no more of the header, and at first fragments only; a packet that is shorter
// it drops, where we only do not match it). A set keeps no order, so a list that
// is not ascending travels in the rule's userdata as well. --ports, where either
// port will do, is the kernel's own xt match, which ip and ip6 tables have and
// inet tables have not. It mirrors net/netfilter/xt_multiport.c.
type Multiport struct {
	// Proto is the protocol that has the ports: TCP, UDP, UDPLite, SCTP or DCCP.
	// Where it is 0 the rule's -p is taken; without either it is an error.
	Proto  nf.Protocol
	Sports Opt[nf.PortList] // --sports: the source port is in the list
	Dports Opt[nf.PortList] // --dports: the destination port is
	Ports  Opt[nf.PortList] // --ports: either is
}

// Name is "multiport".
func (Multiport) Name() string { return multiport.Name }

func (Multiport) ext() option.Extension { return multiport }

var multiport = &option.Spec[Multiport]{
	Name: "multiport",
	Rows: []option.Row[Multiport]{
		multiportRow("--sports", func(m *Multiport) *Opt[nf.PortList] { return &m.Sports }, "--source-ports"),
		multiportRow("--dports", func(m *Multiport) *Opt[nf.PortList] { return &m.Dports }, "--destination-ports"),
		multiportRow("--ports", func(m *Multiport) *Opt[nf.PortList] { return &m.Ports }),
	},
	Check: checkMultiport,
	Needs: func(m Multiport) option.Needs {
		if !m.Proto.HasPorts() {
			return option.Needs{} // Check says what is wrong
		}
		return option.Needs{Protos: []nf.Protocol{m.Proto}, Imply: m.Proto}
	},
	List: listMultiport,
	Read: readMultiport,
	XT:   option.XTStruct(option.XT[Multiport]{}, 1, Multiport.blob, readMultiportBlob),
}

// multiportRow is an option that takes a list, and the protocol from the -p that
// must stand before it, as in iptables.
func multiportRow(name string, field func(*Multiport) *Opt[nf.PortList], aliases ...string) option.Row[Multiport] {
	row := opt(name, field, portList, aliases...)
	set := row.Set
	row.Set = func(m *Multiport, not bool, words []string, c option.Context) error {
		switch {
		case c.Proto == 0:
			return errors.New("needs -p tcp, -p udp, -p udplite, -p sctp or -p dccp before it")
		case c.ProtoNot || !c.Proto.HasPorts():
			return errNoPorts
		}
		m.Proto = c.Proto
		return set(m, not, words, c)
	}
	return row
}

var errNoPorts = errors.New("only works with tcp, udp, udplite, sctp and dccp")

// portList is a codec for "25,80,1024:65535". Unlike --dport's, a range has both
// its bounds.
var portList = option.Codec[nf.PortList]{
	Want: "up to 15 ports, a range counting as two",
	Parse: func(w string, c option.Context) (l nf.PortList, err error) {
		var ports []nf.Ports
		for _, part := range strings.Split(w, ",") {
			first, last, ranged := strings.Cut(part, ":")
			lo, err := option.ParsePort(first, c)
			if err != nil {
				return l, err
			}
			hi := lo
			if ranged {
				if hi, err = option.ParsePort(last, c); err != nil {
					return l, err
				}
				if lo >= hi {
					return l, fmt.Errorf("invalid portrange specified: %s", part)
				}
			}
			ports = append(ports, nf.PortRange(lo, hi))
		}
		l = nf.List(ports...)
		return l, l.Err()
	},
	Print: func(l nf.PortList, _ nf.Family) string { return l.String() },
}

// list is the one list that is given, and the option's name.
func (m Multiport) list() (name string, o Opt[nf.PortList]) {
	switch {
	case m.Sports.Given():
		return "--sports", m.Sports
	case m.Dports.Given():
		return "--dports", m.Dports
	}
	return "--ports", m.Ports
}

func checkMultiport(m *Multiport, c option.Context) error {
	given := 0
	for _, o := range [...]Opt[nf.PortList]{m.Sports, m.Dports, m.Ports} {
		if o.Given() {
			given++
		}
	}
	name, o := m.list()
	switch {
	case given == 0:
		return errors.New("expects one of --sports, --dports and --ports")
	case given > 1:
		return errors.New("--sports, --dports and --ports cannot be used together")
	case m.Proto == 0 && c.Proto == 0:
		return fmt.Errorf("needs a protocol that has ports: there is no %s without one", name)
	case m.Proto == 0 && !c.ProtoNot:
		m.Proto = c.Proto
	}
	if !m.Proto.HasPorts() {
		return fmt.Errorf("%w: there is no %s for %v", errNoPorts, name, m.Proto)
	}
	return valid(o)
}

// Compile compares one port field, or leaves --ports to xt_multiport.
func (m Multiport) Compile(c *program.Code) error {
	if m.Ports.Given() {
		return multiport.Kernel(c, m)
	}
	field := dportField
	if m.Sports.Given() {
		field = sportField
	}
	_, o := m.list()
	list, not, _ := o.Get()
	sorted := ascending(list.All())
	c.Test(whole(wholePorts), listTest(field, not, sorted))
	if nf.List(sorted...) != list {
		c.List(list.String())
	}
	return nil
}

// readMultiport reads the guard and the comparison of one port field.
func readMultiport(r *program.Reader) (m Multiport, ok bool) {
	m.Proto = nf.Protocol(r.Env.Proto)
	if r.Env.ProtoNot || !m.Proto.HasPorts() {
		return m, false
	}
	if !readWhole(r, wholePorts) {
		return m, false
	}
	t, ok := r.Test(0)
	if !ok {
		return m, false
	}
	ports, ok := readList(t)
	list := nf.List(ports...)
	if text, noted := r.List(); ok && noted {
		list, ok = readNoted(text)
	}
	if !ok || list.Err() != nil {
		return m, false
	}
	switch t.Load {
	case sportField:
		m.Sports = isOrNot(t.Not(), list)
	case dportField:
		m.Dports = isOrNot(t.Not(), list)
	default:
		return m, false
	}
	r.Take(1)
	return m, true
}

// readNoted reads the list as it was given. Whether it says what the program
// does is the compiler's to see, which compiles it again.
func readNoted(text string) (nf.PortList, bool) {
	list, err := portList.Parse(text, option.Context{})
	return list, err == nil
}

// listMultiport prints the two blanks before "!" as iptables does.
func listMultiport(m Multiport, l *option.Lister) string {
	name, o := m.list()
	list, not, _ := o.Get()
	var words []string
	for _, p := range list.All() {
		lo, hi, _ := p.Bounds()
		w := l.Port(lo, m.Proto)
		if lo != hi {
			w += ":" + l.Port(hi, m.Proto)
		}
		words = append(words, w)
	}
	sep := " "
	if not {
		sep = "  !"
	}
	return "multiport " + strings.TrimPrefix(name, "--") + sep + strings.Join(words, ",")
}
