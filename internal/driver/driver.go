// Package driver is what a host's packet filter must do for a Firewall: the methods
// of Driver, which backend/nft implements with a kernel and backend/sim in memory.
// Everything else (edits, plans, retries, errors in the user's words) is written
// once, in package backend, over these.
//
// One suite, driver/drivertest, holds every implementation to the same words.
package driver

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// Driver is a connection to one namespace's nf_tables. Any goroutine may use it.
type Driver interface {
	// Generation is the count of commits in the namespace.
	Generation(ctx context.Context) (uint32, error)

	// Read returns the tables in scope, all of one generation: tables, chains and
	// sets in the order of their creation, elements in any order. A Lookup in a
	// constant set (NFT_SET_CONSTANT) that is no map has its content in Const, and
	// its Name unless the set is anonymous; anonymous sets are not among Sets. An
	// XTMatch or XTTarget that refers to ipsets has their names in IPSets.
	Read(ctx context.Context, s Scope) (*State, error)

	// Elements hands the elements of one set to each as they come, in parts, without
	// keeping them, behind what the set is. Of ranges, first and last follow each other,
	// in the one order or the other. Where somebody changes the set meanwhile some may be
	// missing or come twice. An error of each ends it and is returned; a set that is
	// not there is fs.ErrNotExist. each may use the driver.
	Elements(ctx context.Context, t *program.Table, set string, each func(s *program.Set, part []program.Element) error) error

	// Commit makes the operations one transaction: all of them, or none and a
	// *CommitError. With a Generation other than 0 it is ErrConflict, and nothing
	// happened, where somebody committed since. A rule's ipsets must be there by
	// their names, else its Failure is an *IPSetError; a host without ipsets of its
	// own takes any name.
	Commit(ctx context.Context, b Batch) error

	// Probe asks whether the host knows an xt extension of a family, without side
	// effects: nil, or an error that is ErrUnsupported.
	Probe(ctx context.Context, x XT) error

	// Lock makes an empty table that goes with whoever made it: when unlock is called,
	// and when the process ends, however it ends. Nobody else can change it, or anything
	// in it, not even through this driver: that is fs.ErrPermission. It comes and goes
	// as a commit of its own does, but for the end of the process, which may be none.
	// ErrUnsupported says that the host has no such tables. unlock may be called twice.
	Lock(ctx context.Context, t *program.Table) (unlock func() error, err error)

	// Watch follows what is committed from now on. It is work for everybody who
	// commits, so whoever watches closes it as soon as that is of no more use.
	Watch(ctx context.Context) (Watch, error)

	// Close frees the connection; what is under way ends with fs.ErrClosed.
	Close() error
}

// Legacy is what a Driver is too whose host can have tables of iptables-legacy,
// which nf_tables does not know of. They are looked for without opening them: that
// would make them. The names are iptables', in no order that means anything.
type Legacy interface {
	Legacy(ctx context.Context) (ip, ip6 []string, err error)
}

// Errors of drivers; all are tested with errors.Is.
var (
	ErrConflict    = errors.New("the ruleset changed meanwhile")
	ErrUncertain   = errors.New("the answer was lost")
	ErrUnstable    = errors.New("the ruleset kept changing while it was read")
	ErrTooLarge    = errors.New("larger than one transaction can be")
	ErrUnsupported = errors.New("not supported by this kernel")
)

// Scope says what to read.
type Scope struct {
	// Table chooses tables; nil: all.
	Table func(f program.Family, name string) bool
	// Bare leaves out rules, and elements but those that Elements chooses.
	Bare bool
	// Chain chooses the chains whose rules are read; nil: all. Of the others there is
	// everything else.
	Chain func(t *program.Table, c *program.Chain) bool
	// Elements chooses, of sets that have names, those whose elements are read; of the
	// others Unread is set. nil: all.
	Elements func(t *program.Table, s *program.Set) bool
}

// State is what was read.
type State struct {
	Generation uint32
	Program    *program.Program
	// MaxBatch is how many bytes a transaction may have; 0: any number.
	MaxBatch int
}

// Batch is one transaction.
type Batch struct {
	Generation uint32 // as read; 0: whatever it is
	Ops        []Op
	// Trial says what the host would refuse, and commits nothing. Loops, depth and
	// hooks of a table that the batch itself makes are not looked at.
	Trial bool
}

// OpKind is what an Op does.
type OpKind uint8

