package target

import (
	"encoding/binary"
	"net/netip"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// tied is the error of an xt target that the kernel has in one table of iptables
// only, found by its name, where that is not the table; nil where it is.
func tied(env program.Env, extension, table string) error {
	switch {
	case !env.Plain || env.Table != table:
		return &program.InexactError{
			Extension: extension,
			Why:       "nf_tables has no form of it, and the kernel ties its own to the table name " + table,
			Hint:      "the owner iptables has the table of that name",
		}
	case env.Family == program.Inet:
		return program.NotInInet(extension)
	}
	return nil
}

// compileXT adds xt_nat's DNAT of revision 2, the only one that shifts ports.
func (t DNAT) compileXT(a program.Action) error {
	if err := tied(a.Env, "DNAT with a shift of ports", "nat"); err != nil {
		return err
	}
	a.Add(program.XTTarget{Name: "DNAT", Rev: 2, Info: xtables.Encode(t.blob())})
	return nil
}

func (t DNAT) blob() xtables.NATRange2 {
	b := xtables.NATRange2{Flags: rangePorts | rangeOffset | t.flags()}
	if t.To.Given() {
		lo, hi := t.To.Bounds()
		b.Flags |= rangeAddrs
		copy(b.MinAddr[:], lo.AsSlice())
		copy(b.MaxAddr[:], hi.AsSlice())
	}
	lo, hi, _ := t.Ports.Bounds()
	binary.BigEndian.PutUint16(b.MinPort[:], lo)
	binary.BigEndian.PutUint16(b.MaxPort[:], hi)
	binary.BigEndian.PutUint16(b.BasePort[:], t.Shift)
	return b
}

func readXTDNAT(e program.XTTarget, env program.Env) (t DNAT, ok bool) {
	b, ok := xtables.Decode[xtables.NATRange2](e.Info)
	if !ok || e.Name != "DNAT" || e.Rev != 2 || b.Flags&rangeOffset == 0 {
		return t, false
	}
	if b.Flags&rangeAddrs != 0 {
		n := 16
		if env.Family == program.IP {
			n = 4
		}
		lo, _ := netip.AddrFromSlice(b.MinAddr[:n])
		hi, _ := netip.AddrFromSlice(b.MaxAddr[:n])
		if t.To = nf.AddrRange(lo, hi); t.To.Err() != nil {
			return t, false
		}
	}
	t.Ports = nf.PortRange(binary.BigEndian.Uint16(b.MinPort[:]), binary.BigEndian.Uint16(b.MaxPort[:]))
	t.Shift = binary.BigEndian.Uint16(b.BasePort[:])
	t.NATOptions = natOptions(b.Flags)
	return t, t.Ports.Err() == nil && t.blob() == b
}
