package staging

import (
	"crypto/rand"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
)

// The names of the tables, behind the owner's and before the token, and of the
// sets.
const (
	middleJournal = "-stage-"
	middleLock    = "-live-"
	setStaged     = "staged"
	setSwept      = "swept"
)

// tokenLen is how many bytes make the tokens of two changes differ.
const tokenLen = 8

// Journal is what a change has made so far that is not in force, or left.
type Journal struct {
	Owner, Token  string
	Pending       bool // the switch is still to come
	Live          bool // whoever makes the change holds the lock
	Staged, Swept List
}

// New is the journal of a change. It is pending where anything is staged.
func New(owner string, staged, swept List) Journal {
	var b [tokenLen]byte
	_, _ = rand.Read(b[:]) // never fails
	return Journal{Owner: owner, Token: hex.EncodeToString(b[:]), Pending: !staged.Empty(), Staged: staged, Swept: swept}
}

// Is says whether a table is an owner's journal or lock, by its name.
func Is(owner, name string) bool {
	_, journal := token(owner, middleJournal, name)
	_, lock := token(owner, middleLock, name)
	return journal || lock
}

func token(owner, middle, name string) (string, bool) {
	t, ok := strings.CutPrefix(name, owner+middle)
	_, err := hex.DecodeString(t)
	return t, ok && len(t) == 2*tokenLen && err == nil
}

// table is the journal without its sets.
func (j Journal) table() *program.Table {
	return &program.Table{Family: program.IP, Name: j.Owner + middleJournal + j.Token, UserData: userdata.Table{Owner: j.Owner}.String()}
}

// Lock is the lock's table.
func (j Journal) Lock() *program.Table {
	t := j.table()
	t.Name = j.Owner + middleLock + j.Token
	return t
}

// Begin are the operations that write the journal.
func (j Journal) Begin() []driver.Op {
	t := j.table()
	out := []driver.Op{{Kind: driver.AddTable, Table: t}}
	if j.Pending {
		out = append(out, write(t, setStaged, j.Staged)...)
	}
	if !j.Swept.Empty() {
		out = append(out, write(t, setSwept, j.Swept)...)
	}
	return out
}

// elementsEach is how many elements one operation adds.
const elementsEach = 512

// write makes and fills a set.
func write(t *program.Table, name string, l List) []driver.Op {
	lines := l.lines()
	s := &program.Set{Name: name, KeyType: uint32(program.TypeMark), KeyLen: 4, Host: true, Size: uint32(max(len(lines), 1))}
	out := []driver.Op{{Kind: driver.AddSet, Table: t, Set: s}}
	n := uint32(0)
	for part := range slices.Chunk(lines, elementsEach) {
		with := *s
		for _, line := range part {
			with.Elements = append(with.Elements, program.Element{Key: program.Host32(n).Data, UserData: userdata.ElementComment(line)})
			n++
		}
		out = append(out, driver.Op{Kind: driver.AddElements, Table: t, Set: &with})
	}
	return out
}

// Turn are the operations that say, as a part of the switch, that what is staged
// is in force.
func (j Journal) Turn() []driver.Op {
	switch {
	case !j.Pending:
		return nil
	case j.Swept.Empty():
		return j.delete()
	}
	return []driver.Op{{Kind: driver.DeleteSet, Table: j.table(), Set: &program.Set{Name: setStaged}}}
}

// End are the operations that go with the last of what is swept.
func (j Journal) End() []driver.Op {
	if j.Swept.Empty() {
		return nil
	}
	return j.delete()
}

func (j Journal) delete() []driver.Op {
	return []driver.Op{{Kind: driver.DeleteTable, Table: j.table()}}
}

// Turned is the journal after the switch.
func (j Journal) Turned() Journal {
	j.Pending = false
	return j
}

// Read finds an owner's journals in what was read of one generation.
func Read(p *program.Program, owner string) []Journal {
	var out []Journal
	live := map[string]bool{}
	for _, t := range p.Tables {
		if ud, ok, _ := userdata.DecodeTable(t.UserData); !ok || ud.Owner != owner {
			continue
		}
		if tok, ok := token(owner, middleLock, t.Name); ok && t.Flags&program.TableOwned != 0 {
			live[tok] = true
		}
		tok, ok := token(owner, middleJournal, t.Name)
		if !ok || t.Family != program.IP {
			continue
		}
		j := Journal{Owner: owner, Token: tok, Staged: newList(), Swept: newList()}
		if s := t.Set(setStaged); s != nil {
			j.Pending, j.Staged = true, read(s)
		}
		if s := t.Set(setSwept); s != nil {
			j.Swept = read(s)
		}
		out = append(out, j)
	}
	for i := range out {
		out[i].Live = live[out[i].Token]
	}
	return out
}

func read(s *program.Set) List {
	l := newList()
	for _, e := range s.Elements {
		l.parse(userdata.CommentOf(e.UserData))
	}
	return l
}

// now is what is there and does not belong to the ruleset.
func (j Journal) now() List {
	if j.Pending {
		return j.Staged
	}
	l := j.Swept
	l.Renamed = nil
	return l
}

// Names says whether operations would make, or move, what the journal names.
func (j Journal) Names(batches ...[]driver.Op) bool {
	return j.Staged.Names(batches...) && j.Pending || j.Swept.Names(batches...) && !j.Pending
}

// Undo are the operations that take away what does not belong to the ruleset, and
// the journal last. p is what was read.
func (j Journal) Undo(p *program.Program) []driver.Op {
	var out []driver.Op
	l := j.now()
	for _, t := range p.Tables {
		out = append(out, l.undo(t)...)
	}
	if t := j.table(); p.Table(t.Family, t.Name) != nil {
		out = append(out, j.delete()...)
	}
	return out
}

func (l List) undo(t *program.Table) []driver.Op {
	named := &program.Table{Family: t.Family, Name: t.Name}
	x := l.of(t)
	if x.whole {
		return []driver.Op{{Kind: driver.DeleteTable, Table: named}}
	}
	var flush, sets, chains, back []driver.Op
	for _, c := range t.Chains {
		if !x.chains[c.Name] {
			continue
		}
		op := driver.Op{Table: named, Chain: &program.Chain{Name: c.Name, Handle: c.Handle}}
		if op.Kind = driver.FlushChain; len(c.Rules) > 0 {
			flush = append(flush, op)
		}
		op.Kind = driver.DeleteChain
		chains = append(chains, op)
	}
	for _, s := range t.Sets {
		if x.sets[s.Name] {
			sets = append(sets, driver.Op{Kind: driver.DeleteSet, Table: named, Set: &program.Set{Name: s.Name, Handle: s.Handle}})
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(l.Renamed), compareKeys) {
		was := l.Renamed[key]
		c, other := t.Chain(key.Name), t.Chain(was)
		if key.Family == t.Family && key.Table == t.Name && c != nil && (other == nil || x.chains[was]) {
			back = append(back, driver.Op{Kind: driver.RenameChain, Table: named, Chain: c, To: was})
		}
	}
	return slices.Concat(flush, sets, chains, back)
}

func compareKeys(a, b Key) int { return strings.Compare(a.Table+" "+a.Name, b.Table+" "+b.Name) }
