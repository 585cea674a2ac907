// Package option is option tables. An extension lists its options once, a Row
// each; the same row reads the option from a command line and prints it in
// iptables-save's form, so that the two cannot drift apart.
package option

import (
	"errors"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Context is what reading or checking an option may depend on.
type Context struct {
	Family   nf.Family   // whose command line it is: IPv4 iptables', IPv6 ip6tables', Both a file for both
	Proto    nf.Protocol // the rule's -p; 0: none yet
	ProtoNot bool        // "! -p"
}

// Needs is what a match or target asks of the rule that it is in.
type Needs struct {
	Family nf.Family     // Both: any
	Protos []nf.Protocol // -p must be one of these and not inverted; nil: any or none
	Imply  nf.Protocol   // -p that rule.New adds when there is none; 0: none
	// ProtosOf is the family that Protos and Imply are for: rules for the other, or
	// for both, may have any -p. Both: they are for every rule.
	ProtosOf nf.Family
	Tables   []string // iptables' tables that have it; nil: any
	Chains   []string // built-in chains whose packets may reach it; nil: any
	SYN      bool     // the rule must look for the SYN flag of TCP
}

// Row is one option of an extension whose values are of type T.
type Row[T any] struct {
	Name    string   // with its dashes, as it is printed
	Aliases []string // other spellings that are read, with their dashes
	Args    int      // how many words follow
	// Optional says that a word may follow: it does unless it begins with - or !.
	Optional bool
	Invert   bool   // "!" may stand before it
	Many     bool   // may be given more than once
	Want     string // what the words should be, for errors

	// Set stores what was read. Its error says what is wrong with the words.
	Set func(t *T, not bool, words []string, c Context) error
	// Get is what is printed after the name; ok is false when the option is
	// absent. A row with a nil Get is read but never printed.
	Get func(t *T, f nf.Family) (not bool, text string, ok bool)
}

// Spec is one extension: what the parser, the printer, the lister and the
// decompiler know of it. Compile is the value's own method.
type Spec[T comparable] struct {
	Name     string    // after -m or -j
	Families nf.Family // Both, or the only one whose command knows it
	Rows     []Row[T]  // in the order in which iptables-save prints them

	// Default is what options change; nil: the zero value.
	Default func(c Context) T
	// Check refuses what cannot be programmed and brings the rest to the form that
	// the kernel keeps; nil: as it is. It is called for parsed values and for
	// literals alike, once, when the rule is made.
	Check func(t *T, c Context) error
	// Needs is what the value asks of its rule; nil: nothing.
	Needs func(t T) Needs
	// List is what iptables -L prints for it, without surrounding spaces; nil: nothing.
	List func(t T, l *Lister) string
	// Read takes the extension's native form off a program; nil: it has none.
	Read func(r *program.Reader) (T, bool)
	// XT is its form as the kernel's own extension; nil: it has none.
	XT *XT[T]
	// SharedNative says that iptables-nft spells it natively, and Compile too where
	// program.Env is Plain; false: in the tables that are shared with iptables-nft
	// XT is its form.
	SharedNative bool
}

// Extension is a Spec whose type is forgotten.
type Extension interface {
	// ExtName is the name after -m or -j.
	ExtName() string
	// Known says whether the family's command has the extension.
	Known(f nf.Family) bool
	// Options are all options, in the order in which they are printed.
	Options() []Option
	// Start begins a value that options are added to.
	Start(c Context) Instance
	// Normal is the value in its normal form.
	Normal(v any, c Context) (any, error)
	// NeedsOf is what the value asks of its rule.
	NeedsOf(v any) Needs
	// Text is the value's options as iptables-save prints them: "--dport 22".
	Text(v any, f nf.Family) string
	// ListText is what iptables -L prints for the value.
	ListText(v any, l *Lister) string
	// ReadFrom takes a value off a program.
	ReadFrom(r *program.Reader) (any, bool)
	// Shared adds a value to a program as iptables-nft does in the tables that it
	// shares; ok is false where the value's own Compile sees to that.
	Shared(v any, c *program.Code) (ok bool, err error)
	// KernelForm adds a value to a program as the kernel's own extension; ok is
	// false where it has none.
	KernelForm(v any, c *program.Code) (ok bool, err error)
}

// Instance is an extension's value while its options are read.
type Instance interface {
	// Option finds an option by its spelling or an unambiguous beginning of a
	// long one, as getopt_long does.
	Option(word string) (o Option, ok bool)
	// Begin says how many options a word that is none in full may be short for.
	Begin(word string) int
	// Set stores an option. The error is *Error.
	Set(o Option, not bool, words []string, c Context) error
	// Value is what was made of it, not yet in its normal form.
	Value() any
}

// Option is one row of an Instance, without its functions.
type Option struct {
	Name     string
	Aliases  []string
	Args     int
	Optional bool
	Invert   bool
	Want     string
	Index    int
}

// Error says why an option was refused.
type Error struct {
	Extension string
	Option    string
	Token     string // the words that were read
	Want      string
	Err       error
}

// Error is "extension: option token: reason", parts that are missing left out.
func (e *Error) Error() string {
	var parts []string
	if e.Extension != "" {
		parts = append(parts, e.Extension)
	}
	if s := strings.TrimSpace(e.Option + " " + e.Token); s != "" {
		parts = append(parts, s)
	}
	return strings.Join(append(parts, e.Err.Error()), ": ")
}

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// Reasons that every extension shares; tested with errors.Is.
var (
	ErrOnce     = errors.New("can be used only once")
	ErrNoInvert = errors.New("cannot be inverted")
)
