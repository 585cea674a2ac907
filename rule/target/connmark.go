package target

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// CONNMARK is -j CONNMARK: it changes the mark of the packet's connection, or
// copies it to or from the packet's mark. A packet without a connection is left
// alone. Made by SetConnMark, SetConnXMark, OrConnMark, AndConnMark, XorConnMark,
// SaveMark or RestoreMark; the zero value is an error.
//
//	--set-xmark value[/mask]  --set-mark value[/mask]
//	--and-mark bits  --or-mark bits  --xor-mark bits
//	--save-mark | --restore-mark  [--nfmask mask] [--ctmask mask] | [--mask mask]
//	--left-shift-mark bits | --right-shift-mark bits
//
// A set mark is native in every family, and so is a copy that replaces all bits
// of where it goes. A copy that keeps some of them, and a shift, need the
// kernel's own xt target, which inet tables have not: nf_tables has the two-register
// bitwise since Linux 6.13, but nft 1.0.6 dies on it. Masks beside --set-mark,
// which iptables reads and mostly forgets, are refused. It mirrors
// net/netfilter/xt_connmark.c.
type CONNMARK struct {
	mode   connMode
	bits   nf.MarkBits // connSet: as --set-xmark has them
	nfmask uint32      // save, restore: the bits of the packet's mark
	ctmask uint32      // and of the connection's
	right  bool        // the direction of shift
	shift  uint8       // bits that the result is shifted by
	given  uint8       // while options are read: which masks were
}

// connMode is what is done, as struct xt_connmark_tginfo2 has it, plus one.
type connMode uint8

const (
	connSet connMode = iota + 1
	connSave
	connRestore
)

const (
	givenMask = 1 << iota
	givenNFMask
	givenCTMask
)

// SetConnMark gives the connection the mark m (--set-mark); bits outside m's
// mask keep their value.
func SetConnMark(m nf.MarkBits) CONNMARK { return SetConnXMark(merge(m)) }

// SetConnXMark clears the bits of m's mask and flips those of its value (--set-xmark).
func SetConnXMark(m nf.MarkBits) CONNMARK { return CONNMARK{mode: connSet, bits: m} }

// AndConnMark keeps only bits.
func AndConnMark(bits uint32) CONNMARK { return SetConnXMark(nf.MarkMask(0, ^bits)) }

// OrConnMark sets bits.
func OrConnMark(bits uint32) CONNMARK { return SetConnXMark(nf.MarkMask(bits, bits)) }

// XorConnMark flips bits.
func XorConnMark(bits uint32) CONNMARK { return SetConnXMark(nf.MarkMask(bits, 0)) }

// SaveMark copies the bits nfmask of the packet's mark to the connection's, whose
// bits ctmask they replace: ctmark &^ ctmask ^ nfmark & nfmask. 0xffffffff twice
// is --save-mark alone.
func SaveMark(nfmask, ctmask uint32) CONNMARK {
	return CONNMARK{mode: connSave, nfmask: nfmask, ctmask: ctmask}
}

// RestoreMark copies the bits ctmask of the connection's mark to the packet's,
// whose bits nfmask they replace: nfmark &^ nfmask ^ ctmark & ctmask. 0xffffffff
// twice is --restore-mark alone.
func RestoreMark(nfmask, ctmask uint32) CONNMARK {
	return CONNMARK{mode: connRestore, nfmask: nfmask, ctmask: ctmask}
}

// LeftShift is t with its result shifted to the left before it is stored, by at
// most 31 bits.
func (t CONNMARK) LeftShift(bits uint8) CONNMARK {
	t.shift, t.right = bits, false
	return t
}

// RightShift is LeftShift to the right.
func (t CONNMARK) RightShift(bits uint8) CONNMARK {
	t.shift, t.right = bits, true
	return t
}

// Name is "CONNMARK".
func (CONNMARK) Name() string { return connmark.Name }

func (CONNMARK) ext() option.Extension { return connmark }

var connmark = &option.Spec[CONNMARK]{
	Name:    "CONNMARK",
	Rows:    connmarkRows(),
	Default: func(option.Context) CONNMARK { return CONNMARK{nfmask: 0xffffffff, ctmask: 0xffffffff} },
	Check:   checkConnmark,
	List:    func(t CONNMARK, _ *option.Lister) string { return "CONNMARK " + t.words() },
	Read:    readConnmark,
	XT:      option.XTStruct(option.XT[CONNMARK]{Target: true}, 2, CONNMARK.blob, readXTConnmark),
}

