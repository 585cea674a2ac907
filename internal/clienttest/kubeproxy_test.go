package clienttest

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

var masqMark = nf.MarkMask(0x4000, 0x4000)

// service is a cluster address and the endpoints behind it.
type service struct {
	name      string
	proto     nf.Protocol
	vip       netip.AddrPort
	endpoints []netip.AddrPort
}

func (s service) table() table.ID {
	return table.NAT.For(nf.FamilyOf(s.vip.Addr()))
}

func (s service) chain() string {
	h := sha256.Sum256([]byte(s.name))
	return "SVC-" + base32.StdEncoding.EncodeToString(h[:10])
}

// entry sends the service's address to its chain.
func (s service) entry() rule.Rule {
	return rule.Jump(s.chain(), match.Dest(s.vip.Addr()), match.Dport(s.proto, s.vip.Port()))
}

// balance shares the connections out.
func (s service) balance() []rule.Rule {
	var out []rule.Rule
	for i, ep := range s.endpoints {
		to := target.DNATTo(ep)
		proto := match.Proto(s.proto)
		if left := len(s.endpoints) - i; left > 1 {
			out = append(out, rule.New(to, proto, match.Random(1/float64(left))))
		} else {
			out = append(out, rule.New(to, proto))
		}
	}
	if len(out) == 0 {
		return []rule.Rule{rule.Return()} // the filter table rejects it
	}
	return out
}

// proxy is safe for concurrent use.
type proxy struct {
	fw *backend.Firewall
	mu sync.Mutex
	by map[string]service
}

// rules are the whole of it, for the first sync and for repair.
func (p *proxy) rules() table.Ruleset {
	var tables []table.Table
	for _, id := range []table.ID{table.NAT.IPv4(), table.NAT.IPv6()} {
		var entries []rule.Rule
		var chains []chain.Chain
		for _, name := range slices.Sorted(maps.Keys(p.by)) {
			if s := p.by[name]; s.table() == id {
				entries = append(entries, s.entry())
				chains = append(chains, chain.New(s.chain(), s.balance()...))
			}
		}
		tables = append(tables, table.New(id, append(chains,
			chain.BuiltIn(chain.Prerouting, chain.Accept, rule.Jump("SERVICES")),
			chain.BuiltIn(chain.Output, chain.Accept, rule.Jump("SERVICES")),
			chain.BuiltIn(chain.Postrouting, chain.Accept, rule.New(target.Masquerade{NATOptions: target.NATOptions{RandomFully: true}}, match.Marked(masqMark))),
			chain.New("SERVICES", entries...),
		)...))
	}
	return table.NewRuleset(tables...)
}

// sync replaces some services and removes others in one transaction.
func (p *proxy) sync(ctx context.Context, changed []service, gone []string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.fw.Edit(ctx, func(e *backend.Edit) error {
		for _, s := range changed {
			services := e.Chain(s.table(), "SERVICES")
			if old, ok := p.by[s.name]; ok && !old.entry().Equal(s.entry()) {
				e.Chain(old.table(), "SERVICES").Delete(old.entry())
			}
			e.Chain(s.table(), s.chain()).Set(s.balance()...)
			services.AppendUnique(s.entry())
		}
		for _, name := range gone {
			if s, ok := p.by[name]; ok {
				e.Chain(s.table(), "SERVICES").Delete(s.entry())
				e.Chain(s.table(), s.chain()).Remove()
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sync of %d services: %w", len(changed)+len(gone), err)
	}
	for _, s := range changed {
		p.by[s.name] = s
	}
	for _, name := range gone {
		delete(p.by, name)
	}
	return nil
}

const services = 5000

// cluster is 5,000 services, every tenth of them an IPv6 one.
func cluster(fw *backend.Firewall) *proxy {
	p := &proxy{fw: fw, by: map[string]service{}}
	for i := range services {
		at := v4
		if i%10 == 9 {
			at = v6
		}
		name := fmt.Sprint("svc", i)
		p.by[name] = service{name, nf.TCP, at(10, i, 80), []netip.AddrPort{at(11, i, 8080), at(12, i, 8080)}}
	}
	return p
}

func v4(a, i int, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(a), byte(i >> 8), byte(i)}), port)
}

