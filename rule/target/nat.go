package target

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// NATOptions are common to the four NAT targets. An option that iptables does
// not know for a target is an error there. The zero value has none of them.
type NATOptions struct {
	Random      bool // --random: the port is hashed with a random number
	RandomFully bool // --random-fully: the port is random; SNAT and MASQUERADE only
	Persistent  bool // --persistent: a client keeps its address of the range; SNAT and DNAT only
}

// ErrNATPorts is the reason of a NAT target with ports in a rule whose -p has none.
var ErrNATPorts = errors.New("need TCP, UDP, SCTP or DCCP with port specification")

// NF_NAT_RANGE_*, include/uapi/linux/netfilter/nf_nat.h.
const (
	rangeAddrs       = 1 << 0 // MAP_IPS
	rangePorts       = 1 << 1 // PROTO_SPECIFIED
	rangeRandom      = 1 << 2 // PROTO_RANDOM
	rangePersistent  = 1 << 3 // PERSISTENT
	rangeRandomFully = 1 << 4 // PROTO_RANDOM_FULLY
	rangeOffset      = 1 << 5 // PROTO_OFFSET
	rangeNetmap      = 1 << 6 // NETMAP
)

func (o NATOptions) flags() (f uint32) {
	for _, x := range [...]struct {
		set bool
		bit uint32
	}{{o.Random, rangeRandom}, {o.RandomFully, rangeRandomFully}, {o.Persistent, rangePersistent}} {
		if x.set {
			f |= x.bit
		}
	}
	return f
}

func natOptions(flags uint32) NATOptions {
	return NATOptions{
		Random:      flags&rangeRandom != 0,
		RandomFully: flags&rangeRandomFully != 0,
		Persistent:  flags&rangePersistent != 0,
	}
}

// words are the options as iptables -L prints them behind the rest.
func (o NATOptions) words(first string) string {
	words := make([]string, 0, 4)
	if first != "" {
		words = append(words, first)
	}
	if o.Random {
		words = append(words, "random")
	}
	if o.RandomFully {
		words = append(words, "random-fully")
	}
	if o.Persistent {
		words = append(words, "persistent")
	}
	return strings.Join(words, " ")
}

// unknown refuses the options that a target's command line does not have.
func (o NATOptions) unknown(fully, persistent bool) error {
	switch {
	case o.RandomFully && fully:
		return errors.New("--random-fully is no option of this target")
	case o.Persistent && persistent:
		return errors.New("--persistent is no option of this target")
	}
	return nil
}

// checkPorts refuses ports that run backward, and ports without a protocol that
// has any. iptables lets ICMP pass there, whose identifier is translated; it
// also takes "! -p tcp", where nothing says that there are ports.
func checkPorts(p nf.Ports, c option.Context) error {
	if !p.Given() {
		return nil
	}
	if err := p.Err(); err != nil {
		return err
	}
	switch c.Proto {
	case nf.TCP, nf.UDP, nf.SCTP, nf.DCCP, nf.ICMP:
		if !c.ProtoNot {
			return nil
		}
	}
	return ErrNATPorts
}

// parsePorts reads "80", "http" or "80-90". A range is of numbers only, and both
// are said: "http-alt" is the name of a service, of any protocol.
func parsePorts(w string, _ option.Context) (nf.Ports, error) {
	first, last, ranged := strings.Cut(w, "-")
	lo, err := option.Uint(first, 0, 65535)
	if err != nil {
		p, err := option.ParsePort(w, option.Context{})
		if err != nil {
			return nf.Ports{}, fmt.Errorf("port `%s' not valid", w)
		}
		return nf.Port(p), nil
	}
	if !ranged {
		return nf.Port(uint16(lo)), nil
	}
	hi, err := option.Uint(last, 0, 65535)
	if err != nil {
		return nf.Ports{}, fmt.Errorf("port `%s' not valid", last)
	}
	p := nf.PortRange(uint16(lo), uint16(hi))
	return p, p.Err()
}

// portsRow is --to-ports.
func portsRow[T any](field func(*T) *nf.Ports) option.Row[T] {
	return option.Field("--to-ports", field, option.Codec[nf.Ports]{
		Want:  "a port or a range first-last",
		Parse: parsePorts,
		Print: func(p nf.Ports, _ nf.Family) string { return p.Format("-") },
	})
}

// parseTo reads "[address[-address]][:ports]"; IPv6 addresses with ports stand
// in brackets: "[fd00::1-fd00::9]:80".
func parseTo(w string, c option.Context) (to nf.Addrs, ports string, err error) {
	addrs, behind := w, ""
	if strings.HasPrefix(w, "[") {
		var closed bool
		if addrs, behind, closed = strings.Cut(w[1:], "]"); !closed {
			return to, "", errors.New("invalid address format: no ]")
		}
		if behind != "" && behind[0] != ':' {
			return to, "", fmt.Errorf("invalid address format: %q behind the ]", behind)
		}
	} else if i := strings.IndexByte(w, ':'); i >= 0 && i == strings.LastIndexByte(w, ':') {
		addrs, behind = w[:i], w[i:]
	}
	if behind != "" && behind == ":" {
		return to, "", errors.New("port `' not valid")
	}
	if addrs == "" && behind != "" {
		return to, behind[1:], nil
	}
	first, last, ranged := strings.Cut(addrs, "-")
	lo, err := parseAddr(first, c.Family)
	if err != nil {
		return to, "", err
	}
	hi := lo
	if ranged {
		if hi, err = parseAddr(last, c.Family); err != nil {
			return to, "", err
		}
	}
	to = nf.AddrRange(lo, hi)
	return to, strings.TrimPrefix(behind, ":"), to.Err()
}

