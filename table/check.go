package table

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// MaxDepth is how many chains the kernel follows jumps below a built-in one:
// NFT_JUMP_STACK_SIZE less the built-in chain.
const MaxDepth = 15

// Err reports everything in the ruleset that cannot be programmed anywhere:
// jumps to missing chains, loops, jumps that are too deep, matches and targets in
// the wrong table or chain, a table for both families beside one for a single
// family, and each rule's own error. All of it is joined, each an *Error.
//
// Two things are stricter than the kernel, which looks at what a built-in chain
// reaches only: a loop is an error wherever it is, and so is a jump to a built-in
// chain.
func (rs Ruleset) Err() error {
	var errs []error
	for i, t := range rs.tables {
		for _, u := range rs.tables[:i] {
			if err := exclude(t.id, u.id); err != nil {
				errs = append(errs, &Error{Table: t.id, Err: err})
				break
			}
		}
		errs = append(errs, t.check()...)
	}
	return errors.Join(errs...)
}

// exclude says why two tables cannot be in one ruleset.
func exclude(a, b ID) error {
	switch {
	case a&kindMask != b&kindMask:
		return nil
	case a == b:
		return fmt.Errorf("two tables of that name: %w", fs.ErrExist)
	case a.Family() == nf.Both || b.Family() == nf.Both:
		return ErrBothOne
	}
	return nil
}

// Err is Ruleset.Err for one table.
func (t Table) Err() error { return errors.Join(t.check()...) }

// checker collects what is wrong with a table.
type checker struct {
	t      Table
	errs   []error
	index  map[string]int // a chain's place in t.chains
	nodes  []node         // of each chain
	places []placed
}

// placed is a rule whose match or target is for some built-in chains only.
type placed struct {
	chain, rule int
	needs       option.Needs
	extension   string
	allowed     uint32 // bit n: packets of the built-in chain with hook n
}

func (t Table) check() []error {
	c := checker{t: t, index: make(map[string]int, len(t.chains)), nodes: make([]node, len(t.chains))}
	if !t.id.Valid() {
		return []error{&Error{Table: t.id, Err: ErrNoTable}}
	}
	c.checkSets()
	for i, ch := range t.chains {
		if _, twice := c.index[ch.Name()]; twice {
			c.fail(i, 0, "", fmt.Errorf("two chains of that name: %w", fs.ErrExist))
			continue
		}
		c.index[ch.Name()] = i
	}
	for i, ch := range t.chains {
		c.chain(i, ch)
		for n, r := range ch.Rules() {
			c.rule(i, n, r)
		}
	}
	c.graph()
	return c.errs
}

// fail notes an error of rule n of chain i.
func (c *checker) fail(i, n int, extension string, err error) {
	ch := c.t.chains[i]
	e := &Error{Table: c.t.id, Chain: ch.Name(), Rule: n, Extension: extension, Err: err}
	if r, ok := ch.Rule(n); ok {
		e.Text = r.String()
	}
	c.errs = append(c.errs, e)
}

// chain checks the chain itself.
func (c *checker) chain(i int, ch chain.Chain) {
	if err := ch.Bad(); err != nil {
		c.fail(i, 0, "", errors.Unwrap(err))
		return
	}
	if _, ok := ch.Policy(); !ok {
		return
	}
	h, ok := c.t.id.HookOf(ch.Name())
	if !ok {
		c.fail(i, 0, "", ErrHook)
		return
	}
	c.nodes[i].reached = 1 << h.Num
}

// rule checks one rule, and notes where it jumps to and what it needs.
func (c *checker) rule(i, n int, r rule.Rule) {
	if err := r.Err(); err != nil {
		extension := ""
		if m := (*rule.MatchError)(nil); errors.As(err, &m) {
			extension = m.Extension
		}
		c.fail(i, n, extension, err)
		return
	}
	for m := range r.Matches() {
		if e := match.Extension(m); e != nil {
			c.needs(i, n, m.Name(), e.NeedsOf(m))
			if o, ok := m.(match.Own); ok {
				c.own(i, n, o)
			}
			continue
		}
		if f, ok := m.(match.Iface); ok {
			c.iface(i, n, f)
		}
	}
	switch t := r.Target().(type) {
	case target.Jump:
		c.jump(i, n, string(t))
	case target.Goto:
		c.jump(i, n, string(t))
	case target.Verdict:
		if t == target.Drop && c.t.id&kindMask == NAT {
			c.fail(i, n, "DROP", fmt.Errorf("%w: the nat table sees the first packet of a connection only, "+
				"and is not intended for filtering", ErrPlace))
		}
	default:
		if e := target.Extension(t); e != nil {
			c.needs(i, n, t.Name(), e.NeedsOf(t))
		}
	}
}

// iface refuses -o where packets have come in, and -i where they go out, as
// iptables does for rules of built-in chains.
func (c *checker) iface(i, n int, f match.Iface) {
	name := c.t.chains[i].Name()
	switch {
	case f.Out && (name == chain.Input || name == chain.Prerouting):
		c.fail(i, n, "", fmt.Errorf("can't use -o with %s: %w", name, ErrInterface))
	case !f.Out && (name == chain.Output || name == chain.Postrouting):
		c.fail(i, n, "", fmt.Errorf("can't use -i with %s: %w", name, ErrInterface))
	}
}

// needs checks what a match or target asks of its table, and notes what it asks
// of its chain.
func (c *checker) needs(i, n int, extension string, needs option.Needs) {
	if needs.Tables != nil && !slices.Contains(needs.Tables, c.t.id.Name()) {
		c.fail(i, n, extension, &PlaceError{Extension: extension, Tables: needs.Tables})
		return
	}
	if needs.Chains == nil {
		return
	}
	p := placed{chain: i, rule: n, needs: needs, extension: extension}
	for _, name := range needs.Chains {
		p.allowed |= 1 << place(name)
	}
	c.places = append(c.places, p)
}

// jump notes a jump or goto.
func (c *checker) jump(i, n int, to string) {
	j, ok := c.index[to]
	switch {
	case chain.IsBuiltIn(to):
		c.fail(i, n, "", fmt.Errorf("%s: %w", to, ErrBuiltIn))
	case !ok && chain.Reserved(to):
		c.fail(i, n, to, fmt.Errorf("%w %s, and no chain of that name: %w", ErrUnknownTarget, to, fs.ErrNotExist))
	case !ok:
		c.fail(i, n, "", fmt.Errorf("chain %s: %w", to, fs.ErrNotExist))
	default:
		c.nodes[i].jumps = append(c.nodes[i].jumps, jump{to: j, rule: n})
	}
}
