package sim

import (
	"io/fs"
	"strconv"
	"syscall"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
)

// The errors of nf_tables. They are the operating system's own errno values
// where it is Linux; elsewhere those of the same name, which have other numbers.
var (
	errMissing       = &errno{syscall.ENOENT, fs.ErrNotExist}
	errThere         = &errno{syscall.EEXIST, fs.ErrExist}
	errOwned         = &errno{syscall.EPERM, fs.ErrPermission}
	errBusy    error = syscall.EBUSY      // something refers to it
	errDepth   error = syscall.EMLINK     // a loop, or more than 15 chains below a base chain
	errFull    error = syscall.ENFILE     // a set has as many elements as its size says
	errRange   error = syscall.ERANGE     // a number that is out of bounds
	errWrong   error = syscall.EINVAL     // not a thing that can be programmed
	errUnfit   error = syscall.EOPNOTSUPP // a thing that cannot be done to this
)

// errno is an errno that is one of package fs's errors too: not every operating
// system's own EEXIST says so of itself.
type errno struct {
	error
	is error
}

// Unwrap gives both to errors.Is.
func (e *errno) Unwrap() []error { return []error{e.error, e.is} }

// refusal is why an operation cannot be done.
type refusal struct {
	err  error
	expr int // the expression at fault; -1: none
}

func refuse(err error) *refusal { return &refusal{err, -1} }

// failure is the refusal of an operation as a driver reports it.
func (r *refusal) failure(op int) driver.Failure {
	f := driver.Failure{Op: op, Err: r.err, Expr: r.expr}
	if r.expr >= 0 {
		f.Attr = "NFTA_RULE_EXPRESSIONS/" + strconv.Itoa(r.expr)
	}
	return f
}
