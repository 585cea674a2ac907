package match_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// What a literal says that the kernel would keep otherwise is brought to the
// form that is read back, so that it compares equal.
func TestLiteralsAreBroughtToTheNormalForm(t *testing.T) {
	for _, tc := range []struct{ given, kept match.Match }{
		{match.Limit{Rate: 5, Per: time.Minute}, match.Limit{Rate: 5, Per: time.Minute, Burst: 5}},
		{match.Limit{Rate: 3000, Per: time.Second, Burst: 9}, match.Limit{Rate: 3333, Per: time.Second, Burst: 9}},
		{match.Limit{Rate: 120, Per: time.Minute}, match.Limit{Rate: 2, Per: time.Second, Burst: 5}},
		{match.Limit{Rate: 1, Per: 24 * time.Hour}, match.Limit{Rate: 1, Per: 24 * time.Hour, Burst: 5}},
		{match.ICMP{Type: match.Is(nf.TypeCode(255, 3))}, match.ICMP{Type: match.Is(nf.AnyType())}},
		{match.TCP{Dport: match.Is(nf.PortRange(0, 65535))}, match.TCP{}},
		{match.TCP{Flags: match.Is(match.Flags(0, 0))}, match.TCP{}},
		{match.UDP{Sport: match.Is(nf.PortRange(0, 65535))}, match.UDP{}},
	} {
		if !rule.Accept(tc.given).Equal(rule.Accept(tc.kept)) {
			t.Errorf("%+v became %v, want %+v", tc.given, rule.Accept(tc.given), tc.kept)
		}
	}
}

func TestLiteralsThatCannotBeProgrammed(t *testing.T) {
	for _, tc := range []struct {
		want string
		m    match.Match
	}{
		{"no rate", match.Limit{Per: time.Second}},
		{"per 0s", match.Limit{Rate: 1}},
		{"per 1m30s", match.Limit{Rate: 1, Per: 90 * time.Second}},
		{"1 to 10000", match.Limit{Rate: 1, Per: time.Second, Burst: 10001}},
		{"too fast", match.Limit{Rate: 10001, Per: time.Second}},
		{"must be specified", match.Mark{}},
		{"mark not given", match.Marked(nf.MarkBits{})},
		{"mark not given", match.Connmark{Mark: match.Not(nf.MarkBits{})}},
		{"must be specified", match.Length{}},
		{"min > max", match.Length{Length: match.Is(match.LengthRange{Min: 2, Max: 1})}},
		{"one of --ttl-eq", match.TTL{}},
		{"together", match.TTL{Eq: match.Is(uint8(1)), Gt: match.Is(uint8(1))}},
		{"cannot be inverted", match.HL{Lt: match.Not(uint8(1))}},
		{"cannot be inverted", match.TTL{Gt: match.Not(uint8(1))}},
		{"no names", match.TCP{Flags: match.Is(match.Flags(0xff, 0))}},
	} {
		if err := rule.Accept(tc.m).Err(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: %v, want an error with %q", tc.m, err, tc.want)
		}
	}
}

// A rate that iptables prints is one that it reads as the same.
func TestEveryRateIsItsOwnNormalForm(t *testing.T) {
	for _, per := range []time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour} {
		for rate := uint32(1); rate <= 10000; rate += 1 + rate/300 {
			once := rule.Accept(match.Limit{Rate: rate, Per: per})
			m, _ := rule.Find[match.Limit](once)
			if twice := rule.Accept(m); once.Err() != nil || !twice.Equal(once) {
				t.Fatalf("%d per %v: %v, and again %v; %v", rate, per, once, twice, once.Err())
			}
		}
	}
}

// The kernel's own limits are not all ours: a rate that xt_limit cannot count is
// no -m limit.
func TestOnlyLimitsThatIptablesCanSayAreRead(t *testing.T) {
	for e, want := range map[program.Limit]bool{
		{Rate: 3333, Unit: 1, Burst: 5}:           true,
		{Rate: 1, Unit: 86400, Burst: 10000}:      true,
		{Rate: 3000, Unit: 1, Burst: 5}:           false, // would be 3333
		{Rate: 60, Unit: 60, Burst: 5}:            false, // would be 1/sec
		{Rate: 5, Unit: 604800, Burst: 5}:         false, // a week
		{Rate: 5, Unit: 1, Burst: 0}:              false,
		{Rate: 5, Unit: 1, Burst: 5, Over: true}:  false,
		{Rate: 5, Unit: 1, Burst: 5, Bytes: true}: false,
		{Rate: 5 + 1<<32, Unit: 1, Burst: 5}:      false,
		{Rate: 5, Unit: 1 + 1<<63, Burst: 5}:      false,
		{Rate: 10001, Unit: 1, Burst: 5}:          false,
		{Rate: 10000, Unit: 1, Burst: 10000}:      true,
		{Rate: 10000, Unit: 1, Burst: 10001}:      false,
		{Rate: 5, Unit: 1, Burst: 5}:              true,
		{Rate: 0, Unit: 1, Burst: 5}:              false,
		{Rate: 5, Unit: 0, Burst: 5}:              false,
		{Rate: 5, Unit: 3600, Burst: 1<<32 - 1}:   false,
		{Rate: 25, Unit: 86400, Burst: 1}:         true,
	} {
		r := program.NewReader([]program.Expr{e}, program.Env{Family: program.IP}, nil)
		m, ok := match.Read(r)
		if _, limit := m.(match.Limit); limit != want || ok != want {
			t.Errorf("%v: read as %T, %t, want a limit: %t", e, m, ok, want)
		}
	}
}

// FuzzReadXT reads what the kernel says an xt match holds. Whatever it is, it is
// read without harm; and as a type of ours only if that says it all.
func FuzzReadXT(f *testing.F) {
	for name, m := range map[string]match.Match{
		"multiport": match.Multiport{Proto: nf.TCP, Ports: match.Not(nf.List(nf.PortRange(1, 2), nf.Port(9)))},
		"tcp":       match.TCP{Option: match.Is(uint8(8)), Sport: match.Not(nf.Port(7))},
	} {
		c := &program.Code{Env: program.Env{Family: program.IP, Proto: 6}}
		if err := m.Compile(c); err != nil {
			f.Fatal(err)
		}
		e := c.Exprs()[0].(program.XTMatch)
		f.Add(name, e.Rev, []byte(e.Info))
		f.Add(name, e.Rev, []byte(e.Info[1:]))
		f.Add(name, e.Rev, []byte(strings.Repeat("\xff", len(e.Info))))
	}
	f.Fuzz(func(t *testing.T, name string, rev uint32, info []byte) {
		env := program.Env{Family: program.IP, Proto: 6}
		e := program.XTMatch{Name: name, Rev: rev, Info: string(info)}
		m, ok := match.Read(program.NewReader([]program.Expr{e}, env, nil))
		if !ok {
			return
		}
		switch m.(type) {
		case match.TCP, match.Multiport:
		default:
			return
		}
		r := rule.Accept(m)
		if r.Err() != nil {
			return // refused, so that the compiler keeps the bytes
		}
		if again, err := rule.Parse(r.String(), nf.IPv4); err != nil || !again.Equal(r) {
			t.Errorf("%v is not read back: %v, %v", r, again, err)
		}
	})
}
