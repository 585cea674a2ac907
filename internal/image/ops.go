package image

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/page"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// most is how many rules one edit may add: more is for those who plan with all of the
// table before them.
const most = page.Size / 2

// place is a rule that the kernel has, or none.
type place struct {
	in     *Chain
	handle uint64
}

// ops is what to send for a list, in the making.
type ops struct {
	*List
	alive map[*Chain]int // rules of each chain that stay, jumps to pages left aside
	taken map[string]bool

	chains, adds, rest []driver.Op
	need               *Chain
	ok                 bool
}

// Ops is what makes the kernel's chain the list, in one transaction; each Added must
// have its Program. With need it is to be asked again, with the programs of that page
// as they were read. ok is false for what is better done by planning anew.
func (l *List) Ops(plain bool, read *Chain, programs []*program.Rule) (out []driver.Op, need *Chain, ok bool) {
	o := &ops{List: l, alive: map[*Chain]int{}, taken: map[string]bool{}, ok: true}
	for i := range l.runs {
		switch r := &l.runs[i]; {
		case r.add == nil:
			o.alive[r.in] += len(r.rules)
		case r.add.instead != nil:
			o.alive[r.add.in]++
		}
	}
	if l.named || l.fresh > most || !plain && !l.paged && l.n > page.Size || l.paged && o.few() {
		return nil, nil, false
	}
	before := place{}
	for i := 0; i < len(l.runs) && o.ok && o.need == nil; i++ {
		r := &l.runs[i]
		switch {
		case r.add == nil:
			before = place{r.in, r.rules[len(r.rules)-1].Handle()}
		case r.add.instead != nil:
			before = place{r.add.in, r.add.instead.Handle()}
			o.replace(r.add)
		default:
			j := i + 1
			for j < len(l.runs) && l.runs[j].add != nil && l.runs[j].add.instead == nil {
				j++
			}
			o.group(before, i, j, read, programs)
			i = j - 1
		}
	}
	o.deletes()
	return slices.Concat(o.chains, o.adds, o.rest), o.need, o.ok
}

// few says whether pages are to be given up, or two to become one.
func (o *ops) few() bool {
	if !o.unread && o.n <= page.Few {
		return true
	}
	var last *Chain
	for _, r := range o.chain.rules {
		p := o.t.pageOf(o.chain, r)
		if p == nil {
			if !o.gone[o.chain][r.Handle()] {
				last = nil
			}
			continue
		}
		if last != nil && len(o.gone[p])+len(o.gone[last]) > 0 && o.size(p) > 0 && o.size(last) > 0 &&
			o.size(p)+o.size(last) <= page.Joined {
			return true
		}
		last = p
	}
	return false
}

func (o *ops) size(p *Chain) int {
	if !p.Read {
		return p.others
	}
	return o.alive[p]
}

func (o *ops) table() *program.Table { return &program.Table{Family: o.t.Family, Name: o.t.Name} }

func (c *Chain) program() *program.Chain { return &program.Chain{Name: c.Name, Handle: c.handle} }

func (o *ops) add(in *program.Chain, r *program.Rule, before uint64) {
	o.adds = append(o.adds, driver.Op{Kind: driver.AddRule, Table: o.table(), Chain: in, Rule: r, Before: before})
}

func (o *ops) replace(a *Added) {
	if a.in.Of != "" && page.Stays(a.Program) {
		o.ok = false
		return
	}
	next := *a.Program
	next.Handle = a.instead.Handle()
	o.rest = append(o.rest, driver.Op{Kind: driver.ReplaceRule, Table: o.table(), Chain: a.in.program(), Rule: &next})
}

// group says where the rules of runs i to j go, which are new; before is what stands
// before them.
func (o *ops) group(before place, i, j int, read *Chain, programs []*program.Rule) {
	var rules []*program.Rule
	stay := false
	for _, r := range o.runs[i:j] {
		rules = append(rules, r.add.Program)
		stay = stay || page.Stays(r.add.Program)
	}
	next := place{}
	if j < len(o.runs) {
		next = o.runs[j].first()
	}
	inPage := func(p place) bool { return p.in != nil && p.in.Of != "" }
	room := func(p place) bool { return inPage(p) && o.alive[p.in]+len(rules) <= page.Size }
	put := func(in *Chain, at uint64) {
		o.alive[in] += len(rules)
		for _, r := range rules {
			o.add(in.program(), r, at)
		}
	}
	switch within := inPage(before) && before.in == next.in; {
	case within && stay:
		o.ok = false
	case within && room(next):
		put(next.in, next.handle)
	case within:
		o.split(next, rules, read, programs)
	case stay || !o.paged:
		put(o.chain, o.spine(j))
	case room(before):
		put(before.in, 0)
	case room(next):
		put(next.in, next.handle)
	case inPage(before) || inPage(next):
		o.page(rules, o.spine(j))
	case o.alive[o.chain]+len(rules) < page.Row:
		put(o.chain, o.spine(j))
	default:
		o.ok = false
	}
}

