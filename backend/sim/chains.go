package sim

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// chainOp does an operation on a chain and says whether it changed anything.
func (t *table) chainOp(op driver.Op) (changed bool, r *refusal) {
	if op.Chain == nil {
		return false, refuse(errWrong)
	}
	switch op.Kind {
	case driver.AddChain:
		return true, t.addChain(op.Chain)
	case driver.RenameChain:
		return true, t.renameChain(op.Chain, op.To)
	}
	c := t.chainNamed[op.Chain.Name]
	switch {
	case c == nil && op.Kind == driver.UpdateChain:
		return false, refuse(errUnfit) // the kernel takes it for a new chain, which has no policy
	case c == nil:
		return false, refuse(errMissing)
	}
	switch op.Kind {
	case driver.UpdateChain:
		return true, c.update(op.Chain)
	case driver.FlushChain:
		return t.flush(c), nil
	}
	return true, t.deleteChain(c)
}

func (t *table) addChain(as *program.Chain) *refusal {
	if as.Name == "" || len(as.UserData) > maxUserData {
		return refuse(errWrong)
	}
	switch there := t.chainNamed[as.Name]; {
	case there != nil && as.Base && !there.Base:
		return refuse(errUnfit) // a policy for what has none comes first
	case there != nil || t.renamedTo(as.Name):
		return refuse(errThere)
	}
	c := &chain{Chain: program.Chain{Name: as.Name, UserData: as.UserData}}
	if as.Base {
		if r := fits(t.Family, as); r != nil {
			return r
		}
		c.Base, c.Hook, c.Policy = true, as.Hook, as.Policy
		if as.Counted {
			c.Counted, c.Packets, c.Bytes = true, as.Packets, as.Bytes
		}
	}
	c.Handle = t.handle()
	t.chains, t.chainNamed[c.Name] = append(t.chains, c), c
	return nil
}

// update sets a base chain's policy, and its counters where as is Counted.
func (c *chain) update(as *program.Chain) *refusal {
	switch {
	case !c.Base:
		return refuse(errUnfit)
	case as.Policy != program.NFAccept && as.Policy != program.NFDrop:
		return refuse(errWrong)
	}
	c.Policy = as.Policy
	if as.Counted {
		c.Counted, c.Packets, c.Bytes = true, as.Packets, as.Bytes
	}
	return nil
}

func (t *table) flush(c *chain) (changed bool) {
	c.write()
	for i := range c.rules {
		if !c.rules[i].dead {
			t.kill(c, i)
			changed = true
		}
	}
	return changed
}

func (t *table) deleteChain(c *chain) *refusal {
	if c.refs > 0 || c.count() > 0 {
		return refuse(errBusy)
	}
	t.chains = slices.DeleteFunc(t.chains, func(o *chain) bool { return o == c })
	t.renamed = slices.DeleteFunc(t.renamed, func(o *chain) bool { return o == c })
	delete(t.chainNamed, c.Name)
	return nil
}

// renameChain notes the new name, which the chain gets when the transaction
// ends: no other operation of it can use that name.
func (t *table) renameChain(named *program.Chain, to string) *refusal {
	i := slices.IndexFunc(t.chains, func(c *chain) bool { return c.Handle == named.Handle })
	switch {
	case to == "":
		return refuse(errWrong)
	case i < 0:
		return refuse(errMissing)
	case t.chainNamed[to] != nil || t.renamedTo(to):
		return refuse(errThere)
	}
	if t.chains[i].to == "" {
		t.renamed = append(t.renamed, t.chains[i])
	}
	t.chains[i].to = to
	return nil
}

func (t *table) renamedTo(name string) bool {
	return slices.ContainsFunc(t.renamed, func(c *chain) bool { return c.to == name })
}

// rename gives chains their new names, in what refers to them too.
func (t *table) rename() {
	names := map[string]string{}
	for _, c := range t.renamed {
		delete(t.chainNamed, c.Name)
		names[c.Name] = c.to
	}
	for _, c := range t.renamed {
		c.Name, c.to = c.to, ""
		t.chainNamed[c.Name] = c
	}
	for _, c := range t.chains {
		for i, s := range c.rules {
			if r := renamedIn(s.rule, names); r != s.rule {
				c.write()
				c.rules[i].rule = r
			}
		}
	}
	for _, s := range t.sets {
		for k, e := range s.elements {
			if to, ok := names[e.Verdict.Chain]; ok && e.Verdict.Chain != "" {
				s.write()
				e.Verdict.Chain = to
				s.elements[k] = e
			}
		}
	}
}

// renamedIn is the rule with its jumps under the new names; the same rule where
// it has none of them.
func renamedIn(r *program.Rule, names map[string]string) *program.Rule {
	for name := range r.Jumps {
		if names[name] == "" {
			continue
		}
		out := *r
		out.Exprs = slices.Clone(r.Exprs)
		for i, e := range out.Exprs {
			if v, ok := e.(program.Verdict); ok && names[v.Chain] != "" {
				v.Chain = names[v.Chain]
				out.Exprs[i] = v
			}
		}
		return &out
	}
	return r
}
