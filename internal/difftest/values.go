package difftest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Value makes one word for an option: mostly a good one, with a liking for what
// is at the border.
type Value func(g *Generator) string

// one is one of the words, all alike likely.
func one(words ...string) Value {
	return func(g *Generator) string { return words[g.rnd.IntN(len(words))] }
}

// either is what one of the values makes.
func either(vs ...Value) Value {
	return func(g *Generator) string { return vs[g.rnd.IntN(len(vs))](g) }
}

// number is a number from lo to hi: the bounds, small ones, round ones and
// powers of two more often than others, mostly decimal. Rarely it is one too
// small or too large.
func number(lo, hi uint64) Value {
	return func(g *Generator) string { return g.spell(g.number(lo, hi)) }
}

// decimal is number without other bases.
func decimal(lo, hi uint64) Value {
	return func(g *Generator) string { return strconv.FormatUint(g.number(lo, hi), 10) }
}

func (g *Generator) number(lo, hi uint64) uint64 {
	span := hi - lo
	switch g.rnd.IntN(16) {
	case 0:
		return lo
	case 1:
		return hi
	case 2:
		return min(lo+1, hi)
	case 3:
		return max(hi-min(1, span), lo)
	case 4, 5, 6, 7:
		return lo + min(g.rnd.Uint64N(20), span)
	case 8, 9:
		return lo + min(uint64(1)<<g.rnd.IntN(64), span)
	case 10:
		if g.rnd.IntN(3) == 0 {
			if lo > 0 && g.rnd.IntN(2) == 0 {
				return lo - 1
			}
			return hi + 1 // of 1<<64-1: 0
		}
	}
	if span == 1<<64-1 {
		return g.rnd.Uint64()
	}
	return lo + g.rnd.Uint64N(span+1)
}

// spell writes a number, mostly in decimal.
func (g *Generator) spell(n uint64) string {
	switch g.rnd.IntN(20) {
	case 0:
		return fmt.Sprintf("0x%x", n)
	case 1:
		return fmt.Sprintf("0%o", n)
	}
	return strconv.FormatUint(n, 10)
}

// list is one to n of the values with commas between.
func list(v Value, n int) Value { return repeat(v, n, ",") }

func repeat(v Value, n int, sep string) Value {
	return func(g *Generator) string {
		parts := make([]string, 1+g.rnd.IntN(min(1+g.rnd.IntN(n), n)))
		for i := range parts {
			parts[i] = v(g)
		}
		return strings.Join(parts, sep)
	}
}

// span is one value, or two with a sign between, where both are numbers mostly
// the smaller first.
func span(v Value, sep string) Value {
	return func(g *Generator) string {
		a := v(g)
		if g.rnd.IntN(2) == 0 {
			return a
		}
		b := v(g)
		x, errX := strconv.ParseUint(a, 0, 64)
		y, errY := strconv.ParseUint(b, 0, 64)
		if errX == nil && errY == nil && x > y && g.rnd.IntN(10) > 0 {
			a, b = b, a
		}
		return a + sep + b
	}
}

// open is span whose bounds may be missing.
func open(v Value, sep string) Value {
	return func(g *Generator) string {
		s := span(v, sep)(g)
		switch g.rnd.IntN(12) {
		case 0:
			return sep + v(g)
		case 1:
			return v(g) + sep
		case 2:
			if g.rnd.IntN(4) == 0 {
				return sep
			}
		}
		return s
	}
}

// with is a value, in half of the cases with another behind a sign.
func with(v Value, sep string, w Value) Value {
	return func(g *Generator) string {
		s := v(g)
		if g.rnd.IntN(2) == 0 {
			s += sep + w(g)
		}
		return s
	}
}

// both is a value, a sign and another value.
func both(v Value, sep string, w Value) Value {
	return func(g *Generator) string { return v(g) + sep + w(g) }
}

// letters of texts: mostly plain ones.
const (
	plainLetters = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-_"
	oddLetters   = " !\"#$%&'()*+,./:;<=>?@[\\]^`{|}~\t\xc3\xa9"
)

// text is a string of up to n bytes, rarely one more, a good part of them odd.
func text(n int) Value {
	return func(g *Generator) string {
		size := 1 + g.rnd.IntN(min(n, 12))
		switch g.rnd.IntN(12) {
		case 0:
			size = n
		case 1:
			size = n + 1
		}
		odd := g.rnd.IntN(3) == 0
		b := make([]byte, size)
		for i := range b {
			letters := plainLetters
			if odd && g.rnd.IntN(4) == 0 {
				letters = oddLetters
			}
			b[i] = letters[g.rnd.IntN(len(letters))]
		}
		return string(b)
	}
}

// name is text of letters that need no quotes.
func name(n int) Value {
	return func(g *Generator) string {
		b := make([]byte, 1+g.rnd.IntN(n))
		if g.rnd.IntN(10) == 0 {
			b = make([]byte, n+g.rnd.IntN(2))
		}
		for i := range b {
			b[i] = plainLetters[g.rnd.IntN(len(plainLetters)-2)]
		}
		return string(b)
	}
}

