package wire

import (
	"errors"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// errNothing says that an operation lacks what it is about.
var errNothing = errors.New("the operation does not say what it is about")

// elementBytes is how long a list of elements may become before the next goes
// into another message: an attribute ends at 64 KiB, and one element has at
// most a few hundred bytes.
const elementBytes = 60000

// op writes the messages of one operation.
func (b *Batch) op(i int, o *driver.Op) error {
	if o.Table == nil {
		return errNothing
	}
	switch o.Kind {
	case driver.AddTable, driver.DeleteTable:
		b.tableOp(i, o)
	case driver.AddChain, driver.UpdateChain, driver.DeleteChain, driver.FlushChain, driver.RenameChain:
		if o.Chain == nil {
			return errNothing
		}
		b.chainOp(i, o)
	case driver.AddRule, driver.ReplaceRule, driver.DeleteRule:
		if o.Chain == nil || o.Rule == nil {
			return errNothing
		}
		b.ruleOp(i, o)
	case driver.AddSet, driver.AddElements, driver.DeleteElements, driver.DeleteSet:
		if o.Set == nil || o.Set.Name == "" {
			return errNothing
		}
		b.setOp(i, o)
	default:
		return errNothing
	}
	return b.w.err
}

func (b *Batch) tableOp(i int, o *driver.Op) {
	if o.Kind == driver.AddTable {
		at := b.begin(i, NewTable, flagCreate, o.Table.Family)
		b.w.table(o.Table)
		b.w.end(at)
		return
	}
	at := b.begin(i, DelTable, 0, o.Table.Family)
	b.w.str(tableName, o.Table.Name)
	b.w.end(at)
}

func (b *Batch) chainOp(i int, o *driver.Op) {
	w, f := &b.w, o.Table.Family
	var at int
	switch o.Kind {
	case driver.AddChain:
		at = b.begin(i, NewChain, flagCreate|flagExcl, f)
		w.chain(o.Table.Name, o.Chain)
	case driver.UpdateChain:
		at = b.begin(i, NewChain, 0, f)
		w.chainUpdate(o.Table.Name, o.Chain)
	case driver.RenameChain:
		at = b.begin(i, NewChain, 0, f)
		w.str(chainTable, o.Table.Name)
		w.u64(chainHandle, o.Chain.Handle)
		w.str(chainName, o.To)
	case driver.DeleteChain:
		at = b.begin(i, DelChain, flagNonRec, f)
		w.str(chainTable, o.Table.Name)
		w.str(chainName, o.Chain.Name)
	case driver.FlushChain:
		at = b.begin(i, DelRule, 0, f)
		w.str(ruleTable, o.Table.Name)
		w.str(ruleChain, o.Chain.Name)
	}
	w.end(at)
}

func (b *Batch) ruleOp(i int, o *driver.Op) {
	w := &b.w
	typ, flags := uint16(NewRule), uint16(flagCreate)
	switch {
	case o.Kind == driver.DeleteRule:
		typ, flags = DelRule, 0
	case o.Kind == driver.ReplaceRule:
		flags |= flagReplace
	case o.Before == 0:
		flags |= flagAppend
	}
	first := b.sets + 1
	if typ == NewRule {
		b.ownSets(i, o)
	}
	w.set = first
	at := b.begin(i, typ, flags, o.Table.Family)
	w.str(ruleTable, o.Table.Name)
	w.str(ruleChain, o.Chain.Name)
	if o.Kind != driver.AddRule {
		w.u64(ruleHandle, o.Rule.Handle)
	} else if o.Before != 0 {
		w.u64(rulePosition, o.Before)
	}
	if typ == NewRule {
		w.rule(o.Rule)
	}
	w.end(at)
}

// ownSets makes and fills the sets that a rule brings.
func (b *Batch) ownSets(i int, o *driver.Op) {
	for _, e := range o.Rule.Exprs {
		l, ok := e.(program.Lookup)
		if !ok || l.Name != "" {
			continue
		}
		s := SetOf("", l.Const)
		b.addSet(i, o.Table, s)
		b.elements(i, NewElements, o.Table, s, b.sets)
	}
}

func (b *Batch) addSet(i int, t *program.Table, s *program.Set) {
	b.sets++
	at := b.begin(i, NewSet, flagCreate|flagExcl, t.Family)
	b.w.newSet(t.Name, s, b.sets)
	b.w.end(at)
}

func (b *Batch) setOp(i int, o *driver.Op) {
	switch o.Kind {
	case driver.AddSet:
		b.made[setKey{o.Table.Family, o.Table.Name, o.Set.Name}] = o.Set
		b.addSet(i, o.Table, o.Set)
	case driver.AddElements:
		b.elements(i, NewElements, o.Table, b.described(o), 0)
	case driver.DeleteElements:
		b.elements(i, DelElements, o.Table, b.described(o), 0)
	case driver.DeleteSet:
		at := b.begin(i, DelSet, 0, o.Table.Family)
		b.w.str(setTable, o.Table.Name)
		b.w.str(setName, o.Set.Name)
		b.w.end(at)
	}
}

// described is an operation's set with what it is, where the operation only
// names it and its elements: as this batch made it, or as the caller said.
func (b *Batch) described(o *driver.Op) *program.Set {
	if o.Set.KeyLen != 0 {
		return o.Set
	}
	s := b.made[setKey{o.Table.Family, o.Table.Name, o.Set.Name}]
	if s == nil && b.find != nil {
		s = b.find(o.Table, o.Set.Name)
	}
	if s == nil {
		return o.Set
	}
	d := *s
	d.Elements = o.Set.Elements
	return &d
}

// elements writes a set's elements, in as many messages as they need. An id
// other than 0 is the number of a set without a name.
func (b *Batch) elements(i int, typ uint16, t *program.Table, s *program.Set, id uint32) {
	w := &b.w
	flags := uint16(0)
	if typ == NewElements {
		flags = flagCreate
	}
	for k := 0; k < len(s.Elements); {
		at := b.begin(i, typ, flags, t.Family)
		b.msgs[len(b.msgs)-1].element = k
		w.str(elemListTable, t.Name)
		if id != 0 {
			w.str(elemListSet, anonymousName)
			w.u32(elemListSetID, id)
		} else {
			w.str(elemListSet, s.Name)
		}
		list, turn := w.open(elemListElements), turner(s)
		for ; k < len(s.Elements) && len(w.b)-list < elementBytes; k++ {
			w.element(s, turn, &s.Elements[k])
		}
		w.done(list)
		w.end(at)
	}
}