func v6(a, i int, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte{0xfd, byte(a), 14: byte(i >> 8), 15: byte(i)}), port)
}

// An endpoint comes and a service goes among 5,000: what is sent is what
// changed, and every other rule keeps its handle.
func TestKubeproxy(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		ctx := t.Context()
		var commits []backend.Commit
		fw := w.open(t, backend.Config{Owner: "kube-proxy", Observe: func(c backend.Commit) { commits = append(commits, c) }})
		p := cluster(fw)
		rs := p.rules()
		took := time.Now()
		if err := fw.Apply(ctx, rs); err != nil {
			t.Fatal(err)
		}
		t.Logf("apply %v", time.Since(took))
		w.settled(t, fw, rs)
		before := w.list(t)

		s := p.by["svc7"]
		s.endpoints = append(s.endpoints, v4(13, 7, 8080))
		six := p.by["svc19"]
		six.endpoints = six.endpoints[:1]
		took = time.Now()
		if err := p.sync(ctx, []service{s, six}, []string{"svc8"}); err != nil {
			t.Fatal(err)
		}
		t.Logf("sync %v", time.Since(took))
		w.settled(t, fw, p.rules())

		// svc7: 1/2 becomes 1/3, the second rule gets its 1/2, the third comes: at
		// most 3 rules in and 1 out. svc19: 2 out, 1 in. svc8: its entry, its chain.
		last := commits[len(commits)-1]
		if len(commits) != 2 || last.Changes > 10 || last.Conflicts != 0 || last.Took <= 0 {
			t.Errorf("observed %d commits, the last %+v", len(commits), last)
		}
		changed, sample := changedLines(before, w.list(t))
		if changed > 14 {
			t.Errorf("%d lines of the listing changed:\n%s", changed, strings.Join(sample, "\n"))
		}
		if _, there := tableOf(t, fw, s.table()).Chain(service{name: "svc8"}.chain()); there {
			t.Error("svc8 is still there")
		}
		want := "-p tcp -m statistic --mode random --probability 0.33333333349 -j DNAT --to-destination 10.11.0.7:8080"
		if got := lines(t, fw, s.table(), s.chain()); len(got) != 3 || got[0].String() != want {
			t.Errorf("svc7 has %v", got)
		}
	})
}

// settled is holds for a large ruleset: with a look at the clock, and without
// nft, which takes seconds.
func (w world) settled(t *testing.T, fw *backend.Firewall, rs table.Ruleset) {
	t.Helper()
	took := time.Now()
	p, err := fw.Plan(t.Context(), rs)
	if err != nil || !p.Empty() || p.String() != "" {
		t.Errorf("left to do: %v %.500v", err, p)
	}
	t.Logf("empty plan %v", time.Since(took))
	if !read(t, fw).Equal(rs) {
		t.Error("read otherwise than given")
	}
}

func tableOf(t testing.TB, fw *backend.Firewall, id table.ID) table.Table {
	t.Helper()
	tb, ok := read(t, fw, id).Table(id)
	if !ok {
		t.Fatalf("no table %v", id)
	}
	return tb
}

// changedLines counts the lines that only one of two listings has.
func changedLines(before, after string) (n int, sample []string) {
	count := map[string]int{}
	for line := range strings.Lines(before) {
		count[line]--
	}
	for line := range strings.Lines(after) {
		count[line]++
	}
	for line, c := range count {
		if c != 0 {
			n += max(c, -c)
			sample = append(sample, fmt.Sprintf("%+d %s", c, strings.TrimSpace(line)))
		}
	}
	slices.Sort(sample)
	return n, sample
}
