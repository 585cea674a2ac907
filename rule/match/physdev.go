package match

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Physdev is -m physdev: the port of a bridge that a packet came in or will go out
// through, where br_netfilter shows bridged packets to iptables. A port that
// packets of this host's go out through is not known before they do: Out and IsOut
// are not for the chain OUTPUT unless the packet IsBridged. At least one field must
// be given.
//
//	[!] --physdev-is-in  [!] --physdev-in name  [!] --physdev-is-out  [!] --physdev-out name
//	[!] --physdev-is-bridged
//
// It is the kernel's own xt match, which ip and ip6 tables have and inet tables
// have not. It mirrors net/netfilter/xt_physdev.c. A name of no bytes, which
// iptables takes for "any" and cannot load again, is refused.
type Physdev struct {
	IsIn      Opt[bool]   // --physdev-is-in: it came in through a bridge's port; Is(true) or Not(true)
	In        Opt[string] // --physdev-in: through this one; with a + at its end any whose name begins so
	IsOut     Opt[bool]   // --physdev-is-out: it will go out through a bridge's port
	Out       Opt[string] // --physdev-out: through this one
	IsBridged Opt[bool]   // --physdev-is-bridged: it is bridged and not routed
}

// Name is "physdev".
func (Physdev) Name() string { return physdev.Name }

func (Physdev) ext() option.Extension { return physdev }

var physdev = &option.Spec[Physdev]{
	Name: "physdev",
	Rows: []option.Row[Physdev]{
		flag("--physdev-is-in", func(m *Physdev) *Opt[bool] { return &m.IsIn }),
		opt("--physdev-in", func(m *Physdev) *Opt[string] { return &m.In }, bridgePort),
		flag("--physdev-is-out", func(m *Physdev) *Opt[bool] { return &m.IsOut }),
		opt("--physdev-out", func(m *Physdev) *Opt[string] { return &m.Out }, bridgePort),
		flag("--physdev-is-bridged", func(m *Physdev) *Opt[bool] { return &m.IsBridged }),
	},
	Check: checkPhysdev,
	Needs: func(m Physdev) (n option.Needs) {
		if bridged, not, ok := m.IsBridged.Get(); (m.Out.Given() || m.IsOut.Given()) && (!ok || not || !bridged) {
			n.Chains = []string{"PREROUTING", "INPUT", "FORWARD", "POSTROUTING"}
		}
		return n
	},
	List: func(m Physdev, _ *option.Lister) string { return "PHYSDEV match " + physdevText(m) },
	XT:   option.XTStruct(option.XT[Physdev]{}, 0, Physdev.blob, readPhysdevBlob),
}

// physdevText is the options as they are printed; it goes through the rows only
// when it is called, since the listing is part of what they are in.
func physdevText(m Physdev) string {
	var words []string
	add := func(name string, not, ok bool, value string) {
		if ok {
			words = append(words, strings.TrimSpace(blank(not)+name+" "+value))
		}
	}
	_, not, ok := m.IsIn.Get()
	add("--physdev-is-in", not, ok, "")
	name, not, ok := m.In.Get()
	add("--physdev-in", not, ok, name)
	_, not, ok = m.IsOut.Get()
	add("--physdev-is-out", not, ok, "")
	name, not, ok = m.Out.Get()
	add("--physdev-out", not, ok, name)
	_, not, ok = m.IsBridged.Get()
	add("--physdev-is-bridged", not, ok, "")
	return strings.Join(words, " ")
}

// bridgePort is a codec for the name of a device.
var bridgePort = option.Codec[string]{
	Want:  "the name of a device, of 1 to 15 bytes",
	Parse: func(w string, _ option.Context) (string, error) { return w, checkPort(w) },
	Print: func(s string, _ nf.Family) string { return s },
}

func checkPort(name string) error {
	if strings.ContainsAny(name, " \t\r\n\"\x00") {
		return fmt.Errorf("%q is no interface name", name)
	}
	switch {
	case name == "":
		return errors.New("empty interface name")
	case len(name) > maxIface:
		return fmt.Errorf("interface name `%s' must be shorter than IFNAMSIZ (15)", name)
	}
	return nil
}

func checkPhysdev(m *Physdev, _ option.Context) error {
	if *m == (Physdev{}) {
		return errors.New("no physdev option specified")
	}
	for _, o := range [...]Opt[string]{m.In, m.Out} {
		if name, _, ok := o.Get(); ok {
			if err := checkPort(name); err != nil {
				return err
			}
		}
	}
	for _, o := range [...]*Opt[bool]{&m.IsIn, &m.IsOut, &m.IsBridged} {
		*o = asFlag(*o)
	}
	return nil
}

// Compile adds the kernel's match.
func (m Physdev) Compile(c *program.Code) error { return physdev.Kernel(c, m) }

func (m Physdev) blob(program.Env) (b xtables.PhysDev) {
	set := func(bit uint8, not, ok bool) {
		if ok {
			b.Bits |= bit
		}
		if ok && not {
			b.Invert |= bit
		}
	}
	name, not, ok := m.In.Get()
	set(xtables.PhysDevIn, not, ok)
	b.In, b.InMask = ifaceMask(name)
	name, not, ok = m.Out.Get()
	set(xtables.PhysDevOut, not, ok)
	b.Out, b.OutMask = ifaceMask(name)
	set(xtables.PhysDevIsIn, m.IsIn.not, m.IsIn.ok)
	set(xtables.PhysDevIsOut, m.IsOut.not, m.IsOut.ok)
	set(xtables.PhysDevBridged, m.IsBridged.not, m.IsBridged.ok)
	return b
}

// ifaceMask is a device's name as xtables compares it: to its end, or, with a +,
// up to that.
func ifaceMask(name string) (b, mask [16]byte) {
	copy(b[:15], name)
	n := len(name) + 1
	if strings.HasSuffix(name, "+") {
		n -= 2
	}
	if name == "" {
		n = 0
	}
	for i := range min(n, len(mask)) {
		mask[i] = 0xff
	}
	return b, mask
}

func readPhysdevBlob(b xtables.PhysDev, env program.Env) (m Physdev, ok bool) {
	port := func(bit uint8, name [16]byte) (o Opt[string]) {
		if b.Bits&bit != 0 {
			o = isOrNot(b.Invert&bit != 0, xtables.String(name[:]))
		}
		return o
	}
	is := func(bit uint8) (o Opt[bool]) {
		if b.Bits&bit != 0 {
			o = isOrNot(b.Invert&bit != 0, true)
		}
		return o
	}
	m.In, m.Out = port(xtables.PhysDevIn, b.In), port(xtables.PhysDevOut, b.Out)
	m.IsIn, m.IsOut, m.IsBridged = is(xtables.PhysDevIsIn), is(xtables.PhysDevIsOut), is(xtables.PhysDevBridged)
	return m, m.blob(env) == b
}
