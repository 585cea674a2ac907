package backend

import (
	"fmt"
	"io/fs"
	"iter"
	"slices"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/image"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// ChainEdit is a chain within an Edit. Numbers start at 1, as iptables' do.
type ChainEdit struct {
	e    *Edit
	id   table.ID
	name string
}

// find is the chain, or nil.
func (c *ChainEdit) find() *editChain { return c.e.table(c.id).chain(c.name) }

// need is the chain for a verb that changes it; nil, and the edit has failed,
// where it is not there.
func (c *ChainEdit) need(op string) *editChain {
	if ec := c.find(); ec != nil {
		return ec
	}
	if _, ok := c.id.HookOf(c.name); ok {
		return c.make(op)
	}
	c.e.fail(op, c.id, c.name, 0, rule.Rule{}, notThere("chain"))
	return nil
}

// make adds the chain, and its table where that is missing.
func (c *ChainEdit) make(op string) *editChain {
	_, builtIn := c.id.HookOf(c.name)
	ec := &editChain{name: c.name, builtIn: builtIn}
	if builtIn {
		ec.policy = chain.Accept
	}
	if err := ec.value().Err(); err != nil {
		c.e.fail(op, c.id, c.name, 0, rule.Rule{}, fmt.Errorf("%w: %w", ErrInvalid, err))
		return nil
	}
	t := c.e.table(c.id)
	if t == nil {
		t = &editTable{id: c.id}
		c.e.tables = append(c.e.tables, t)
	}
	t.chains = append(t.chains, ec)
	return ec
}

// at checks a rule's number.
func (c *ChainEdit) at(op string, n, most int) bool {
	if n >= 1 && n <= most {
		return true
	}
	err := fmt.Errorf("number %d, of 1 to %d: %w", n, most, fs.ErrNotExist)
	if most == 0 {
		err = fmt.Errorf("number %d, the chain is empty: %w", n, fs.ErrNotExist)
	}
	c.e.fail(op, c.id, c.name, max(n, 0), rule.Rule{}, err)
	return false
}

// normal are rules as they stand in the chain's table, with counters of their own.
func (c *ChainEdit) normal(rs []rule.Rule) []editRule {
	out := make([]editRule, len(rs))
	for i, r := range rs {
		out[i] = editRule{r.In(c.id.Family()), true}
	}
	return out
}

func (ec *editChain) index(r rule.Rule, f nf.Family) int {
	r = r.In(f)
	return slices.IndexFunc(ec.rules, func(x editRule) bool { return x.Equal(r) })
}

// Exists says whether the chain is there.
func (c *ChainEdit) Exists() bool {
	_, builtIn := c.id.HookOf(c.name)
	if builtIn {
		return true
	}
	if x := c.e.quick; x != nil {
		if has, known := x.has(c.id, c.name); known {
			return has
		}
	}
	return c.find() != nil
}

// New makes a user chain; fs.ErrExist if it is there.
func (c *ChainEdit) New() {
	if c.Exists() {
		c.e.fail("add chain", c.id, c.name, 0, rule.Rule{}, fs.ErrExist)
		return
	}
	c.make("add chain")
}

// Ensure makes the chain if it is missing.
func (c *ChainEdit) Ensure() *ChainEdit {
	if x := c.e.quick; x != nil {
		if has, known := x.has(c.id, c.name); has && known {
			return c
		}
	}
	if c.find() == nil {
		c.make("add chain")
	}
	return c
}

// Append adds rules at the end.
func (c *ChainEdit) Append(rs ...rule.Rule) {
	if c.quickly(false, func() { c.Append(rs...) }, func(l *image.List) { c.quickAdd(l, 0, rs, false) }) {
		return
	}
	if ec := c.need("append rule"); ec != nil {
		ec.rules = append(ec.rules, c.normal(rs)...)
	}
}

// AppendUnique adds those rules that the chain does not have.
func (c *ChainEdit) AppendUnique(rs ...rule.Rule) {
	if c.quickly(true, func() { c.AppendUnique(rs...) }, func(l *image.List) { c.quickAdd(l, 0, rs, true) }) {
		return
	}
	if ec := c.need("append rule"); ec != nil {
		for _, r := range rs {
			if ec.index(r, c.id.Family()) < 0 {
				ec.rules = append(ec.rules, c.normal([]rule.Rule{r})...)
			}
		}
	}
}

// Insert puts rules before rule n; n may be one past the last.
func (c *ChainEdit) Insert(n int, rs ...rule.Rule) {
	if c.quickly(true, func() { c.Insert(n, rs...) }, func(l *image.List) { c.quickInsert(l, n, rs, false) }) {
		return
	}
	if ec := c.need("insert rule"); ec != nil && c.at("insert rule", n, len(ec.rules)+1) {
		ec.rules = slices.Insert(ec.rules, n-1, c.normal(rs)...)
	}
}

// InsertUnique puts those rules before rule n that the chain does not have.
func (c *ChainEdit) InsertUnique(n int, rs ...rule.Rule) {
	if c.quickly(true, func() { c.InsertUnique(n, rs...) }, func(l *image.List) { c.quickInsert(l, n, rs, true) }) {
		return
	}
	ec := c.need("insert rule")
	if ec == nil {
		return
	}
	c.Insert(n, slices.DeleteFunc(slices.Clone(rs), func(r rule.Rule) bool { return ec.index(r, c.id.Family()) >= 0 })...)
}

// Replace puts r in the place of rule n. The new rule's counters are r's.
func (c *ChainEdit) Replace(n int, r rule.Rule) {
	if c.quickReplace(n, r) {
		return
	}
	if ec := c.need("replace rule"); ec != nil && c.at("replace rule", n, len(ec.rules)) {
		ec.rules[n-1] = c.normal([]rule.Rule{r})[0]
	}
}

// Delete removes the first rule equal to r; fs.ErrNotExist if there is none.
func (c *ChainEdit) Delete(r rule.Rule) {
	if c.quickly(true, func() { c.Delete(r) }, func(l *image.List) { c.quickDelete(l, r) }) {
		return
	}
	ec := c.need("delete rule")
	if ec == nil {
		return
	}
	i := ec.index(r, c.id.Family())
	if i < 0 {
		c.e.fail("delete rule", c.id, c.name, 0, r, notThere("rule"))
		return
	}
	ec.rules = slices.Delete(ec.rules, i, i+1)
}

// DeleteIfExists is Delete that does not mind, and says whether it was there.
func (c *ChainEdit) DeleteIfExists(r rule.Rule) bool {
	if !c.Has(r) {
		return false
	}
	c.Delete(r)
	return true
}

// DeleteAt removes rule n.
func (c *ChainEdit) DeleteAt(n int) {
	if c.quickly(true, func() { c.DeleteAt(n) }, func(l *image.List) {
		if c.at("delete rule", n, l.Len()) {
			l.Delete(n)
		}
	}) {
		return
	}
	if ec := c.need("delete rule"); ec != nil && c.at("delete rule", n, len(ec.rules)) {
		ec.rules = slices.Delete(ec.rules, n-1, n)
	}
}

// DeleteFunc removes every rule for which del is true and returns how many; a missing chain has none.
func (c *ChainEdit) DeleteFunc(del func(rule.Rule) bool) (n int) {
	ec := c.find()
	if ec == nil {
		return 0
	}
	before := len(ec.rules)
	ec.rules = slices.DeleteFunc(ec.rules, func(r editRule) bool { return del(r.Rule) })
	return before - len(ec.rules)
}

// Has says whether the chain has a rule equal to r.
func (c *ChainEdit) Has(r rule.Rule) bool {
	if l := c.image(true); l != nil {
		_, p := c.print(r)
		return l.Find(p) > 0
	}
	ec := c.find()
	return ec != nil && ec.index(r, c.id.Family()) >= 0
}

// Rules yields the rules with their numbers, as this Edit has left them.
func (c *ChainEdit) Rules() iter.Seq2[int, rule.Rule] {
	return func(yield func(int, rule.Rule) bool) {
		ec := c.find()
		if ec == nil {
			return
		}
		for i, r := range ec.rules {
			if !yield(i+1, r.Rule) {
				return
			}
		}
	}
}

// Flush removes every rule.
func (c *ChainEdit) Flush() {
	if ec := c.need("flush chain"); ec != nil {
		ec.rules = nil
	}
}

// Set makes the chain's rules exactly rs, by the smallest difference; the chain
// is made if it is missing. What was there before keeps its counters.
func (c *ChainEdit) Set(rs ...rule.Rule) {
	c.Ensure()
	ec := c.need("set rules")
	if ec == nil {
		return
	}
	ec.rules = c.normal(rs)
	for i := range ec.rules {
		ec.rules[i].fresh = false
	}
}

// Zero resets the counters of rules numbered in n, or of all and the policy.
func (c *ChainEdit) Zero(n ...int) {
	ec := c.need("zero counters")
	if ec == nil {
		return
	}
	if len(n) == 0 {
		ec.counters, ec.fresh = nf.Counters{}, ec.builtIn
		for i := range ec.rules {
			n = append(n, i+1)
		}
	}
	for _, k := range n {
		if !c.at("zero counters", k, len(ec.rules)) {
			return
		}
		ec.rules[k-1] = editRule{ec.rules[k-1].WithCounters(nf.Counters{}), true}
	}
}

// SetCounters gives the policy counters.
func (c *ChainEdit) SetCounters(n nf.Counters) {
	if ec := c.need("set counters"); ec != nil {
		ec.counters, ec.fresh = n, true
	}
}

// Policy sets a built-in chain's policy.
func (c *ChainEdit) Policy(p chain.Policy) {
	ec := c.need("set policy")
	switch {
	case ec == nil:
	case !ec.builtIn:
		c.e.fail("set policy", c.id, c.name, 0, rule.Rule{}, fmt.Errorf("%w: a user chain has no policy", ErrInvalid))
	default:
		ec.policy = p
	}
}

// Rename renames a user chain and every jump to it. The new name must be free.
func (c *ChainEdit) Rename(to string) {
	ec := c.find()
	switch _, builtIn := c.id.HookOf(to); {
	case ec == nil || ec.builtIn:
		c.e.fail("rename chain", c.id, c.name, 0, rule.Rule{}, notThere("user chain"))
		return
	case builtIn || c.e.table(c.id).chain(to) != nil:
		c.e.fail("rename chain", c.id, to, 0, rule.Rule{}, fs.ErrExist)
		return
	}
	from := ec.name
	ec.name = to
	for _, x := range c.e.table(c.id).chains {
		for i, r := range x.rules {
			x.rules[i].Rule = r.Retarget(from, to)
		}
	}
	c.name = to
}

// Remove takes the chain away with its rules; ErrInUse at the end if a rule still jumps to it.
// A built-in chain loses its policy too and is no longer hooked: as if it were empty, with ACCEPT.
func (c *ChainEdit) Remove() {
	if c.find() == nil {
		c.e.fail("delete chain", c.id, c.name, 0, rule.Rule{}, notThere("chain"))
		return
	}
	c.e.removed = append(c.e.removed, c)
	t := c.e.table(c.id)
	t.chains = slices.DeleteFunc(t.chains, func(x *editChain) bool { return x.name == c.name })
}

// RemoveIfExists is Remove that does not mind, and says whether it was there.
func (c *ChainEdit) RemoveIfExists() bool {
	if c.find() == nil {
		return false
	}
	c.Remove()
	return true
}
