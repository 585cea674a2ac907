package sim

import (
	"slices"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// commit is the state after the operations, or why there is none. As in the
// kernel each operation sees what those before it did, and one that is refused
// does not stop the ones after it from being tried: all refusals are reported.
func (s *state) commit(ops []driver.Op) (*state, []driver.Failure) {
	x := s.begin()
	var failures []driver.Failure
	for i, op := range ops {
		if r := x.do(op); r != nil {
			failures = append(failures, r.failure(i))
		}
	}
	if len(failures) > 0 {
		return nil, failures
	}
	if !x.sound() {
		return nil, s.blame(ops)
	}
	return x.end(s), nil
}

// blame finds the operation that made a graph unsound, by doing all of them
// again and looking after each, which is how the kernel finds it.
func (s *state) blame(ops []driver.Op) []driver.Failure {
	x := s.begin()
	for i, op := range ops {
		if r := x.do(op); r != nil {
			return []driver.Failure{r.failure(i)}
		}
		if !x.sound() {
			return []driver.Failure{refuse(errDepth).failure(i)}
		}
		for t := range x.own {
			t.jumps = false // seen
		}
	}
	return []driver.Failure{refuse(errDepth).failure(-1)}
}

// transaction is a state in the making.
type transaction struct {
	tables  []*table
	own     map[*table]bool
	handles uint64
	uptime  time.Duration
	changed bool
	owner   bool // of tables that nobody else may change
}

func (s *state) begin() *transaction {
	return &transaction{tables: slices.Clone(s.tables), own: map[*table]bool{}, handles: s.handles, uptime: s.uptime}
}

// end makes a state of it. A transaction that changed nothing leaves the
// generation where it was.
func (x *transaction) end(s *state) *state {
	if !x.changed {
		return s
	}
	for t := range x.own {
		t.settle()
	}
	next := &state{generation: s.generation + 1, tables: x.tables, handles: x.handles, uptime: s.uptime}
	if next.generation == 0 { // the kernel leaves it out: 0 is "whatever it is"
		next.generation = 1
	}
	return next
}

// sound says whether every graph that got a jump may be.
func (x *transaction) sound() bool {
	for t := range x.own {
		if t.jumps && !t.sound() {
			return false
		}
	}
	return true
}

// do does one operation.
func (x *transaction) do(op driver.Op) *refusal {
	if op.Table == nil {
		return refuse(errWrong)
	}
	if i := x.index(op.Table); i >= 0 && x.tables[i].Flags&program.TableOwned != 0 && !x.owner {
		return refuse(errOwned)
	}
	switch op.Kind {
	case driver.AddTable:
		return x.addTable(op.Table)
	case driver.DeleteTable:
		return x.deleteTable(op.Table)
	}
	t := x.table(op.Table)
	if t == nil {
		return refuse(errMissing)
	}
	var r *refusal
	var changed bool
	switch op.Kind {
	case driver.AddChain, driver.UpdateChain, driver.DeleteChain, driver.FlushChain, driver.RenameChain:
		changed, r = t.chainOp(op)
	case driver.AddRule, driver.ReplaceRule, driver.DeleteRule:
		changed, r = true, t.ruleOp(op)
	case driver.AddSet, driver.AddElements, driver.DeleteElements, driver.DeleteSet:
		changed, r = t.setOp(op, x.uptime)
	default:
		return refuse(errWrong)
	}
	x.changed = x.changed || changed
	return r
}

// table is the transaction's own copy of a table; nil if there is none.
func (x *transaction) table(named *program.Table) *table {
	i := x.index(named)
	if i < 0 {
		return nil
	}
	if !x.own[x.tables[i]] {
		x.tables[i] = x.tables[i].clone()
		x.own[x.tables[i]] = true
	}
	return x.tables[i]
}

func (x *transaction) index(named *program.Table) int {
	return slices.IndexFunc(x.tables, func(t *table) bool {
		return t.Family == named.Family && t.Name == named.Name
	})
}

// addTable makes a table; one that is there stays as it is.
func (x *transaction) addTable(as *program.Table) *refusal {
	if as.Name == "" || len(as.UserData) > maxUserData {
		return refuse(errWrong)
	}
	if x.index(as) >= 0 {
		return nil
	}
	x.handles++
	t := &table{
		Table: program.Table{
			Family: as.Family, Name: as.Name, UserData: as.UserData, Flags: as.Flags, Handle: x.handles,
		},
		chainNamed: map[string]*chain{}, setNamed: map[string]*set{},
	}
	x.tables = append(x.tables, t)
	x.own[t], x.changed = true, true
	return nil
}

func (x *transaction) deleteTable(named *program.Table) *refusal {
	i := x.index(named)
	if i < 0 {
		return refuse(errMissing)
	}
	delete(x.own, x.tables[i])
	x.tables = slices.Delete(x.tables, i, i+1)
	x.changed = true
	return nil
}

// settle does what waits for the end: dead rules go, chains get their names.
func (t *table) settle() {
	for _, c := range t.chains {
		if c.holes {
			c.rules = slices.DeleteFunc(c.rules, func(s slot) bool { return s.dead })
			c.holes = false
		}
	}
	if len(t.renamed) > 0 {
		t.rename()
	}
	t.renamed, t.jumps = nil, false
}
