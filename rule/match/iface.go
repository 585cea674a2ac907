package match

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Iface is -i or -o: the name of the interface that a packet came in through or
// goes out by. A packet that has none (out, in INPUT; in, in OUTPUT) has the
// empty name, which "! -i x" matches.
//
// It is native: meta iifname or oifname, compared with the whole padded name,
// so that lo is not also lo1; a prefix compares only its own bytes. In the tables
// that are shared with iptables-nft the name ends at its zero byte, which is
// enough. A name with " in it works, but nft cannot load its own listing of it.
type Iface struct {
	Out    bool        // -o; false: -i
	Prefix bool        // iptables' trailing +: every name that starts with Device
	Device Opt[string] // the name, 1 to 15 bytes; with Prefix it may be empty
}

// In matches packets that came in through the interface of exactly that name.
func In(device string) Iface { return Iface{Device: Is(device)} }

// InPrefix is "-i prefix+": interfaces whose name starts so.
func InPrefix(prefix string) Iface { return Iface{Prefix: true, Device: Is(prefix)} }

// NotIn is "! -i device".
func NotIn(device string) Iface { return Iface{Device: Not(device)} }

// Out matches packets that go out through an interface.
func Out(device string) Iface { return Iface{Out: true, Device: Is(device)} }

// OutPrefix is "-o prefix+".
func OutPrefix(prefix string) Iface { return Iface{Out: true, Prefix: true, Device: Is(prefix)} }

// NotOut is "! -o device".
func NotOut(device string) Iface { return Iface{Out: true, Device: Not(device)} }

// ParseIface reads the name as -i and -o take it, a trailing + meaning a prefix.
func ParseIface(out, not bool, name string) Iface {
	i := Iface{Out: out, Device: isOrNot(not, name)}
	if p, ok := strings.CutSuffix(name, "+"); ok {
		i.Prefix, i.Device.v = true, p
	}
	return i
}

// Name is "": -i and -o are no extension.
func (Iface) Name() string { return "" }

func (Iface) ext() option.Extension { return nil }

// Slot is -i's or -o's place.
func (i Iface) Slot() int {
	if i.Out {
		return slotOut
	}
	return slotIn
}

// Family is Both: interfaces know no family.
func (Iface) Family() nf.Family { return nf.Both }

// maxIface is IFNAMSIZ less the end of the string.
const maxIface = 15

// Err is not nil for a name that is empty, too long, or holds what no interface's can.
func (i Iface) Err() error {
	name, _, ok := i.Device.Get()
	flag := "-i"
	if i.Out {
		flag = "-o"
	}
	switch {
	case !ok || name == "" && !i.Prefix:
		return fmt.Errorf("%s: empty interface name", flag)
	case len(name) > maxIface:
		return fmt.Errorf("%s: interface name `%s' must be shorter than IFNAMSIZ (15)", flag, name)
	case strings.HasSuffix(name, "+") && !i.Prefix:
		return fmt.Errorf("%s: %q would be a name that ends in +; InPrefix and OutPrefix say \"starts with\"", flag, name)
	case strings.ContainsAny(name, "/!*\"\x00") || strings.ContainsFunc(name, unicode.IsSpace):
		return fmt.Errorf("%s: %q is no interface name", flag, name)
	}
	return nil
}

// Text is "-i eth0" or "! -o eth+"; "" where every interface will do.
func (i Iface) Text() string {
	flag := "-i "
	if i.Out {
		flag = "-o "
	}
	name, not, _ := i.Device.Get()
	switch {
	case i.Prefix && name == "" && !not:
		return ""
	case i.Prefix:
		name += "+"
	}
	if not {
		flag = "! " + flag
	}
	return flag + name
}

// noIface is a name that no interface has (it holds a slash): what "! -i +",
// which matches nothing, is programmed as, by iptables-nft too.
const noIface = "INVAL/D"

// Compile compares the name.
func (i Iface) Compile(c *program.Code) error {
	load := program.Meta{Key: program.MetaIifname}
	if i.Out {
		load.Key = program.MetaOifname
	}
	name, not, _ := i.Device.Get()
	whole := program.IfName
	if c.Env.Plain {
		whole = func(name string) program.Value { return program.Value{Data: name + "\x00"} }
	}
	switch {
	case i.Prefix && name == "" && not:
		c.Test(program.IsValue(load, false, whole(noIface)))
	case i.Prefix && name == "":
	case i.Prefix:
		c.Test(program.IsValue(load, not, program.Bytes([]byte(name)...)))
	default:
		c.Test(program.IsValue(load, not, whole(name)))
	}
	return nil
}

func readIface(t program.Test, _ program.Env) (Header, bool) {
	load, ok := t.Load.(program.Meta)
	if !ok || load.Key != program.MetaIifname && load.Key != program.MetaOifname ||
		t.Mask != (program.Value{}) || t.Op != program.IsEq && t.Op != program.IsNe {
		return nil, false
	}
	name, prefix := t.A.Data, true
	if end := strings.IndexByte(name, 0); end >= 0 {
		name, prefix = name[:end], false
	}
	i := Iface{Out: load.Key == program.MetaOifname, Prefix: prefix, Device: isOrNot(t.Not(), name)}
	if name == noIface && !prefix && !t.Not() {
		i.Prefix, i.Device = true, Not("")
	}
	return i, i.Err() == nil
}
