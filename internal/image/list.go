package image

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule"
)

// List is a chain as an edit has left it: numbers are those of the model, from 1, pages
// or not. The image stays as it is.
type List struct {
	t     *Table
	chain *Chain
	runs  []run
	n     int

	jumps  map[*Chain]uint64          // to pages: the handles in the spine
	gone   map[*Chain]map[uint64]bool // rules that were deleted, by their handles
	named  bool                       // one of those was the user of a list with a name
	fresh  int                        // rules that were added
	paged  bool
	unread bool // some page's rules are not known: only the end is good
}

// run is rules in a row, in one chain of the kernel's, or one that the edit made.
type run struct {
	in    *Chain
	rules []Rule
	add   *Added
}

func (r *run) len() int {
	if r.add != nil {
		return 1
	}
	return len(r.rules)
}

// Added is a rule that an edit added. Program is for whoever sends it to set.
type Added struct {
	Rule    rule.Rule
	Program *program.Rule
	print   Print
	instead *Rule  // the rule that it replaces
	in      *Chain // where that is
}

// List is the chain's rules. The chain's own must be known; of its pages those that are
// not make the list good for its end only.
func (t *Table) List(c *Chain) *List {
	l := &List{t: t, chain: c, gone: map[*Chain]map[uint64]bool{}, jumps: map[*Chain]uint64{}}
	lo := 0
	flush := func(hi int) {
		if hi > lo {
			l.runs = append(l.runs, run{in: c, rules: c.rules[lo:hi]})
			l.n += hi - lo
		}
	}
	for i, r := range c.rules {
		p := t.pageOf(c, r)
		if p == nil {
			continue
		}
		flush(i)
		lo = i + 1
		l.paged = true
		l.unread = l.unread || !p.Read
		l.jumps[p] = r.Handle()
		if p.Read && len(p.rules) > 0 {
			l.runs = append(l.runs, run{in: p, rules: p.rules})
			l.n += len(p.rules)
		}
	}
	flush(len(c.rules))
	return l
}

// Len is how many rules there are.
func (l *List) Len() int { return l.n }

// End is what must be known to add at the end: the last page, where its rules are not
// known; nil: nothing.
func (t *Table) End(c *Chain) *Chain {
	if len(c.rules) == 0 {
		return nil
	}
	if p := t.pageOf(c, c.rules[len(c.rules)-1]); p != nil && !p.Read {
		return p
	}
	return nil
}

// Find is the number of the first rule with that print; 0: there is none.
func (l *List) Find(p Print) int {
	n := 0
	for i := range l.runs {
		r := &l.runs[i]
		if r.add != nil {
			if n++; r.add.print == p {
				return n
			}
			continue
		}
		for j := range r.rules {
			if r.rules[j].print == p {
				return n + j + 1
			}
		}
		n += len(r.rules)
	}
	return 0
}

// at finds rule n, or the end: its run and its place in it.
func (l *List) at(n int) (i, j int) {
	n--
	for i := range l.runs {
		if k := l.runs[i].len(); n < k {
			return i, n
		} else {
			n -= k
		}
	}
	return len(l.runs), 0
}

// split makes rule n the first of its run, and says which that is.
func (l *List) split(n int) int {
	i, j := l.at(n)
	if j == 0 {
		return i
	}
	r := l.runs[i]
	rest := r
	r.rules, rest.rules = r.rules[:j:j], r.rules[j:]
	l.runs[i] = r
	l.runs = slices.Insert(l.runs, i+1, rest)
	return i + 1
}

// Insert puts a rule before rule n, which may be one past the last.
func (l *List) Insert(n int, r rule.Rule, p Print) {
	i := len(l.runs)
	if n <= l.n {
		i = l.split(n)
	}
	l.runs = slices.Insert(l.runs, i, run{add: &Added{Rule: r, print: p}})
	l.n++
	l.fresh++
}

// Delete takes rule n away.
func (l *List) Delete(n int) {
	i := l.split(n)
	l.n--
	r := &l.runs[i]
	if a := r.add; a != nil {
		if a.instead != nil {
			l.lose(a.in, *a.instead)
		} else {
			l.fresh--
		}
		l.runs = slices.Delete(l.runs, i, i+1)
		return
	}
	l.lose(r.in, r.rules[0])
	if r.rules = r.rules[1:]; len(r.rules) == 0 {
		l.runs = slices.Delete(l.runs, i, i+1)
	}
}

func (l *List) lose(in *Chain, r Rule) {
	if l.gone[in] == nil {
		l.gone[in] = map[uint64]bool{}
	}
	l.gone[in][r.Handle()] = true
	l.named = l.named || r.is(named)
}

// Replace puts a rule in the place of rule n.
func (l *List) Replace(n int, r rule.Rule, p Print) {
	i := l.split(n)
	was := l.runs[i]
	a := &Added{Rule: r, print: p}
	if was.add != nil {
		a.instead, a.in = was.add.instead, was.add.in
		l.runs[i].add = a
		return
	}
	a.instead, a.in = &was.rules[0], was.in
	if len(was.rules) > 1 {
		l.split(n + 1)
	}
	l.runs[i] = run{add: a}
	l.named = l.named || a.instead.is(named)
	l.fresh++
}

// Same says whether rule n is one with that print already.
func (l *List) Same(n int, p Print) bool {
	i, j := l.at(n)
	if a := l.runs[i].add; a != nil {
		return a.print == p
	}
	return l.runs[i].rules[j].print == p
}

// Added are the rules that the edit added, with their numbers.
func (l *List) Added(yield func(int, *Added) bool) {
	n := 1
	for i := range l.runs {
		if a := l.runs[i].add; a != nil && !yield(n, a) {
			return
		}
		n += l.runs[i].len()
	}
}

// Changed says whether there is anything to send.
func (l *List) Changed() bool { return l.fresh > 0 || len(l.gone) > 0 }

// Whole says whether all of its rules are known.
func (l *List) Whole() bool { return !l.unread }

// Changes is how many rules come and go.
func (l *List) Changes() int {
	n := l.fresh
	for _, handles := range l.gone {
		n += len(handles)
	}
	for i := range l.runs {
		if a := l.runs[i].add; a != nil && a.instead != nil {
			n++
		}
	}
	return n
}
