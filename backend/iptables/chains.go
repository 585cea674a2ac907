package iptables

import (
	"fmt"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/table"
)

// ChainExists says whether a table has a chain; built-in chains always exist.
func (x *IPTables) ChainExists(table, chain string) (bool, error) {
	found := false
	err := x.edit(table, chain, func(c *backend.ChainEdit) error {
		found = c.Exists()
		return nil
	})
	return found, looked(err)
}

// NewChain makes a chain; one that is there is an error, of status 1.
func (x *IPTables) NewChain(table, chain string) error {
	return x.edit(table, chain, func(c *backend.ChainEdit) error {
		c.New()
		return nil
	})
}

// ClearChain flushes a chain, or makes it.
func (x *IPTables) ClearChain(table, chain string) error {
	return x.edit(table, chain, func(c *backend.ChainEdit) error {
		if !c.Exists() {
			c.New()
			return nil
		}
		c.Flush()
		return nil
	})
}

// RenameChain renames a chain and every jump to it.
func (x *IPTables) RenameChain(table, oldChain, newChain string) error {
	return x.edit(table, oldChain, func(c *backend.ChainEdit) error {
		c.Rename(newChain)
		return nil
	})
}

// DeleteChain deletes a user chain, which must be empty.
func (x *IPTables) DeleteChain(table, chainName string) error {
	if chain.IsBuiltIn(chainName) {
		return failure(fmt.Errorf("%s: %w", chainName, errBuiltIn))
	}
	return x.edit(table, chainName, deleteEmpty)
}

// deleteEmpty removes a chain without rules.
func deleteEmpty(c *backend.ChainEdit) error {
	for range c.Rules() {
		return errNotEmpty
	}
	c.Remove()
	return nil
}

// ClearAndDeleteChain deletes a user chain with its rules; one that is not there
// is no error.
func (x *IPTables) ClearAndDeleteChain(table, chainName string) error {
	if chain.IsBuiltIn(chainName) {
		return failure(fmt.Errorf("%s: %w", chainName, errBuiltIn))
	}
	return x.edit(table, chainName, func(c *backend.ChainEdit) error {
		c.RemoveIfExists()
		return nil
	})
}

// ClearAll flushes every chain of the filter table.
func (x *IPTables) ClearAll() error {
	return x.editAll(func(e *backend.Edit, id table.ID, c chain.Chain) error {
		e.Chain(id, c.Name()).Flush()
		return nil
	})
}

// DeleteAll deletes every user chain of the filter table; they must be empty.
func (x *IPTables) DeleteAll() error {
	return x.editAll(func(e *backend.Edit, id table.ID, c chain.Chain) error {
		if chain.IsBuiltIn(c.Name()) {
			return nil
		}
		return deleteEmpty(e.Chain(id, c.Name()))
	})
}

// editAll changes the chains of the filter table in one transaction.
func (x *IPTables) editAll(fn func(e *backend.Edit, id table.ID, c chain.Chain) error) error {
	ctx, cancel := x.bound()
	defer cancel()
	id := table.Filter.For(x.proto.family())
	return failure(x.fw.Edit(ctx, func(e *backend.Edit) error {
		for c := range e.Chains(id) {
			if err := fn(e, id, c); err != nil {
				return err
			}
		}
		return nil
	}))
}

// ChangePolicy sets a built-in chain's policy, ACCEPT or DROP.
func (x *IPTables) ChangePolicy(table, chainName, target string) error {
	policies := map[string]chain.Policy{"ACCEPT": chain.Accept, "DROP": chain.Drop}
	p, ok := policies[target]
	if !ok {
		return failure(fmt.Errorf("%w: %q", errPolicy, target))
	}
	if !chain.IsBuiltIn(chainName) {
		return failure(fmt.Errorf("%s: %w", chainName, errUserChain))
	}
	return x.edit(table, chainName, func(c *backend.ChainEdit) error {
		c.Policy(p)
		return nil
	})
}
