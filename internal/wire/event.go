package wire

import (
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// NFTA_GEN_*: who committed.
const (
	genPID     = 2
	genCommand = 3
)

// DecodeCommit reads the event that ends a commit: the generation that it made,
// and the process.
func DecodeCommit(m Message) (s driver.Seen, err error) {
	var f fields
	if err := m.parse(&f); err != nil {
		return s, err
	}
	if len(f[genID]) != 4 {
		return s, ErrShort
	}
	return driver.Seen{Generation: f.u32(genID), PID: int(f.u32(genPID)), Command: f.str(genCommand)}, nil
}

// eventKinds are the kinds of event by message type.
var eventKinds = map[uint16]driver.OpKind{
	NewTable: driver.AddTable, DelTable: driver.DeleteTable,
	NewChain: driver.AddChain, DelChain: driver.DeleteChain,
	NewRule: driver.AddRule, DelRule: driver.DeleteRule,
	NewSet: driver.AddSet, DelSet: driver.DeleteSet,
	NewElements: driver.AddElements, DelElements: driver.DeleteElements,
}

// Event reads one event of a commit; ok is false for messages that are none that
// a driver.Event can say, such as those about objects. set finds the set that
// elements are of; where it knows none there are no elements in the event.
func (d *Decoder) Event(m Message, set func(f program.Family, table, name string) *program.Set) (e driver.Event, ok bool, err error) {
	if e.Kind, ok = eventKinds[m.Type]; !ok {
		return e, false, nil
	}
	var table string
	switch e.Kind {
	case driver.AddTable, driver.DeleteTable:
		e.Table, err = DecodeTable(m)
		return e, err == nil, err
	case driver.AddChain, driver.DeleteChain:
		table, e.Chain, err = DecodeChain(m)
	case driver.AddRule, driver.DeleteRule:
		var chain string
		table, chain, e.Rule, err = d.Rule(m)
		e.Chain = &program.Chain{Name: chain}
		if e.Kind == driver.AddRule {
			if e.Last = m.Flags&flagAppend != 0; !e.Last {
				e.After = position(m)
			}
		}
	case driver.AddSet, driver.DeleteSet:
		table, e.Set, _, err = DecodeSet(m)
	default:
		table, e.Set, err = eventElements(m, set)
	}
	if err != nil {
		return e, false, err
	}
	e.Table = &program.Table{Family: m.Family(), Name: table}
	return e, true, nil
}

// position is the handle of the rule that a rule stands behind.
func position(m Message) uint64 {
	var f fields
	if m.parse(&f) != nil {
		return 0
	}
	return f.u64(rulePosition)
}

// eventElements reads elements of a set that only the caller may know.
func eventElements(m Message, set func(f program.Family, table, name string) *program.Set) (table string, s *program.Set, err error) {
	var f fields
	if err := m.parse(&f); err != nil {
		return "", nil, err
	}
	table, s = f.str(elemListTable), &program.Set{Name: f.str(elemListSet)}
	known := set(m.Family(), table, s.Name)
	if known == nil {
		return table, s, nil
	}
	of := *known
	of.Elements, err = DecodeElements(m, known)
	return table, &of, err
}
