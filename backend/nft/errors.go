package nft

import (
	"fmt"
	"io/fs"
)

// permissionError says which capability is missing, and where.
type permissionError struct {
	capability string // "": CAP_NET_ADMIN
	net, user  string // how /proc writes the namespaces; "": unknown
	err        error  // EPERM
}

// Error names the capability and both namespaces.
func (e *permissionError) Error() string {
	s := e.needs() + " is missing"
	if e.user != "" {
		s += " in the user namespace " + e.user
	}
	if e.net != "" {
		s += fmt.Sprintf(", which owns the network namespace %s", e.net)
	}
	return s
}

func (e *permissionError) needs() string {
	if e.capability == "" {
		return "CAP_NET_ADMIN"
	}
	return e.capability
}

// Hint says what to do.
func (e *permissionError) Hint() string {
	return "run as root, give the program " + e.needs() + ", or open a network namespace of its own"
}

// Unwrap makes it EPERM and fs.ErrPermission.
func (e *permissionError) Unwrap() []error { return []error{fs.ErrPermission, e.err} }
