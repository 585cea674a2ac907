package set

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Key is one kind of field, or several joined by Tuple. The zero value is none,
// which is an error in a set.
type Key uint32

// The kinds of fields.
const (
	Addrs  Key = iota + 1 // single addresses
	Nets                  // addresses, prefixes, ranges; once in a Tuple
	Ports                 // a port
	Protos                // a protocol
	Ifaces                // an interface name
	Marks                 // a packet mark, all 32 bits of it
)

// The packing of a Tuple: a kind in each four bits, the first lowest.
const (
	kindBits  = 4
	kindMask  = 1<<kindBits - 1
	maxFields = 3
	badKey    = ^Key(0)
)

// keyWords are the kinds as ipset's types name them, by their numbers.
var keyWords = [...]string{"", "ip", "net", "port", "proto", "iface", "mark"}

// Tuple concatenates up to three kinds: Tuple(Addrs, Protos, Ports). None, more
// than three and more than one of Nets are errors where the key is used.
func Tuple(keys ...Key) Key {
	var out Key
	n := 0
	for _, k := range keys {
		for _, f := range k.Fields() {
			if n == maxFields {
				return badKey
			}
			out |= f << (kindBits * n)
			n++
		}
		if len(k.Fields()) == 0 {
			return badKey
		}
	}
	return out
}

// Fields are the kinds that the key is made of; nil for none and for a bad one.
func (k Key) Fields() []Key {
	var out []Key
	for n := k; n != 0; n >>= kindBits {
		f := n & kindMask
		if int(f) >= len(keyWords) || f == 0 || len(out) == maxFields {
			return nil
		}
		out = append(out, f)
	}
	return out
}

// ErrKey is the reason of a key that no set can have; tested with errors.Is.
var ErrKey = errors.New("not a key")

// Err says why no set can have the key.
func (k Key) Err() error {
	fields := k.Fields()
	switch {
	case k == 0:
		return fmt.Errorf("%w: Set.Key says nothing", ErrKey)
	case fields == nil:
		return fmt.Errorf("%w: a tuple has one to three kinds", ErrKey)
	}
	nets := 0
	for _, f := range fields {
		if f == Nets {
			nets++
		}
	}
	if nets > 1 {
		return fmt.Errorf("%w: one of Nets at most, the others Addrs", ErrKey)
	}
	return nil
}

// String is the kinds as ipset names them: "net,port"; "?" for a bad key.
func (k Key) String() string {
	var words []string
	for _, f := range k.Fields() {
		words = append(words, keyWords[f])
	}
	if words == nil {
		return "?"
	}
	return strings.Join(words, ",")
}

// ParseKey reads what String writes.
func ParseKey(text string) (Key, error) {
	var keys []Key
	for word := range strings.SplitSeq(text, ",") {
		for k, name := range keyWords {
			if name == word && k > 0 {
				keys = append(keys, Key(k))
			}
		}
		if len(keys) == 0 || keyWords[keys[len(keys)-1]] != word {
			return 0, fmt.Errorf("%w: %q", ErrKey, text)
		}
	}
	k := Tuple(keys...)
	return k, k.Err()
}

// Has says whether f is among the key's kinds.
func (k Key) Has(f Key) bool {
	for n := k; n != 0; n >>= kindBits {
		if n&kindMask == f {
			return true
		}
	}
	return false
}

// Addressed says whether the key has addresses, which are of one family each.
func (k Key) Addressed() bool { return k.Has(Addrs) || k.Has(Nets) }

// single says whether the key is one kind.
func (k Key) single() bool { return k <= kindMask }

// Type is the kernel's type of a kind for a family. For the pipeline, not for callers.
func (k Key) Type(f nf.Family) program.KeyType {
	switch k {
	case Addrs, Nets:
		if f == nf.IPv6 {
			return program.TypeIPv6
		}
		return program.TypeIPv4
	case Ports:
		return program.TypeService
	case Protos:
		return program.TypeProto
	case Ifaces:
		return program.TypeIfname
	}
	return program.TypeMark
}

// Takes says whether the fields of a packet are what the key is made of.
func (k Key) Takes(by match.By) bool {
	fields, keys := by.Fields(), k.Fields()
	if len(fields) != len(keys) {
		return false
	}
	for i, f := range fields {
		want := Marks
		switch f {
		case match.SrcAddr, match.DstAddr:
			want = keys[i]
			if want != Addrs && want != Nets {
				return false
			}
		case match.SrcPort, match.DstPort:
			want = Ports
		case match.L4Proto:
			want = Protos
		case match.InIface, match.OutIface:
			want = Ifaces
		}
		if keys[i] != want {
			return false
		}
	}
	return true
}
