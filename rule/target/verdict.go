package target

import (
	"errors"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// Verdict is one of iptables' built-in targets. The zero value is an error
// where it is used; None is "no target".
type Verdict uint8

const (
	Accept Verdict = iota + 1 // the packet passes this table's chain (others may still drop it)
	Drop                      // the packet is gone
	Return                    // back to the calling chain; in a built-in chain, its policy
	None                      // no target: the rule counts, and the next is tried
)

// Name is "ACCEPT", "DROP", "RETURN" or, for None, "".
func (v Verdict) Name() string {
	switch v {
	case Accept:
		return "ACCEPT"
	case Drop:
		return "DROP"
	case Return:
		return "RETURN"
	}
	return ""
}

func (Verdict) ext() option.Extension { return nil }

// ErrNone is the reason of a verdict that is none of the four.
var ErrNone = errors.New("no target")

// Compile adds the verdict; None adds nothing.
func (v Verdict) Compile(a program.Action) error {
	switch v {
	case Accept:
		a.Add(program.Verdict{Kind: program.NFAccept})
	case Drop:
		a.Add(program.Verdict{Kind: program.NFDrop})
	case Return:
		a.Add(program.Verdict{Kind: program.NFTReturn})
	case None:
	default:
		return ErrNone
	}
	return nil
}

// Jump goes to a user chain and comes back at its end.
type Jump string

// Name is the chain's.
func (j Jump) Name() string { return string(j) }

func (Jump) ext() option.Extension { return nil }

// Compile adds the jump; the chain's name is the model's, which the compiler
// spells for the kernel.
func (j Jump) Compile(a program.Action) error {
	a.Add(program.Verdict{Kind: program.NFTJump, Chain: string(j)})
	return nil
}

// Goto goes to a user chain; its end returns to the caller's caller.
type Goto string

// Name is the chain's.
func (g Goto) Name() string { return string(g) }

func (Goto) ext() option.Extension { return nil }

// Compile adds the goto.
func (g Goto) Compile(a program.Action) error {
	a.Add(program.Verdict{Kind: program.NFTGoto, Chain: string(g)})
	return nil
}

// readVerdict takes a verdict off a program.
func readVerdict(r *program.Reader) (Target, bool) {
	v, ok := r.Item(0).(program.Verdict)
	if !ok {
		return nil, false
	}
	var t Target
	switch v.Kind {
	case program.NFAccept:
		t = Accept
	case program.NFDrop:
		t = Drop
	case program.NFTReturn:
		t = Return
	case program.NFTJump:
		t = Jump(v.Chain)
	case program.NFTGoto:
		t = Goto(v.Chain)
	default:
		return nil, false
	}
	r.Take(1)
	return t, true
}
