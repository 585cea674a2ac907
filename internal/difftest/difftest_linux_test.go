package difftest

import (
	"flag"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// The seed and number of rules of every day.
const (
	usualSeed  = 1
	usualRules = 20000
)

var (
	seed  = flag.Uint64("difftest.seed", usualSeed, "seed of the rules")
	rules = flag.Int("difftest.rules", usualRules, "how many rules, at least")
	shown = flag.Int("difftest.shown", 20, "how many differences of a peer are shown")
)

// batch is how many lines are restored at once.
const batch = 250

func TestAgainstIPTables(t *testing.T) {
	text, err := os.ReadFile("testdata/differences.txt")
	if err != nil {
		t.Fatal(err)
	}
	known, err := ParseDifferences(string(text))
	if err != nil {
		t.Fatal("testdata/differences.txt: ", err)
	}
	t.Logf("seed %d", *seed)
	lines := map[nf.Family][]trial{}
	add := func(l Line) {
		ours, err := Ours(l)
		lines[l.Family] = append(lines[l.Family], trial{Line: l, ours: ours, err: err})
	}
	for _, d := range known {
		add(d.Example)
	}
	for g, n := New(*seed), 0; n < *rules; n++ {
		add(g.Line())
	}
	var mu sync.Mutex
	used := map[*Difference]int{}
	t.Run("peers", func(t *testing.T) {
		for _, p := range []Peer{{false, nf.IPv4}, {true, nf.IPv4}, {false, nf.IPv6}, {true, nf.IPv6}} {
			t.Run(p.String(), func(t *testing.T) {
				t.Parallel()
				c := comparison{t: t, peer: p, known: known, used: map[*Difference]int{}}
				c.run(slices.Clone(lines[p.Family]))
				mu.Lock()
				defer mu.Unlock()
				for d, n := range c.used {
					used[d] += n
				}
			})
		}
	})
	for _, d := range known {
		t.Logf("testdata/differences.txt:%d: %d times: %s", d.Line, used[d], d.Reason)
	}
}

// comparison is what we make of lines beside what a peer does.
type comparison struct {
	t           *testing.T
	peer        Peer
	known       []*Difference
	used        map[*Difference]int
	differences int
}

func (c *comparison) run(lines []trial) {
	r := newReal(c.t, c.peer)
	tables := map[string][]*trial{}
	ours := 0
	for i := range lines {
		l := &lines[i]
		l.suspect = slices.ContainsFunc(c.known, func(d *Difference) bool { return d.Concerns(c.peer, Refuses, l.Line, l.ours...) })
		tables[l.Table] = append(tables[l.Table], l)
		if l.err == nil {
			ours++
		}
	}
	for _, ls := range tables {
		for part := range slices.Chunk(ls, batch) {
			r.judge(part)
		}
	}
	for _, d := range c.known {
		if d.Example.Family == c.peer.Family && d.Peer.MatchString(c.peer.String()) {
			c.shows(d, lines)
		}
	}
	both := 0
	for i := range lines {
		c.compare(&lines[i])
		if lines[i].err == nil && !lines[i].refused {
			both++
		}
	}
	c.t.Logf("%d rules: we accept %d, both %d; %d differences", len(lines), ours, both, c.differences)
}

// shows wants the example of a difference to be one.
func (c *comparison) shows(d *Difference, lines []trial) {
	i := slices.IndexFunc(lines, func(l trial) bool { return l.Line == d.Example })
	l := &lines[i]
	is := false
	switch d.Kind {
	case Accepts:
		is = l.err != nil && !l.refused && d.Explains(c.peer, Accepts, l.Line, l.err.Error())
	case Refuses:
		is = l.err == nil && l.refused && d.Explains(c.peer, Refuses, l.Line, l.message)
	case Saves:
		is = l.err == nil && !l.refused && !slices.Equal(l.ours, l.theirs) && c.makesAlike(d, l)
	}
	if !is {
		c.t.Errorf("testdata/differences.txt:%d: the example is none: %v\n  we save   %q, %v\n  it saves  %q %s",
			d.Line, l.Line, l.ours, l.err, l.theirs, l.message)
	}
}

// makesAlike says whether an entry has to do with why a line's texts differ.
func (c *comparison) makesAlike(d *Difference, l *trial) bool {
	for i := range min(len(l.ours), len(l.theirs)) {
		if a, b := d.Apply(l.ours[i]), d.Apply(l.theirs[i]); a == b {
			return true
		}
	}
	return false
}

// compare says where the peer differs from us, if nothing in the list does.
func (c *comparison) compare(l *trial) {
	switch {
	case l.err != nil && l.refused:
	case l.err != nil:
		if !c.explained(l, Accepts, l.err.Error()) {
			c.differs("%v\n  we refuse: %v", l.Line, l.err)
		}
	case l.refused:
		if !c.explained(l, Refuses, l.message) {
			c.differs("%v\n  it refuses: %s", l.Line, l.message)
		}
	case !slices.Equal(l.ours, l.theirs) && !c.rewritten(l):
		c.differs("%v\n  we save   %q\n  it saves  %q", l.Line, l.ours, l.theirs)
	}
}

func (c *comparison) explained(l *trial, kind Kind, message string) bool {
	for _, d := range c.known {
		if d.Explains(c.peer, kind, l.Line, message, l.ours...) {
			c.used[d]++
			return true
		}
	}
	return false
}

// rewritten says whether the list makes the texts the same.
func (c *comparison) rewritten(l *trial) bool {
	if len(l.ours) != len(l.theirs) {
		return false
	}
	ours, theirs := slices.Clone(l.ours), slices.Clone(l.theirs)
	var did []*Difference
	for _, d := range c.known {
		if !d.Concerns(c.peer, Saves, l.Line, l.ours...) {
			continue
		}
		for i := range ours {
			a, b := d.Apply(ours[i]), d.Apply(theirs[i])
			if (a == b) != (ours[i] == theirs[i]) || len(a)-len(b) != len(ours[i])-len(theirs[i]) {
				did = append(did, d)
			}
			ours[i], theirs[i] = a, b
		}
	}
	if !slices.Equal(ours, theirs) {
		return false
	}
	for _, d := range did {
		c.used[d]++
	}
	return true
}

func (c *comparison) differs(format string, args ...any) {
	c.differences++
	if c.differences <= *shown {
		c.t.Errorf(format, args...)
	} else if c.differences == *shown+1 {
		c.t.Errorf("more are not shown")
	}
}
