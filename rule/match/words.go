package match

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// bare is a codec for a name of at most n bytes, which iptables prints as it is.
// One that would not be read back, since a blank or a quote is in it, is quoted.
func bare(n int) option.Codec[string] {
	c := option.Text(n)
	c.Print = func(s string, _ nf.Family) string { return bareWord(s) }
	return c
}

func bareWord(s string) string {
	if s == "" || strings.ContainsAny(s, " \t\r\"") {
		return option.Quote(s)
	}
	return s
}

// procName refuses what cannot be a file's name below /proc/net, as the kernel
// does (net/netfilter/x_tables.c, xt_check_proc_name).
func procName(s string, most int) error {
	switch {
	case s == "":
		return errors.New("a name must have a minimum length of 1 characters")
	case len(s) > most:
		return fmt.Errorf("name too long: %d bytes, %d at most", len(s), most)
	case s == "." || s == ".." || strings.Contains(s, "/"):
		return fmt.Errorf("%q cannot be the name of a file below /proc/net", s)
	case strings.ContainsAny(s, "\n\x00"):
		return errors.New("a name must be one line")
	}
	return nil
}

// together is the error of two options that exclude each other.
func together(a, b string) error {
	return fmt.Errorf("option %q cannot be used together with %q", a, b)
}

// maxPrefix is the length of a family's addresses in bits; of both, the longer's.
func maxPrefix(f nf.Family) uint8 {
	if f == nf.IPv4 {
		return 32
	}
	return 128
}

// prefixLength is a codec for the length of a prefix, or the mask that has it.
var prefixLength = option.Codec[uint8]{
	Want: "the length of a prefix, or a mask",
	Parse: func(w string, c option.Context) (uint8, error) {
		most := maxPrefix(c.Family)
		if n, err := option.Uint(w, 0, uint64(most)); err == nil {
			return uint8(n), nil
		}
		a, err := option.ParseAddr(w, c.Family)
		if err == nil {
			if n, ok := maskLength(a.AsSlice()); ok {
				return n, nil
			}
		}
		return 0, fmt.Errorf("%q is neither a valid network mask nor valid CIDR (0-%d)", w, most)
	},
	Print: func(n uint8, _ nf.Family) string { return fmt.Sprint(n) },
}

// maskLength is the length of a mask's run of ones; ok is false if more follow.
func maskLength(mask []byte) (n uint8, ok bool) {
	ended := false
	for _, b := range mask {
		for bit := 7; bit >= 0; bit-- {
			switch one := b>>bit&1 == 1; {
			case one && ended:
				return 0, false
			case one:
				n++
			default:
				ended = true
			}
		}
	}
	return n, true
}

// prefixMask is a mask of n ones in the kernel's 16 bytes.
func prefixMask(n uint8) (mask [16]byte) {
	for i := range n {
		mask[i/8] |= 0x80 >> (i % 8)
	}
	return mask
}

// wideMask says whether a mask is the one that iptables has where none was
// given: all ones, in IPv4 also where the kernel does not look.
func wideMask(mask [16]byte) bool { return mask == prefixMask(128) }
