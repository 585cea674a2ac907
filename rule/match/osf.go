package match

import (
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// OSF is -m osf: a SYN packet looks as if an operating system of some kind had sent
// it, by the fingerprints that nfnl_osf has loaded. It needs -p tcp, is for IPv4,
// and for the chains PREROUTING, INPUT and FORWARD.
//
//	[!] --genre name  [--ttl level]  [--log level]
//
// It is the kernel's own xt match: nf_tables' osf names what it found, and does not
// log. It mirrors net/netfilter/xt_osf.c. A longer name, which iptables cuts off, is
// an error in a literal.
type OSF struct {
	Genre Opt[string] // --genre: "Linux", "Windows", "unknown"; 1 to 31 bytes; absent is an error
	TTL   Opt[uint8]  // --ttl: 0 that of the fingerprint, 1 or less, 2 not looked at; absent: 0, and less on this link
	Log   Opt[uint8]  // --log: 0 every fingerprint that fits, and packets that none does, 1 the first, 2 those that fit; absent: nothing
}

// maxGenre is MAXGENRELEN less the end of the string.
const maxGenre = 31

// Name is "osf".
func (OSF) Name() string { return osf.Name }

func (OSF) ext() option.Extension { return osf }

var osf = &option.Spec[OSF]{
	Name: "osf", Families: nf.IPv4,
	Rows: []option.Row[OSF]{
		opt("--genre", func(m *OSF) *Opt[string] { return &m.Genre }, option.Cut(maxGenre)),
		plain("--ttl", func(m *OSF) *Opt[uint8] { return &m.TTL }, option.Number[uint8](0, 2)),
		plain("--log", func(m *OSF) *Opt[uint8] { return &m.Log }, option.Number[uint8](0, 2)),
	},
	Check: func(m *OSF, _ option.Context) error {
		name, _, ok := m.Genre.Get()
		if !ok {
			return fmt.Errorf("option %q must be specified", "--genre")
		}
		if err := option.CheckText(name, maxGenre); err != nil {
			return fmt.Errorf("--genre %w", err)
		}
		if m.TTL.v > 2 || m.Log.v > 2 {
			return fmt.Errorf("--ttl %d or --log %d is out of range (0-2)", m.TTL.v, m.Log.v)
		}
		return nil
	},
	Needs: func(OSF) option.Needs {
		return option.Needs{Protos: []nf.Protocol{nf.TCP}, Chains: []string{"PREROUTING", "INPUT", "FORWARD"}}
	},
	List: func(m OSF, _ *option.Lister) string {
		name, not, _ := m.Genre.Get()
		return "OS fingerprint match " + blank(not) + name
	},
	XT: option.XTStruct(option.XT[OSF]{}, 0, OSF.blob, readOSFBlob),
}

// Compile adds the kernel's match.
func (m OSF) Compile(c *program.Code) error { return osf.Kernel(c, m) }

func (m OSF) blob(program.Env) (b xtables.OSF) {
	name, not, _ := m.Genre.Get()
	b.Len = uint32(copy(b.Genre[:maxGenre], name))
	b.TTL, b.LogLevel = uint32(m.TTL.v), uint32(m.Log.v)
	if not {
		b.Flags |= xtables.OSFInvert
	}
	if m.TTL.Given() {
		b.Flags |= xtables.OSFTTL
	}
	if m.Log.Given() {
		b.Flags |= xtables.OSFLog
	}
	return b
}

func readOSFBlob(b xtables.OSF, env program.Env) (m OSF, ok bool) {
	m.Genre = isOrNot(b.Flags&xtables.OSFInvert != 0, xtables.String(b.Genre[:]))
	if b.Flags&xtables.OSFTTL != 0 {
		m.TTL = Is(uint8(b.TTL))
	}
	if b.Flags&xtables.OSFLog != 0 {
		m.Log = Is(uint8(b.LogLevel))
	}
	return m, m.blob(env) == b
}