// first is the rule of the kernel's that a run begins with.
func (r *run) first() place {
	if r.add != nil {
		return place{r.add.in, r.add.instead.Handle()}
	}
	return place{r.in, r.rules[0].Handle()}
}

// spine is the rule of the spine before which stands what is before run j; 0: the end.
func (o *ops) spine(j int) uint64 {
	for ; j < len(o.runs); j++ {
		r := &o.runs[j]
		if r.add != nil && r.add.instead == nil {
			continue
		}
		p := r.first()
		if p.in.Of == "" {
			return p.handle
		}
		return o.jumps[p.in]
	}
	return 0
}

// page makes a new page.
func (o *ops) page(rules []*program.Rule, before uint64) {
	c := page.Next(o.chain.Name, func(name string) bool { return o.taken[name] || o.t.chains[name] != nil })
	o.taken[c.Name] = true
	o.chains = append(o.chains, driver.Op{Kind: driver.AddChain, Table: o.table(), Chain: c})
	for _, r := range rules {
		o.add(c, r, 0)
	}
	jump := &program.Rule{Exprs: []program.Expr{program.Verdict{Kind: program.NFTJump, Chain: c.Name}}}
	o.add(o.chain.program(), jump, before)
}

// split makes two pages of a full one, in which rules are to stand before a place.
func (o *ops) split(at place, rules []*program.Rule, read *Chain, programs []*program.Rule) {
	p := at.in
	if len(o.gone[p]) > 0 || o.alive[p] != len(p.rules) {
		o.ok = false
		return
	}
	if read != p {
		o.need = p
		return
	}
	k := slices.IndexFunc(p.rules, func(r Rule) bool { return r.Handle() == at.handle })
	half := len(programs) / 2
	o.ok = k > 0 && len(programs) == len(p.rules)
	for i, r := range programs {
		// What xt extensions were told of -p is not to be read.
		o.ok = o.ok && r.Handle == p.rules[i].Handle() && !r.XT()
	}
	if !o.ok {
		return
	}
	moved := programs[half:]
	switch {
	case k > half:
		moved = slices.Insert(slices.Clone(moved), k-half, rules...)
	case k == half:
		moved = slices.Concat(rules, moved)
	default:
		for _, r := range rules {
			o.add(p.program(), r, at.handle)
		}
	}
	o.alive[p] = page.Size // nothing else goes there now
	o.page(moved, o.after(p))
	for _, r := range programs[half:] {
		o.rest = append(o.rest, driver.Op{Kind: driver.DeleteRule, Table: o.table(), Chain: p.program(), Rule: r})
	}
}

// after is the rule of the spine behind the jump to a page; 0: none.
func (o *ops) after(p *Chain) uint64 {
	i := slices.IndexFunc(o.chain.rules, func(r Rule) bool { return r.Handle() == o.jumps[p] })
	if i < 0 || i+1 == len(o.chain.rules) {
		return 0
	}
	return o.chain.rules[i+1].Handle()
}

// deletes deletes what is gone, and the pages of which nothing is left.
func (o *ops) deletes() {
	gone := func(in *Chain, handle uint64) {
		o.rest = append(o.rest, driver.Op{Kind: driver.DeleteRule, Table: o.table(), Chain: in.program(), Rule: &program.Rule{Handle: handle}})
	}
	var empty []driver.Op
	for in, handles := range o.gone {
		for h := range handles {
			gone(in, h)
		}
		if in.Of != "" && o.alive[in] == 0 {
			gone(o.chain, o.jumps[in])
			empty = append(empty, driver.Op{Kind: driver.DeleteChain, Table: o.table(), Chain: in.program()})
		}
	}
	o.rest = append(o.rest, empty...)
}