const (
	AddTable       OpKind = iota + 1 // Table: family, name, flags, userdata; one that is there stays as it is
	DeleteTable                      // with everything in it
	AddChain                         // Chain: name, userdata, and for a base chain hook, policy and counters; its Rules are not looked at
	UpdateChain                      // Chain: a base chain's policy, and its counters where Counted
	DeleteChain                      // must be empty and unreferenced by then, else EBUSY
	FlushChain                       // every rule of the chain
	AddRule                          // Rule, at the end of Chain, or before the rule whose handle is Before
	ReplaceRule                      // Rule in the place of the one with Rule.Handle, which it keeps
	DeleteRule                       // the rule with Rule.Handle
	AddSet                           // Set: all but its elements
	AddElements                      // Set.Elements into the set of that name; one that is there stays as it is, but for its time
	DeleteElements                   // Set.Elements out of it; each must be there
	DeleteSet                        // must be unreferenced by then, else EBUSY
	RenameChain                      // Chain by Handle; To is the new name
)

// String is the operation's name as an Error says it.
func (k OpKind) String() string {
	names := [...]string{"?", "add table", "delete table", "add chain", "update chain", "delete chain",
		"flush chain", "add rule", "replace rule", "delete rule", "add set", "add elements",
		"delete elements", "delete set", "rename chain"}
	if int(k) < len(names) {
		return names[k]
	}
	return names[0]
}

// Op is one step of a transaction. Table names the table of every kind, Chain
// the chain of those that are about chains or rules.
//
// What is to be changed or deleted and is not there is fs.ErrNotExist, as is a
// table, chain or set that is referred to. A chain or set to be added that is
// there already, and an element that is there with other data, is fs.ErrExist;
// tables are not, so that whoever needs one need not know whether it is there.
// A jump to a base chain is EOPNOTSUPP, and so is UpdateChain of what is no base
// chain, be it there or not. Where a base chain leads into a loop or more than
// 15 chains deep it is EMLINK, of the operation that closed the path; hosts may
// say it of later operations too. A constant set that a lookup refers to, or did
// until this batch, is EBUSY to whoever adds or deletes elements.
//
// An element whose time is up is not there, though it may count for the set's size
// until the host forgets it; neither its end nor that is a commit. Whether one that is
// there takes the time that it is added with once more depends on the kernel (6.12
// does): who needs it deletes the element and adds it again, in one batch.
//
// A chain has its old name until the transaction ends: no other operation can
// use the new one (the kernel would make a second chain of that name).
//
// A rule whose Lookup has Const and no Name brings its set with it, made and
// filled in the same transaction; it must not be an interval set, whose
// elements could be seen late. Those have a Name and are added by AddSet and
// AddElements, in a transaction before.
type Op struct {
	Kind   OpKind
	Table  *program.Table
	Chain  *program.Chain
	Rule   *program.Rule
	Before uint64
	Set    *program.Set
	To     string

	// Line is the number of the rule in the ruleset that the caller gave, from 1,
	// for errors; 0: none.
	Line int
}

// CommitError says which operations a host refused. It committed nothing.
type CommitError struct {
	Failures []Failure // in the order of the operations; never empty
}

// Failure is one refused operation.
type Failure struct {
	Op    int    // index into Batch.Ops; -1: not about one of them
	Err   error  // the errno
	Attr  string // the attribute that the kernel points at, as a path of names: "NFTA_RULE_EXPRESSIONS/3"; "" if it did not say
	Expr  int    // the expression at fault, from 0; -1: unknown
	Words string // the kernel's own words; "" if it had none
}

// Error reports the first failure and how many there are.
func (e *CommitError) Error() string {
	f := e.Failures[0]
	s := fmt.Sprintf("operation %d: %v", f.Op, f.Err)
	if f.Words != "" {
		s += " (" + f.Words + ")"
	}
	if n := len(e.Failures); n > 1 {
		s += fmt.Sprintf(", and %d more", n-1)
	}
	return s
}

// Unwrap gives every failure's errno to errors.Is.
func (e *CommitError) Unwrap() []error {
	out := make([]error, len(e.Failures))
	for i, f := range e.Failures {
		out[i] = f.Err
	}
	return out
}

// TooLargeError is ErrTooLarge with the figures.
type TooLargeError struct{ Size, Max int }

// Error gives both sizes in bytes.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%v: %d bytes, %d at most", ErrTooLarge, e.Size, e.Max)
}

// Unwrap makes it ErrTooLarge.
func (e *TooLargeError) Unwrap() error { return ErrTooLarge }

// XT names a kernel xt extension.
type XT struct {
	Family program.Family
	Name   string
	Rev    uint32
	Target bool
}