func connmarkRows() []option.Row[CONNMARK] {
	rows := markRows(func(t *CONNMARK) *nf.MarkBits { return &t.bits })
	copies := func(name string, mode connMode) option.Row[CONNMARK] {
		return option.Row[CONNMARK]{
			Name: name,
			Set: func(t *CONNMARK, _ bool, _ []string, _ option.Context) error {
				if t.mode != 0 || t.bits.Given() {
					return ErrMarkTwice
				}
				t.mode = mode
				return nil
			},
			Get: func(t *CONNMARK, _ nf.Family) (bool, string, bool) { return false, "", t.mode == mode },
		}
	}
	mask := func(name string, bit, not uint8, fields func(*CONNMARK) []*uint32) option.Row[CONNMARK] {
		return option.Row[CONNMARK]{
			Name: name, Args: 1, Want: "a number",
			Set: func(t *CONNMARK, _ bool, w []string, _ option.Context) error {
				n, err := option.Uint(w[0], 0, 0xffffffff)
				if t.given&not != 0 {
					return errors.New("--mask cannot be used together with --nfmask or --ctmask")
				}
				t.given |= bit
				for _, f := range fields(t) {
					*f = uint32(n)
				}
				return err
			},
		}
	}
	nfmask := mask("--nfmask", givenNFMask, givenMask, func(t *CONNMARK) []*uint32 { return []*uint32{&t.nfmask} })
	nfmask.Get = func(t *CONNMARK, _ nf.Family) (bool, string, bool) {
		return false, fmt.Sprintf("%#x", t.nfmask), t.mode != connSet
	}
	ctmask := mask("--ctmask", givenCTMask, givenMask, func(t *CONNMARK) []*uint32 { return []*uint32{&t.ctmask} })
	ctmask.Get = func(t *CONNMARK, _ nf.Family) (bool, string, bool) {
		return false, fmt.Sprintf("%#x", t.ctmask), t.mode != connSet
	}
	both := mask("--mask", givenMask, givenNFMask|givenCTMask, func(t *CONNMARK) []*uint32 { return []*uint32{&t.nfmask, &t.ctmask} })
	return append(rows,
		copies("--save-mark", connSave), copies("--restore-mark", connRestore),
		nfmask, ctmask, both,
		shiftRow("--left-shift-mark", false), shiftRow("--right-shift-mark", true))
}

func shiftRow(name string, right bool) option.Row[CONNMARK] {
	return option.Row[CONNMARK]{
		Name: name, Args: 1, Want: "a number from 0 to 31",
		Set: func(t *CONNMARK, _ bool, w []string, _ option.Context) error {
			n, err := option.Uint(w[0], 0, 31)
			t.shift, t.right = uint8(n), right
			return err
		},
		Get: func(t *CONNMARK, _ nf.Family) (bool, string, bool) {
			return false, strconv.Itoa(int(t.shift)), t.shift != 0 && t.right == right
		},
	}
}

func checkConnmark(t *CONNMARK, _ option.Context) error {
	if t.bits.Given() {
		if t.mode > connSet {
			return ErrMarkTwice
		}
		t.mode = connSet
	}
	switch {
	case t.mode == 0:
		return errors.New("no operation specified")
	case t.mode == connSet && !t.bits.Given():
		return t.bits.Err()
	case t.mode == connSet && t.given != 0:
		return errors.New("--mask, --nfmask and --ctmask belong to --save-mark and --restore-mark")
	case t.shift > 31:
		return fmt.Errorf("a shift of %d bits, 31 at most", t.shift)
	}
	t.given = 0
	if t.mode == connSet {
		t.nfmask, t.ctmask = 0, 0
	}
	if t.shift == 0 {
		t.right = false
	}
	return nil
}

// words is what iptables -L prints.
func (t CONNMARK) words() string {
	s := ""
	switch t.mode {
	case connSet:
		s = markWords(t.bits)
	case connSave:
		s = "save" + t.maskWords("nfmask %#x ctmask ~%#x", t.nfmask, t.ctmask)
	case connRestore:
		s = "restore" + t.maskWords("ctmask %#x nfmask ~%#x", t.ctmask, t.nfmask)
	}
	switch {
	case t.shift != 0 && t.right:
		s += fmt.Sprintf(" right-shift-mark %d", t.shift)
	case t.shift != 0:
		s += fmt.Sprintf(" left-shift-mark %d", t.shift)
	}
	return s
}

func (t CONNMARK) maskWords(format string, from, to uint32) string {
	switch {
	case from == to && from == 0xffffffff:
		return ""
	case from == to:
		return fmt.Sprintf(" mask %#x", from)
	}
	return " " + fmt.Sprintf(format, from, to)
}
