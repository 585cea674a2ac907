package iptables

import (
	"errors"
	"fmt"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

// id finds a table.
func (x *IPTables) id(name string) (table.ID, error) {
	id, ok := table.Named(name)
	if !ok {
		return id, fmt.Errorf("%w: %q", errNoTable, name)
	}
	return id.For(x.proto.family()), nil
}

// edit changes one chain in one transaction.
func (x *IPTables) edit(tableName, chain string, fn func(c *backend.ChainEdit) error) error {
	ctx, cancel := x.bound()
	defer cancel()
	id, err := x.id(tableName)
	if err != nil {
		return failure(err)
	}
	return failure(x.fw.Edit(ctx, func(e *backend.Edit) error { return fn(e.Chain(id, chain)) }))
}

// editRules is edit with the rules that a rulespec stands for, which are several
// where it has a list of addresses.
func (x *IPTables) editRules(tableName, chain string, spec []string, fn func(c *backend.ChainEdit, rs []rule.Rule) error) error {
	rs, err := rule.ParseArgs(spec, x.proto.family())
	if err != nil {
		return failure(err)
	}
	ctx, cancel := x.bound()
	defer cancel()
	id, err := x.id(tableName)
	if err != nil {
		return failure(err)
	}
	return failure(x.fw.Edit(ctx, func(e *backend.Edit) error {
		for _, r := range rs {
			if to := destination(r.Target()); to != "" && !e.Chain(id, to).Exists() {
				return fmt.Errorf("%v: %w %q", r, errNoTarget, to)
			}
		}
		return fn(e.Chain(id, chain), rs)
	}))
}

// destination is the chain that a target goes to.
func destination(t target.Target) string {
	switch t := t.(type) {
	case target.Jump:
		return string(t)
	case target.Goto:
		return string(t)
	}
	return ""
}

// hasAll says whether the chain has every one of the rules.
func hasAll(c *backend.ChainEdit, rs []rule.Rule) bool {
	for _, r := range rs {
		if !c.Has(r) {
			return false
		}
	}
	return true
}

// Exists says whether a chain has a rule; it has not where there is no such chain.
func (x *IPTables) Exists(table, chain string, rulespec ...string) (bool, error) {
	found := false
	err := x.editRules(table, chain, rulespec, func(c *backend.ChainEdit, rs []rule.Rule) error {
		found = hasAll(c, rs)
		return nil
	})
	return found, looked(err)
}

// looked is the error of an edit that changes nothing: a change on probation keeps
// others from changing what is in force, not from looking at it.
func looked(err error) error {
	if errors.Is(err, backend.ErrOnProbation) {
		return nil
	}
	return err
}

// Insert puts a rule before rule number pos, from 1; pos may be one behind the last.
func (x *IPTables) Insert(table, chain string, pos int, rulespec ...string) error {
	return x.editRules(table, chain, rulespec, func(c *backend.ChainEdit, rs []rule.Rule) error {
		return insert(c, pos, rs)
	})
}

// insert puts each rule before the one before it, as iptables does.
func insert(c *backend.ChainEdit, pos int, rs []rule.Rule) error {
	if err := position(pos); err != nil {
		return err
	}
	for _, r := range rs {
		c.Insert(pos, r)
	}
	return nil
}

// position refuses what is no rule number at all.
func position(n int) error {
	if n < 1 {
		return fmt.Errorf("%w: %d: %w", errPosition, n, backend.ErrInvalid)
	}
	return nil
}

// InsertUnique is Insert of a rule that the chain does not have, wherever in it.
func (x *IPTables) InsertUnique(table, chain string, pos int, rulespec ...string) error {
	return x.editRules(table, chain, rulespec, func(c *backend.ChainEdit, rs []rule.Rule) error {
		if hasAll(c, rs) {
			return nil
		}
		return insert(c, pos, rs)
	})
}

// Replace puts a rule in the place of rule number pos.
func (x *IPTables) Replace(table, chain string, pos int, rulespec ...string) error {
	return x.editRules(table, chain, rulespec, func(c *backend.ChainEdit, rs []rule.Rule) error {
		if len(rs) != 1 {
			return fmt.Errorf("%d rules cannot take the place of one: %w", len(rs), backend.ErrInvalid)
		}
		if err := position(pos); err != nil {
			return err
		}
		c.Replace(pos, rs[0])
		return nil
	})
}

// Append puts a rule at the end of a chain.
func (x *IPTables) Append(table, chain string, rulespec ...string) error {
	return x.editRules(table, chain, rulespec, func(c *backend.ChainEdit, rs []rule.Rule) error {
		c.Append(rs...)
		return nil
	})
}

// AppendUnique is Append of a rule that the chain does not have.
func (x *IPTables) AppendUnique(table, chain string, rulespec ...string) error {
	return x.editRules(table, chain, rulespec, func(c *backend.ChainEdit, rs []rule.Rule) error {
		if !hasAll(c, rs) {
			c.Append(rs...)
		}
		return nil
	})
}

// Delete removes the first rule like this one; IsNotExist if there is none.
func (x *IPTables) Delete(table, chain string, rulespec ...string) error {
	return x.editRules(table, chain, rulespec, func(c *backend.ChainEdit, rs []rule.Rule) error {
		for _, r := range rs {
			c.Delete(r)
		}
		return nil
	})
}

// DeleteIfExists is Delete that does not mind.
func (x *IPTables) DeleteIfExists(table, chain string, rulespec ...string) error {
	return x.editRules(table, chain, rulespec, func(c *backend.ChainEdit, rs []rule.Rule) error {
		if hasAll(c, rs) {
			for _, r := range rs {
				c.DeleteIfExists(r)
			}
		}
		return nil
	})
}

// DeleteById removes rule number id, from 1.
func (x *IPTables) DeleteById(table, chain string, id int) error {
	return x.edit(table, chain, func(c *backend.ChainEdit) error {
		if err := position(id); err != nil {
			return err
		}
		c.DeleteAt(id)
		return nil
	})
}
