package program

// Note is something about a rule that its expressions cannot say; it travels in
// the rule's userdata.
type Note struct {
	At   int    // the match it is about, from 0, header matches not counted
	Kind string // "is": the extension's name; "comment": a comment
	Text string
}

// The kinds of a Note.
const (
	NoteIs      = "is"      // Text names the extension where the program alone would read as another
	NoteComment = "comment" // Text is -m comment's
	NoteList    = "list"    // Text is a list in the order given, where the program keeps it sorted
)

// Code is a rule under construction: what a match adds itself to.
type Code struct {
	Env   Env
	At    int // the match that is being compiled
	exprs []Expr
	notes []Note

	against *Reader // what is added is compared with this, not kept; nil: it is kept
	differs bool
}

// Reset makes an empty Code of one whose expressions and notes are no longer
// wanted.
func (c *Code) Reset(env Env) {
	*c = Code{Env: env, exprs: c.exprs[:0], notes: c.notes[:0]}
}

// Compare is Reset for comparing: what is added is not kept but compared with
// what is next in r; see AsRead.
func (c *Code) Compare(r *Reader, env Env) {
	c.Reset(env)
	c.against = r
}

// AsRead says, after Compare, whether all that was added is what was to be read.
// false may be wrong: expressions that make a test are not seen to be one when
// they are added one by one.
func (c *Code) AsRead() bool { return !c.differs && c.against.Left() == 0 }

// Try says, after Compare, whether what f adds is what is next to be read. If it
// is not, or f fails, f has added nothing. What differed before still does.
func (c *Code) Try(f func() error) bool {
	if c.differs {
		return false
	}
	pos, notes := c.against.Pos(), len(c.notes)
	if err := f(); err == nil && !c.differs {
		return true
	}
	c.against.Seek(pos)
	c.differs, c.notes = false, c.notes[:notes]
	return false
}

// Test adds comparisons.
func (c *Code) Test(tests ...Test) {
	for i := range tests {
		t := &tests[i]
		if c.against == nil {
			c.exprs = t.appendTo(c.exprs)
			continue
		}
		next, ok := c.against.Test(0)
		if !ok || next != *t {
			c.differs = true
			return
		}
		c.against.Take(1)
	}
}

// Add adds expressions as they are.
func (c *Code) Add(exprs ...Expr) {
	if c.against == nil {
		c.exprs = append(c.exprs, exprs...)
		return
	}
	for _, e := range exprs {
		next := c.against.Item(0)
		if next == nil || next != e && stateless(next) != stateless(e) {
			c.differs = true
			return
		}
		c.against.Take(1)
	}
}

// Is notes that what is added is spelled as the named extension, where the same
// program would be read back as another.
func (c *Code) Is(extension string) {
	c.notes = append(c.notes, Note{c.At, NoteIs, extension})
}

// Comment notes a comment.
func (c *Code) Comment(text string) {
	c.notes = append(c.notes, Note{c.At, NoteComment, text})
}

// List notes a list as it was given, where the program holds it in another order.
func (c *Code) List(text string) {
	c.notes = append(c.notes, Note{c.At, NoteList, text})
}

// Exprs is what was added.
func (c *Code) Exprs() []Expr { return c.exprs }

// Notes is what was noted.
func (c *Code) Notes() []Note { return c.notes }

// Action is Code as a target sees it. It is a type of its own so that matches
// and targets cannot be taken for one another.
type Action struct{ *Code }
