package match_test

import (
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// Literals are brought to the form that text has; "" is an error.
func TestLiteralsOfMeters(t *testing.T) {
	for _, c := range []struct {
		m    match.Match
		want string
	}{
		{match.Recent{Do: match.RecentSet}, "-m recent --set --name DEFAULT --mask 255.255.255.255 --rsource"},
		{match.Recent{Do: match.RecentUpdate, List: "ssh", Seconds: 60, HitCount: 4, Mask: netip.MustParseAddr("255.255.255.255")},
			"-m recent --update --seconds 60 --hitcount 4 --name ssh --mask 255.255.255.255 --rsource"},
		{match.Recent{}, ""}, {match.Recent{Do: 9}, ""}, {match.Recent{Do: match.RecentSet, Seconds: math.MaxUint32}, ""},
		{match.Connlimit{Above: match.Is[uint32](20), Mask: match.Is[uint8](24)}, "-m connlimit --connlimit-above 20 --connlimit-mask 24 --connlimit-saddr"},
		{match.Connlimit{Above: match.Not[uint32](20), Dest: true}, "-m connlimit --connlimit-upto 20 --connlimit-mask 32 --connlimit-daddr"},
		{match.Connlimit{}, ""}, {match.Connlimit{Upto: match.Is[uint32](1), Mask: match.Is[uint8](200)}, ""},
		{match.Hashlimit{Table: "a", Rate: match.Rate{N: 5, Per: time.Minute}, By: match.HashlimitSrcIP | match.HashlimitDstPort},
			"-m hashlimit --hashlimit-upto 5/min --hashlimit-burst 5 --hashlimit-mode srcip,dstport --hashlimit-name a"},
		{match.Hashlimit{Table: "a", Rate: match.Rate{N: 512 << 10, Bytes: true}, Above: true, Burst: 1 << 20},
			"-m hashlimit --hashlimit-above 512kb/s --hashlimit-burst 1mb --hashlimit-name a"},
		{match.Hashlimit{Table: "a"}, ""}, {match.Hashlimit{Rate: match.Rate{N: 1}}, ""}, {match.Hashlimit{Table: "a", Rate: match.Rate{N: 1, Per: 3 * time.Second}}, ""},
		{match.Hashlimit{Table: "a", Rate: match.Rate{N: 1}, Expire: time.Microsecond}, ""}, {match.Hashlimit{Table: "a", Rate: match.Rate{N: math.MaxUint64, Bytes: true}}, ""},
		{match.String{Pattern: match.Is("GET /"), Algo: "bm"}, `-m string --string "GET /" --algo bm`},
		{match.String{Pattern: match.Is("x")}, ""}, {match.String{Algo: "bm"}, ""}, {match.String{Pattern: match.Is("x"), Algo: "bm", From: 2, To: match.Is[uint16](1)}, ""},
		{match.Time{Start: match.Is(match.TimeOfDay(9, 0, 0)), Stop: match.Is(match.TimeOfDay(17, 30, 0)), Weekdays: match.Monday | match.Friday, Monthdays: match.DaysOfMonth(1, 31)},
			"-m time --timestart 09:00:00 --timestop 17:30:00 --monthdays 1,31 --weekdays Mon,Fri --datestop 2038-01-19T03:14:07"},
		{match.Time{DateStop: match.DateOf(time.Date(2030, 1, 2, 3, 4, 5, 6, time.UTC))}, "-m time --datestop 2030-01-02T03:04:05"},
		{match.Time{DateStop: match.DateOf(time.Date(2039, 1, 1, 0, 0, 0, 0, time.UTC))}, ""}, {match.Time{DateStart: match.DateOf(time.Time{})}, ""},
		{match.Time{Monthdays: match.DaysOfMonth(32)}, ""}, {match.Time{Monthdays: match.DaysOfMonth(0)}, ""}, {match.Time{Weekdays: 1}, ""},
		{match.Time{Start: match.Is(match.TimeOfDay(24, 0, 0))}, ""}, {match.Time{Contiguous: true}, ""},
		{match.Connbytes{Count: match.Is(match.AtLeast(5)), Of: match.CountPackets, Dir: match.CountBoth}, "-m connbytes --connbytes 5 --connbytes-mode packets --connbytes-dir both"},
		{match.Connbytes{Count: match.Is(match.Counts{Min: 5}), Of: match.CountPackets, Dir: match.CountBoth}, ""}, {match.Connbytes{}, ""},
		{match.BPF{Bytecode: "1, 6 0 0 1,"}, `-m bpf --bytecode "1,6 0 0 1"`}, {match.BPF{}, ""}, {match.BPF{Bytecode: "1,6", Pinned: "/x"}, ""},
		{match.BPF{Pinned: "/sys/fs/bpf/a b"}, `-m bpf --object-pinned "/sys/fs/bpf/a b"`},
		{match.Cgroup{Path: match.Not("web.slice")}, `-m cgroup ! --path "web.slice"`}, {match.Cgroup{}, ""}, {match.Cgroup{Path: match.Is(strings.Repeat("x", 512))}, ""},
		{match.Cluster{Total: 2, Nodes: match.Is[uint32](1), Seed: 3}, "-m cluster --cluster-local-nodemask 0x00000001 --cluster-total-nodes 2 --cluster-hash-seed 0x00000003"},
		{match.Cluster{Total: 2}, ""}, {match.Cluster{Total: 33, Nodes: match.Is[uint32](1)}, ""},
		{match.Connlabel{Label: match.Is[uint8](128)}, ""}, {match.Connlabel{}, ""}, {match.CPU{}, ""}, {match.Quota{}, ""}, {match.Devgroup{}, ""},
		{match.Devgroup{Src: match.Is(nf.MarkBits{})}, ""}, {match.U32{}, ""}, {match.U32{Tests: match.Is("5")}, ""},
		{match.U32{Tests: match.Is(" 6 & 0xff = 17 ")}, `-m u32 --u32 "0x6&0xff=0x11"`},
	} {
		r := rule.New(target.None, match.Only(nf.IPv4), c.m)
		switch got := r.In(nf.IPv4).String(); {
		case c.want == "" && r.Err() == nil:
			t.Errorf("%#v: no error: %s", c.m, got)
		case c.want != "" && (r.Err() != nil || got != c.want):
			t.Errorf("%#v: %s, %v, want %s", c.m, got, r.Err(), c.want)
		}
	}
}

// Where nobody said a mask, iptables fills what the kernel does not look at with
// ones; what it opened a program's file as is nobody's. Both are read past.
func TestLooseBytesAreReadPast(t *testing.T) {
	env := program.Env{Family: program.IP, Table: "filter", Plain: true}
	recent := "\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00DEFAULT" + strings.Repeat("\x00", 195)
	for _, c := range []struct{ name, ours, theirs, want string }{
		{"recent", recent + "\xff\xff\xff\xff" + strings.Repeat("\x00", 16), recent + strings.Repeat("\xff", 16) + strings.Repeat("\x00", 4),
			"-m recent --set --name DEFAULT --mask 255.255.255.255 --rsource"},
		{"connlimit", "\xff\xff\xff\xff" + strings.Repeat("\x00", 12) + "\x03" + strings.Repeat("\x00", 15), strings.Repeat("\xff", 16) + "\x03" + strings.Repeat("\x00", 15),
			"-m connlimit --connlimit-above 3 --connlimit-mask 32 --connlimit-saddr"},
		{"bpf", "\x01" + strings.Repeat("\x00", 7) + "/f" + strings.Repeat("\x00", 518), "\x01\x00\x00\x00\x05\x00\x00\x00/f" + strings.Repeat("\x00", 518),
			"-m bpf --object-pinned /f"},
	} {
		for _, info := range []string{c.ours, c.theirs} {
			p := &program.Rule{Exprs: []program.Expr{program.XTMatch{Name: c.name, Rev: 1, Info: info}, program.Counter{}}}
			r, _, err := compile.ReadRule(p, env)
			if r = r.In(nf.IPv4); err != nil || r.String() != c.want {
				t.Errorf("%s: %v, %v, want %s", c.name, r, err, c.want)
				continue
			}
			again, err := compile.Rule(r, env, true, 0)
			if err != nil || again.Exprs[0] != (program.XTMatch{Name: c.name, Rev: 1, Info: c.ours}) {
				t.Errorf("%s: compiles to %v, %v", c.name, again, err)
			}
		}
	}
	mask := recent + "\xff\xff\xff\xff\x01" + strings.Repeat("\x00", 15)
	if r, _, _ := compile.ReadRule(&program.Rule{Exprs: []program.Expr{program.XTMatch{Name: "recent", Rev: 1, Info: mask}}}, env); strings.HasPrefix(r.String(), "-m recent") {
		t.Errorf("what iptables does not leave there reads as %v", r)
	}
}

// meterForms are the revision and the size of each form.
var meterForms = map[string]struct {
	rev  uint32
	size int
}{
	"recent": {1, 232}, "string": {1, 160}, "time": {0, 24}, "hashlimit": {3, 312}, "connlimit": {1, 32}, "connbytes": {0, 24}, "bpf": {1, 528}, "cgroup": {2, 528},
	"cluster": {0, 16}, "connlabel": {0, 8}, "cpu": {0, 8}, "devgroup": {0, 24}, "quota": {0, 24}, "u32": {0, 1984},
}

// FuzzReadMeters offers the kernel's forms of these matches in any bytes: what is
// read prints as text that parses to it, and comes back from its own program.
func FuzzReadMeters(f *testing.F) {
	for _, text := range []string{
		"-m recent --rcheck --seconds 9 --reap --hitcount 3 --rttl --name x", "-m string --algo bm --hex-string |00ff| --to 9", "-m time --weekdays 1 --monthdays 2 --contiguous --timestart 9:00 --timestop 8:00",
		"-m hashlimit --hashlimit 7/min --hashlimit-name x --hashlimit-rate-match", "-m hashlimit --hashlimit-above 16b/s --hashlimit-burst 1600b --hashlimit-name x", "-m connlimit --connlimit-upto 3 --connlimit-mask 24",
		"-m connbytes ! --connbytes 1:5 --connbytes-dir both --connbytes-mode bytes", `-m bpf --bytecode "2,48 0 0 9,6 0 0 1"`, "-m bpf --object-pinned /x", "-m cgroup --path /", "-m cgroup ! --cgroup 5",
		"-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 5", "-m connlabel --label 5 --set", "-m devgroup ! --src-group 3/2", "-m quota ! --quota 18446744073709551615", `-m u32 --u32 "5&6@7=8:9,1&&2=3"`,
	} {
		r, err := rule.Parse(text, nf.IPv4)
		if err != nil {
			f.Fatal(err)
		}
		p, err := compile.Rule(r, program.Env{Family: program.IP, Table: "filter", Plain: true}, true, 0)
		if err != nil {
			f.Fatal(err)
		}
		x := p.Exprs[0].(program.XTMatch)
		f.Add(x.Name, x.Info)
	}
	f.Fuzz(func(t *testing.T, name, info string) { readsMeter(t, name, info) })
}

// readsMeter reads one form in a table of each family.
func readsMeter(t testing.TB, name, info string) {
	t.Helper()
	form, ok := meterForms[name]
	if !ok {
		return
	}
	info = (info + strings.Repeat("\x00", form.size))[:form.size]
	for _, env := range []program.Env{{Family: program.IP, Table: "filter", Plain: true}, {Family: program.IP6, Table: "filter"}} {
		in := &program.Rule{Exprs: []program.Expr{program.XTMatch{Name: name, Rev: form.rev, Info: info}, program.Counter{}}}
		r, _, err := compile.ReadRule(in, env)
		if err != nil {
			t.Fatal(err)
		}
		if r.Opaque() || r.Err() != nil {
			continue
		}
		family := nf.IPv4
		if env.Family == program.IP6 {
			family = nf.IPv6
		}
		r = r.In(family)
		if parsed, err := rule.Parse(r.String(), family); err != nil || !parsed.Equal(r) {
			t.Fatalf("%q parses to %q, %v", r, parsed, err)
		}
		p, err := compile.Rule(r, env, true, 0)
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := compile.ReadRule(p, env)
		if err != nil || !again.In(family).Equal(r) {
			t.Fatalf("%q comes back as %q, %v", r, again, err)
		}
		loose := slices.Contains([]string{"recent", "connlimit", "bpf"}, name)
		if x, ok := p.Exprs[0].(program.XTMatch); ok && !loose && env.Plain && x.Info != info {
			t.Fatalf("%q is %x, read from %x", r, x.Info, info)
		}
	}
}
