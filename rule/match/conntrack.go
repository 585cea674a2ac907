package match

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Conntrack is -m conntrack: what the kernel knows of the packet's connection.
// The zero value is an error; an option that is absent says nothing. IPv4 and IPv6.
//
//	[!] --ctstate state[,state…]     INVALID NEW RELATED ESTABLISHED UNTRACKED SNAT DNAT
//	[!] --ctproto protocol
//	[!] --ctorigsrc address[/mask]   [!] --ctorigdst address[/mask]
//	[!] --ctreplsrc address[/mask]   [!] --ctrepldst address[/mask]
//	[!] --ctorigsrcport port[:port]  [!] --ctorigdstport port[:port]
//	[!] --ctreplsrcport port[:port]  [!] --ctrepldstport port[:port]
//	[!] --ctstatus status[,status…]  NONE EXPECTED SEEN_REPLY ASSURED CONFIRMED
//	[!] --ctexpire time[:time]       seconds
//	--ctdir ORIGINAL|REPLY
//
// One option alone is native where nf_tables compares the same thing: a packet
// without a connection matches none of them but --ctstate, inverted or not, in
// nf_tables as in xt_conntrack. SNAT and DNAT, --ctexpire, ports without
// -p tcp or udp (which nft could not print), addresses in the raw table (where
// a connection may be a template without addresses) and several options at once
// (packets without a connection pass them all when --ctstate lets them) are the
// kernel's own xt match, which every family has; so is all of it in the tables
// that are shared with iptables-nft. It mirrors net/netfilter/xt_conntrack.c.
//
// Unlike iptables 1.8.9 a mask with holes is refused, where iptables takes it
// for /32, and so is a port above 65535 or a range that runs backward.
type Conntrack struct {
	State       Opt[CTState]      // --ctstate
	Proto       Opt[nf.Protocol]  // --ctproto; 0 is an error
	OrigSource  Opt[nf.Net]       // --ctorigsrc: the source of the connection's first packet
	OrigDest    Opt[nf.Net]       // --ctorigdst
	ReplySource Opt[nf.Net]       // --ctreplsrc: the source of the answers
	ReplyDest   Opt[nf.Net]       // --ctrepldst
	OrigSport   Opt[nf.Ports]     // --ctorigsrcport
	OrigDport   Opt[nf.Ports]     // --ctorigdstport
	ReplySport  Opt[nf.Ports]     // --ctreplsrcport
	ReplyDport  Opt[nf.Ports]     // --ctrepldstport
	Status      Opt[CTStatus]     // --ctstatus
	Expire      Opt[SecondsRange] // --ctexpire: how long the connection still lives without a packet
	Dir         CTDir             // --ctdir; zero: absent
}

// CTStates is "-m conntrack --ctstate s".
func CTStates(s CTState) Conntrack { return Conntrack{State: Is(s)} }

// CTStatus is a set of what happened to a connection. The zero value is an
// error: NONE is NoStatus.
type CTStatus uint8

const (
	Expected  CTStatus = 1 << iota // EXPECTED: another connection announced it
	SeenReply                      // SEEN_REPLY: packets went both ways
	Assured                        // ASSURED: not dropped before its time
	Confirmed                      // CONFIRMED: the first packet left the host or arrived
	NoStatus                       // NONE: no status at all, which no packet matches; beside others it says nothing

	allStatus = NoStatus<<1 - 1
)

// statusNames are in the order in which iptables prints them.
var statusNames = []flagName[CTStatus]{
	{"NONE", NoStatus}, {"EXPECTED", Expected}, {"SEEN_REPLY", SeenReply},
	{"ASSURED", Assured}, {"CONFIRMED", Confirmed},
}

// Err is not nil for the zero value and for a status that there is not.
func (s CTStatus) Err() error {
	if s == 0 || s&^allStatus != 0 {
		return fmt.Errorf("no connection status has the bits %#x", uint8(s))
	}
	return nil
}

// String is "SEEN_REPLY,ASSURED"; "" for the zero value.
func (s CTStatus) String() string { return printFlags(s, statusNames) }

// SecondsRange is a number of seconds, First to Last, both included.
type SecondsRange struct{ First, Last uint32 }

// Err is not nil for a range that runs backward.
func (s SecondsRange) Err() error {
	if s.First > s.Last {
		return &nf.ValueError{Kind: "range of seconds", Value: s.String(), Reason: "runs backward"}
	}
	return nil
}

// String is "5" or "1:2".
func (s SecondsRange) String() string {
	if s.First == s.Last {
		return fmt.Sprint(s.First)
	}
	return fmt.Sprintf("%d:%d", s.First, s.Last)
}

