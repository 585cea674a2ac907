// Package page keeps long chains quick to read and to change: it cuts a chain
// into pages, which are chains of their own, and leaves a spine of jumps.
//
//	chain INPUT {                    chain INPUT.p1 {
//	    jump INPUT.p1                    … some hundred rules …
//	    tcp dport 25 return          }
//	    jump INPUT.p2                chain INPUT.p2 {
//	}                                    … some hundred rules …
//	                                 }
//
// The kernel copies a chain with every commit that changes it, and walks it from
// its head for every buffer that a dump fills, so that a chain of 100,000 rules
// takes 5 s to read, in pages 0.1 s. To packets a paged chain is the same chain:
// what could tell the difference, RETURN and GOTO, stays in the spine, and a
// chain is not paged where its pages would lie deeper than the kernel allows.
package page

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/align"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// Size is how many rules a page holds at most where nobody says otherwise.
const Size = 512

// Page is want with its chains of more than max rules paged; max 0 or less means
// Size. want is not paged yet, and neither it nor have is changed; chains and
// rules that stay as they are belong to want and to the result.
//
// have is what the host holds now, as read: paged, sets that lookups name in the
// same form as in want (both lowered by package constset, or both raised). Its
// pages are kept: a rule stays in the page it is in, a new one goes into the page
// of its neighbours, and only a page that gets more than max rules gives some
// away. So one rule that changes is a change of one page. nil is a host that
// holds nothing.
//
// Handles are not taken over from have: chains are known by their names, rules
// by their place. A spine's jump has no line.
func Page(want, have *program.Program, max int) *program.Program {
	if max <= 0 {
		max = Size
	}
	out := &program.Program{Tables: slices.Clone(want.Tables)}
	h := align.NewHasher()
	for i, t := range want.Tables {
		var old *program.Table
		if have != nil {
			old = have.Table(t.Family, t.Name)
		}
		out.Tables[i] = pageTable(t, old, limits(max), h)
	}
	return out
}

// Limits of pages, for whoever changes one by itself as Page would: the most rules of a
// page; how many rules in a row are worth one; how many two neighbours have together
// when they become one; and how many a chain has when its pages are given up.
const (
	Row    = Size / 8
	Joined = Size / 4
	Few    = Size / 8
)

// pageTable pages a table's chains. old is the host's table; it may be nil.
func pageTable(t, old *program.Table, lim limit, h align.Hasher) *program.Table {
	var candidates []*candidate
	var held map[string]*layout
	for i, c := range t.Chains {
		if len(c.Rules) <= lim.unpage || c.Keep {
			continue
		}
		if held == nil {
			held = layouts(old)
		}
		now := held[c.Name]
		if now == nil && len(c.Rules) <= lim.max {
			continue
		}
		candidates = append(candidates, &candidate{at: i, chain: c, held: now})
	}
	if len(candidates) == 0 {
		return t
	}
	n := newNames(t, old)
	candidates = slices.DeleteFunc(candidates, func(k *candidate) bool { return !n.fit(k.chain.Name) })
	candidates = fitting(t, candidates)
	return cut(t, candidates, lim, n, h)
}

// candidate is a chain that may be paged.
type candidate struct {
	at    int // in the table
	chain *program.Chain
	held  *layout // as the host holds it; nil: not paged there
}

// limit is how many rules make what.
type limit struct {
	max    int // rules of a page at most; longer chains are paged
	min    int // rules in a row that are worth a page of their own
	merge  int // rules that two neighbouring pages have together when they become one
	unpage int // rules of a chain whose pages are given up: few, since they all move
}

func limits(n int) limit {
	return limit{max: n, min: max(2, n/8), merge: n / 4, unpage: max(1, n/8)}
}

// cut makes the table with its candidates paged.
func cut(t *program.Table, candidates []*candidate, lim limit, n *names, h align.Hasher) *program.Table {
	out := *t
	out.Chains = make([]*program.Chain, 0, len(t.Chains)+len(candidates))
	for i, c := range t.Chains {
		if len(candidates) == 0 || candidates[0].at != i {
			out.Chains = append(out.Chains, c)
			continue
		}
		k := candidates[0]
		candidates = candidates[1:]
		spine, pages := k.cut(t, lim, n, h)
		out.Chains = append(append(out.Chains, spine), pages...)
	}
	return &out
}

// cut is the chain as a spine and its pages.
func (k *candidate) cut(t *program.Table, lim limit, n *names, h align.Hasher) (spine *program.Chain, pages []*program.Chain) {
	rules := k.chain.Rules
	label, any := k.labels(n, h)
	if !any && len(rules) <= lim.max {
		return k.chain, nil
	}
	bound := bounds(t, rules)
	s := *k.chain
	s.Rules = make([]*program.Rule, 0, len(rules)*2/lim.max+1)
	for _, p := range lim.places(label, bound, k.held) {
		if p.page == stay {
			s.Rules = append(s.Rules, rules[p.lo:p.hi]...)
			continue
		}
		page := k.page(p.page, n)
		page.Rules = rules[p.lo:p.hi:p.hi]
		s.Rules = append(s.Rules, jump(page.Name))
		pages = append(pages, page)
	}
	if len(pages) == 0 {
		return k.chain, nil
	}
	return &s, pages
}

// page is a page of the chain, without rules: one that is held, or a new one.
func (k *candidate) page(i int, n *names) *program.Chain {
	if i == fresh {
		return n.next(k.chain.Name)
	}
	held := k.held.pages[i]
	return &program.Chain{Name: held.Name, UserData: held.UserData}
}

// jump is the spine's rule for a page.
func jump(name string) *program.Rule {
	return &program.Rule{Exprs: []program.Expr{program.Verdict{Kind: program.NFTJump, Chain: name}}}
}

// labels says of each rule which page the host has it in, or that it has it in
// the spine (stay), or nowhere (fresh). any is whether one is in a page.
func (k *candidate) labels(n *names, h align.Hasher) (label []int, any bool) {
	label = make([]int, len(k.chain.Rules))
	if k.held == nil {
		for i := range label {
			label[i] = fresh
		}
		return label, false
	}
	kept := align.By(k.held.rules, k.chain.Rules, (*program.Rule).Same, h.Rule)
	for j, i := range kept {
		label[j] = fresh
		if i < 0 {
			continue
		}
		label[j] = k.held.label[i]
		if label[j] < 0 {
			continue
		}
		if n.wanted[k.held.pages[label[j]].Name] { // the caller's chain has that name
			label[j] = fresh
			continue
		}
		any = true
	}
	return label, any
}
