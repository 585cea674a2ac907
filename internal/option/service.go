package option

import (
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// DSCP is a codec for the number of a code point.
var DSCP = Codec[nf.DSCP]{
	Want: "a number from 0 to 63",
	Parse: func(w string, _ Context) (nf.DSCP, error) {
		n, err := Uint(w, 0, 63)
		return nf.DSCP(n), err
	},
	Print: func(d nf.DSCP, _ nf.Family) string { return d.String() },
}

// DSCPClass is a codec for the name of a class of service; a code point is
// printed by its number.
var DSCPClass = Codec[nf.DSCP]{
	Want: "a class: BE, EF, CS0 to CS7 or AF11 to AF43",
	Parse: func(w string, _ Context) (nf.DSCP, error) {
		d, ok := nf.DSCPClass(w)
		if !ok {
			return 0, fmt.Errorf("invalid DSCP value `%s'", w)
		}
		return d, nil
	},
	Print: DSCP.Print,
}

// TOS is a codec for "value[/mask]" or a symbol.
var TOS = Codec[nf.TOSBits]{
	Want:  "value[/mask], or a symbol like Minimize-Delay",
	Parse: parseTOS,
	Print: func(t nf.TOSBits, _ nf.Family) string { return t.String() },
}

// tosSymbols are iptables' names, which stand for six bits of the field.
var tosSymbols = [...]struct {
	name  string
	value uint8
}{{"Minimize-Delay", 0x10}, {"Maximize-Throughput", 0x08}, {"Maximize-Reliability", 0x04}, {"Minimize-Cost", 0x02}, {"Normal-Service", 0x00}}

const tosSymbolMask = 0x3f

func parseTOS(w string, _ Context) (nf.TOSBits, error) {
	for _, s := range tosSymbols {
		if strings.EqualFold(s.name, w) {
			return nf.TOSMask(s.value, tosSymbolMask), nil
		}
	}
	first, last, masked := strings.Cut(w, "/")
	v, err := Uint(first, 0, 255)
	if err != nil {
		return nf.TOSBits{}, fmt.Errorf("symbolic name %q is unknown", w)
	}
	if !masked {
		return nf.TOS(uint8(v)), nil
	}
	mask, err := Uint(last, 0, 255)
	if err != nil {
		return nf.TOSBits{}, fmt.Errorf("illegal value: %q", w)
	}
	return nf.TOSMask(uint8(v), uint8(mask)), nil
}

// TOSSymbol is the symbol that iptables -L prints for t; ok is false if it has none.
func TOSSymbol(t nf.TOSBits) (name string, ok bool) {
	for _, s := range tosSymbols {
		if t == nf.TOSMask(s.value, tosSymbolMask) {
			return s.name, true
		}
	}
	return "", false
}
