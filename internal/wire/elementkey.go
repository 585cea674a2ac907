package wire

import (
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// turner turns a key, whose bytes are most significant first, into the kernel's
// order, and back. In a set of ranges that is the network's, since the kernel
// compares bytes, and nft puts a byteorder before the lookup. Elsewhere each
// number that the kernel keeps in the machine's order is turned by itself.
func turner(s *program.Set) func(string) string {
	same := func(key string) string { return key }
	if s.Flags&(program.SetInterval|program.SetConcat) != 0 || !littleEndian {
		return same
	}
	if !program.IsConcat(s.KeyType) {
		if s.Host && program.KeyType(s.KeyType) != program.TypeIfname {
			return swapped
		}
		return same
	}
	fields := program.SplitKey(s.KeyType)
	if !slices.ContainsFunc(fields, program.KeyType.Host) {
		return same
	}
	return func(key string) string {
		b := []byte(key)
		at := 0
		for _, f := range fields {
			if next := at + program.Padded(f.Len()); next <= len(b) {
				if f.Host() {
					slices.Reverse(b[at : at+f.Len()])
				}
				at = next
			}
		}
		return string(b)
	}
}

// counted writes a counter as the expression of an element or, in a set, of all.
func (w *writer) counted(typ uint16, packets, bytes uint64) {
	at := w.open(typ)
	w.str(exprName, "counter")
	data := w.open(exprData)
	w.u64(counterBytes, bytes)
	w.u64(counterPackets, packets)
	w.done(data)
	w.done(at)
}

// counter reads what counted wrote; ok is false for any other expression.
func counter(b []byte) (packets, bytes uint64, ok bool) {
	var f, data fields
	if len(b) == 0 || !f.parse(b) || f.str(exprName) != "counter" || !data.parse(f[exprData]) {
		return 0, 0, false
	}
	return data.u64(counterPackets), data.u64(counterBytes), true
}

// AppendRange appends the range from e's key to last as a set of ranges of one
// field has it: e, and the key after the last with End set, unless the range has no
// end.
func AppendRange(out []program.Element, e program.Element, last string) []program.Element {
	after, more := program.NextKey(last)
	if !more {
		e.UserData += openEnd
		return append(out, e)
	}
	return append(out, e, program.Element{Key: after, End: true})
}

// EachRange yields the ranges in a set of one field, ascending: the first element
// without nft's note, and the last key.
func EachRange(s *program.Set) func(yield func(e program.Element, last string) bool) {
	return func(yield func(program.Element, string) bool) {
		list := SortElements(s.Elements)
		for i, e := range list {
			if e.End || len(e.Key) != int(s.KeyLen) {
				continue
			}
			last := strings.Repeat("\xff", int(s.KeyLen))
			if i+1 < len(list) {
				last = program.PrevKey(list[i+1].Key)
			}
			e.UserData = strings.TrimSuffix(e.UserData, openEnd)
			if !yield(e, last) {
				return
			}
		}
	}
}

// SortElements is elements by their keys; where one range ends, the next begins.
func SortElements(elements []program.Element) []program.Element {
	list := slices.Clone(elements)
	slices.SortFunc(list, CompareElements)
	return list
}

// CompareElements is SortElements' order.
func CompareElements(x, y program.Element) int {
	if d := strings.Compare(x.Key, y.Key); d != 0 {
		return d
	}
	if x.End != y.End {
		if x.End {
			return -1
		}
		return 1
	}
	return strings.Compare(x.KeyEnd, y.KeyEnd)
}
