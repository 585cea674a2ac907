package program

// Reader walks a rule's program, test by test, for those who make a model of
// it. A decompiler looks at what is next, and takes it when it is its own.
type Reader struct {
	Env   Env
	items []Expr // tests where expressions make one, else the expressions
	sizes []int  // how many expressions an item stands for
	pos   int
	at    int
	notes []Note
}

// NewReader groups a rule's expressions into tests.
func NewReader(exprs []Expr, env Env, notes []Note) *Reader {
	r := &Reader{Env: env, notes: notes}
	for i := 0; i < len(exprs); {
		if t, n := parseTest(exprs[i:]); n > 0 {
			r.items, r.sizes = append(r.items, t), append(r.sizes, n)
			i += n
			continue
		}
		r.items, r.sizes = append(r.items, exprs[i]), append(r.sizes, 1)
		i++
	}
	return r
}

// Left is how many items are left.
func (r *Reader) Left() int { return len(r.items) - r.pos }

// Item is the item i places on, nil past the end.
func (r *Reader) Item(i int) Expr {
	if r.pos+i >= len(r.items) {
		return nil
	}
	return r.items[r.pos+i]
}

// Test is the test i places on; ok is false if there is none there.
func (r *Reader) Test(i int) (t Test, ok bool) {
	t, ok = r.Item(i).(Test)
	return t, ok
}

// Take moves n items on and returns the expressions that they stand for.
func (r *Reader) Take(n int) []Expr {
	var out []Expr
	for range n {
		switch e := r.items[r.pos].(type) {
		case Test:
			out = append(out, e.exprs()...)
		default:
			out = append(out, e)
		}
		r.pos++
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
