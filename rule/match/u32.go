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

// U32 is -m u32: numbers of four bytes anywhere in a packet, counted from its
// network header.
//
//	[!] --u32 tests
//
// Tests are up to ten, with && between them: a place, =, and up to ten numbers or
// ranges lo:hi, with commas between. A place is an offset, and up to nine steps
// from there: &bits, <<bits and >>bits work on the number that was read, and @offset
// reads another that far behind where the number itself points. "0>>22&0x3C@12>>26&0x3C"
// is the length of TCP's header.
//
// nf_tables has no offsets that it computes, so it is the kernel's own xt match,
// which every family has. It mirrors net/netfilter/xt_u32.c.
type U32 struct {
	Tests Opt[string] // --u32; absent is an error
}

// Name is "u32".
func (U32) Name() string { return u32.Name }

func (U32) ext() option.Extension { return u32 }

var u32 = &option.Spec[U32]{
	Name: "u32",
	Rows: []option.Row[U32]{
		opt("--u32", func(m *U32) *Opt[string] { return &m.Tests }, u32Tests),
	},
	Check: func(m *U32, _ option.Context) error {
		text, not, ok := m.Tests.Get()
		if !ok {
			return errors.New(`option "--u32" must be specified`)
		}
		b, err := parseU32(text)
		m.Tests = isOrNot(not, printU32(b))
		return err
	},
	List: func(m U32, _ *option.Lister) string {
		text, not, _ := m.Tests.Get()
		return "u32 " + blank(not) + quoted(text)
	},
	XT: option.XTStruct(option.XT[U32]{Inet: true}, 0,
		func(m U32, _ program.Env) xtables.U32 {
			text, not, _ := m.Tests.Get()
			b, _ := parseU32(text) // checked when the rule was made
			b.Invert = bitIf[uint8](not, 1)
			return b
		},
		readU32),
}

// u32Tests is a codec for tests, in the form that iptables prints.
var u32Tests = option.Codec[string]{
	Want: "tests: place=value[,value]…[&&place=value…]…",
	Parse: func(w string, _ option.Context) (string, error) {
		b, err := parseU32(w)
		return printU32(b), err
	},
	Print: func(s string, _ nf.Family) string { return quoted(s) },
}

// Compile is the kernel's own match.
func (m U32) Compile(c *program.Code) error { return u32.Kernel(c, m) }

const maxU32 = 10 // XT_U32_MAXSIZE: tests, numbers of a place, values

// readU32 reads what there is room for as text, and no more.
func readU32(b xtables.U32, _ program.Env) (m U32, ok bool) {
	if b.Count == 0 || b.Count > maxU32 || b.Invert > 1 {
		return m, false
	}
	for _, t := range b.Tests[:b.Count] {
		if t.Numbers == 0 || t.Numbers > maxU32 || t.Values == 0 || t.Values > maxU32 {
			return m, false
		}
		for _, l := range t.Location[:t.Numbers] {
			if int(l.Op) >= len(u32Ops) {
				return m, false
			}
		}
	}
	return U32{isOrNot(b.Invert == 1, printU32(b))}, true
}

// u32Ops are the signs of the steps, by their number.
var u32Ops = [...]string{xtables.U32And: "&", xtables.U32Left: "<<", xtables.U32Right: ">>", xtables.U32At: "@"}

// printU32 is the tests as iptables prints them, every number in hexadecimal.
func printU32(b xtables.U32) string {
	var s strings.Builder
	for i, t := range b.Tests[:b.Count] {
		if i > 0 {
			s.WriteString("&&")
		}
		for j, l := range t.Location[:t.Numbers] {
			if j > 0 {
				s.WriteString(u32Ops[l.Op])
			}
			fmt.Fprintf(&s, "0x%x", l.Number)
		}
		s.WriteByte('=')
		for j, v := range t.Value[:t.Values] {
			if j > 0 {
				s.WriteByte(',')
			}
			fmt.Fprintf(&s, "0x%x", v.Min)
			if v.Min != v.Max {
				fmt.Fprintf(&s, ":0x%x", v.Max)
			}
		}
	}
	return s.String()
}

// u32Error is what is wrong with tests, and where: at is from 0.
type u32Error struct {
	at     int
	reason string
}

// Error is iptables' text.
func (e *u32Error) Error() string { return fmt.Sprintf("at char %d: %s", e.at, e.reason) }

