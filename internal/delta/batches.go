package delta

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
)

// frame is what the messages that begin and end a transaction take.
const frame = 64

// Batches are the transactions to commit: those of stage in order, then turn,
// which is the switch, then those of Filling, then those of sweep. turn is empty only where all is. Where
// nothing stands against it all is in turn.
//
// The error is a *driver.TooLargeError where the switch does not fit, or what
// makes the change impossible (ErrInPlace).
func (p Plan) Batches() (stage [][]driver.Op, turn []driver.Op, sweep [][]driver.Op, err error) {
	if p.err != nil {
		return nil, nil, nil, p.err
	}
	if all := slices.Concat(p.Stage, p.Switch, p.Sweep); p.together() && p.fits(all) {
		return nil, all, nil, nil
	}
	stage = append(p.split(p.Stage[:p.first]), p.split(p.Stage[p.first:])...)
	turn, _ = p.turn()
	sweep = p.split(p.Sweep)
	switch {
	case len(turn) > 0:
	case len(stage) > 0:
		stage, turn = stage[:len(stage)-1], stage[len(stage)-1]
	case len(sweep) > 0:
		turn, sweep = sweep[0], sweep[1:]
	}
	if !p.fits(turn) {
		return nil, nil, nil, &driver.TooLargeError{Size: p.bytes(turn), Max: p.opt.MaxBatch}
	}
	return stage, turn, sweep, nil
}

// together says whether packets would not notice if all were one transaction.
// Sets must be full before a rule looks them up, and must not lose elements before
// the rules that do are gone; of two chains in one place the new one must be
// there before the old one goes.
func (p Plan) together() bool {
	if p.first > 0 {
		return false
	}
	for _, op := range p.Stage {
		if op.Kind == driver.AddSet || op.Kind == driver.AddElements {
			return false
		}
	}
	if len(p.Stage)+len(p.Switch) == 0 {
		return true
	}
	return !slices.ContainsFunc(p.Sweep, func(op driver.Op) bool {
		switch op.Kind {
		case driver.DeleteSet, driver.DeleteElements, driver.DeleteTable:
			return true
		}
		return false
	})
}

// Trial is the change as one transaction, to see what the host would refuse. It
// cannot be committed: chains do not make way for those that take their names, and
// nothing is swept.
func (p Plan) Trial() []driver.Op {
	out := make([]driver.Op, 0, len(p.Stage)+len(p.Switch))
	for _, op := range slices.Concat(p.Stage, p.Switch) {
		switch op.Kind {
		case driver.RenameChain:
			continue
		case driver.AddChain:
			if p.renamed[chainKey{op.Table.Family, op.Table.Name, op.Chain.Name}] {
				continue
			}
		}
		out = append(out, op)
	}
	return out
}

// Fits says whether operations fit one transaction.
func (p Plan) Fits(ops []driver.Op) bool { return p.fits(ops) }

// fits says whether operations fit one transaction.
func (p Plan) fits(ops []driver.Op) bool {
	return p.opt.MaxBatch == 0 || p.bytes(ops) <= p.opt.MaxBatch
}

func (p Plan) bytes(ops []driver.Op) int {
	n := frame
	for _, op := range ops {
		n += p.size(op)
	}
	return n
}

func (p Plan) size(op driver.Op) int {
	if p.opt.Size != nil {
		return p.opt.Size(op)
	}
	return estimate(op)
}

// Split makes transactions of at most max bytes of operations that need not be in
// one; 0: of any size.
func Split(ops []driver.Op, max int) [][]driver.Op {
	return Plan{opt: Options{MaxBatch: max}}.split(ops)
}

// split makes transactions that fit.
func (p Plan) split(ops []driver.Op) [][]driver.Op {
	var out [][]driver.Op
	if p.opt.MaxBatch == 0 {
		if len(ops) > 0 {
			out = append(out, ops)
		}
		return out
	}
	lo, n := 0, frame
	for i, op := range ops {
		size := p.size(op)
		if i > lo && n+size > p.opt.MaxBatch {
			out = append(out, ops[lo:i:i])
			lo, n = i, frame
		}
		n += size
	}
	if lo < len(ops) {
		out = append(out, ops[lo:])
	}
	return out
}
