package driver

import (
	"context"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// Watch is what is committed in a namespace, by anybody, as it comes. One
// goroutine at a time may use it.
type Watch interface {
	// Next waits for a commit.
	Next(ctx context.Context) (Seen, error)
	// Poll is Next that does not wait; ok is false where nothing was committed.
	Poll() (s Seen, ok bool, err error)
	// Close ends it.
	Close() error
}

// Seen is a commit that was seen. Lost says that some were not, and nothing else:
// whoever then reads the host goes on with the commits after the generation that
// he read.
type Seen struct {
	Lost bool

	Generation uint32
	PID        int    // of the process that committed, in the first pid namespace; 0: unknown
	Command    string // its name
	Own        bool   // it was committed through the driver that watches
	Events     []Event
}

// Event is a part of a commit, in the kernel's order. What a table or chain that
// is deleted held is not told of one by one where the host deletes it with them.
type Event struct {
	// Kind is AddTable, DeleteTable, AddChain (which a change of policy, counters
	// or name is too), DeleteChain, AddRule, DeleteRule, AddSet, DeleteSet,
	// AddElements or DeleteElements. A rule that is replaced is deleted and added
	// with the same handle, and then neither Last nor After says anything: its place
	// is the one that it had.
	Kind  OpKind
	Table *program.Table // family and name; of AddTable all but its content
	Chain *program.Chain // of a chain all but its rules; of a rule the chain's name
	Rule  *program.Rule  // sets of its own are names; see Op
	Last  bool           // of AddRule: it was appended
	After uint64         // of AddRule, not Last: the rule before it; 0: it is the first
	Set   *program.Set   // of a set all but its elements; of elements name and elements
}
