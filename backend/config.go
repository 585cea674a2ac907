package backend

import (
	"context"
	"fmt"
	"time"
)

// Iptables is the owner of iptables' own table names (filter, nat, …), which
// iptables-nft shares. It is never a default: Config's zero value has no owner.
const Iptables = "iptables"

// Config says who programs and how. The zero value of each field but Owner is right for most.
type Config struct {
	// Owner names the program whose tables these are: the nf_tables table is
	// "<owner>-filter" and so on, and no other is touched. Required, 1 to 32 of
	// [a-z0-9_.-], starting with a letter. Two programs must not share one.
	Owner string
	// Offset is added to iptables' priorities, -49 to 90 (raw stays before connection
	// tracking, mangle after it). Below zero our chains decide before those of iptables,
	// above zero after. Among equals the kernel asks the youngest chain first, so
	// programs that care must differ. For NAT the first that decides wins. The owner
	// Iptables has none.
	Offset int
	// Guards are asked before every change is sent; one that returns an error stops it.
	Guards []Guard
	// Observe is called after every commit of this Firewall, from the goroutine that made it.
	Observe func(Commit)
	// Uncounted leaves out the counters of rules that no one presets. Loads and packets are faster.
	Uncounted bool
	// Retries bounds how often a conflict with another writer is retried, after a
	// pause of at most 1 ms, then 2 ms, and so on up to 30; zero: 32.
	Retries int
}

// Guard inspects a change before it is sent. It sees the whole namespace, other
// programs' tables included, as it is and as it would be.
type Guard func(ctx context.Context, before, after *Snapshot) error

// Commit is what one change did.
type Commit struct {
	Generation uint32        // of the namespace, afterwards; later commits of others may be in it
	Changes    int           // rules and chains that were added, replaced or removed
	Conflicts  int           // times it was computed anew because another writer came in between
	Took       time.Duration // from the call to the kernel's answer
}

// The bounds of Config.Offset: what keeps raw's -300 before connection
// tracking's -200, and mangle's -150 after it.
const (
	minOffset = -49
	maxOffset = 90
)

// defaultRetries is Config.Retries' default.
const defaultRetries = 32

// check refuses a configuration that cannot be meant.
func (c Config) check() error {
	switch {
	case c.Owner == "":
		return &Error{Op: "open", Err: ErrInvalid, Hint: "Config.Owner must name the program whose tables these are"}
	case !validOwner(c.Owner):
		return &Error{Op: "open", Err: ErrInvalid, Hint: fmt.Sprintf("owner %q: 1 to 32 of a-z, 0-9, '_', '.' and '-', a letter first", c.Owner)}
	case c.Offset < minOffset || c.Offset > maxOffset:
		return &Error{Op: "open", Err: ErrInvalid, Hint: fmt.Sprintf("offset %d: %d to %d", c.Offset, minOffset, maxOffset)}
	case c.Owner == Iptables && c.Offset != 0:
		return &Error{Op: "open", Err: ErrInvalid, Hint: "the owner iptables has iptables' own priorities: no offset"}
	}
	return nil
}

func validOwner(s string) bool {
	if len(s) > 32 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '.' && c != '-' {
			return false
		}
	}
	return true
}
