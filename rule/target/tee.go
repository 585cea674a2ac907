package target

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

// Tee is -j TEE: it sends a copy of the packet to another host on a network of
// ours, and goes on with the next rule. The copy is not tracked, and its TTL one
// less before FORWARD. The zero value is an error.
//
//	--gateway address  --oif device
//
// It is native, nf_tables' dup, for one family and without --oif: dup takes an
// interface's number, which --oif's name may cease to mean. With --oif it is the
// kernel's own xt target. Both are for ip and ip6 tables; inet tables have neither.
// A name of more than 15 bytes, which iptables cuts, and one that no interface can
// have, are refused. It mirrors net/netfilter/xt_TEE.c.
type Tee struct {
	Gateway netip.Addr // --gateway; the family's zero address is an error
	Device  string     // --oif: the route must leave by it, 1 to 15 bytes; "": any
}

// Name is "TEE".
func (Tee) Name() string { return tee.Name }

// Family is that of the gateway.
func (t Tee) Family() nf.Family { return nf.FamilyOf(t.Gateway) }

func (Tee) ext() option.Extension { return tee }

var tee = &option.Spec[Tee]{
	Name: "TEE",
	Rows: []option.Row[Tee]{
		option.Field("--gateway", func(t *Tee) *netip.Addr { return &t.Gateway }, option.Codec[netip.Addr]{
			Want:  "an address",
			Parse: func(w string, c option.Context) (netip.Addr, error) { return parseHost(w, c.Family) },
			Print: func(a netip.Addr, _ nf.Family) string { return a.String() },
		}),
		{
			Name: "--oif", Args: 1, Want: "an interface's name, 1 to 15 bytes",
			Set: func(t *Tee, _ bool, w []string, _ option.Context) error {
				t.Device = w[0]
				return checkDevice(w[0])
			},
			Get: func(t *Tee, _ nf.Family) (bool, string, bool) { return false, t.Device, t.Device != "" },
		},
	},
	Check: func(t *Tee, _ option.Context) error {
		t.Gateway = t.Gateway.Unmap()
		switch {
		case !t.Gateway.IsValid():
			return errors.New("option \"--gateway\" must be specified")
		case t.Gateway.IsUnspecified() || t.Gateway.Zone() != "":
			return fmt.Errorf("--gateway %v is no host's address", t.Gateway)
		case t.Device != "":
			return checkDevice(t.Device)
		}
		return nil
	},
	Needs: func(t Tee) option.Needs { return option.Needs{Family: t.Family()} },
	List: func(t Tee, l *option.Lister) string {
		s := "TEE gw:" + l.Addr(t.Gateway)
		if t.Device != "" {
			s += " oif=" + t.Device
		}
		return s
	},
	Read: func(r *program.Reader) (t Tee, ok bool) {
		im, ok := r.Item(0).(program.Immediate)
		if !ok || r.Item(1) != program.Expr(program.Dup{Addr: 1}) {
			return t, false
		}
		r.Take(2)
		t.Gateway, ok = netip.AddrFromSlice([]byte(im.Value.Data))
		return t, ok
	},
	XT: option.XTStruct(option.XT[Tee]{Target: true}, 1, Tee.blob, readTeeBlob),
}

// maxDevice is IFNAMSIZ less the end of the string.
const maxDevice = 15

// checkDevice refuses what no interface is called.
func checkDevice(name string) error {
	if name == "" || len(name) > maxDevice || strings.ContainsAny(name, "/: \t\n\v\f\r\x00\"'\\") {
		return fmt.Errorf("%q is no name of an interface", name)
	}
	return nil
}

// blob is what xt_TEE is given.
func (t Tee) blob(program.Env) (b xtables.Tee) {
	copy(b.Gateway[:], t.Gateway.AsSlice())
	copy(b.Device[:maxDevice], t.Device)
	return b
}

func readTeeBlob(b xtables.Tee, env program.Env) (t Tee, ok bool) {
	if env.Family == program.IP6 {
		t.Gateway = netip.AddrFrom16(b.Gateway)
	} else {
		t.Gateway = netip.AddrFrom4([4]byte(b.Gateway[:4]))
	}
	t.Device = xtables.String(b.Device[:])
	return t, (t.Device == "" || checkDevice(t.Device) == nil) && t.blob(env) == b
}

// Compile adds dup, or the xt target.
func (t Tee) Compile(a program.Action) error {
	if t.Device != "" || a.Env.Family == program.Inet {
		return tee.Kernel(a.Code, t)
	}
	a.Add(program.Immediate{Reg: 1, Value: program.Bytes(t.Gateway.AsSlice()...)}, program.Dup{Addr: 1})
	return nil
}
