package program

import "slices"

// Reader walks a rule's program, test by test, for those who make a model of
// it. A decompiler looks at what is next, and takes it when it is its own.
type Reader struct {
	Env   Env
	items []item
	pos   int
	at    int
	notes []Note
	put   [][2]Expr // what Put replaced, and with what
}

// item is a test where expressions make one, else an expression.
type item struct {
	expr Expr // nil: test
	test Test
}

// NewReader groups a rule's expressions into tests.
func NewReader(exprs []Expr, env Env, notes []Note) *Reader {
	r := &Reader{}
	r.Reset(exprs, env, notes)
	return r
}

// Reset is NewReader in the place of a reader that is no longer wanted.
func (r *Reader) Reset(exprs []Expr, env Env, notes []Note) {
	*r = Reader{Env: env, notes: notes, items: r.items[:0], put: r.put[:0]}
	for i := 0; i < len(exprs); {
		if t, n := parseTest(exprs[i:]); n > 0 {
			r.items = append(r.items, item{test: t})
			i += n
			continue
		}
		r.items = append(r.items, item{expr: exprs[i]})
		i++
	}
}

// Left is how many items are left.
func (r *Reader) Left() int { return len(r.items) - r.pos }

// Item is the expression i places on, a *Test where several make one, nil past
// the end.
func (r *Reader) Item(i int) Expr {
	if r.pos+i >= len(r.items) {
		return nil
	}
	if it := &r.items[r.pos+i]; it.expr == nil {
		return &it.test
	} else {
		return it.expr
	}
}

// Test is the test i places on; ok is false if there is none there.
func (r *Reader) Test(i int) (t Test, ok bool) {
	if r.pos+i >= len(r.items) || r.items[r.pos+i].expr != nil {
		return t, false
	}
	return r.items[r.pos+i].test, true
}

// Take moves n items on.
func (r *Reader) Take(n int) { r.pos += n }

// Exprs are the expressions that the next n items stand for.
func (r *Reader) Exprs(n int) []Expr {
	var out []Expr
	for _, it := range r.items[r.pos : r.pos+n] {
		if it.expr == nil {
			out = append(out, it.test.exprs()...)
			continue
		}
		out = append(out, it.expr)
	}
	return out
}

// Put replaces the expression that is next with one that does the same.
func (r *Reader) Put(e Expr) {
	it := &r.items[r.pos]
	if it.expr != nil && it.expr != e {
		r.put = append(r.put, [2]Expr{it.expr, e})
		it.expr = e
	}
}

// AsPut is a rule's expressions with those replaced that Put replaced.
func (r *Reader) AsPut(exprs []Expr) []Expr {
	if len(r.put) == 0 {
		return exprs
	}
	out := slices.Clone(exprs)
	for i, e := range out {
		for _, p := range r.put {
			if p[0] == e {
				out[i] = p[1]
			}
		}
	}
	return out
}

// Pos is where the reader is; Seek goes back there.
func (r *Reader) Pos() int { return r.pos }

// Seek goes to a position that Pos returned.
func (r *Reader) Seek(pos int) { r.pos = pos }

// At is the number of the match that is being read, from 0.
func (r *Reader) At() int { return r.at }

// Next says that a match was read.
func (r *Reader) Next() { r.at++ }

// Is is the extension that a note names for the match being read, or "".
func (r *Reader) Is() string {
	text, _ := r.note(NoteIs)
	return text
}

// Comment is the comment that stands at the match being read.
func (r *Reader) Comment() (text string, ok bool) { return r.note(NoteComment) }

// List is the list that was noted for the match being read.
func (r *Reader) List() (text string, ok bool) { return r.note(NoteList) }

func (r *Reader) note(kind string) (text string, ok bool) {
	for _, n := range r.notes {
		if n.At == r.at && n.Kind == kind {
			return n.Text, true
		}
	}
	return "", false
}
