package match_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// FuzzReadKernelMatch offers the xt form of a match that has no other, in any
// bytes, as a rule: it is read, as itself, as XT or as opaque, and what was read
// compiles to those bytes again.
func FuzzReadKernelMatch(f *testing.F) {
	kernel := map[string]bool{}
	for _, s := range []struct {
		name string
		rev  uint8
		size int
	}{
		{"set", 4, 48}, {"socket", 3, 8}, {"helper", 0, 40}, {"nfacct", 1, 40}, {"osf", 0, 48}, {"physdev", 0, 72}, {"ipvs", 0, 40},
		{"policy", 0, 312}, {"rateest", 0, 72},
	} {
		kernel[s.name] = true
		for _, fill := range []string{"\x00", "\x01", "\xff"} {
			f.Add(s.name, s.rev, strings.Repeat(fill, s.size), "")
		}
	}
	f.Add("set", uint8(4), "\xff\xff\x01\x02"+strings.Repeat("\x00", 44), "bans")
	f.Add("policy", uint8(0), strings.Repeat("\x00", 304)+"\x01\x00\x01\x00\x00\x00\x00\x00", "")
	f.Add("rateest", uint8(0), "in"+strings.Repeat("\x00", 30)+"\x12\x00\x03\x00"+strings.Repeat("\x00", 36), "")
	f.Fuzz(func(t *testing.T, name string, rev uint8, info, sets string) {
		if !kernel[name] {
			return
		}
		in := &program.Rule{Exprs: []program.Expr{program.XTMatch{Name: name, Rev: uint32(rev), Info: info, IPSets: sets}, program.Counter{}}}
		for _, env := range []program.Env{
			{Family: program.IP, Table: "filter", Plain: true}, {Family: program.IP6, Table: "filter"}, {Family: program.Inet, Table: "filter"},
		} {
			r, _, err := compile.ReadRule(in, env)
			if err != nil {
				t.Fatal(err)
			}
			if r.Opaque() {
				continue
			}
			again, err := compile.Rule(r, env, true, 0)
			if err == nil && !slices.Equal(again.Exprs, in.Exprs) {
				t.Fatalf("%v compiles to\n%swant\n%s", r, program.Dump(again.Exprs), program.Dump(in.Exprs))
			}
		}
	})
}
