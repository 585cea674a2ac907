package iptables_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	original "github.com/coreos/go-iptables/iptables"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/iptables"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/backend/sim"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// methods are those of the original whose types are the same in both.
type methods interface {
	Exists(table, chain string, rulespec ...string) (bool, error)
	Insert(table, chain string, pos int, rulespec ...string) error
	InsertUnique(table, chain string, pos int, rulespec ...string) error
	Replace(table, chain string, pos int, rulespec ...string) error
	Append(table, chain string, rulespec ...string) error
	AppendUnique(table, chain string, rulespec ...string) error
	Delete(table, chain string, rulespec ...string) error
	DeleteIfExists(table, chain string, rulespec ...string) error
	DeleteById(table, chain string, id int) error
	ListById(table, chain string, id int) (string, error)
	List(table, chain string) ([]string, error)
	ListWithCounters(table, chain string) ([]string, error)
	ListChains(table string) ([]string, error)
	ChainExists(table, chain string) (bool, error)
	Stats(table, chain string) ([][]string, error)
	NewChain(table, chain string) error
	ClearChain(table, chain string) error
	RenameChain(table, oldChain, newChain string) error
	DeleteChain(table, chain string) error
	ClearAndDeleteChain(table, chain string) error
	ClearAll() error
	DeleteAll() error
	ChangePolicy(table, chain, target string) error
	HasRandomFully() bool
	GetIptablesVersion() (int, int, int)
}

var (
	_ methods = (*original.IPTables)(nil)
	_ methods = (*iptables.IPTables)(nil)
)

// Every exported name of the original is there, with the same fields.
func TestNothingOfTheOriginalIsMissing(t *testing.T) {
	o, x := reflect.TypeOf(&original.IPTables{}), reflect.TypeOf(&iptables.IPTables{})
	for i := range o.NumMethod() {
		name := o.Method(i).Name
		if _, ok := x.MethodByName(name); !ok {
			t.Errorf("there is no method %s", name)
		}
	}
	for _, f := range reflect.VisibleFields(reflect.TypeOf(original.Stat{})) {
		if g, ok := reflect.TypeOf(iptables.Stat{}).FieldByName(f.Name); !ok || g.Type != f.Type || g.Tag != f.Tag {
			t.Errorf("Stat.%s is %v %q, want %v %q", f.Name, g.Type, g.Tag, f.Type, f.Tag)
		}
	}
	if original.ProtocolIPv6 != original.Protocol(iptables.ProtocolIPv6) {
		t.Error("the protocols differ")
	}
	_, _ = iptables.New, iptables.NewWithProtocol
	_ = []any{iptables.IPFamily(iptables.ProtocolIPv6), iptables.Timeout(5), iptables.Path("/sbin/iptables")}
	var e *iptables.Error
	_, _ = e.IsNotExist, e.ExitStatus
}

// pair is the original with a real binary, and ours, each in a host of its own.
type pair struct {
	t            *testing.T
	host         *lab.Host
	real         *original.IPTables
	ours         *iptables.IPTables
	fw           *backend.Firewall
	statuses     bool // exit codes are compared
	asked, fails int
}

func newPair(t *testing.T, binary string, proto iptables.Protocol) *pair {
	t.Helper()
	path, err := exec.LookPath(binary)
	labtest.Require(t, binary, err)
	p := &pair{t: t, host: labtest.Host(t)}
	if p.real, err = original.New(original.Path(path), original.IPFamily(original.Protocol(proto))); err != nil {
		t.Fatal(err)
	}
	p.fw, err = nft.OpenIn(t.Context(), nft.FD(labtest.Host(t).FD()), backend.Config{Owner: backend.Iptables})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.fw.Close() })
	p.ours = iptables.Over(p.fw, proto)
	return p
}

// both runs one call through both and compares what it gives.
func (p *pair) both(name string, call func(m methods) (any, error)) {
	p.t.Helper()
	var want any
	var wantErr error
	if err := p.host.Do(func() error {
		want, wantErr = call(p.real)
		return nil
	}); err != nil {
		p.t.Fatal(err)
	}
	got, err := call(p.ours)
	p.asked++
	if wantErr != nil {
		p.fails++
	}
	switch {
	case (err != nil) != (wantErr != nil):
		p.t.Errorf("%s: the error is %v, the original's %v", name, err, wantErr)
	case err != nil:
		p.sameError(name, err, wantErr)
	case !reflect.DeepEqual(got, want):
		p.t.Errorf("%s:\n%q\nthe original:\n%q", name, got, want)
	}
}