// CTDir is a packet's direction in its connection. The zero value is "not given".
type CTDir uint8

const (
	OriginalDir CTDir = iota + 1 // ORIGINAL: as the first packet went
	ReplyDir                     // REPLY: the other way
)

// String is "ORIGINAL" or "REPLY"; "" for the zero value.
func (d CTDir) String() string {
	switch d {
	case OriginalDir:
		return "ORIGINAL"
	case ReplyDir:
		return "REPLY"
	}
	return ""
}

// Name is "conntrack".
func (Conntrack) Name() string { return conntrack.Name }

func (Conntrack) ext() option.Extension { return conntrack }

// conntrackRows is a variable of its own because the listing walks it.
var conntrackRows = []option.Row[Conntrack]{
	opt("--ctstate", func(m *Conntrack) *Opt[CTState] { return &m.State },
		flagList("states, like RELATED,ESTABLISHED", "Bad ctstate", stateNames)),
	opt("--ctproto", func(m *Conntrack) *Opt[nf.Protocol] { return &m.Proto }, ctProtocol),
	opt("--ctorigsrc", func(m *Conntrack) *Opt[nf.Net] { return &m.OrigSource }, ctNet),
	opt("--ctorigdst", func(m *Conntrack) *Opt[nf.Net] { return &m.OrigDest }, ctNet),
	opt("--ctreplsrc", func(m *Conntrack) *Opt[nf.Net] { return &m.ReplySource }, ctNet),
	opt("--ctrepldst", func(m *Conntrack) *Opt[nf.Net] { return &m.ReplyDest }, ctNet),
	opt("--ctorigsrcport", func(m *Conntrack) *Opt[nf.Ports] { return &m.OrigSport }, option.DecimalPorts),
	opt("--ctorigdstport", func(m *Conntrack) *Opt[nf.Ports] { return &m.OrigDport }, option.DecimalPorts),
	opt("--ctreplsrcport", func(m *Conntrack) *Opt[nf.Ports] { return &m.ReplySport }, option.DecimalPorts),
	opt("--ctrepldstport", func(m *Conntrack) *Opt[nf.Ports] { return &m.ReplyDport }, option.DecimalPorts),
	opt("--ctstatus", func(m *Conntrack) *Opt[CTStatus] { return &m.Status },
		flagList("statuses, like SEEN_REPLY,ASSURED", "Bad ctstatus", statusNames)),
	opt("--ctexpire", func(m *Conntrack) *Opt[SecondsRange] { return &m.Expire }, seconds),
	option.Field("--ctdir", func(m *Conntrack) *CTDir { return &m.Dir }, ctDirection),
}

var conntrack = &option.Spec[Conntrack]{
	Name:  "conntrack",
	Rows:  conntrackRows,
	Check: checkConntrack,
	Needs: func(m Conntrack) option.Needs {
		for _, a := range m.addresses() {
			if n, _, ok := a.Get(); ok {
				return option.Needs{Family: n.Family()}
			}
		}
		return option.Needs{}
	},
	List: listConntrack,
	Read: readConntrack,
	XT: option.XTStruct(option.XT[Conntrack]{Inet: true}, 3,
		func(m Conntrack, _ program.Env) xtables.Conntrack { return m.blob(0) },
		func(b xtables.Conntrack, env program.Env) (Conntrack, bool) {
			m, alias, ok := readConntrackBlob(b, env)
			return m, ok && !alias && checkConntrack(&m, option.Context{}) == nil
		}),
}

// addresses and ports are in the kernel's order: original source and
// destination, reply source and destination.
func (m *Conntrack) addresses() [4]*Opt[nf.Net] {
	return [4]*Opt[nf.Net]{&m.OrigSource, &m.OrigDest, &m.ReplySource, &m.ReplyDest}
}

func (m *Conntrack) ports() [4]*Opt[nf.Ports] {
	return [4]*Opt[nf.Ports]{&m.OrigSport, &m.OrigDport, &m.ReplySport, &m.ReplyDport}
}

