package wire

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/google/nftables/userdata"
)

// openEnd is what nft notes on an element whose range has no end: element
// flags, NFTNL_SET_ELEM_F_INTERVAL_OPEN.
var openEnd = note(byte(userdata.NFTNL_UDATA_SET_ELEM_FLAGS), 1)

// note is one of nft's notes that is a number, in the machine's order.
func note(typ byte, n uint32) string {
	return string(binary.NativeEndian.AppendUint32([]byte{typ, 4}, n))
}

// SetOf is a constant as a set of the given name, elements included; with no
// name it is one rule's own. Ranges become two elements, the first key and the
// key after the last, and where keys remain below, an end at 0 comes first, as
// nft does it.
func SetOf(name string, c program.ConstSet) *program.Set {
	s := &program.Set{
		Name: name, Flags: program.SetConstant, KeyType: uint32(c.Type), KeyLen: c.Len, Host: c.Host,
	}
	if name == "" {
		s.Flags |= program.SetAnonymous
	}
	order := uint32(orderBig)
	if c.Host {
		order = orderHost
	}
	s.UserData = note(byte(userdata.NFTNL_UDATA_SET_KEYBYTEORDER), order)
	if c.Interval {
		s.Flags |= program.SetInterval
		s.UserData += note(byte(userdata.NFTNL_UDATA_SET_MERGE_ELEMENTS), 0)
		s.Elements = rangeElements(c.Keys(), int(c.Len))
	} else {
		s.Elements = make([]program.Element, 0, len(c.Elems)/max(int(c.Len), 1))
		for _, k := range c.Keys() {
			s.Elements = append(s.Elements, program.Element{Key: k})
		}
	}
	s.Size = uint32(len(s.Elements))
	return s
}

// rangeElements is pairs of first and last key as the kernel keeps them.
func rangeElements(keys []string, n int) []program.Element {
	var out []program.Element
	zero := strings.Repeat("\x00", n)
	for i := 0; i+1 < len(keys); i += 2 {
		first, last := keys[i], keys[i+1]
		if i == 0 && first != zero {
			out = append(out, program.Element{Key: zero, End: true})
		}
		after, more := program.NextKey(last)
		if !more {
			out = append(out, program.Element{Key: first, UserData: openEnd})
			continue
		}
		out = append(out, program.Element{Key: first}, program.Element{Key: after, End: true})
	}
	return out
}

// ConstOf is a set as a constant: the inverse of SetOf, for sets that it could
// have made, in whatever order their elements are. nft's notes of how a set was
// written do not count, since they change nothing but its print. ok is false
// for every other set.
func ConstOf(s *program.Set) (c program.ConstSet, ok bool) {
	const kinds = program.SetAnonymous | program.SetConstant | program.SetInterval
	if s.Flags&program.SetConstant == 0 || s.Flags&^kinds != 0 || s.Raw != "" || s.Timeout != 0 || !plainNotes(s.UserData) {
		return c, false
	}
	c = program.ConstSet{
		Type: program.KeyType(s.KeyType), Len: s.KeyLen, Host: s.Host, Interval: s.Flags&program.SetInterval != 0,
	}
	elems := slices.Clone(s.Elements)
	for _, e := range elems {
		odd := e.UserData != "" && e.UserData != openEnd
		if odd || e.CatchAll || e.Exprs != "" || e.KeyEnd != "" || len(e.Key) != int(s.KeyLen) || e.End && !c.Interval {
			return program.ConstSet{}, false
		}
	}
	slices.SortFunc(elems, func(a, b program.Element) int {
		if d := strings.Compare(a.Key, b.Key); d != 0 || a.End == b.End {
			return d
		}
		if a.End {
			return -1
		}
		return 1
	})
	if c.Interval {
		c.Elems, ok = joinRanges(elems, int(s.KeyLen))
		return c, ok
	}
	var b strings.Builder
	for _, e := range elems {
		b.WriteString(e.Key)
	}
	c.Elems = b.String()
	return c, true
}

// joinRanges makes pairs of first and last key of sorted elements.
func joinRanges(elems []program.Element, n int) (string, bool) {
	var b strings.Builder
	first, in := "", false
	for i, e := range elems {
		switch {
		case e.End && !in:
			if i != 0 || e.Key != strings.Repeat("\x00", n) {
				return "", false
			}
		case e.End:
			b.WriteString(first)
			b.WriteString(program.PrevKey(e.Key))
			in = false
		case in:
			return "", false
		default:
			first, in = e.Key, true
		}
	}
	if in {
		b.WriteString(first)
		b.WriteString(strings.Repeat("\xff", n))
	}
	return b.String(), true
}

// plainNotes says whether nft noted nothing about a set but orders, types and
// whether it merges.
func plainNotes(data string) bool {
	n := 0
	for typ, val := range tlvs(data) {
		n += 2 + len(val)
		switch userdata.Type(typ) {
		case userdata.NFTNL_UDATA_SET_KEYBYTEORDER, userdata.NFTNL_UDATA_SET_DATABYTEORDER,
			userdata.NFTNL_UDATA_SET_KEY_TYPEOF, userdata.NFTNL_UDATA_SET_MERGE_ELEMENTS:
		default:
			return false
		}
	}
	return n == len(data)
}
