package rule

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// header is one option that belongs to no extension.
type header struct {
	names  []string
	args   int
	invert bool
	want   string
	set    func(p *parser, not bool, words []string) error
}

// headerOption finds one by its spelling; nil if there is none.
func headerOption(name string) *header {
	if len(name) == 2 { // as most rules have them: a short name comes first
		for i := range headers {
			if headers[i].names[0] == name {
				return &headers[i]
			}
		}
		return nil
	}
	for i := range headers {
		if slices.Contains(headers[i].names[1:], name) {
			return &headers[i]
		}
	}
	return nil
}

// headersBegin says how many options a word may be short for, those of the
// command that are not a rule's included, and one that is a rule's.
func headersBegin(word string) (h *header, n int) {
	for i := range headers {
		if slices.ContainsFunc(headers[i].names[1:], func(s string) bool { return strings.HasPrefix(s, word) }) {
			h, n = &headers[i], n+1
		}
	}
	for _, s := range commands {
		if strings.HasPrefix(s, word) {
			n++
		}
	}
	return h, n
}

// commands are the long options of iptables that no rule has.
var commands = [...]string{
	"--append", "--delete", "--check", "--insert", "--replace", "--list", "--list-rules", "--flush", "--zero",
	"--new-chain", "--delete-chain", "--rename-chain", "--policy", "--table", "--numeric", "--verbose", "--wait",
	"--wait-interval", "--exact", "--version", "--help", "--line-numbers", "--modprobe",
}

var headers = []header{
	{[]string{"-s", "--source", "--src"}, 1, true, "addresses", setSource},
	{[]string{"-d", "--destination", "--dst"}, 1, true, "addresses", setDest},
	{[]string{"-i", "--in-interface"}, 1, true, "an interface", func(p *parser, not bool, w []string) error { return setIface(p, false, not, w[0]) }},
	{[]string{"-o", "--out-interface"}, 1, true, "an interface", func(p *parser, not bool, w []string) error { return setIface(p, true, not, w[0]) }},
	{[]string{"-p", "--protocol"}, 1, true, "a protocol", setProtocol},
	{[]string{"-f", "--fragments"}, 0, true, "", setFragment},
	{[]string{"-c", "--set-counters"}, 1, false, "packets and bytes", setCounters},
	{[]string{"-4", "--ipv4"}, 0, false, "", func(p *parser, _ bool, _ []string) error { return p.header(match.Only(nf.IPv4)) }},
	{[]string{"-6", "--ipv6"}, 0, false, "", func(p *parser, _ bool, _ []string) error { return p.header(match.Only(nf.IPv6)) }},
	{[]string{"-m", "--match"}, 1, false, "a match", setMatch},
	{[]string{"-j", "--jump"}, 1, false, "a target", setTarget},
	{[]string{"-g", "--goto"}, 1, false, "a chain", setGoto},
}

// header adds a header match; the builder says what is wrong with it.
func (p *parser) header(h match.Header) error {
	before := p.b.err
	p.b.add(h)
	if before == nil && p.b.err != nil {
		err := p.b.err
		p.b.err = nil
		var m *MatchError
		if errors.As(err, &m) {
			return m.Err
		}
		return err
	}
	return nil
}

func setIface(p *parser, out, not bool, name string) error {
	if name == "" {
		return errors.New("Empty interface is likely to be undesired")
	}
	return p.header(match.ParseIface(out, not, name))
}

func setProtocol(p *parser, not bool, w []string) error {
	name := strings.ToLower(w[0])
	p.mh = name == "mh"
	if p.b.header[protoSlot] != nil {
		return fmt.Errorf("multiple -p flags not allowed: %w", ErrTwice)
	}
	proto, ok := nf.ParseProtocol(name)
	if !ok {
		n, err := option.Uint(name, 0, 255)
		switch {
		case err == nil && n != 0:
			proto = nf.Protocol(n)
		case err != nil && !slices.Contains(everyProtocol[:], name):
			return fmt.Errorf("unknown protocol %q specified", w[0])
		case not:
			return errors.New("rule would never match protocol")
		default:
			return nil
		}
	}
	if not {
		return p.header(match.NotProto(proto))
	}
	return p.header(protocol(proto))
}

// everyProtocol are the names of protocol 0, which -p takes for all of them.
var everyProtocol = [...]string{"all", "ip", "hopopt"}

// protocols are -p as most rules have it, made once for all of them.
var protocols = [...]match.Header{match.Proto(nf.TCP), match.Proto(nf.UDP), match.Proto(nf.ICMP), match.Proto(nf.ICMPv6)}

