package drivertest

import (
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// room is a table that a test works in: it makes operations.
type room struct{ *program.Table }

func inTable(f program.Family, name string) room {
	return room{&program.Table{Family: f, Name: name}}
}

// suite is the room of tests that need one only.
func suite() room { return inTable(program.IP, "suite") }

func (r room) add() driver.Op    { return driver.Op{Kind: driver.AddTable, Table: r.Table} }
func (r room) delete() driver.Op { return driver.Op{Kind: driver.DeleteTable, Table: r.Table} }

func (r room) chainOp(k driver.OpKind, name string) driver.Op {
	return driver.Op{Kind: k, Table: r.Table, Chain: &program.Chain{Name: name}}
}

// user makes user chains.
func (r room) user(names ...string) []driver.Op {
	var out []driver.Op
	for _, n := range names {
		out = append(out, r.chainOp(driver.AddChain, n))
	}
	return out
}

// base makes a filter chain at a hook.
func (r room) base(name string, hook uint32) driver.Op {
	return r.baseChain(&program.Chain{
		Name: name, Base: true, Policy: program.NFAccept, Hook: program.Hook{Type: "filter", Num: hook},
	})
}

func (r room) baseChain(c *program.Chain) driver.Op {
	return driver.Op{Kind: driver.AddChain, Table: r.Table, Chain: c}
}

func (r room) flush(chain string) driver.Op       { return r.chainOp(driver.FlushChain, chain) }
func (r room) deleteChain(chain string) driver.Op { return r.chainOp(driver.DeleteChain, chain) }

func (r room) rename(handle uint64, from, to string) driver.Op {
	op := r.chainOp(driver.RenameChain, from)
	op.Chain.Handle, op.To = handle, to
	return op
}

func (r room) ruleOp(k driver.OpKind, chain string, rule *program.Rule) driver.Op {
	op := r.chainOp(k, chain)
	op.Rule = rule
	return op
}

// append adds a rule of these expressions.
func (r room) append(chain string, exprs ...program.Expr) driver.Op {
	return r.ruleOp(driver.AddRule, chain, &program.Rule{Exprs: exprs})
}

func (r room) insert(chain string, before uint64, exprs ...program.Expr) driver.Op {
	op := r.append(chain, exprs...)
	op.Before = before
	return op
}

func (r room) replace(chain string, handle uint64, exprs ...program.Expr) driver.Op {
	return r.ruleOp(driver.ReplaceRule, chain, &program.Rule{Handle: handle, Exprs: exprs})
}

func (r room) deleteRule(chain string, handle uint64) driver.Op {
	return r.ruleOp(driver.DeleteRule, chain, &program.Rule{Handle: handle})
}

func (r room) set(k driver.OpKind, s *program.Set) driver.Op {
	return driver.Op{Kind: k, Table: r.Table, Set: s}
}

func (r room) elements(k driver.OpKind, set string, e ...program.Element) driver.Op {
	return r.set(k, &program.Set{Name: set, Elements: e})
}

// like is the operation k with a set as described.
func like(s program.Set, e ...program.Element) *program.Set {
	s.Elements = e
	return &s
}

// nth is an expression that tells one rule from another.
func nth(n uint32) program.Expr { return program.Immediate{Reg: 1, Value: program.Net32(n)} }

func jump(chain string) program.Expr { return program.Verdict{Kind: program.NFTJump, Chain: chain} }
func goTo(chain string) program.Expr { return program.Verdict{Kind: program.NFTGoto, Chain: chain} }

var accept program.Expr = program.Verdict{Kind: program.NFAccept}

// ops puts operations and lists of them into one list.
func ops(parts ...any) []driver.Op {
	var out []driver.Op
	for _, p := range parts {
		switch p := p.(type) {
		case driver.Op:
			out = append(out, p)
		case []driver.Op:
			out = append(out, p...)
		}
	}
	return out
}
