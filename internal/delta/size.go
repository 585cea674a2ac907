package delta

import (
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// The netlink format: what a message, an attribute and a nest of them take.
const (
	message   = 20 // headers
	attribute = 4
	number    = 8  // an attribute of up to 4 bytes
	long      = 12 // one of 8
)

// estimate is an upper bound of what an operation takes in a transaction.
func estimate(op driver.Op) int {
	n := message + text(op.Table.Name)
	if op.Chain != nil {
		n += text(op.Chain.Name)
	}
	switch op.Kind {
	case driver.AddTable:
		n += maybe(op.Table.UserData) + number + long
	case driver.AddChain, driver.UpdateChain, driver.RenameChain:
		n += chainSize(op.Chain) + maybe(op.To)
	case driver.AddRule, driver.ReplaceRule:
		n += ruleSize(op)
	case driver.AddSet:
		n += setSize(op.Set)
	case driver.DeleteSet:
		n += text(op.Set.Name) + long
	case driver.AddElements, driver.DeleteElements:
		n += attribute + text(op.Set.Name) + number
		for _, e := range op.Set.Elements {
			n += elementSize(e, op.Set.Counted)
		}
		n += len(op.Set.Elements) / 128 * (message + text(op.Table.Name) + text(op.Set.Name) + attribute + number)
	default:
		n += long
	}
	return n
}

// text is an attribute of some bytes, ended by a zero and padded.
func text(s string) int { return attribute + (len(s)+4)&^3 }

// maybe is text that is left out where it is empty.
func maybe(s string) int {
	if s == "" {
		return 0
	}
	return text(s)
}

// data is a value in a nest of its own.
func data(s string) int { return attribute + text(s) }

func chainSize(c *program.Chain) int {
	n := maybe(c.UserData) + long
	if c.Base {
		// a hook with number, priority and device; type, policy, flags; counters
		n += attribute + 2*number + maybe(c.Hook.Device) + text(c.Hook.Type) + 2*number + attribute + 2*long
	}
	return n
}

func ruleSize(op driver.Op) int {
	n := long + attribute + maybe(op.Rule.UserData)
	for _, e := range op.Rule.Exprs {
		n += exprSize(op.Table.Name, e)
	}
	if op.Rule.XT() {
		n += attribute + 2*number
	}
	return n
}

// setSize counts flags, two types with their lengths, size, ID, timeout, and the
// description of the set's fields.
func setSize(s *program.Set) int {
	return text(s.Name) + maybe(s.UserData) + maybe(s.Raw) + 9*number + long + 2*attribute + number +
		exprHead + 2*long + attribute + len(s.Fields)*(attribute+number)
}

func elementSize(e program.Element, counted bool) int {
	n := attribute + data(e.Key) + number + maybe(e.Exprs) + maybe(e.UserData)
	if e.KeyEnd != "" {
		n += data(e.KeyEnd)
	}
	if e.Timeout != 0 || e.Forever {
		n += long
	}
	if e.Left != 0 {
		n += long
	}
	if counted && !e.End {
		n += exprHead + 2*long
	}
	if e.Data.Data != "" {
		n += data(e.Data.Data)
	}
	if e.Verdict != (program.Verdict{}) || e.Data.Data == "" {
		n += 2*attribute + number + maybe(e.Verdict.Chain)
	}
	return n
}

// exprHead is an expression's nest, its name and the nest of its attributes.
const exprHead = attribute + attribute + 12 + attribute

// exprSize is an expression in a rule.
func exprSize(table string, e program.Expr) int {
	switch e := e.(type) {
	case program.Cmp:
		return exprHead + 2*number + data(e.Value.Data)
	case program.Range:
		return exprHead + 2*number + data(e.Lo.Data) + data(e.Hi.Data)
	case program.Bitwise:
		return exprHead + 4*number + data(e.Mask.Data) + data(e.Xor.Data)
	case program.Immediate:
		return exprHead + number + data(e.Value.Data)
	case program.Verdict:
		return exprHead + 2*number + 2*attribute + maybe(e.Chain)
	case program.Log:
		return exprHead + text(e.Prefix) + 5*number
	case program.XTMatch:
		return exprHead + text(e.Name) + number + text(e.Info) + attribute
	case program.XTTarget:
		return exprHead + text(e.Name) + number + text(e.Info) + attribute
	case program.Raw:
		return 2*attribute + text(e.Name) + text(e.Data)
	case program.Lookup:
		return exprHead + text(e.Name) + 4*number + constSize(table, e)
	case program.Counter:
		return exprHead + 2*long
	case program.Limit, program.Quota:
		return exprHead + 2*long + 3*number
	case program.Meta, program.MetaSet, program.Reject, program.Notrack:
		return exprHead + 2*number
	case program.CT, program.CTSet, program.Masq, program.Redir, program.Fib:
		return exprHead + 3*number
	case program.Payload:
		return exprHead + 4*number
	case program.Byteorder, program.Bitwise2:
		return exprHead + 6*number
	}
	return exprHead + 8*number // payload set, shift, nat and exthdr
}

// constSize is the set that a rule brings along: two messages.
func constSize(table string, e program.Lookup) int {
	if e.Name != "" || e.Const == (program.ConstSet{}) {
		return 0
	}
	const name = "__set%d"
	head := message + text(table) + text(name)
	n := head + 9*number + long + 32 + head + attribute + number
	keys := len(e.Const.Elems) / max(int(e.Const.Len), 1)
	n += keys * (attribute + data(e.Const.Elems[:min(int(e.Const.Len), len(e.Const.Elems))]))
	return n + keys/128*head
}