// parseAddr reads an address written in full; no name is looked up.
func parseAddr(w string, f nf.Family) (netip.Addr, error) {
	a, err := netip.ParseAddr(w)
	if err != nil || a.Zone() != "" || a.Is4In6() || f != nf.Both && nf.FamilyOf(a) != f {
		return a, fmt.Errorf("bad IP address %q", w)
	}
	return a, nil
}

// printTo is parseTo's inverse; ports has its colon.
func printTo(to nf.Addrs, ports string) string {
	if to.Family() == nf.IPv6 && ports != "" {
		return "[" + to.String() + "]" + ports
	}
	return to.String() + ports
}

// stored are the registers that addresses and ports went to; 0 for none.
type stored struct{ addrMin, addrMax, portMin, portMax program.Reg }

// store puts addresses and ports into registers 1 and up, in nft's order. One
// address or port takes one register, which is first and last. The flags that
// say whether there are any are the kernel's to set.
func store(a program.Action, to nf.Addrs, ports nf.Ports) (s stored) {
	next := program.Reg(0)
	put := func(v program.Value) program.Reg {
		next++
		a.Add(program.Immediate{Reg: next, Value: v})
		return next
	}
	if to.Given() {
		lo, hi := to.Bounds()
		s.addrMin = put(program.Bytes(lo.AsSlice()...))
		if s.addrMax = s.addrMin; hi != lo {
			s.addrMax = put(program.Bytes(hi.AsSlice()...))
		}
	}
	if lo, hi, ok := ports.Bounds(); ok {
		s.portMin = put(program.Net16(lo))
		if s.portMax = s.portMin; hi != lo {
			s.portMax = put(program.Net16(hi))
		}
	}
	return s
}

// loaded are the values that a program stored in registers 1 and up.
type loaded []program.Value

// readStored takes what store wrote off a program, and the expression behind it.
func readStored(r *program.Reader) (vals loaded, e program.Expr) {
	for len(vals) < 4 {
		im, ok := r.Item(len(vals)).(program.Immediate)
		if !ok || int(im.Reg) != len(vals)+1 || im.Value.Host {
			break
		}
		vals = append(vals, im.Value)
	}
	if e = r.Item(len(vals)); e != nil {
		r.Take(len(vals) + 1)
	}
	return vals, e
}

// bounds are the values of a pair of registers; given is false for none.
func (v loaded) bounds(lo, hi program.Reg) (first, last string, given, ok bool) {
	if lo == 0 && hi == 0 {
		return "", "", false, true
	}
	if lo == 0 || hi == 0 || int(lo) > len(v) || int(hi) > len(v) {
		return "", "", false, false
	}
	return v[lo-1].Data, v[hi-1].Data, true, true
}

func (v loaded) addrs(lo, hi program.Reg) (to nf.Addrs, ok bool) {
	first, last, given, ok := v.bounds(lo, hi)
	if !given || !ok {
		return to, ok
	}
	a, okA := netip.AddrFromSlice([]byte(first))
	b, okB := netip.AddrFromSlice([]byte(last))
	to = nf.AddrRange(a, b)
	return to, okA && okB && to.Err() == nil
}

func (v loaded) ports(lo, hi program.Reg) (p nf.Ports, ok bool) {
	first, last, given, ok := v.bounds(lo, hi)
	if !given || !ok {
		return p, ok
	}
	if len(first) != 2 || len(last) != 2 {
		return p, false
	}
	p = nf.PortRange(binary.BigEndian.Uint16([]byte(first)), binary.BigEndian.Uint16([]byte(last)))
	return p, p.Err() == nil
}

// compileNAT is nf_tables' nat expression, which is what SNAT and DNAT are:
// net/netfilter/nft_nat.c, the same nf_nat_setup_info as xt_nat.c.
func compileNAT(a program.Action, dest bool, to nf.Addrs, ports nf.Ports, flags uint32) error {
	family := a.Env.Family
	switch to.Family() {
	case nf.IPv4:
		family = program.IP
	case nf.IPv6:
		family = program.IP6
	}
	s := store(a, to, ports)
	a.Add(program.NAT{
		Dest: dest, Family: family,
		AddrMin: s.addrMin, AddrMax: s.addrMax, ProtoMin: s.portMin, ProtoMax: s.portMax,
		Flags: flags,
	})
	return nil
}

// readNAT takes what compileNAT wrote off a program.
func readNAT(r *program.Reader, dest bool) (to nf.Addrs, ports nf.Ports, o NATOptions, ok bool) {
	vals, e := readStored(r)
	n, ok := e.(program.NAT)
	if !ok || n.Dest != dest || n.Flags&rangeNetmap != 0 {
		return to, ports, o, false
	}
	to, okA := vals.addrs(n.AddrMin, n.AddrMax)
	ports, okP := vals.ports(n.ProtoMin, n.ProtoMax)
	return to, ports, natOptions(n.Flags), okA && okP
}
