package target

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// TOS is -j TOS: the type of service of an IPv4 packet, or the traffic class of
// an IPv6 one, becomes tos &^ mask ^ value. It is valid in table mangle. Made by
// SetTOS, SetTOSBits, AndTOS, OrTOS or XorTOS; the zero value is an error.
//
//	--set-tos value[/mask] | --set-tos symbol
//	--and-tos bits  --or-tos bits  --xor-tos bits
//
// It is native, a change of the header with IPv4's checksum, for one family: a
// rule for both is programmed into an ip and an ip6 table. A value for all eight
// bits is written in two steps, DSCP's bits and ECN's, which is what nft has words
// for; nft 1.0.6 dies on listing them as one. Other masks than those it lists as raw
// bytes, and loads again wrong, without the checksum: leave them out of a ruleset that
// is to be saved as nft's text. It mirrors net/netfilter/xt_DSCP.c.
type TOS struct {
	value, mask uint8
	given       bool
}

// SetTOS is "--set-tos value".
func SetTOS(value uint8) TOS { return SetTOSBits(value, 0xff) }

// SetTOSBits is "--set-tos value/mask": the bits of the mask are cleared, then
// those of the value flipped.
func SetTOSBits(value, mask uint8) TOS { return TOS{value, mask, true} }

// AndTOS keeps only bits.
func AndTOS(bits uint8) TOS { return SetTOSBits(0, ^bits) }

// OrTOS sets bits.
func OrTOS(bits uint8) TOS { return SetTOSBits(bits, bits) }

// XorTOS flips bits.
func XorTOS(bits uint8) TOS { return SetTOSBits(bits, 0) }

// Bits are the value and mask, as --set-tos takes them.
func (t TOS) Bits() (value, mask uint8) { return t.value, t.mask }

// symbolMask is what a symbol stands for: all but the precedence.
const symbolMask = 0x3f

// tosSymbols are the names of RFC 1349.
var tosSymbols = [...]struct {
	value uint8
	name  string
}{
	{0x10, "Minimize-Delay"}, {0x08, "Maximize-Throughput"}, {0x04, "Maximize-Reliability"},
	{0x02, "Minimize-Cost"}, {0x00, "Normal-Service"},
}

// Name is "TOS".
func (TOS) Name() string { return tos.Name }

func (TOS) ext() option.Extension { return tos }

var tos = &option.Spec[TOS]{
	Name: "TOS",
	Rows: []option.Row[TOS]{
		tosRow("--set-tos", "value[/mask], or a symbol", parseTOS),
		tosRow("--and-tos", "a number from 0 to 255", bitsOf(AndTOS)),
		tosRow("--or-tos", "a number from 0 to 255", bitsOf(OrTOS)),
		tosRow("--xor-tos", "a number from 0 to 255", bitsOf(XorTOS)),
	},
	Check: func(t *TOS, _ option.Context) error {
		if !t.given {
			return errors.New("an action is required")
		}
		return nil
	},
	Needs: func(TOS) option.Needs { return option.Needs{Tables: []string{"mangle"}} },
	List:  listTOS,
	Read:  readTOS,
	XT: option.XTStruct(option.XT[TOS]{Target: true, Tables: []string{"mangle"}}, 1,
		func(t TOS, _ program.Env) xtables.TOSTarget { return xtables.TOSTarget{Value: t.value, Mask: t.mask} },
		func(b xtables.TOSTarget, _ program.Env) (TOS, bool) { return SetTOSBits(b.Value, b.Mask), true }),
}

func tosRow(name, want string, parse func(w string) (TOS, error)) option.Row[TOS] {
	row := option.Row[TOS]{
		Name: name, Args: 1, Want: want,
		Set: func(t *TOS, _ bool, w []string, _ option.Context) (err error) {
			if t.given {
				return errors.New("cannot be used together with another option that sets the type of service")
			}
			*t, err = parse(w[0])
			return err
		},
	}
	if name == "--set-tos" {
		row.Get = func(t *TOS, _ nf.Family) (bool, string, bool) { return false, t.String(), true }
	}
	return row
}

// String is "0x10/0xff".
func (t TOS) String() string { return fmt.Sprintf("0x%02x/0x%02x", t.value, t.mask) }

func bitsOf(make func(uint8) TOS) func(string) (TOS, error) {
	return func(w string) (TOS, error) {
		n, err := option.Uint(w, 0, 255)
		return make(uint8(n)), err
	}
}

func parseTOS(w string) (TOS, error) {
	first, last, masked := strings.Cut(w, "/")
	value, err := option.Uint(first, 0, 255)
	if err != nil {
		for _, s := range tosSymbols {
			if strings.EqualFold(s.name, w) {
				return SetTOSBits(s.value, symbolMask), nil
			}
		}
		return TOS{}, fmt.Errorf("symbolic name %q is unknown", w)
	}
	if !masked {
		return SetTOS(uint8(value)), nil
	}
	mask, err := option.Uint(last, 0, 255)
	if err != nil {
		return TOS{}, fmt.Errorf("illegal value: %q", w)
	}
	return SetTOSBits(uint8(value), uint8(mask)), nil
}

// listTOS prints the symbol as iptables does, a blank too early.
func listTOS(t TOS, l *option.Lister) string {
	if !l.Numeric() {
		for _, s := range tosSymbols {
			if t.mask == symbolMask && t.value == s.value {
				return " TOS set" + s.name
			}
		}
		switch {
		case t.value == 0:
			return fmt.Sprintf("TOS and 0x%02x", ^t.mask)
		case t.value == t.mask:
			return fmt.Sprintf("TOS or 0x%02x", t.value)
		case t.mask == 0:
			return fmt.Sprintf("TOS xor 0x%02x", t.value)
		}
	}
	return "TOS set " + t.String()
}

// shared says whether the program would be that of DSCP or of ECN.
func (t TOS) shared(env program.Env) bool {
	return t.mask == dscpBits && t.value&^dscpBits == 0 || env.V4() && t.mask == ectBits && t.value&^ectBits == 0
}

// Compile changes the header.
func (t TOS) Compile(a program.Action) error {
	if a.Env.Both() {
		return program.NotInInet("TOS")
	}
	if t.mask == 0xff {
		tosBits(a.Env, dscpBits, t.value&dscpBits).compile(a)
		tosBits(a.Env, ectBits, t.value&ectBits).compile(a)
		return nil
	}
	tosBits(a.Env, t.mask, t.value).compile(a)
	if t.shared(a.Env) {
		a.Is("TOS")
	}
	return nil
}

func readTOS(r *program.Reader) (t TOS, ok bool) {
	mask, value, ok := readTOSBits(r)
	if ok && mask == dscpBits && r.Left() > 0 {
		m, v, ok := readTOSBits(r)
		return SetTOSBits(value|v, mask|m), ok && m == ectBits
	}
	t = SetTOSBits(value, mask)
	return t, ok && (!t.shared(r.Env) || r.Is() == "TOS")
}
