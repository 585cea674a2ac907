package rule

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// builder collects a rule's parts and brings them to the normal form.
type builder struct {
	family nf.Family // of the command; Both in Go code
	imply  bool      // add the -p that a match implies; iptables' text must say it
	header [slots]match.Header
	order  []match.Match
	err    error
}

// slots is how many header matches there are.
const slots = 7

func (b *builder) fail(extension string, err error) {
	if b.err == nil && err != nil {
		b.err = &MatchError{extension, err}
	}
}

func (b *builder) add(m match.Match) {
	m = match.Match(value(m))
	if m == nil {
		b.fail("", ErrNilMatch)
		return
	}
	h, ok := m.(match.Header)
	if !ok {
		b.order = append(b.order, m)
		return
	}
	b.fail("", h.Err())
	if b.header[h.Slot()] != nil {
		b.fail("", fmt.Errorf("%s and %s: %w", b.header[h.Slot()].Text(), h.Text(), ErrTwice))
	}
	b.header[h.Slot()] = h
}

// value is m itself where it is a pointer: a rule holds values only, so that
// nobody can change it from outside.
func value[M any](m M) M {
	v := reflect.ValueOf(m)
	if v.Kind() != reflect.Pointer {
		return m
	}
	var none M
	if v.IsNil() {
		return none
	}
	return v.Elem().Interface().(M)
}

// protoSlot is -p's place.
var protoSlot = match.Protocol{}.Slot()

// context is what extensions are told of the rule so far.
func (b *builder) context() option.Context {
	c := option.Context{Family: b.family}
	if p, ok := b.header[protoSlot].(match.Protocol); ok {
		c.Proto, c.ProtoNot, _ = p.Proto.Get()
	}
	return c
}

// rule finishes the rule.
func (b *builder) rule(t target.Target) Rule {
	if t = value(t); t == nil || t == target.Verdict(0) {
		b.fail("", ErrNoTarget)
		t = target.None
	}
	switch t := t.(type) {
	case target.Jump:
		b.fail("", chainName(string(t)))
	case target.Goto:
		b.fail("", chainName(string(t)))
	}
	for _, h := range b.header {
		if h != nil {
			b.narrow("", h.Family())
		}
	}
	for _, m := range b.order {
		b.needs(m.Name(), match.Extension(m).NeedsOf(m))
	}
	if e := target.Extension(t); e != nil {
		b.needs(t.Name(), e.NeedsOf(t))
	}
	t = b.normalise(t)
	r := Rule{target: t, family: b.family, err: b.err}
	n := len(b.order)
	for i, h := range b.header {
		switch {
		case h == nil:
		case saysNothing(h):
			b.header[i] = nil
		default:
			n++
		}
	}
	if n == 0 {
		return r
	}
	r.matches = make([]match.Match, 0, n)
	for _, h := range b.header {
		if h != nil {
			r.matches = append(r.matches, h)
		}
	}
	r.matches = append(r.matches, b.order...)
	return r
}

// saysNothing is h.Text() == "", found without writing the commonest out.
func saysNothing(h match.Header) bool {
	switch h := h.(type) {
	case match.Protocol:
		return false
	case match.Address:
		n, not, _ := h.Net.Get()
		return !not && n.All()
	}
	return h.Text() == ""
}

// normalise brings every extension's value to its normal form.
func (b *builder) normalise(t target.Target) target.Target {
	c := b.context()
	for i, m := range b.order {
		v, err := match.Extension(m).Normal(m, c)
		b.fail(m.Name(), err)
		if err == nil {
			b.order[i] = v.(match.Match)
		}
	}
	if e := target.Extension(t); e != nil {
		v, err := e.Normal(t, c)
		b.fail(t.Name(), err)
		if err == nil {
			return v.(target.Target)
		}
	}
	return t
}

// narrow restricts the rule to a family.
func (b *builder) narrow(extension string, f nf.Family) {
	g, ok := b.family.And(f)
	if !ok {
		b.fail(extension, &familyError{b.family, f})
		return
	}
	b.family = g
}

// needs sees to what an extension asks of its rule.
func (b *builder) needs(extension string, n option.Needs) {
	b.narrow(extension, n.Family)
	if n.SYN && !slices.ContainsFunc(b.order, match.WantsSYN) {
		b.fail(extension, ErrSYN)
	}
	if n.Protos == nil || n.ProtosOf != nf.Both && n.ProtosOf != b.family {
		return
	}
	p, ok := b.header[protoSlot].(match.Protocol)
	switch {
	case !ok && b.imply && n.Imply != 0:
		b.header[protoSlot] = protocol(n.Imply)
	case !ok:
		b.fail(extension, fmt.Errorf("%w: %v", ErrProtocol, n.Protos))
	default:
		proto, not, _ := p.Proto.Get()
		if not || !slices.Contains(n.Protos, proto) {
			if n.Imply != 0 && b.imply {
				b.fail(extension, fmt.Errorf("-p would be %w, as %v and as %v", ErrTwice, proto, n.Imply))
			}
			b.fail(extension, fmt.Errorf("%w: %v", ErrProtocol, n.Protos))
		}
	}
}

// chainName refuses what cannot be the name of a chain to go to.
func chainName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("empty chain name: invalid target name (too short)")
	case len(name) > maxChain:
		return fmt.Errorf("invalid target name `%s' (%d chars max)", name, maxChain)
	case strings.ContainsAny(name, " \t\n\r\v\f\"\x00"):
		return fmt.Errorf("invalid target name `%s'", name)
	}
	return nil
}

// maxChain is the longest name of a chain that iptables takes.
const maxChain = 28
