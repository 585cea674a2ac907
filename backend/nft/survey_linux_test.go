package nft

import (
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/feature"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

func surveyed(t *testing.T, h *lab.Host) Report {
	t.Helper()
	r, err := Survey(t.Context(), FD(h.FD()))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// measured says that the kernel is the one whose features were measured by hand.
func measured(t *testing.T, r Report) bool {
	if !strings.HasPrefix(r.Kernel, "6.18.") {
		t.Logf("Linux %s: what is missing was measured on 6.18", r.Kernel)
		return false
	}
	return true
}

// A survey commits nothing and leaves nothing: no table, no set, no legacy table,
// no connection tracking.
func TestSurveyLeavesNoTrace(t *testing.T) {
	h := labtest.Host(t)
	k := connect(t, h)
	nft := oracle.Nft(t, h)
	nft.MustLoad("table inet mine { set s { type ipv4_addr; elements = { 192.0.2.1 } }; chain c { type filter hook input priority 0; counter; }; }")
	listing := nft.List()
	before, err := k.Read(t.Context(), driver.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		r := surveyed(t, h)
		if r.Generation != before.Generation {
			t.Errorf("generation %d, was %d", r.Generation, before.Generation)
		}
	}
	after, err := k.Read(t.Context(), driver.Scope{})
	if err != nil || after.Generation != before.Generation || len(after.Program.Tables) != 1 {
		t.Errorf("generation %d, was %d; %d tables, %v", after.Generation, before.Generation, len(after.Program.Tables), err)
	}
	if now := nft.List(); now != listing {
		t.Errorf("was\n%s\nis\n%s", listing, now)
	}
	if legacy := proc(t, h, "ip_tables_names") + proc(t, h, "ip6_tables_names"); legacy != "" {
		t.Errorf("legacy tables: %q", legacy)
	}
	// Were connections tracked now, this one would be.
	srv, err := h.Echo("udp", netip.MustParseAddrPort("127.0.0.1:7"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Ask(t.Context(), "udp", srv.Addr(), "x"); err != nil {
		t.Fatal(err)
	}
	if tracked := proc(t, h, "nf_conntrack"); tracked != "" {
		t.Errorf("connections are tracked: %s", tracked)
	}
}

// proc reads a file of /proc/net in a host; "" if there is none.
func proc(t *testing.T, h *lab.Host, name string) string {
	t.Helper()
	var text []byte
	if err := h.Do(func() (err error) {
		text, err = os.ReadFile("/proc/thread-self/net/" + name)
		if os.IsNotExist(err) {
			err = nil
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What Linux 6.18 as built here has not was measured with nft, iptables and ipset.
func TestSurveyFindsWhatIsMissing(t *testing.T) {
	r := surveyed(t, labtest.Host(t))
	if !measured(t, r) {
		return
	}
	want := map[string]string{
		"queue": "nft_queue", "flow_offload": "nft_flow_offload",
		"meta in bridge": "nft_meta_bridge", "reject in bridge": "nft_reject_bridge",
		"exthdr dccp": "CONFIG_NFT_EXTHDR_DCCP", "ct in bridge": "nf_conntrack_bridge",
		"ipvs": "xt_ipvs", "LED": "xt_LED", "CLUSTERIP": "ipt_CLUSTERIP", "ULOG": "ipt_ULOG",
		"listing of hooks":  "nfnetlink_hook",
		"ipset hash:ip,mac": "ip_set_hash_ipmac", "ipset hash:ip,mark": "ip_set_hash_ipmark", "ipset hash:mac": "ip_set_hash_mac",
		"ipset hash:net,net": "ip_set_hash_netnet", "ipset hash:net,port,net": "ip_set_hash_netportnet",
	}
	for name, lacks := range r.Missing {
		if want[name] != lacks {
			t.Errorf("%s lacks %q, want %q", name, lacks, want[name])
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("not reported: %v", want)
	}
	for _, f := range r.Features {
		if f.State != Present && f.State != Missing {
			t.Errorf("%v", f)
		}
	}
	if len(r.Unseen) > 0 {
		t.Errorf("unseen: %v", r.Unseen)
	}
}

// The revisions are those that were asked for by hand.
func TestSurveyFindsRevisions(t *testing.T) {
	r := surveyed(t, labtest.Host(t))
	if !measured(t, r) {
		return
	}
	for _, want := range []struct{ kind, name, ip, ip6, inet string }{
		{"match", "multiport", "1", "1", ""},
		{"match", "conntrack", "1-3", "1-3", "1-3"},
		{"match", "hashlimit", "1-3", "1-3", ""},
		{"match", "set", "0-4", "1-4", ""},
		{"match", "socket", "0-3", "1-3", ""},
		{"match", "cgroup", "0-2", "0-2", "0-2"},
		{"match", "icmp6", "", "0", ""},
		{"match", "ttl", "0", "", ""},
		{"match", "srh", "", "0-1", ""},
		{"match", "mark", "1", "1", "1"},
		{"match", "ipvs", "", "", ""},
		{"target", "CT", "0-2", "0-2", ""},
		{"target", "NFQUEUE", "0-3", "0-3", "0-3"},
		{"target", "MARK", "2", "2", ""},
		{"target", "DNPT", "", "0", ""},
		{"target", "TPROXY", "0-1", "1", ""},
		{"target", "LED", "", "", ""},
	} {
		f, ok := r.Feature(want.kind, want.name)
		if got := [...]string{f.IPv4.String(), f.IPv6.String(), f.Inet.String()}; !ok || got != [...]string{want.ip, want.ip6, want.inet} {
			t.Errorf("%s %s: %q, want %+v", want.kind, want.name, got, want)
		}
	}
}

// The names of options are the kernel's: what answers is in its configuration, and
// what does not is not.
func TestOptionsAreTheKernels(t *testing.T) {
	m := readModules(os.DirFS("/"), "")
	if len(m.config) == 0 {
		labtest.Require(t, "/proc/config.gz", os.ErrNotExist)
	}
	r := surveyed(t, labtest.Host(t))
	for _, f := range r.Features {
		name := strings.TrimPrefix(f.Config, "CONFIG_")
		if built := m.config[name] == "y" || m.config[name] == "m"; built != (f.State == Present) {
			t.Errorf("%v, and %s is %q", f, f.Config, m.config[name])
		}
	}
	for _, kind := range kinds {
		for _, k := range feature.All(kind) {
			if k.Config6 != "" && m.config[k.Config6] != "y" && m.config[k.Config6] != "m" && measured(t, r) {
				t.Errorf("%s: %s is %q", k.Name, k.Config6, m.config[k.Config6])
			}
		}
	}
}

// Whose tables there are, with their hooks, and which of them decide after ours.
func TestSurveyFindsTables(t *testing.T) {
	h := labtest.Host(t)
	fresh := surveyed(t, h)
	if len(fresh.Others) != 0 || proc(t, h, "ip_tables_names") != "" {
		t.Fatalf("a fresh namespace has %v", fresh.Others)
	}
	oracle.NFTVariant(t, h).Must("-A", "FORWARD", "-j", "DROP")
	oracle.Legacy(t, h).Must("-t", "nat", "-L", "-n")
	oracle.Legacy(t, h).V6().Must("-A", "INPUT", "-j", "DROP")
	oracle.Nft(t, h).MustLoad(`
table inet firewalld { chain late { type filter hook input priority 10; policy drop; }; chain early { type filter hook input priority -10; }; }
table ip nat { chain postrouting { type nat hook postrouting priority 100; }; }
table inet asleep { flags dormant; chain late { type filter hook input priority 10; policy drop; }; }
table bridge b { chain in { type filter hook input priority 10; }; }
`)
	r := surveyed(t, h)
	var got []string
	for _, o := range r.Others {
		got = append(got, o.String())
		for _, hook := range o.Hooks {
			got = append(got, "  "+hook.String())
		}
	}
	want := []string{
		"ip filter (iptables-nft)",
		"  FORWARD: filter, forward at 0, policy accept, after ours",
		"inet firewalld (firewalld)",
		"  late: filter, input at 10, policy drop, after ours",
		"  early: filter, input at -10, policy accept",
		"ip nat (?)", // no chain in it is one of iptables'
		"  postrouting: nat, postrouting at 100, policy accept",
		"inet asleep (?), dormant",
		"  late: filter, input at 10, policy drop",
		"bridge b (?)",
		"  in: filter, input at 10, policy accept",
		"ip nat (iptables-legacy)",
		"  PREROUTING: nat, prerouting at -100",
		"  INPUT: nat, input at 100, after ours",
		"  OUTPUT: nat, output at -100",
		"  POSTROUTING: nat, postrouting at 100",
		"ip6 filter (iptables-legacy)",
		"  INPUT: filter, input at 0, after ours",
		"  FORWARD: filter, forward at 0, after ours",
		"  OUTPUT: filter, output at 0, after ours",
	}
	if !slices.Equal(got, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if text := r.String(); !strings.Contains(text, "\n  inet firewalld (firewalld)\n    late: filter, input at 10, policy drop, after ours\n") {
		t.Errorf("it prints\n%s", text)
	}
}

// A table that a process keeps for itself says which.
func TestSurveyFindsOwners(t *testing.T) {
	h := labtest.Host(t)
	k := connect(t, h)
	owned := driver.Op{Kind: driver.AddTable, Table: sample{table: true, family: program.IP}.op(nil, nil).Table}
	if err := k.Commit(t.Context(), driver.Batch{Ops: []driver.Op{owned}}); err != nil {
		t.Fatal(err)
	}
	r := surveyed(t, h)
	if len(r.Others) != 1 || !r.Others[0].Owned || r.Others[0].Name != "gatehouse-owned" {
		t.Fatalf("found %v", r.Others)
	}
	k.Close()
	if r := surveyed(t, h); len(r.Others) != 0 {
		t.Errorf("it is still there: %v", r.Others)
	}
}

// A Snapshot has the legacy tables too.
func TestSnapshotHasLegacyTables(t *testing.T) {
	h := labtest.Host(t)
	fw, err := OpenIn(t.Context(), FD(h.FD()), backend.Config{Owner: "legacy"})
	if err != nil {
		t.Fatal(err)
	}
	defer fw.Close()
	for range 2 { // looking makes none
		s, err := fw.Snapshot(t.Context())
		if err != nil || len(s.Others()) != 0 || s.Unseen() != nil {
			t.Fatalf("found %v, %v, %v", s.Others(), s.Unseen(), err)
		}
	}
	oracle.Legacy(t, h).Must("-t", "raw", "-A", "PREROUTING", "-j", "DROP")
	s, err := fw.Snapshot(t.Context())
	if err != nil || len(s.Others()) != 1 {
		t.Fatalf("found %v, %v", s.Others(), err)
	}
	if o := s.Others()[0]; o.Maker != "iptables-legacy" || o.Name != "raw" || o.Family != "ip" || len(o.Hooks) != 2 || o.Hooks[0].Priority != -300 {
		t.Errorf("found %+v", o)
	}
}
