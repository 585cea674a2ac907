package page

// What a rule or a piece has instead of a page's index.
const (
	fresh = -1 // rule: the host does not have it; piece: a new page
	stay  = -2 // in the spine
)

// piece is rules in a row that go to one place.
type piece struct {
	page   int // index of a held page, fresh or stay
	lo, hi int // rules
	old    int // how many of them the host has in that page
}

func (p *piece) len() int { return p.hi - p.lo }

// isPage says whether there is a piece, and it is a page, old or new.
func (p *piece) isPage() bool { return p != nil && p.page != stay }

// room says whether the piece is a page that can take n more rules.
func (p *piece) room(n, max int) bool { return p.isPage() && p.len()+n <= max }

// places says where each of a chain's rules goes. label says where the host has
// it; bound, that it must be in the spine.
func (l limit) places(label []int, bound []bool, held *layout) []piece {
	var runs []piece // between rules that are bound
	var out []piece
	for lo := 0; lo < len(label); {
		hi := lo + 1
		if bound[lo] {
			label[lo] = stay
		} else {
			for hi < len(label) && !bound[hi] {
				hi++
			}
		}
		runs = append(runs, piece{page: stay, lo: lo, hi: hi})
		lo = hi
	}
	keepOnce(runs, label, held)
	for _, r := range runs {
		if bound[r.lo] {
			out = append(out, r)
			continue
		}
		out = append(out, l.fill(label, r.lo, r.hi)...)
	}
	return out
}

// keepOnce takes the label of a page off the rules of all runs but the one that
// has most of it: a rule that stays in the spine came in between.
func keepOnce(runs []piece, label []int, held *layout) {
	if held == nil {
		return
	}
	type share struct{ run, n int }
	best, last := make([]share, len(held.pages)), make([]share, len(held.pages))
	for i, r := range runs {
		for _, page := range label[r.lo:r.hi] {
			if page < 0 {
				continue
			}
			if last[page].run != i {
				last[page] = share{run: i}
			}
			last[page].n++
			if last[page].n > best[page].n {
				best[page] = last[page]
			}
		}
	}
	for i, r := range runs {
		for j := r.lo; j < r.hi; j++ {
			if label[j] >= 0 && best[label[j]].run != i {
				label[j] = fresh
			}
		}
	}
}

// fill says where the rules lo to hi go, none of which is bound to the spine.
func (l limit) fill(label []int, lo, hi int) []piece {
	pieces := l.adopt(group(label, lo, hi))
	pieces = l.spill(pieces, label)
	return l.join(pieces)
}

// group makes pieces of the rules that have one label.
func group(label []int, lo, hi int) []piece {
	var out []piece
	for i := lo; i < hi; i++ {
		if n := len(out) - 1; n >= 0 && out[n].page == label[i] {
			out[n].hi++
			out[n].old++
			continue
		}
		out = append(out, piece{page: label[i], lo: i, hi: i + 1, old: 1})
	}
	return out
}

// adopt gives rules that are new to the page beside them: the one before if it
// has room, else the one behind. Where both are full they get a page of their
// own, and where there is none they go to the spine.
func (l limit) adopt(pieces []piece) []piece {
	var out []piece
	for i, p := range pieces {
		n := len(out) - 1
		same := n >= 0 && out[n].page == p.page
		if p.page != fresh {
			if same { // what came in between went to it
				out[n].hi, out[n].old = p.hi, out[n].old+p.old
			} else {
				out = append(out, p)
			}
			continue
		}
		var before, behind *piece
		if n >= 0 {
			before = &out[n]
		}
		if i+1 < len(pieces) {
			behind = &pieces[i+1]
		}
		switch p.old = 0; {
		case before != nil && behind != nil && before.page == behind.page, before.room(p.len(), l.max):
			before.hi = p.hi
		case behind.room(p.len(), l.max):
			behind.lo = p.lo
		case before.isPage() || behind.isPage():
			out = append(out, p)
		case before != nil:
			before.hi = p.hi
		case behind != nil:
			behind.lo = p.lo
		default:
			p.page = stay
			out = append(out, p)
		}
	}
	return out
}

// spill takes from pages that got too long, and from rows of the spine that are
// worth a page. A page keeps what it can of the rules that are in it already.
func (l limit) spill(pieces []piece, label []int) []piece {
	var out []piece
	for i, p := range pieces {
		switch {
		case p.page == stay && p.len() >= l.min, p.page == fresh && p.len() > l.max:
			out = append(out, l.split(p.lo, p.hi)...)
		case !p.isPage() || p.len() <= l.max:
			out = append(out, p)
		default:
			lo := l.window(p, label)
			hi := lo + l.max
			if n := len(out) - 1; n >= 0 && out[n].room(lo-p.lo, l.max) {
				out[n].hi = lo
			} else {
				out = append(out, l.split(p.lo, lo)...)
			}
			out = append(out, piece{page: p.page, lo: lo, hi: hi, old: p.old})
			if i+1 < len(pieces) && pieces[i+1].room(p.hi-hi, l.max) {
				pieces[i+1].lo = hi
			} else {
				out = append(out, l.split(hi, p.hi)...)
			}
		}
	}
	return out
}

// window is where the max rules of the piece start that have the most of its page.
func (l limit) window(p piece, label []int) int {
	n := 0
	for _, x := range label[p.lo : p.lo+l.max] {
		if x == p.page {
			n++
		}
	}
	best, at := n, p.lo
	for lo := p.lo + 1; lo+l.max <= p.hi; lo++ {
		if label[lo-1] == p.page {
			n--
		}
		if label[lo+l.max-1] == p.page {
			n++
		}
		if n > best {
			best, at = n, lo
		}
	}
	return at
}

// split makes new pages of about the same length.
func (l limit) split(lo, hi int) []piece {
	n := hi - lo
	pages := (n + l.max - 1) / l.max
	out := make([]piece, 0, pages)
	for i := range pages {
		out = append(out, piece{page: fresh, lo: lo + n*i/pages, hi: lo + n*(i+1)/pages})
	}
	return out
}

// join makes one of neighbouring pages that have become short. The one with more
// old rules is kept.
func (l limit) join(pieces []piece) []piece {
	var out []piece
	for _, p := range pieces {
		n := len(out) - 1
		if n < 0 || !p.isPage() || !out[n].isPage() || out[n].len()+p.len() > l.merge {
			out = append(out, p)
			continue
		}
		if p.page != fresh && (out[n].page == fresh || p.old > out[n].old) {
			out[n].page, out[n].old = p.page, p.old
		}
		out[n].hi = p.hi
	}
	return out
}
