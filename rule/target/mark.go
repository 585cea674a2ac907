package target

import (
	"errors"
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// MARK is -j MARK: the packet's mark becomes mark &^ mask ^ value. Made by
// SetMark, SetXMark, OrMark, AndMark or XorMark; the zero value is an error.
//
//	--set-xmark value[/mask]  --set-mark value[/mask]
//	--and-mark bits  --or-mark bits  --xor-mark bits
//
// It is native in every family: load, bitwise, store; a full mask is a store
// alone. In table mangle, chain OUTPUT, a new mark finds another route, since
// the chain is of type route. It mirrors net/netfilter/xt_mark.c.
type MARK struct{ bits nf.MarkBits }

// SetMark gives the packet the mark m (--set-mark); bits outside m's mask keep
// their value.
func SetMark(m nf.MarkBits) MARK { return MARK{merge(m)} }

// SetXMark clears the bits of m's mask and flips those of its value (--set-xmark).
func SetXMark(m nf.MarkBits) MARK { return MARK{m} }

// AndMark keeps only bits.
func AndMark(bits uint32) MARK { return MARK{nf.MarkMask(0, ^bits)} }

// OrMark sets bits.
func OrMark(bits uint32) MARK { return MARK{nf.MarkMask(bits, bits)} }

// XorMark flips bits.
func XorMark(bits uint32) MARK { return MARK{nf.MarkMask(bits, 0)} }

// Bits are the value and mask, as --set-xmark takes them.
func (t MARK) Bits() nf.MarkBits { return t.bits }

// merge is --set-mark as --set-xmark says it: the value's own bits are cleared too.
func merge(m nf.MarkBits) nf.MarkBits {
	if !m.Given() {
		return m
	}
	return nf.MarkMask(m.Value(), m.Mask()|m.Value())
}

// Name is "MARK".
func (MARK) Name() string { return mark.Name }

func (MARK) ext() option.Extension { return mark }

var mark = &option.Spec[MARK]{
	Name: "MARK",
	Rows: markRows(func(t *MARK) *nf.MarkBits { return &t.bits }),
	Check: func(t *MARK, _ option.Context) error {
		return t.bits.Err()
	},
	List: func(t MARK, _ *option.Lister) string { return "MARK " + markWords(t.bits) },
	Read: func(r *program.Reader) (t MARK, ok bool) {
		bits, ok := readMark(r, packetMark)
		return MARK{bits}, ok
	},
	XT: option.XTStruct(option.XT[MARK]{Target: true}, 2,
		func(t MARK, _ program.Env) xtables.MarkTarget {
			return xtables.MarkTarget{Mark: t.bits.Value(), Mask: t.bits.Mask()}
		},
		func(b xtables.MarkTarget, _ program.Env) (MARK, bool) { return MARK{nf.MarkMask(b.Mark, b.Mask)}, true }),
}

// ErrMarkTwice is the reason of two options that both say what the mark becomes.
var ErrMarkTwice = errors.New("cannot be used together with another option that sets the mark")

// markRows are the options that MARK and CONNMARK share. Only --set-xmark is
// printed: the others are ways to say it.
func markRows[T any](field func(*T) *nf.MarkBits) []option.Row[T] {
	row := func(name, want string, parse func(w string, c option.Context) (nf.MarkBits, error)) option.Row[T] {
		return option.Row[T]{
			Name: name, Args: 1, Want: want,
			Set: func(t *T, _ bool, w []string, c option.Context) (err error) {
				if field(t).Given() {
					return ErrMarkTwice
				}
				*field(t), err = parse(w[0], c)
				return err
			},
		}
	}
	bits := func(name string, make func(uint32) nf.MarkBits) option.Row[T] {
		return row(name, "a number", func(w string, _ option.Context) (nf.MarkBits, error) {
			n, err := option.Uint(w, 0, 0xffffffff)
			return make(uint32(n)), err
		})
	}
	xmark := row("--set-xmark", "value[/mask]", option.MarkBits.Parse)
	xmark.Get = func(t *T, _ nf.Family) (bool, string, bool) {
		m := *field(t)
		return false, fmt.Sprintf("%#x/%#x", m.Value(), m.Mask()), m.Given()
	}
	return []option.Row[T]{
		xmark,
		row("--set-mark", "value[/mask]", func(w string, c option.Context) (nf.MarkBits, error) {
			m, err := option.MarkBits.Parse(w, c)
			return merge(m), err
		}),
		bits("--and-mark", func(n uint32) nf.MarkBits { return nf.MarkMask(0, ^n) }),
		bits("--or-mark", func(n uint32) nf.MarkBits { return nf.MarkMask(n, n) }),
		bits("--xor-mark", func(n uint32) nf.MarkBits { return nf.MarkMask(n, 0) }),
	}
}

// markWords is what iptables -L prints.
func markWords(m nf.MarkBits) string {
	v, mask := m.Value(), m.Mask()
	switch {
	case v == 0:
		return fmt.Sprintf("and %#x", ^mask)
	case v == mask:
		return fmt.Sprintf("or %#x", v)
	case mask == 0:
		return fmt.Sprintf("xor %#x", v)
	case mask == 0xffffffff:
		return fmt.Sprintf("set %#x", v)
	}
	return fmt.Sprintf("xset %#x/%#x", v, mask)
}

// markPlace is where a mark is kept.
type markPlace struct {
	load, store program.Expr // their register is 1
}

var (
	packetMark = markPlace{program.Meta{Key: program.MetaMark, Reg: 1}, program.MetaSet{Key: program.MetaMark, Reg: 1}}
	connMark   = markPlace{program.CT{Key: program.CTMark, Reg: 1}, program.CTSet{Key: program.CTMark, Reg: 1}}
)

// bitwise is register 1 = register 1 & keep ^ flip.
func bitwise(keep, flip uint32) program.Bitwise {
	return program.Bitwise{Src: 1, Dst: 1, Len: 4, Mask: program.Host32(keep), Xor: program.Host32(flip)}
}

// compileMark changes the mark in place; where every bit is set a store is
// enough, and where none changes nft loses a bitwise that does nothing.
func compileMark(a program.Action, at markPlace, m nf.MarkBits) {
	switch {
	case m.Mask() == 0xffffffff:
		a.Add(program.Immediate{Reg: 1, Value: program.Host32(m.Value())}, at.store)
	case m.Mask() == 0 && m.Value() == 0:
		a.Add(at.load, at.store)
	default:
		a.Add(at.load, bitwise(^m.Mask(), m.Value()), at.store)
	}
}

// readMark takes what compileMark wrote off a program.
func readMark(r *program.Reader, at markPlace) (m nf.MarkBits, ok bool) {
	if im, ok := r.Item(0).(program.Immediate); ok && im.Reg == 1 && r.Item(1) == at.store {
		v, ok := im.Value.Uint()
		r.Take(2)
		return nf.Mark(uint32(v)), ok && im.Value.Host && len(im.Value.Data) == 4
	}
	if r.Item(0) != at.load {
		return m, false
	}
	keep, flip, n := readBitwise(r, 1)
	if r.Item(1+n) != at.store {
		return m, false
	}
	r.Take(2 + n)
	return nf.MarkMask(flip, ^keep), true
}

// readBitwise looks at the bitwise that may stand i places on; n is how many
// there are, none or one.
func readBitwise(r *program.Reader, i int) (keep, flip uint32, n int) {
	b, ok := r.Item(i).(program.Bitwise)
	if !ok {
		return 0xffffffff, 0, 0
	}
	k, _ := b.Mask.Uint()
	f, _ := b.Xor.Uint()
	return uint32(k), uint32(f), 1
}

// Compile changes the mark.
func (t MARK) Compile(a program.Action) error {
	compileMark(a, packetMark, t.bits)
	return nil
}
