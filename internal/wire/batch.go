package wire

import (
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// Batch is one transaction as one row of messages, numbered in sequence.
type Batch struct {
	w    writer
	seq  uint32    // of the first message
	msgs []message // of the operations; the first has seq+1
	sets uint32    // how many sets were made so far
	made map[setKey]*program.Set
	find func(t *program.Table, name string) *program.Set
}

// setKey is what a named set is known by.
type setKey struct {
	family      program.Family
	table, name string
}

// message says where a message is and what it is about.
type message struct {
	op      int
	at      int // offset in the batch
	element int // number of the first element in it
}

// ruleBytes is about what a rule takes, to make room for all at once.
const ruleBytes = 512

// OpError says which operation could not be written.
type OpError struct {
	Op  int // index into the batch's operations
	Err error
}

// Error is "operation 3: why".
func (e *OpError) Error() string { return fmt.Sprintf("operation %d: %v", e.Op, e.Err) }

// Unwrap gives the reason.
func (e *OpError) Unwrap() error { return e.Err }

// Encode writes a transaction, its messages numbered from seq. Elements are
// written as their set wants them, which an operation need not repeat: find is
// asked for a set that the batch does not make, and may give nil. The error is
// an *OpError.
func Encode(in driver.Batch, seq uint32, find func(t *program.Table, name string) *program.Set) (*Batch, error) {
	b := &Batch{seq: seq, msgs: make([]message, 0, len(in.Ops)), made: make(map[setKey]*program.Set), find: find}
	b.w.b = make([]byte, 0, 64+ruleBytes*len(in.Ops))
	at := b.w.message(typeBatchBegin, 0, seq, 0, subsysTables)
	if in.Generation != 0 {
		b.w.u32(batchGenID, in.Generation)
	}
	b.w.end(at)
	for i := range in.Ops {
		if err := b.op(i, &in.Ops[i]); err != nil {
			return nil, &OpError{i, err}
		}
	}
	b.w.end(b.w.message(typeBatchEnd, flagAck, b.Last(), 0, subsysTables))
	return b, nil
}

// begin begins a message of operation op.
func (b *Batch) begin(op int, typ, flags uint16, f program.Family) int {
	at := len(b.w.b)
	b.msgs = append(b.msgs, message{op: op, at: at})
	return b.w.message(typ, flags, b.seq+uint32(len(b.msgs)), f, 0)
}

// Bytes is what to send.
func (b *Batch) Bytes() []byte { return b.w.b }

// First and Last are the sequence numbers of the messages that begin and end the
// batch. Last asks for an acknowledgement, which kernels before 6.10 do not give.
func (b *Batch) First() uint32 { return b.seq }

// Last is the sequence number of the message that ends the batch.
func (b *Batch) Last() uint32 { return b.seq + uint32(len(b.msgs)) + 1 }

// Trial is the batch without its end: the kernel looks at it, reports what is
// wrong, and commits nothing.
func (b *Batch) Trial() []byte { return b.w.b[:len(b.w.b)-headerLen-genLen] }
