package iptables_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os/exec"
	"reflect"
	"testing"

	original "github.com/coreos/go-iptables/iptables"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/iptables"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
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
	if err := x.Append("filter", "INPUT", "-p", "tcp", "--dport", "65536"); !errors.As(err, &e) || e.ExitStatus() != 2 || e.IsNotExist() {
		t.Errorf("a port that is none: %v", err)
	}
}
