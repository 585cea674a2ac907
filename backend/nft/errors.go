package nft

import (
	"fmt"
	"io/fs"
)

// permissionError says which capability is missing, and where.
type permissionError struct {
	net, user string // how /proc writes the namespaces; "": unknown
	err       error  // EPERM
}

// Error names the capability and both namespaces.
func (e *permissionError) Error() string {
	s := "CAP_NET_ADMIN is missing"
	if e.user != "" {
		s += " in the user namespace " + e.user
	}
	if e.net != "" {
		s += fmt.Sprintf(", which owns the network namespace %s", e.net)
	}
	return s
}

// Hint says what to do.
func (e *permissionError) Hint() string {
	return "run as root, give the program CAP_NET_ADMIN, or open a network namespace of its own"
}

// Unwrap makes it EPERM and fs.ErrPermission.
func (e *permissionError) Unwrap() []error { return []error{fs.ErrPermission, e.err} }