func checkConntrack(m *Conntrack, _ option.Context) error {
	if *m == (Conntrack{}) {
		return errors.New("at least one option is required")
	}
	if s, not, ok := m.Status.Get(); ok && s&^NoStatus != 0 {
		m.Status = isOrNot(not, s&^NoStatus)
	}
	if p, _, ok := m.Proto.Get(); ok && p == 0 {
		return errors.New("--ctproto: protocol not given")
	}
	if m.Dir > ReplyDir {
		return fmt.Errorf("--ctdir: %d is no direction", uint8(m.Dir))
	}
	err := errors.Join(valid(m.State), valid(m.Status), valid(m.Expire))
	family := nf.Both
	for _, o := range m.addresses() {
		n, _, ok := o.Get()
		if !ok {
			continue
		}
		f, fits := family.And(n.Family())
		_, plain := n.Prefix()
		switch {
		case n.Err() != nil:
			return errors.Join(err, n.Err())
		case !fits:
			return errors.Join(err, fmt.Errorf("addresses of %v and %v exclude each other", family, n.Family()))
		case !plain:
			return errors.Join(err, fmt.Errorf("%v: the mask must be a prefix here", n))
		}
		family = f
	}
	for _, p := range m.ports() {
		err = errors.Join(err, valid(*p))
	}
	return err
}

// ctProtocol is a codec for --ctproto, which iptables prints as a number.
var ctProtocol = option.Codec[nf.Protocol]{
	Want: "a protocol",
	Parse: func(w string, _ option.Context) (nf.Protocol, error) {
		p, ok := nf.ParseProtocol(w)
		if !ok || w != strings.ToLower(w) && w != strings.ToUpper(w) { // as /etc/protocols has its names
			return 0, fmt.Errorf("unknown protocol %q specified", w)
		}
		return p, nil
	},
	Print: func(p nf.Protocol, _ nf.Family) string { return fmt.Sprint(uint8(p)) },
}

// ctNet is a codec for an address, which iptables prints without /32 here. Short
// forms ("10.1") are refused: this option reads them otherwise than -s does.
var ctNet = option.Codec[nf.Net]{
	Want: "an address, with /prefix or /mask",
	Parse: func(w string, c option.Context) (nf.Net, error) {
		host, _, _ := strings.Cut(w, "/")
		if _, err := netip.ParseAddr(host); err != nil {
			return nf.Net{}, fmt.Errorf("address `%s' not understood", w)
		}
		return option.ParseNet(w, c.Family)
	},
	Print: func(n nf.Net, _ nf.Family) string { return printCTNet(n, n.Addr().String()) },
}

// printCTNet is the network with its address in the words given.
func printCTNet(n nf.Net, addr string) string {
	if p, ok := n.Prefix(); ok && !p.IsSingleIP() {
		return addr + fmt.Sprintf("/%d", p.Bits())
	}
	return addr
}

// seconds is a codec for --ctexpire.
var seconds = option.Codec[SecondsRange]{
	Want: "seconds, or a range of them",
	Parse: func(w string, _ option.Context) (s SecondsRange, err error) {
		first, last, ranged := strings.Cut(w, ":")
		if !ranged {
			last = first
		}
		bound := func(w string, absent uint32) uint32 {
			if w == "" && ranged {
				return absent
			}
			n, e := option.Uint(w, 0, 1<<32-1)
			err = errors.Join(err, e)
			return uint32(n)
		}
		s = SecondsRange{bound(first, 0), bound(last, 1<<32-1)}
		return s, err
	},
	Print: func(s SecondsRange, _ nf.Family) string { return s.String() },
}

// ctDirection is a codec for --ctdir.
var ctDirection = option.Codec[CTDir]{
	Want: "ORIGINAL or REPLY",
	Parse: func(w string, _ option.Context) (CTDir, error) {
		for _, d := range [...]CTDir{OriginalDir, ReplyDir} {
			if strings.EqualFold(w, d.String()) {
				return d, nil
			}
		}
		return 0, fmt.Errorf("bad direction %q", w)
	},
	Print: func(d CTDir, _ nf.Family) string { return d.String() },
}

// listConntrack is the options without their dashes, addresses by name where
// names are wanted.
func listConntrack(m Conntrack, l *option.Lister) string {
	var words []string
	for i := range conntrackRows {
		row := &conntrackRows[i]
		not, text, ok := row.Get(&m, nf.Both)
		if !ok {
			continue
		}
		if at := i - 2; at >= 0 && at < 4 && !l.Numeric() {
			n, _, _ := m.addresses()[at].Get()
			text = printCTNet(n, l.Addr(n.Addr()))
			if n.Addr().IsUnspecified() {
				text = "anywhere"
			}
		}
		words = append(words, blank(not)+strings.TrimPrefix(row.Name, "--")+" "+text)
	}
	return strings.Join(words, " ")
}

// Compile compares one option natively, where that is exact; else it is
// xt_conntrack.
func (m Conntrack) Compile(c *program.Code) error {
	if t, ok := m.native(c.Env); ok {
		c.Test(t)
		return nil
	}
	return conntrack.Kernel(c, m)
}
