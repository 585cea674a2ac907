package driver

import (
	"errors"
	"fmt"
	"io/fs"
)

// ErrIPSetFamily is the reason of an IPSetError where the set is there and holds
// the other family's addresses; tested with errors.Is.
var ErrIPSetFamily = errors.New("holds addresses of the other family")

// IPSetError says that a rule cannot refer to an ipset: there is none of the name
// (fs.ErrNotExist), it is of no use for the rule's family (ErrIPSetFamily), or
// the host has no ipsets (ErrUnsupported).
type IPSetError struct {
	Name string
	Err  error
}

// Error is iptables' own sentence.
func (e *IPSetError) Error() string {
	if errors.Is(e.Err, fs.ErrNotExist) {
		return fmt.Sprintf("Set %s doesn't exist", e.Name)
	}
	return fmt.Sprintf("set %s: %v", e.Name, e.Err)
}

// Unwrap gives the reason to errors.Is.
func (e *IPSetError) Unwrap() error { return e.Err }
