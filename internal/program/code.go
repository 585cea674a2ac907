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
}

// Test adds comparisons.
func (c *Code) Test(tests ...Test) {
	for _, t := range tests {
		c.exprs = append(c.exprs, t.exprs()...)
	}
}

// Add adds expressions as they are.
func (c *Code) Add(exprs ...Expr) { c.exprs = append(c.exprs, exprs...) }

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
