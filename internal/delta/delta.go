// Package delta finds what must be done to a host so that it holds another
// program, in an order that packets do not notice.
//
// The kernel switches rules atomically, but not sets, whose elements come and go
// at once or late; and a batch has a greatest size. So a change has three steps:
//
//	stage   what nothing in force refers to yet: tables, user chains with their
//	        rules, sets and their elements
//	switch  what changes what packets meet, in one transaction: base chains,
//	        policies, rules of chains that are there, elements of sets in force
//	sweep   what nothing refers to any more
//
// A small change has nothing to stage or sweep, or only what can go along, and is
// one transaction.
//
// What is in both programs stays as it is, with its handle and its counters.
// Tables, chains and sets are known by their names, rules by their place among
// the others.
package delta

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/align"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// Options say how a change may be made. The zero value is right for a host that
// takes batches of any size.
type Options struct {
	// MaxBatch is how many bytes a transaction may have; 0: any number.
	MaxBatch int

	// Size is how many bytes an operation takes in a transaction, or an upper bound.
	// nil: an upper bound that this package knows.
	Size func(driver.Op) int

	// Keep says which of the host's chains must not be deleted though they are not
	// wanted; what they lead to and look up is kept too. nil: none.
	Keep func(t *program.Table, chain string) bool
}

// Plan is a change.
type Plan struct {
	Stage, Switch, Sweep []driver.Op

	// Rules counts rules in all three steps.
	Rules Counts

	loose   [][]driver.Op // the last of Switch: what may be in transactions of its own
	first   int           // of Stage: how many must be a transaction of their own, before all others
	renamed map[chainKey]bool
	opt     Options
	err     error
}

// Counts are numbers of rules. A rule that moves is added and deleted.
type Counts struct{ Added, Replaced, Deleted int }

// chainKey is what a chain is known by.
type chainKey struct {
	family       program.Family
	table, chain string
}

// ErrInPlace is the error of what the kernel cannot turn into what is wanted
// while it is in use.
var ErrInPlace = errors.New("cannot be changed while it is in use")

// SetError is ErrInPlace of a set: rules look up one of that name with other
// keys, other data, or, in a constant one, other elements.
type SetError struct {
	Family     program.Family
	Table, Set string
}

// Error names the set.
func (e *SetError) Error() string {
	return fmt.Sprintf("set %s of table %s %s %v", e.Set, e.Family, e.Table, ErrInPlace)
}

// Unwrap makes it ErrInPlace.
func (e *SetError) Unwrap() error { return ErrInPlace }

// Diff is what makes have into want. have is what the host holds, as read; its
// tables that want does not name are deleted, so a caller leaves out of have what
// it does not mean. want is in the form that a driver takes: paged, lists of
// ranges lowered to sets. Neither is changed, and the operations share what is in
// them.
//
// A chain that cannot be changed into the wanted one (another hook or priority,
// another userdata) is renamed to "NAME.old1" first and deleted in the sweep, so
// that packets always meet one of the two, for a moment both.
//
// A rule that differs in its userdata, or in the name of the constant set it
// looks up, is replaced and keeps its handle. It, and a rule that moves within
// its chain, goes on with the count that have says, unless it is Fresh: then the
// counter is set to what want says, even where nothing else changes. Presets
// without Fresh are for rules that are new.
//
// Elements are added to and deleted from the sets in force in the switch, or, where
// that is more than a transaction may have, in some more after it (Filling); a
// verdict map's are deleted in the sweep, since a rule may have taken their place.
// Sets that packets fill, that Keep their elements, or whose elements were not read
// are left as they are.
func Diff(have, want *program.Program, opt Options) Plan {
	p := Plan{opt: opt, renamed: map[chainKey]bool{}}
	h := align.NewHasher()
	var first, stage []driver.Op
	var loose [][]driver.Op
	for _, t := range want.Tables {
		old := have.Table(t.Family, t.Name)
		s := diffTable(old, t, opt, h)
		first = append(first, s.first...)
		stage = append(stage, s.stage...)
		p.Switch = append(p.Switch, s.turn...)
		loose = append(loose, s.fills...)
		p.Sweep = append(p.Sweep, s.sweep...)
		p.Rules.Added += s.rules.Added
		p.Rules.Replaced += s.rules.Replaced
		p.Rules.Deleted += s.rules.Deleted
		for name := range s.renamed {
			p.renamed[chainKey{t.Family, t.Name, name}] = true
		}
		p.err = errors.Join(p.err, s.err)
	}
	for _, t := range have.Tables {
		if want.Table(t.Family, t.Name) == nil {
			p.deleteTable(t)
		}
	}
	p.loose = loose
	p.Switch = append(p.Switch, slices.Concat(loose...)...)
	p.first = len(first)
	p.Stage = append(first, stage...)
	return p
}

// deleteTable deletes a table. Its sets would lose their elements before the
// rules that look them up are gone, so where there are any, the base chains go
// first.
func (p *Plan) deleteTable(t *program.Table) {
	for _, c := range t.Chains {
		p.Rules.Deleted += len(c.Rules)
	}
	gone := driver.Op{Kind: driver.DeleteTable, Table: t}
	if len(t.Sets) == 0 {
		p.Switch = append(p.Switch, gone)
		return
	}
	for _, c := range t.Chains {
		if c.Base {
			p.Switch = append(p.Switch, deleteChain(t, c)...)
		}
	}
	p.Sweep = append(p.Sweep, gone)
}

// deleteChain empties and deletes a chain.
func deleteChain(t *program.Table, c *program.Chain) []driver.Op {
	gone := driver.Op{Kind: driver.DeleteChain, Table: t, Chain: c}
	if len(c.Rules) == 0 {
		return []driver.Op{gone}
	}
	return []driver.Op{{Kind: driver.FlushChain, Table: t, Chain: c}, gone}
}

// Empty says whether there is nothing to do.
func (p Plan) Empty() bool {
	return len(p.Stage)+len(p.Switch)+len(p.Sweep) == 0 && p.err == nil
}