func (p *pair) sameError(name string, err, wantErr error) {
	p.t.Helper()
	var mine *iptables.Error
	var theirs *original.Error
	if !errors.As(err, &mine) || !errors.As(wantErr, &theirs) {
		p.t.Errorf("%s: %T %v, the original's %T %v", name, err, err, wantErr, wantErr)
		return
	}
	// The original tells what is missing by its text, and not for every verb.
	if p.statuses && (mine.ExitStatus() != theirs.ExitStatus() || theirs.IsNotExist() && !mine.IsNotExist()) {
		p.t.Errorf("%s: status %d, not there %t: %v\nthe original: %d, %t: %v", name,
			mine.ExitStatus(), mine.IsNotExist(), mine, theirs.ExitStatus(), theirs.IsNotExist(), theirs)
	}
}

// err drops the result of a call that has none.
func just(err error) (any, error) { return nil, err }

// A random run of calls gives the same through both: the same answers, the same
// failures, the same tables in the end.
func TestAsTheOriginal(t *testing.T) {
	for _, tc := range []struct {
		name, binary string
		proto        iptables.Protocol
	}{
		{"legacy IPv4", "iptables-legacy", iptables.ProtocolIPv4},
		{"nft IPv4", "iptables-nft", iptables.ProtocolIPv4},
		{"legacy IPv6", "ip6tables-legacy", iptables.ProtocolIPv6},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newPair(t, tc.binary, tc.proto)
			p.statuses = tc.binary != "iptables-nft"
			r := rand.New(rand.NewPCG(1, 2))
			for range 250 {
				p.step(r)
				if t.Failed() {
					return
				}
			}
			for _, name := range chains {
				p.both("List "+name, func(m methods) (any, error) { return m.List("filter", name) })
			}
			if p.fails < p.asked/20 || p.fails > p.asked*2/3 {
				t.Errorf("%d of %d calls failed: the test does not try what it should", p.fails, p.asked)
			}
		})
	}
}

var (
	chains = []string{"INPUT", "FORWARD", "A", "B"}
	specs  = [][]string{
		{"-p", "tcp", "--dport", "22", "-j", "ACCEPT"},
		{"-p", "udp", "-m", "multiport", "--dports", "53,67:68", "-j", "DROP"},
		{"-i", "lo", "-j", "ACCEPT"},
		{"-m", "state", "--state", "ESTABLISHED", "-j", "RETURN"},
		{"-m", "comment", "--comment", "two words", "-j", "A"},
		{"-p", "tcp", "--dport", "70000", "-j", "ACCEPT"},
		{"-j", "MISSING"},
	}
)

