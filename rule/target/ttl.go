package target

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// TTL is -j TTL: it changes the time to live of IPv4 packets; more than 255 and
// less than 0 are 255 and 0. It is valid in table mangle. Made by SetTTL, IncTTL
// or DecTTL; the zero value is an error.
//
//	--ttl-set value | --ttl-inc value | --ttl-dec value
//
// A set TTL is native, a change of the header with its checksum. nf_tables cannot
// calculate: the others need the kernel's own xt target, which the kernel ties to
// the table name mangle: see program.InexactError. It mirrors
// net/netfilter/xt_HL.c.
type TTL struct{ hops }

// SetTTL is "--ttl-set n".
func SetTTL(n uint8) TTL { return TTL{hops{hopsSet, n}} }

// IncTTL is "--ttl-inc n"; 0 is an error.
func IncTTL(n uint8) TTL { return TTL{hops{hopsInc, n}} }

// DecTTL is "--ttl-dec n"; 0 is an error.
func DecTTL(n uint8) TTL { return TTL{hops{hopsDec, n}} }

// Name is "TTL".
func (TTL) Name() string { return ttl.Name }

func (TTL) ext() option.Extension { return ttl }

var ttl = &option.Spec[TTL]{
	Name:     "TTL",
	Families: nf.IPv4,
	Rows:     hopsRows("--ttl-", func(t *TTL) *hops { return &t.hops }),
	Check:    func(t *TTL, _ option.Context) error { return t.check("--ttl-") },
	Needs:    func(TTL) option.Needs { return option.Needs{Tables: []string{"mangle"}} },
	List:     func(t TTL, _ *option.Lister) string { return "TTL " + t.words() },
	Read: func(r *program.Reader) (TTL, bool) {
		b, ok := readHeaderBits(r)
		return SetTTL(uint8(b.value >> 8)), ok && b == headerBits{ttlWord, 2, 0xff00, b.value & 0xff00}
	},
	XT: option.XTStruct(option.XT[TTL]{Target: true, Tables: []string{"mangle"}}, 0,
		func(t TTL, _ program.Env) xtables.TTLTarget { return t.blob() },
		func(b xtables.TTLTarget, _ program.Env) (TTL, bool) {
			h, ok := readHops(b)
			return TTL{h}, ok
		}),
}

// ttlWord is where the TTL is the first byte of two.
const ttlWord = 8

// Compile changes the header, or adds the xt target.
func (t TTL) Compile(a program.Action) error {
	if t.mode != hopsSet {
		return ttl.Kernel(a.Code, t)
	}
	headerBits{ttlWord, 2, 0xff00, uint16(t.n) << 8}.compile(a)
	return nil
}

// hops is what TTL and HL do.
type hops struct {
	mode hopsMode
	n    uint8
}

// hopsMode is the kernel's, plus one.
type hopsMode uint8

const (
	hopsSet hopsMode = iota + 1
	hopsInc
	hopsDec
)

// hopsWords are the options' ends, and what iptables -L prints.
var hopsWords = [...]struct {
	option, list string
	least        uint64
}{hopsSet: {"set", "set to", 0}, hopsInc: {"inc", "increment by", 1}, hopsDec: {"dec", "decrement by", 1}}

func hopsRows[T any](prefix string, field func(*T) *hops) (rows []option.Row[T]) {
	for mode := hopsSet; mode <= hopsDec; mode++ {
		words := hopsWords[mode]
		rows = append(rows, option.Row[T]{
			Name: prefix + words.option, Args: 1, Want: fmt.Sprintf("a number from %d to 255", words.least),
			Set: func(t *T, _ bool, w []string, _ option.Context) error {
				h := field(t)
				if h.mode != 0 {
					return fmt.Errorf("cannot be used together with %s%s", prefix, hopsWords[h.mode].option)
				}
				n, err := option.Uint(w[0], words.least, 255)
				*h = hops{mode, uint8(n)}
				return err
			},
			Get: func(t *T, _ nf.Family) (bool, string, bool) {
				h := field(t)
				return false, strconv.Itoa(int(h.n)), h.mode == mode
			},
		})
	}
	return rows
}

func (h hops) check(prefix string) error {
	switch {
	case h.mode == 0:
		return errors.New("you must specify an action")
	case h.mode != hopsSet && h.n == 0:
		return fmt.Errorf("%s%s 0 is out of range (1-255)", prefix, hopsWords[h.mode].option)
	}
	return nil
}

func (h hops) words() string {
	if int(h.mode) >= len(hopsWords) {
		return ""
	}
	return fmt.Sprintf("%s %d", hopsWords[h.mode].list, h.n)
}

func (h hops) blob() xtables.TTLTarget { return xtables.TTLTarget{Mode: uint8(h.mode) - 1, Value: h.n} }

func readHops(b xtables.TTLTarget) (h hops, ok bool) {
	h = hops{hopsMode(b.Mode) + 1, b.Value}
	return h, b.Mode < uint8(hopsDec) && h.check("") == nil
}
