package target_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// FuzzReadXT offers an xt target of any name and bytes: it is read, as itself or
// as XT, and what was read compiles to those bytes again.
func FuzzReadXT(f *testing.F) {
	f.Add("TCPMSS", uint8(0), "\x78\x05\x00\x00\x00\x00\x00\x00")
	f.Add("TCPMSS", uint8(0), "\x00\x00\x00\x00\x00\x00\x00\x00")
	f.Add("CONNMARK", uint8(2), "\x00\x00\x00\x00\xff\x00\x00\x00\x0f\x00\x00\x00\x00\x00\x01\x00")
	f.Add("CONNMARK", uint8(2), strings.Repeat("\xff", 16))
	f.Add("CT", uint8(2), "\x02\x00"+strings.Repeat("\x00", 70))
	f.Add("CT", uint8(2), strings.Repeat("\xff", 72))
	f.Add("DNAT", uint8(2), "\x23\x00\x00\x00\x0a\x00\x00\x01"+strings.Repeat("\x00", 12)+"\x0a\x00\x00\x01"+strings.Repeat("\x00", 12)+"\x00\x50\x00\x5a\x03\xe8"+strings.Repeat("\x00", 6))
	for _, s := range []struct {
		name string
		rev  uint8
		size int
	}{
		{"AUDIT", 0, 8}, {"CHECKSUM", 0, 8}, {"CLASSIFY", 0, 8}, {"DSCP", 0, 8}, {"ECN", 0, 8}, {"HL", 0, 8}, {"MARK", 2, 8},
		{"MASQUERADE", 0, 24}, {"MASQUERADE", 0, 40}, {"NETMAP", 0, 24}, {"NETMAP", 0, 40}, {"NFQUEUE", 3, 8}, {"REDIRECT", 0, 24},
		{"REDIRECT", 0, 40}, {"REJECT", 0, 8}, {"SNAT", 0, 24}, {"SNAT", 1, 40}, {"TCPOPTSTRIP", 0, 32}, {"TEE", 1, 40}, {"TOS", 1, 8}, {"TTL", 0, 8},
		{"CONNSECMARK", 0, 8}, {"SECMARK", 1, 264}, {"SYNPROXY", 0, 8}, {"TPROXY", 1, 32}, {"HMARK", 0, 64}, {"IDLETIMER", 1, 48}, {"LED", 0, 40},
		{"RATEEST", 0, 32}, {"SNPT", 0, 40}, {"DNPT", 0, 40}, {"SET", 3, 24},
	} {
		f.Add(s.name, s.rev, strings.Repeat("\x01", s.size))
		f.Add(s.name, s.rev, strings.Repeat("\x00", s.size))
	}
	f.Add("DNAT", uint8(2), strings.Repeat("\xff", 48))
	f.Fuzz(func(t *testing.T, name string, rev uint8, info string) {
		if name == "" || len(name) > 28 || strings.ContainsAny(name, "\x00\n") {
			return
		}
		in := &program.Rule{Exprs: []program.Expr{program.Counter{}, program.XTTarget{Name: name, Rev: uint32(rev), Info: info}}}
		for _, env := range []program.Env{
			{Family: program.IP, Table: "raw", Plain: true}, {Family: program.IP6, Table: "nat", Plain: true}, {Family: program.Inet, Table: "mangle"},
		} {
			r, _, err := compile.ReadRule(in, env)
			if err != nil {
				t.Fatal(err)
			}
			if r.Opaque() {
				continue
			}
			if _, raw := r.Target().(target.XT); r.Err() != nil && !raw {
				t.Fatalf("%v: %v", r, r.Err())
			}
			again, err := compile.Rule(r, env, true, 0)
			if err == nil && !again.Same(in) {
				t.Fatalf("%v compiles to\n%swant\n%s", r, program.Dump(again.Exprs), program.Dump(in.Exprs))
			}
		}
	})
}
