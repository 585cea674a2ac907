package option

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Lister is how iptables -L prints: with names or numbers. The zero value prints numbers.
type Lister struct {
	Family nf.Family
	Proto  nf.Protocol // the rule's -p; 0: none
	// Service and Host name a port and an address; nil, or ok false: the number.
	Service func(port uint16, p nf.Protocol) (name string, ok bool)
	Host    func(a netip.Addr) (name string, ok bool)
}

// Unspaced begins what an extension's List says where iptables prints no blank
// before it.
const Unspaced = "\x00"

// Numeric says whether numbers are wanted (-n).
func (l *Lister) Numeric() bool { return l == nil || l.Service == nil }

// Port prints a port of protocol p: its service's name where names are wanted.
func (l *Lister) Port(port uint16, p nf.Protocol) string {
	if l != nil && l.Service != nil {
		if name, ok := l.Service(port, p); ok {
			return name
		}
	}
	return strconv.Itoa(int(port))
}

// Addr prints an address: its host's name where names are wanted.
func (l *Lister) Addr(a netip.Addr) string {
	if l != nil && l.Host != nil {
		if name, ok := l.Host(a); ok {
			return name
		}
	}
	return a.String()
}

// unquoted is what iptables-save leaves without quotes.
const unquoted = "_-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// Quote prints a string as iptables-save does: bare where it is made of
// letters, digits, - and _, else in double quotes with \ before " ' and \.
func Quote(s string) string {
	if s != "" && strings.Trim(s, unquoted) == "" {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if strings.IndexByte(`"\'`, s[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
	return b.String()
}

// Uint reads a whole number as iptables does, with strtoul: decimal, 0x
// hexadecimal or 0 octal, blanks and a + before it, between lo and hi.
func Uint(word string, lo, hi uint64) (uint64, error) {
	digits, base := strings.TrimPrefix(strings.TrimLeft(word, " \t\n\v\f\r"), "+"), 10
	if len(digits) > 1 && digits[0] == '0' {
		digits, base = digits[1:], 8
		if digits[0]|0x20 == 'x' {
			digits, base = digits[1:], 16
		}
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil {
		return 0, &RangeError{Word: word, Lo: lo, Hi: hi}
	}
	if n < lo || n > hi {
		return 0, &RangeError{Word: word, Number: n, Lo: lo, Hi: hi, number: true}
	}
	return n, nil
}

// RangeError says that a word is no whole number, or one that an option does not
// take.
type RangeError struct {
	Word   string // as it was read
	Number uint64 // what it says; 0 where it is no number
	Lo, Hi uint64 // the least and the most that the option takes
	number bool
}

// Error is what was read, and what is expected.
func (e *RangeError) Error() string {
	if e.number {
		return fmt.Sprintf("value %d is out of range, expected %d to %d", e.Number, e.Lo, e.Hi)
	}
	return fmt.Sprintf("bad value %q, expected a whole number from %d to %d", e.Word, e.Lo, e.Hi)
}
