package nft

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

func openFirewall(t *testing.T, host *lab.Host, cfg backend.Config) *backend.Firewall {
	t.Helper()
	fw, err := OpenIn(t.Context(), FD(host.FD()), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fw.Close() })
	return fw
}

// stream pulls events one by one.
type stream struct {
	*testing.T
	next func() (backend.Event, error, bool)
}

func watching(t *testing.T, fw *backend.Firewall) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	next, stop := iter.Pull2(fw.Watch(ctx))
	t.Cleanup(func() { stop(); cancel() })
	return &stream{t, next}
}

func (s *stream) event() backend.Event {
	s.Helper()
	e, err, ok := s.next()
	if err != nil || !ok {
		s.Fatalf("no event: %v", err)
	}
	return e
}

// saw wants these changes from the next commit.
func (s *stream) saw(own bool, want ...string) {
	s.Helper()
	e := s.event()
	var got []string
	for _, c := range e.Changes {
		got = append(got, c.String())
	}
	if e.Resync != nil || e.Own != own || e.PID == 0 || e.Command == "" || !slices.Equal(got, want) {
		s.Errorf("saw %q (own %t, by %d %s, a new start %t), want %q, own %t", got, e.Own, e.PID, e.Command, e.Resync != nil, want, own)
	}
}

func ssh(port uint16) rule.Rule { return rule.Accept(match.Dport(nf.TCP, port)) }

// A watcher is told what we, another of our kind and nft do, in the words of each.
func TestWatchTellsWhatEachDid(t *testing.T) {
	host := labtest.Host(t)
	fw, other := openFirewall(t, host, backend.Config{Owner: "a"}), openFirewall(t, host, backend.Config{Owner: "a"})
	s := watching(t, fw)
	if e := s.event(); e.Resync == nil || e.Resync.Ours().String() != "" {
		t.Fatalf("%+v, want an empty start", e)
	}
	input := func(rs ...rule.Rule) table.Ruleset {
		return table.NewRuleset(table.New(table.Filter, chain.BuiltIn(chain.Input, chain.Drop, rs...)))
	}
	apply := func(fw *backend.Firewall, rs table.Ruleset) {
		t.Helper()
		if err := fw.Apply(t.Context(), rs); err != nil {
			t.Fatal(err)
		}
	}
	apply(fw, input(ssh(22), ssh(80)))
	s.saw(true, "+ filter :INPUT DROP", "+ filter INPUT 1: -p tcp -m tcp --dport 22 -j ACCEPT", "+ filter INPUT 2: -p tcp -m tcp --dport 80 -j ACCEPT")
	apply(other, input(ssh(22), ssh(25), ssh(80)))
	s.saw(false, "+ filter INPUT 2: -p tcp -m tcp --dport 25 -j ACCEPT")
	nft := oracle.Nft(t, host)
	load := func(text string) {
		t.Helper()
		if r := nft.Load(text); r.Exit != 0 {
			t.Fatal(r.Stderr)
		}
	}
	load("add table ip x; add chain ip x y { type filter hook input priority 5; policy drop; }; add rule ip x y ip saddr 192.0.2.1 drop; add rule ip x y accept")
	s.saw(false, "+ ip x", "+ ip x :y DROP", "+ ip x y 1: -s 192.0.2.1/32 -j DROP", "+ ip x y 2: -j ACCEPT")
	load("insert rule ip x y drop; flush chain inet a-filter INPUT")
	s.saw(false,
		"- filter INPUT 1: -p tcp -m tcp --dport 22 -j ACCEPT", "- filter INPUT 2: -p tcp -m tcp --dport 25 -j ACCEPT",
		"- filter INPUT 3: -p tcp -m tcp --dport 80 -j ACCEPT", "+ ip x y 1: -j DROP")
	load("delete table ip x")
	s.saw(false, "- ip x")
	if err := fw.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.saw(true, "- filter")
}

// A watcher that does not keep up is told to start anew, and goes on.
func TestWatchStartsAnewAfterLostMessages(t *testing.T) {
	host := labtest.Host(t)
	k := connect(t, host)
	k.watching = 64 << 10
	fw, err := backend.New(backend.Config{Owner: "a"}, k)
	if err != nil {
		t.Fatal(err)
	}
	s := watching(t, fw)
	s.event()
	var many []rule.Rule
	for i := range 3_000 {
		many = append(many, ssh(uint16(i)))
	}
	for i := range 3 {
		rs := table.NewRuleset(table.New(table.Filter, chain.BuiltIn(chain.Input, chain.Drop, many[i:]...)))
		if err := fw.Remove(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := fw.Apply(t.Context(), rs); err != nil {
			t.Fatal(err)
		}
	}
	last := 0
	for last == 0 {
		if e := s.event(); e.Resync != nil {
			tab, _ := e.Resync.Ours().Table(table.Filter)
			c, _ := tab.Chain(chain.Input)
			last = c.Len()
		}
	}
	if last != len(many)-2 {
		t.Errorf("the new start has %d rules, want %d", last, len(many)-2)
	}
	if err := fw.Edit(t.Context(), func(e *backend.Edit) error {
		e.Chain(table.Filter, chain.Input).Append(rule.Drop())
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s.saw(true, "+ filter INPUT 2999: -j DROP")
}

// Hold puts a ruleset back that others take away, and says how long it was gone.
func TestHold(t *testing.T) {
	host := labtest.Host(t)
	fw := openFirewall(t, host, backend.Config{Owner: "held"})
	want := table.NewRuleset(table.New(table.Filter, chain.BuiltIn(chain.Input, chain.Drop, ssh(22), ssh(25))))
	repaired := make(chan backend.Event)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- fw.Hold(ctx, want, func(e backend.Event) { repaired <- e })
	}()
	reader := openFirewall(t, host, backend.Config{Owner: "held"})
	nft := oracle.Nft(t, host)
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		if rs, err := reader.Read(t.Context()); err == nil && rs.String() == want.String() {
			break
		}
		if time.Since(start) > 5*time.Second {
			t.Fatal("Hold does not begin with what it holds")
		}
	}
	var took time.Duration
	for _, text := range []string{
		"flush chain inet held-filter INPUT", "delete table inet held-filter",
		"insert rule inet held-filter INPUT accept",
		"add chain inet held-filter INPUT { policy accept; }",
	} {
		gone := time.Now()
		if r := nft.Load(text); r.Exit != 0 {
			t.Fatal(r.Stderr)
		}
		select {
		case e := <-repaired:
			if took += time.Since(gone); e.Command != "nft" && e.Resync == nil {
				t.Errorf("%s: repaired what %s did", text, e.Command)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("not repaired: %s", text)
		}
		if plan, err := reader.Plan(t.Context(), want); err != nil || !plan.Empty() {
			t.Errorf("%s: after the repair:\n%v, %v", text, plan, err)
		}
	}
	t.Logf("back %v after nft was started, on average", took/4)
	// What others do in their own tables is none of its business.
	if r := nft.Load("add table ip x"); r.Exit != 0 {
		t.Fatal(r.Stderr)
	}
	select {
	case e := <-repaired:
		t.Errorf("repaired what was not broken: %v", e.Changes)
	case <-time.After(50 * time.Millisecond):
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