// u32Parser reads tests.
type u32Parser struct {
	text string
	i    int
}

// parseU32 reads tests.
func parseU32(text string) (b xtables.U32, err error) {
	p := &u32Parser{text: text}
	for {
		if b.Count == maxU32 {
			return xtables.U32{}, p.fail(`too many "&&"s`)
		}
		t := &b.Tests[b.Count]
		if err := p.place(t); err != nil {
			return xtables.U32{}, err
		}
		more, err := p.values(t)
		if err != nil {
			return xtables.U32{}, err
		}
		b.Count++
		if !more {
			return b, nil
		}
	}
}

func (p *u32Parser) fail(reason string) error { return &u32Error{p.i, reason} }

// next skips blanks; more is false at the end.
func (p *u32Parser) next() (c byte, more bool) {
	for p.i < len(p.text) && strings.IndexByte(" \t\n\v\f\r", p.text[p.i]) >= 0 {
		p.i++
	}
	if p.i == len(p.text) {
		return 0, false
	}
	return p.text[p.i], true
}

// number reads a number as strtoul does: as many characters as make one.
func (p *u32Parser) number() (uint32, error) {
	start := p.i
	if c, more := p.next(); more && c == '+' {
		p.i++
	}
	end := p.i
	for end < len(p.text) && isAlnum(p.text[end]) {
		end++
	}
	for ; end > p.i; end-- {
		if n, err := option.Uint(p.text[p.i:end], 0, 1<<64-1); err == nil {
			if n > 1<<32-1 {
				break
			}
			p.i = end
			return uint32(n), nil
		}
	}
	p.i = start
	return 0, p.fail("not a number or out of range")
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// place reads "number[op number]…=".
func (p *u32Parser) place(t *xtables.U32Test) error {
	for {
		c, more := p.next()
		switch {
		case !more:
			return errors.New("abrupt end of input after location specifier")
		case c == '=' && t.Numbers == 0:
			return p.fail("location spec missing")
		case c == '=':
			p.i++
			return nil
		}
		op, err := p.step(t.Numbers > 0)
		if err != nil {
			return err
		}
		n, err := p.number()
		if err != nil {
			return err
		}
		if t.Numbers == maxU32 {
			return p.fail("too many operators")
		}
		t.Location[t.Numbers] = xtables.U32Location{Number: n, Op: op}
		t.Numbers++
	}
}

// step reads an operation, where there must be one.
func (p *u32Parser) step(wanted bool) (op uint8, err error) {
	if !wanted {
		return 0, nil
	}
	for i, sign := range u32Ops {
		switch rest := p.text[p.i:]; {
		case strings.HasPrefix(rest, sign):
			p.i += len(sign)
			return uint8(i), nil
		case rest[0] == sign[0]:
			p.i++
			return 0, p.fail("a second '" + sign[:1] + "' was expected")
		}
	}
	return 0, p.fail("operator expected")
}

// values reads "value[,value]…" up to the end, or "&&".
func (p *u32Parser) values(t *xtables.U32Test) (more bool, err error) {
	for {
		c, more := p.next()
		switch {
		case !more && t.Values == 0:
			return false, errors.New("test ended with no value specified")
		case !more:
			return false, nil
		case c == '&':
			return p.and(t.Values)
		case t.Values > 0 && c != ',':
			return false, p.fail(`expected "," or "&&"`)
		case t.Values > 0:
			p.i++
		}
		v, err := p.value()
		if err != nil {
			return false, err
		}
		if t.Values == maxU32 {
			return false, p.fail(`too many ","s`)
		}
		t.Value[t.Values] = v
		t.Values++
	}
}

// and reads "&&".
func (p *u32Parser) and(values uint8) (bool, error) {
	p.i++
	switch {
	case !strings.HasPrefix(p.text[p.i:], "&"):
		return false, p.fail("a second '&' was expected")
	case values == 0:
		return false, p.fail("value spec missing")
	}
	p.i++
	return true, nil
}

// value reads "number[:number]".
func (p *u32Parser) value() (v xtables.U32Range, err error) {
	if v.Min, err = p.number(); err != nil {
		return v, err
	}
	v.Max = v.Min
	if c, more := p.next(); more && c == ':' {
		p.i++
		v.Max, err = p.number()
	}
	return v, err
}