// step makes one call at random.
func (p *pair) step(r *rand.Rand) {
	p.t.Helper()
	pick := func() string { return chains[r.IntN(len(chains))] }
	c, d, n := pick(), pick(), 1+r.IntN(4)
	spec := specs[r.IntN(len(specs))]
	calls := []struct {
		name string
		call func(m methods) (any, error)
	}{
		{"Append", func(m methods) (any, error) { return just(m.Append("filter", c, spec...)) }},
		{"Append", func(m methods) (any, error) { return just(m.Append("filter", c, spec...)) }},
		{"AppendUnique", func(m methods) (any, error) { return just(m.AppendUnique("filter", c, spec...)) }},
		{"Insert", func(m methods) (any, error) { return just(m.Insert("filter", c, n, spec...)) }},
		{"InsertUnique", func(m methods) (any, error) { return just(m.InsertUnique("filter", c, 1, spec...)) }},
		{"Replace", func(m methods) (any, error) { return just(m.Replace("filter", c, n, spec...)) }},
		{"Exists", func(m methods) (any, error) { return m.Exists("filter", c, spec...) }},
		{"Delete", func(m methods) (any, error) { return just(m.Delete("filter", c, spec...)) }},
		{"DeleteIfExists", func(m methods) (any, error) { return just(m.DeleteIfExists("filter", c, spec...)) }},
		{"DeleteById", func(m methods) (any, error) { return just(m.DeleteById("filter", c, n)) }},
		{"ListById", func(m methods) (any, error) { // the original panics where the rule is not there
			if l, err := m.List("filter", "INPUT"); err != nil || len(l) < 2 {
				return nil, err
			}
			return m.ListById("filter", "INPUT", 1)
		}},
		{"List", func(m methods) (any, error) { return m.List("filter", c) }},
		{"ChainExists", func(m methods) (any, error) { return m.ChainExists("filter", c) }},
		{"NewChain", func(m methods) (any, error) { return just(m.NewChain("filter", c)) }},
		{"ClearChain", func(m methods) (any, error) { return just(m.ClearChain("filter", c)) }},
		{"RenameChain", func(m methods) (any, error) {
			if c == "INPUT" || c == "FORWARD" { // which iptables-nft would rename
				return nil, nil
			}
			return just(m.RenameChain("filter", c, d))
		}},
		{"DeleteChain", func(m methods) (any, error) {
			if !p.statuses && (c == "INPUT" || c == "FORWARD") { // which iptables-nft deletes
				return nil, nil
			}
			return just(m.DeleteChain("filter", c))
		}},
		{"ClearAndDeleteChain", func(m methods) (any, error) {
			if c == "INPUT" || c == "FORWARD" { // which the original flushes, and then cannot delete
				return nil, nil
			}
			return just(m.ClearAndDeleteChain("filter", c))
		}},
		{"ChangePolicy", func(m methods) (any, error) { return just(m.ChangePolicy("filter", c, "DROP")) }},
		{"ClearAll", func(m methods) (any, error) { return just(m.ClearAll()) }},
		{"DeleteAll", func(m methods) (any, error) { return just(m.DeleteAll()) }},
		{"Stats", func(m methods) (any, error) { return m.Stats("filter", c) }},
	}
	x := calls[r.IntN(len(calls))]
	p.both(fmt.Sprintf("%s %s %s %d %v", x.name, c, d, n, spec), x.call)
}

// What cannot be done fails with iptables' own status.
func TestStatuses(t *testing.T) {
	p := newPair(t, "iptables-legacy", iptables.ProtocolIPv4)
	p.statuses = true
	p.both("NewChain", func(m methods) (any, error) { return just(m.NewChain("filter", "A")) })
	p.both("Append", func(m methods) (any, error) { return just(m.Append("filter", "A", "-j", "DROP")) })
	p.both("Append", func(m methods) (any, error) { return just(m.Append("filter", "INPUT", "-j", "A")) })
	for name, call := range map[string]func(m methods) (any, error){
		"no such table":           func(m methods) (any, error) { return m.List("mangel", "INPUT") },
		"a rule in no table":      func(m methods) (any, error) { return just(m.Append("mangel", "INPUT", "-j", "DROP")) },
		"a policy that is none":   func(m methods) (any, error) { return just(m.ChangePolicy("filter", "INPUT", "RETURN")) },
		"a user chain's policy":   func(m methods) (any, error) { return just(m.ChangePolicy("filter", "A", "DROP")) },
		"insert at 0":             func(m methods) (any, error) { return just(m.Insert("filter", "A", 0, "-j", "DROP")) },
		"insert far behind":       func(m methods) (any, error) { return just(m.Insert("filter", "A", 9, "-j", "DROP")) },
		"replace 0":               func(m methods) (any, error) { return just(m.Replace("filter", "A", 0, "-j", "DROP")) },
		"replace far behind":      func(m methods) (any, error) { return just(m.Replace("filter", "A", 9, "-j", "DROP")) },
		"replace one by two":      func(m methods) (any, error) { return just(m.Replace("filter", "A", 1, "-s", "192.0.2.1,192.0.2.2")) },
		"delete 0":                func(m methods) (any, error) { return just(m.DeleteById("filter", "A", 0)) },
		"delete far behind":       func(m methods) (any, error) { return just(m.DeleteById("filter", "A", 9)) },
		"delete INPUT":            func(m methods) (any, error) { return just(m.DeleteChain("filter", "INPUT")) },
		"delete what has rules":   func(m methods) (any, error) { return just(m.DeleteChain("filter", "A")) },
		"make what is there":      func(m methods) (any, error) { return just(m.NewChain("filter", "A")) },
		"make what is built in":   func(m methods) (any, error) { return just(m.NewChain("filter", "INPUT")) },
		"make what has no name":   func(m methods) (any, error) { return just(m.NewChain("filter", "")) },
		"a name that is too long": func(m methods) (any, error) { return just(m.NewChain("filter", strings.Repeat("x", 40))) },
		"rename nothing":          func(m methods) (any, error) { return just(m.RenameChain("filter", "B", "C")) },
		"a rule in no chain":      func(m methods) (any, error) { return just(m.Append("filter", "B", "-j", "DROP")) },
		"a jump to nowhere":       func(m methods) (any, error) { return just(m.Append("filter", "A", "-j", "B")) },
		"a match of nothing":      func(m methods) (any, error) { return just(m.Append("filter", "A", "-m", "nothing")) },
		"an option of nothing":    func(m methods) (any, error) { return just(m.Append("filter", "A", "--nothing")) },
	} {
		p.both(name, call)
	}
	if p.fails != p.asked-3 {
		t.Errorf("%d of %d calls failed", p.fails, p.asked)
	}
}

