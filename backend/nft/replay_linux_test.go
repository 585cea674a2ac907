package nft

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/replay"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Whoever replays what he sees has what he would read.
func TestReplayIsReading(t *testing.T) {
	host := labtest.Host(t)
	k := connect(t, host)
	fw, err := backend.New(backend.Config{Owner: "replay"}, connect(t, host))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w, err := k.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	foreign := oracle.Nft(t, host)
	now := readAll(t, k)
	r := rand.New(rand.NewPCG(7, 7))
	missed := 0
	for i := range 60 {
		what := "apply"
		if i%6 == 5 {
			what = foreignEdits[r.IntN(len(foreignEdits))]
			foreign.Load(what) // which may be refused
		} else if err := fw.Apply(ctx, randomRuleset(r)); err != nil {
			t.Fatal(err)
		}
		p := now.Program
		for {
			seen, ok, err := w.Poll()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			if p, _, ok = replay.Apply(p, seen); !ok {
				missed++
				p = nil
				break
			}
		}
		now = readAll(t, k)
		for ok := true; ok && p == nil; { // what was left of it
			_, ok, _ = w.Poll()
		}
		if p != nil && dump(p) != dump(now.Program) {
			t.Fatalf("step %d, %s: replayed\n%s\nread\n%s", i, what, dump(p), dump(now.Program))
		}
	}
	if missed > 20 {
		t.Errorf("%d of 60 times it had to be read", missed)
	}
}

var foreignEdits = []string{
	"add table ip other\nadd chain ip other c\nadd rule ip other c tcp dport { 25, 80 } accept\nadd rule ip other c tcp dport 22 drop",
	"insert rule ip other c ip saddr 192.0.2.0/24 drop\ninsert rule ip other c index 1 accept",
	"add set ip other s { type ipv4_addr; flags interval; }\nadd element ip other s { 192.0.2.0/24, 198.51.100.1 }",
	"delete element ip other s { 198.51.100.1 }",
	"flush chain ip other c", "delete table ip other",
	"rename chain ip other c d", "add chain ip other c",
}

func readAll(t *testing.T, k *kernel) *driver.State {
	t.Helper()
	got, err := k.Read(t.Context(), driver.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// dump is a program as text, counts and use left out.
func dump(p *program.Program) string {
	var b strings.Builder
	for _, t := range p.Tables {
		fmt.Fprintf(&b, "table %v %s %d %x\n", t.Family, t.Name, t.Flags, t.UserData)
		for _, s := range t.Sets {
			elems := map[string]bool{}
			for _, e := range s.Elements {
				elems[fmt.Sprintf("%x-%x %t", e.Key, e.KeyEnd, e.End)] = true
			}
			fmt.Fprintf(&b, " set %s %d %d %v\n", s.Name, s.Handle, s.Flags, elems)
		}
		for _, c := range t.Chains {
			fmt.Fprintf(&b, " chain %s %d %v\n", c.Name, c.Handle, c.Policy)
			for _, r := range c.Rules {
				fmt.Fprintf(&b, "  %d %q\n", r.Handle, r.Key())
			}
		}
	}
	return b.String()
}

// randomRuleset is one of many that have much in common.
func randomRuleset(r *rand.Rand) table.Ruleset {
	var rules []rule.Rule
	for i := range 1 + r.IntN(900) { // paged or not
		switch r.IntN(12) {
		case 0:
		case 1:
			rules = append(rules, rule.Accept(match.Dports(nf.TCP, uint16(r.IntN(3)), 80, 443)))
		case 2:
			rules = append(rules, rule.Accept(match.Multiport{Proto: nf.UDP, Dports: match.Is(nf.List(nf.PortRange(10, uint16(20+r.IntN(2))), nf.Port(53)))}))
		case 3:
			rules = append(rules, rule.Jump("user"))
		default:
			rules = append(rules, rule.Drop(match.Source(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}))))
		}
	}
	chains := []chain.Chain{chain.BuiltIn(chain.Input, chain.Policy(1+r.IntN(2)), rules...), chain.New("user", rule.Return())}
	if r.IntN(2) == 0 {
		chains = append(chains, chain.New("more", rule.Count(match.In("lo"))))
	}
	return table.NewRuleset(table.New(table.Filter, chains...))
}
