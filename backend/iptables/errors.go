package iptables

import (
	"errors"
	"io/fs"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/rule"
)

// Error is why a method failed, with the status that iptables would exit with.
// errors.Is and errors.As find what the Firewall said: fs.ErrNotExist,
// fs.ErrPermission, *backend.Error, *rule.SyntaxError.
type Error struct {
	err    error
	status int
}

// Error is what the Firewall said.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap is the Firewall's error.
func (e *Error) Unwrap() error { return e.err }

// ExitStatus is what iptables-legacy 1.8.9 exits with: 1 for a chain or rule that is
// not there, is there already or is in use, 2 for a rule that cannot be meant, 3 for
// a table that does not exist; and 4, as iptables-nft, for lacking permission, for a
// ruleset that others keep changing and while a change is on probation. What iptables
// leaves for the kernel to refuse, MASQUERADE in PREROUTING say, is 2 where it is
// known beforehand.
func (e *Error) ExitStatus() int { return e.status }

// IsNotExist says whether the table, the chain, the rule or the rule's match or target
// is not there.
func (e *Error) IsNotExist() bool {
	return e.status <= statusTable && (errors.Is(e.err, fs.ErrNotExist) || errors.Is(e.err, rule.ErrUnknownMatch))
}

const (
	statusState = 1
	statusUsage = 2
	statusTable = 3
	statusBusy  = 4
)

// failure gives an error its status; nil stays nil.
func failure(err error) error {
	if err == nil {
		return nil
	}
	var mine *Error
	if errors.As(err, &mine) {
		return mine
	}
	e := &Error{err: err, status: statusState}
	var syntax *rule.SyntaxError
	switch {
	case errors.As(err, &syntax), errors.Is(err, errNoTarget), errors.Is(err, backend.ErrInvalid), errors.Is(err, backend.ErrInexact):
		e.status = statusUsage
	case errors.Is(err, fs.ErrPermission), errors.Is(err, backend.ErrConflict), errors.Is(err, backend.ErrUncertain),
		errors.Is(err, backend.ErrUnstable), errors.Is(err, backend.ErrUnsupported), errors.Is(err, backend.ErrTooLarge),
		errors.Is(err, backend.ErrOnProbation):
		e.status = statusBusy
	case errors.Is(err, errNoTable):
		e.status = statusTable
	}
	return e
}

// What the methods themselves have to say.
var (
	errNoTarget  = &missing{"target or chain"}
	errNoTable   = &missing{"table"}
	errNoRule    = &missing{"rule"}
	errNoChain   = &missing{"chain"}
	errBuiltIn   = errors.New("a built-in chain cannot be deleted")
	errUserChain = errors.New("a user chain has no policy")
	errNotEmpty  = errors.New("the chain is not empty")
	errPosition  = errors.New("rule numbers begin at 1")
	errPolicy    = errors.New("a policy is ACCEPT or DROP")
)

// missing is fs.ErrNotExist that says what is missing.
type missing struct{ what string }

func (m *missing) Error() string { return "no such " + m.what }
func (m *missing) Unwrap() error { return fs.ErrNotExist }
