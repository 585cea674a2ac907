package delta

import (
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
)

// What changes in a set that packets are looked up in is cut into pieces that have
// nothing to do with each other, in the order of the keys: where all of it does not
// fit one transaction, each piece is whole in one. A piece is what overlaps; of it,
// what goes comes first, since the kernel refuses an overlap.

// pieceLen is how many elements a piece begins a new operation after.
const pieceLen = 512

// span is an element of a set: one in the kernel's list, or the two of a range.
type span struct {
	program.Element
	end string // ranges of one field: the key after the last; "": it has no end
}

// key tells spans apart.
func (s *span) compare(o *span) int {
	if d := strings.Compare(s.Key, o.Key); d != 0 {
		return d
	}
	if d := strings.Compare(s.end, o.end); d != 0 {
		return d
	}
	return strings.Compare(s.KeyEnd, o.KeyEnd)
}

// same says whether an element needs no rewriting.
func (s *span) same(o *span) bool {
	return !o.Fresh && s.Timeout == o.Timeout && s.Forever == o.Forever && s.UserData == o.UserData
}

// spans are a set's elements, ascending. An end that begins nothing is left out.
func spans(s *program.Set) []span {
	out := make([]span, 0, len(s.Elements))
	if s.Ranges() {
		list := s.Elements
		if !slices.IsSortedFunc(list, wire.CompareElements) {
			list = wire.SortElements(list)
		}
		for i, e := range list {
			if e.End {
				continue
			}
			next := span{Element: e}
			if i+1 < len(list) && list[i+1].End {
				next.end = list[i+1].Key
			}
			out = append(out, next)
		}
		return out
	}
	for _, e := range s.Elements {
		out = append(out, span{Element: e})
	}
	if !slices.IsSortedFunc(out, compareSpans) {
		slices.SortFunc(out, compareSpans)
	}
	return out
}

func compareSpans(a, b span) int { return a.compare(&b) }

// piece is a part of a change that must be in one transaction.
type piece struct{ gone, add []program.Element }

func (p *piece) len() int { return len(p.gone) + len(p.add) }

// appendSpan appends what the kernel holds for a span.
func appendSpan(out []program.Element, s *span) []program.Element {
	out = append(out, s.Element)
	if s.end != "" {
		out = append(out, program.Element{Key: s.end, End: true})
	}
	return out
}

// reach is how far what was taken together goes.
type reach struct {
	end  string // the key after the last
	open bool   // there is none after it
	any  bool
}

// touches says whether a span overlaps it; spans come in order.
func (r *reach) touches(s *span) bool { return r.any && (r.open || s.Key < r.end) }

func (r *reach) add(s *span, ranges bool) {
	switch {
	case !ranges:
		r.end = s.Key + "\x00"
	case s.end == "":
		r.open = true
	case s.end > r.end:
		r.end = s.end
	}
	r.any = true
}

// pieces are what turns a set's elements into the wanted ones.
func pieces(old, w *program.Set) []piece {
	have, want := spans(old), spans(w)
	var out []piece
	var cur piece
	var r reach
	next := func(s *span) {
		if !r.touches(s) {
			if cur.len() >= pieceLen {
				out, cur = append(out, cur), piece{}
			}
			r = reach{}
		}
		r.add(s, w.Ranges())
	}
	for i, j := 0, 0; i < len(have) || j < len(want); {
		d := 0
		switch {
		case i == len(have):
			d = 1
		case j == len(want):
			d = -1
		default:
			d = have[i].compare(&want[j])
		}
		switch {
		case d == 0 && have[i].same(&want[j]):
		case d == 0:
			next(&have[i])
			cur.gone = appendSpan(cur.gone, &have[i])
			again := carried(&have[i], want[j])
			cur.add = appendSpan(cur.add, &again)
		case d < 0:
			next(&have[i])
			cur.gone = appendSpan(cur.gone, &have[i])
		default:
			next(&want[j])
			cur.add = appendSpan(cur.add, &want[j])
		}
		if d <= 0 {
			i++
		}
		if d >= 0 {
			j++
		}
	}
	if cur.len() > 0 {
		out = append(out, cur)
	}
	if w.Flags&program.SetConcat != 0 {
		out = apart(out)
	}
	return out
}

// carried is a wanted element with what the kernel counted in it and, where it is not
// to start again, the time that it has left.
func carried(old *span, w span) span {
	if w.Packets|w.Bytes == 0 {
		w.Packets, w.Bytes = old.Packets, old.Bytes
	}
	if !w.Fresh && w.Left == 0 && w.Timeout == old.Timeout && w.Forever == old.Forever {
		w.Left = old.Left
	}
	return w
}

// apart has all that goes before all that comes: what overlaps in a concatenation
// of ranges is not next to each other in the order of the keys.
func apart(list []piece) []piece {
	var gone, add []piece
	for _, p := range list {
		if len(p.gone) > 0 {
			gone = append(gone, piece{gone: p.gone})
		}
		if len(p.add) > 0 {
			add = append(add, piece{add: p.add})
		}
	}
	return append(gone, add...)
}

// fill is the change of a set in force as operations, each piece's together.
func (s *steps) fill(old, w *program.Set) {
	for _, p := range pieces(old, w) {
		var ops []driver.Op
		ops = s.elements(ops, driver.DeleteElements, old, p.gone)
		ops = s.elements(ops, driver.AddElements, w, p.add)
		s.fills = append(s.fills, ops)
	}
}

// Filling are the transactions that change sets in force, to be committed in order
// after the switch and before the sweep: none where they are part of the switch, as
// they are unless the host's transactions are too small. Each leaves the sets as they
// would be if it were the last.
func (p Plan) Filling() [][]driver.Op {
	_, rest := p.turn()
	return rest
}

// turn is the switch, and what of it is left for later transactions.
func (p Plan) turn() (turn []driver.Op, rest [][]driver.Op) {
	if len(p.loose) == 0 || p.fits(p.Switch) {
		return p.Switch, nil
	}
	core := len(p.Switch)
	for _, ops := range p.loose {
		core -= len(ops)
	}
	n := 0
	for _, ops := range p.loose {
		size := p.bytes(ops)
		if last := len(rest) - 1; last >= 0 && n+size <= p.opt.MaxBatch {
			rest[last] = append(rest[last], ops...)
			n += size
			continue
		}
		rest = append(rest, slices.Clip(ops))
		n = size
	}
	if core == 0 {
		return rest[0], rest[1:]
	}
	return p.Switch[:core], rest
}