var (
	port  = either(number(0, 65535), number(1, 1024), one("http", "https", "ssh", "domain", "http-alt", "nosuchservice"))
	ports = open(port, ":")
	mark  = with(number(0, 0xffffffff), "/", number(0, 0xffffffff))
	mac   = func(g *Generator) string {
		b := g.rnd.Uint64()
		return fmt.Sprintf([]string{"%02x:%02x:%02x:%02x:%02x:%02x", "%02X:%02X:%02X:%02X:%02X:%02X", "%x:%x:%x:%x:%x:%x"}[g.rnd.IntN(3)],
			byte(b), byte(b>>8), byte(b>>16), byte(b>>24), byte(b>>32), byte(b>>40))
	}
)

// addr is an address of the line's family, rarely of the other.
func addr(g *Generator) string {
	six := g.family == nf.IPv6
	if g.rnd.IntN(100) == 0 {
		six = !six
	}
	if six {
		return one("::", "::1", "fd00::1", "2001:db8::", "2001:DB8:0:0::1", "fe80::1", "ff02::1", "fd00:1:2:3:4:5:6:7", "::ffff:10.0.0.1", "64:ff9b::192.0.2.1", "1::")(g)
	}
	return either(one("10.0.0.1", "127.0.0.1", "0.0.0.0", "255.255.255.255", "192.168.1.0", "224.0.0.1"),
		func(g *Generator) string {
			b := g.rnd.Uint32()
			return fmt.Sprintf("%d.%d.%d.%d", byte(b), byte(b>>8), byte(b>>16), byte(b>>24))
		})(g)
}

// addrs is an address, or a range of them.
func addrs(g *Generator) string {
	if g.rnd.IntN(3) == 0 {
		return addr(g)
	}
	if g.family == nf.IPv6 {
		return "fd00::" + fmt.Sprintf("%x", g.rnd.IntN(100)) + "-" + "fd00::" + fmt.Sprintf("%x", 90+g.rnd.IntN(100))
	}
	return fmt.Sprintf("10.1.2.%d-10.1.%d.%d", g.rnd.IntN(100), 2+g.rnd.IntN(3), 90+g.rnd.IntN(100))
}

// mask is a prefix length or a mask of the line's family.
func mask(g *Generator) string {
	bits := 32
	if g.family == nf.IPv6 {
		bits = 128
	}
	if g.rnd.IntN(4) > 0 {
		return fmt.Sprint(g.number(0, uint64(bits)))
	}
	if g.family == nf.IPv6 {
		return one("ffff::", "ffff:ffff:ffff:ffff::", "::ffff", "ff00::ff", "::")(g)
	}
	return one("255.255.255.0", "255.0.0.0", "0.0.0.255", "255.0.255.0", "0.0.0.0", "255.255.255.255")(g)
}

// network is an address with a prefix length or a mask.
func network(g *Generator) string { return with(addr, "/", mask)(g) }

// bounds are those that an option's Want names.
var bounds = regexp.MustCompile(`\bfrom (\d+) to (\d+)`)

// size is the longest text that an option's Want names.
var size = regexp.MustCompile(`^a (?:string|text|name) of 1 to (\d+) (?:bytes|characters|letters)`)

// valueOf is what makes a word of an option, the n-th behind it: that of its
// extension and name, else of its Want. ok is false where there is none.
func valueOf(ext string, o option.Option, n int) (v Value, ok bool) {
	key := ext + " " + o.Name
	if v, ok := moreWords[key]; ok && n > 0 {
		return v, true
	}
	for _, own := range valueTables() {
		if v, ok := own[key]; ok {
			return v, true
		}
	}
	if v, ok := wants[o.Want]; ok {
		return v, true
	}
	if m := size.FindStringSubmatch(o.Want); m != nil {
		n, err := strconv.Atoi(m[1])
		return text(n), err == nil
	}
	if m := bounds.FindStringSubmatch(o.Want); m != nil {
		lo, errLo := strconv.ParseUint(m[1], 10, 64)
		hi, errHi := strconv.ParseUint(m[2], 10, 64)
		return number(lo, hi), errLo == nil && errHi == nil
	}
	return nil, false
}

// valueTables are the values of options that have one of their own.
func valueTables() []map[string]Value {
	return []map[string]Value{matchValues, moreMatchValues, targetValues, moreTargetValues, moreWords}
}

// wants are the values for what several options want.
var wants = map[string]Value{
	"a port or a range of ports":             ports,
	"value[/mask]":                           mark,
	"an address, with /prefix or /mask":      network,
	"0 or 1":                                 number(0, 1),
	"a number":                               number(0, 0xffffffff),
	"a number from 0 to 65535, or mark":      either(number(0, 65535), number(0, 65535), one("mark")),
	"a level from 0 to 7, or its name":       either(number(0, 7), one("emerg", "alert", "crit", "error", "warning", "notice", "info", "debug", "err", "warn", "panic", "DEBUG", "inf", "8")),
	"a port or a range first-last":           span(port, "-"),
	"an address, or a range address-address": addrs,
}
