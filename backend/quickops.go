package backend

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/image"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

// ops are what to send, and how many changes that is. Errors are errStale, and others
// where the Edit is to be done with everything read: that finds out what is wrong.
func (x *quickEdit) ops() (out []driver.Op, changes int, err error) {
	for _, key := range x.order {
		l := x.lists[key]
		if !l.Changed() {
			continue
		}
		ops, err := x.opsOf(key, l)
		if err != nil {
			return nil, 0, err
		}
		out = append(out, ops...)
		changes += l.Changes()
	}
	return out, changes, nil
}

func (x *quickEdit) opsOf(key chainKey, l *image.List) (out []driver.Op, err error) {
	if err := x.check(key, l); err != nil {
		return nil, err
	}
	x.locked(func(t *image.Table) {
		if err = x.compile(t, t.Chain(key.name), l); err != nil {
			return
		}
		var need *image.Chain
		var ok bool
		if out, need, ok = l.Ops(x.q.f.opts.Plain, nil, nil); ok && need != nil {
			var rules []*program.Rule
			if rules, err = x.programs(t, need); err != nil {
				return
			}
			out, need, ok = l.Ops(x.q.f.opts.Plain, need, rules)
		}
		if !ok || need != nil {
			err = errOdd
		}
	}, key.id)
	if x.err != nil {
		return nil, x.err
	}
	return out, err
}

// check looks at the rules that were added as they will stand: each by itself, and in its
// chain. What depends on other chains is compile's to ask.
func (x *quickEdit) check(key chainKey, l *image.List) error {
	c := chain.New(key.name)
	if _, builtIn := key.id.HookOf(key.name); builtIn {
		c = chain.BuiltIn(key.name, chain.Accept)
	}
	alone := table.New(key.id)
	to := map[string]bool{key.name: true}
	for _, a := range l.Added {
		if a.Rule.Opaque() {
			return errOdd
		}
		c = c.With(append(collect(c), a.Rule)...)
		if name := destination(a.Rule.Target()); name != "" && !to[name] {
			to[name] = true
			alone = alone.WithChain(chain.New(name))
		}
	}
	return alone.WithChain(c).Err()
}

// compile makes programs of the rules that were added, and sees that they may be where
// they are.
func (x *quickEdit) compile(t *image.Table, c *image.Chain, l *image.List) error {
	lists := 0
	for _, a := range l.Added {
		p, err := t.Compile(c, a.Rule)
		if err != nil {
			return err
		}
		a.Program = p
		for _, e := range p.Exprs {
			look, ok := e.(program.Lookup)
			switch {
			case !ok:
			case look.Const == (program.ConstSet{}) || look.Const.Interval:
				return errOdd // a set that has a name
			default:
				lists++
			}
		}
		if err := x.leads(t, c, a); err != nil {
			return err
		}
	}
	if lists == 0 {
		return nil
	}
	if err := x.q.load(x.ctx, t, t.Unread(nil)); err != nil {
		return err
	}
	if t.Lists()+lists > fewLists {
		return errOdd // rules may share them
	}
	return nil
}

// fewLists is how many lists of single keys a table may have without names; see
// package constset.
const fewLists = 256

// leads sees that a rule goes to chains that are there, and not in circles, and that only
// packets come to it that may.
func (x *quickEdit) leads(t *image.Table, c *image.Chain, a *image.Added) error {
	to := destination(a.Rule.Target())
	var places [][]string
	for n := range image.Needs(a.Rule) {
		if n.Chains != nil && !c.Base {
			places = append(places, n.Chains)
		}
	}
	if to == "" && places == nil {
		return nil
	}
	if err := x.q.load(x.ctx, t, t.Unread(nil)); err != nil {
		return err
	}
	if to != "" && !t.Leads(c, to) {
		return errOdd
	}
	if slices.ContainsFunc(places, func(names []string) bool { return !t.Reaches(c, names) }) {
		return errOdd
	}
	return nil
}

// programs reads the rules of a page, with their counts.
func (x *quickEdit) programs(t *image.Table, c *image.Chain) ([]*program.Rule, error) {
	got, err := x.q.readChains(x.ctx, t, map[string]bool{c.Name: true})
	if err != nil {
		return nil, err
	}
	if got.Generation != x.image.Generation {
		if err := x.q.poll(); err != nil || x.q.image != x.image || x.image.Version != x.version || got.Generation != x.image.Generation {
			x.q.stale(got.Generation)
			return nil, errStale
		}
	}
	for _, p := range got.Program.Tables {
		if k := p.Chain(c.Name); k != nil {
			return k.Rules, nil
		}
	}
	return nil, errStale
}

// destination is the chain that a target goes to; "": none.
func destination(t target.Target) string {
	switch t := t.(type) {
	case target.Jump:
		return string(t)
	case target.Goto:
		return string(t)
	}
	return ""
}