// While a change is on probation one can look and not touch.
func TestOnProbation(t *testing.T) {
	fw, err := sim.New(sim.Config{}).Open(t.Context(), backend.Config{Owner: backend.Iptables})
	if err != nil {
		t.Fatal(err)
	}
	defer fw.Close()
	drop := rule.Drop(match.Proto(nf.TCP))
	rs := table.NewRuleset(table.New(table.Filter.For(nf.IPv4), chain.BuiltIn(chain.Input, chain.Accept, drop), chain.New("A")))
	if _, err := fw.Try(t.Context(), rs, time.Minute); err != nil {
		t.Fatal(err)
	}
	x := iptables.Over(fw, iptables.ProtocolIPv4)
	for port, want := range map[string]bool{"tcp": true, "udp": false} {
		if ok, err := x.Exists("filter", "INPUT", "-p", port, "-j", "DROP"); ok != want || err != nil {
			t.Errorf("%s: exists %t, %v", port, ok, err)
		}
	}
	if ok, err := x.ChainExists("filter", "A"); !ok || err != nil {
		t.Errorf("the chain exists: %t, %v", ok, err)
	}
	if l, err := x.List("filter", "INPUT"); err != nil || len(l) != 2 {
		t.Errorf("list: %q, %v", l, err)
	}
	var e *iptables.Error
	if err := x.NewChain("filter", "B"); !errors.As(err, &e) || e.ExitStatus() != 4 || !errors.Is(err, backend.ErrOnProbation) {
		t.Errorf("a change: %v", err)
	}
}

// What a rule counted is in each way of listing it.
func TestErrorsAndCounters(t *testing.T) {
	p := newPair(t, "iptables-legacy", iptables.ProtocolIPv4)
	x := p.ours
	if err := x.Append("filter", "INPUT", "-s", "192.0.2.1,192.0.2.2", "-c", "3", "180", "-j", "DROP"); err != nil {
		t.Fatal(err)
	}
	stats, err := x.StructuredStats("filter", "INPUT")
	if err != nil || len(stats) != 2 || stats[1].Packets != 3 || stats[1].Bytes != 180 ||
		stats[1].Target != "DROP" || stats[1].Source.String() != "192.0.2.2/32" {
		t.Errorf("%+v, %v", stats, err)
	}
	var e *iptables.Error
	if err := x.Delete("filter", "MISSING", "-j", "DROP"); !errors.As(err, &e) || !e.IsNotExist() || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a chain that is not there: %v", err)
	}
	if _, err := x.List("mangel", "INPUT"); !errors.As(err, &e) || e.ExitStatus() != 3 {
		t.Errorf("a table that is none: %v", err)
	}
	if err := x.ClearAndDeleteChain("filter", "INPUT"); !errors.As(err, &e) || e.ExitStatus() != 1 {
		t.Errorf("a built-in chain: %v", err)
	}
	if l, err := x.List("filter", "INPUT"); err != nil || len(l) != 3 {
		t.Errorf("after that: %q, %v", l, err)
	}
	if err := x.Append("nat", "PREROUTING", "-j", "MASQUERADE"); !errors.As(err, &e) || e.ExitStatus() != 2 {
		t.Errorf("what the kernel would refuse: %v", err)
	}
	if err := x.Append("filter", "INPUT", "-p", "tcp", "--dport", "65536"); !errors.As(err, &e) || e.ExitStatus() != 2 || e.IsNotExist() {
		t.Errorf("a port that is none: %v", err)
	}
}
