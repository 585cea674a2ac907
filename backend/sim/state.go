package sim

import (
	"maps"
	"slices"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// state is everything of one generation. A commit makes another one, which
// shares with it what did not change; so a reader needs no lock.
type state struct {
	generation uint32
	tables     []*table
	handles    uint64        // the last table's
	uptime     time.Duration // how far the clock has been moved
}

// table is a program.Table with indexes; the lists in Table itself are empty.
type table struct {
	program.Table
	handles    uint64 // the last that was given to a chain, rule or set
	chains     []*chain
	sets       []*set
	chainNamed map[string]*chain
	setNamed   map[string]*set

	renamed []*chain // chains that get another name when the transaction ends
	jumps   bool     // the transaction made a jump, so that the graph must be looked at
}

// chain is a program.Chain; the list in Chain itself is empty.
type chain struct {
	program.Chain
	rules []slot
	refs  uint32 // verdicts that name it
	to    string // the name it gets
	own   bool   // rules belongs to the transaction
	holes bool   // some slots are dead
}

// slot is a rule's place. A rule that was deleted keeps its place until the
// transaction ends: the kernel lets others be inserted before it.
type slot struct {
	rule *program.Rule
	dead bool
}

// set is a program.Set; the list in Set itself is empty.
type set struct {
	program.Set
	elements map[key]element
	refs     uint32 // lookups that name it
	bound    bool   // there was one, though it may have gone in this transaction
	own      bool   // elements belongs to the transaction
}

// element is a program.Element that may have an end; Left in Element itself is 0.
type element struct {
	program.Element
	until time.Duration // the host's uptime when it goes; 0: never
}

// key tells the elements of a set apart.
type key struct {
	from, to string
	end, all bool
}

func keyOf(e program.Element) key { return key{e.Key, e.KeyEnd, e.End, e.CatchAll} }

// clone is a table that a transaction may change: its chains and sets are new,
// what is in them is shared until it is written to.
func (t *table) clone() *table {
	c := *t
	c.renamed, c.jumps = nil, false
	c.chains = make([]*chain, len(t.chains))
	c.chainNamed = make(map[string]*chain, len(t.chains))
	for i, old := range t.chains {
		ch := *old
		ch.own = false
		c.chains[i], c.chainNamed[ch.Name] = &ch, &ch
	}
	c.sets = make([]*set, len(t.sets))
	c.setNamed = make(map[string]*set, len(t.sets))
	for i, old := range t.sets {
		s := *old
		s.own, s.bound = false, s.refs > 0
		c.sets[i], c.setNamed[s.Name] = &s, &s
	}
	return &c
}

// handle is the next one.
func (t *table) handle() uint64 {
	t.handles++
	return t.handles
}

// write makes the rules the transaction's own.
func (c *chain) write() {
	if !c.own {
		c.rules, c.own = slices.Clone(c.rules), true
	}
}

// find is where the rule with the handle is, -1 if nowhere. A dead one is found
// where no other has its handle and withDead is set.
func (c *chain) find(handle uint64, withDead bool) int {
	dead := -1
	for i, s := range c.rules {
		switch {
		case s.rule.Handle != handle:
		case !s.dead:
			return i
		default:
			dead = i
		}
	}
	if withDead {
		return dead
	}
	return -1
}

// live are the rules that were not deleted.
func (c *chain) live(yield func(*program.Rule) bool) {
	for _, s := range c.rules {
		if !s.dead && !yield(s.rule) {
			return
		}
	}
}

// count is how many those are.
func (c *chain) count() int {
	n := 0
	for range c.live {
		n++
	}
	return n
}

// write makes the elements the transaction's own.
func (s *set) write() {
	if s.own {
		return
	}
	s.elements, s.own = maps.Clone(s.elements), true
	if s.elements == nil {
		s.elements = map[key]element{}
	}
}