// protocol is -p with a protocol.
func protocol(p nf.Protocol) match.Header {
	for _, h := range protocols {
		if h == match.Header(match.Proto(p)) {
			return h
		}
	}
	return match.Proto(p)
}

func setFragment(p *parser, not bool, _ []string) error {
	if p.family == nf.IPv6 {
		return fmt.Errorf("%w \"-f\"", ErrUnknownOption)
	}
	if not {
		return p.header(match.Whole())
	}
	return p.header(match.Later())
}

func setSource(p *parser, not bool, w []string) (err error) {
	if p.from != nil {
		return fmt.Errorf("multiple -s flags not allowed: %w", ErrTwice)
	}
	p.from, err = p.addresses(p.room.from[:0], false, not, w[0])
	return err
}

func setDest(p *parser, not bool, w []string) (err error) {
	if p.to != nil {
		return fmt.Errorf("multiple -d flags not allowed: %w", ErrTwice)
	}
	p.to, err = p.addresses(p.room.to[:0], true, not, w[0])
	return err
}

// addresses reads a list of addresses, and appends them to out.
func (p *parser) addresses(out []match.Address, dest, not bool, list string) ([]match.Address, error) {
	for w := range strings.SplitSeq(list, ",") {
		w = strings.TrimLeft(w, " \t")
		n, err := option.ParseNet(w, p.family)
		if err != nil {
			var ok bool
			if n, ok = everything(w, p.family); !ok {
				return nil, err
			}
		}
		net := match.Is(n)
		if not {
			net = match.Not(n)
		}
		out = append(out, match.Address{Dest: dest, Net: net})
	}
	return out, nil
}

// inverted says whether addresses are what a packet must not have.
func inverted(as []match.Address) bool {
	if len(as) == 0 {
		return false
	}
	_, not, _ := as[0].Net.Get()
	return not
}

// everything reads "any/0": what stands before a mask of no bits is not looked
// at, so that it may be no address.
func everything(w string, f nf.Family) (n nf.Net, ok bool) {
	slash := strings.LastIndexByte(w, '/')
	if slash < 0 {
		return n, false
	}
	switch f {
	case nf.IPv4:
		n, _ = option.ParseNet("0.0.0.0"+w[slash:], f)
	case nf.IPv6:
		n, _ = option.ParseNet("::"+w[slash:], f)
	}
	return n, n.All()
}

// setCounters reads "packets bytes" or "packets,bytes", in decimal.
func setCounters(p *parser, _ bool, w []string) error {
	if p.preset {
		return fmt.Errorf("multiple -c flags not allowed: %w", ErrTwice)
	}
	packets, bytes, ok := strings.Cut(w[0], ",")
	if !ok {
		if p.i >= len(p.words) || strings.HasPrefix(p.words[p.i].text, "-") {
			return errors.New("-c requires packet and byte counter")
		}
		bytes = p.words[p.i].text
		p.i++
	}
	var err error
	if p.counters.Packets, err = counter("packet", packets); err == nil {
		p.counters.Bytes, err = counter("byte", bytes)
	}
	p.preset = true
	return err
}

func counter(what, w string) (uint64, error) {
	n, err := strconv.ParseUint(w, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("-c %s counter not numeric", what)
	}
	return n, nil
}

func setMatch(p *parser, _ bool, w []string) error {
	name := w[0]
	if name == "icmpv6" || name == "ipv6-icmp" { // second names that iptables has for it
		name = "icmp6"
	}
	e, ok := match.Find(name)
	if !ok || !e.Known(p.family) {
		return fmt.Errorf("%w: Couldn't load match `%s':No such file or directory", ErrUnknownMatch, w[0])
	}
	if string(p.b.context().Proto.String()) == w[0] {
		p.implied = true
	}
	p.load(e, false)
	return nil
}

// setTarget reads -j: a verdict, a target, or a chain.
func setTarget(p *parser, _ bool, w []string) error {
	if p.target != nil || p.targeted != nil {
		return fmt.Errorf("-j: %w", ErrTwice)
	}
	switch w[0] {
	case "ACCEPT":
		p.target = target.Accept
	case "DROP":
		p.target = target.Drop
	case "RETURN":
		p.target = target.Return
	default:
		if e, ok := target.Find(w[0]); ok && e.Known(p.family) {
			p.targeted = p.load(e, true)
			return nil
		}
		if err := chainName(w[0]); err != nil {
			return err
		}
		p.target = target.Jump(w[0])
	}
	return nil
}

func setGoto(p *parser, _ bool, w []string) error {
	if p.target != nil || p.targeted != nil {
		return fmt.Errorf("-g: %w", ErrTwice)
	}
	p.target = target.Goto(w[0])
	return chainName(w[0])
}
