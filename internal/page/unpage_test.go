package page

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// TestBroken: a structure that is not whole is shown as it is.
func TestBroken(t *testing.T) {
	for name, damage := range map[string]func(*program.Table){
		"the jump does more": func(t *program.Table) {
			r := t.Chain("INPUT").Rules[0]
			r.Exprs = append([]program.Expr{program.Counter{}}, r.Exprs...)
		},
		"the jump has userdata": func(t *program.Table) { t.Chain("INPUT").Rules[0].UserData = "x" },
		"the jump is a goto": func(t *program.Table) {
			t.Chain("INPUT").Rules[0].Exprs[0] = program.Verdict{Kind: program.NFTGoto, Chain: "INPUT.p1"}
		},
		"jumped to twice": func(t *program.Table) {
			c := t.Chain("INPUT")
			c.Rules = append(c.Rules, jump("INPUT.p1"))
		},
		"jumped to from elsewhere": func(t *program.Table) {
			c := t.Chain("U")
			c.Rules = append(c.Rules, jump("INPUT.p1"))
		},
		"gone to by a map": func(t *program.Table) {
			t.Sets = []*program.Set{{Name: "m", Flags: program.SetMap, Elements: []program.Element{
				{Key: "a", Verdict: program.Verdict{Kind: program.NFTJump, Chain: "INPUT.p1"}}}}}
		},
		"not jumped to": func(t *program.Table) { t.Chain("INPUT").Rules[0] = accept(7) },
		"a page of another chain": func(t *program.Table) {
			t.Chain("INPUT.p1").UserData = "\x00\x0cpage 1 of U\x00"
		},
		"no page at all": func(t *program.Table) { t.Chain("INPUT.p1").UserData = "" },
		"a return in it": func(t *program.Table) { t.Chain("INPUT.p1").Rules[1] = back(1) },
		"a page of a page": func(t *program.Table) {
			t.Chain("U").UserData = "\x00\x13page 1 of INPUT.p1\x00"
			c := t.Chain("INPUT.p1")
			c.Rules = append(c.Rules, jump("U"))
			t.Chain("INPUT").UserData = "\x00\x0cpage 1 of U\x00"
			t.Chain("INPUT").Base = false
		},
	} {
		p := Page(table(base("INPUT", accepts(1, 8)...), user("U", accept(1))), nil, 4)
		damage(p.Tables[0])
		before := cmp.Diff(p, nil)
		got := Unpage(p).Tables[0]
		if got.Chain("INPUT.p1") == nil {
			t.Errorf("%s: the page was inlined", name)
		}
		if cmp.Diff(p, nil) != before {
			t.Errorf("%s: Unpage changed what it was given", name)
		}
	}
}

// TestMissing: a jump to a page that is not there stays, and so do the others' pages.
func TestMissing(t *testing.T) {
	p := Page(table(base("INPUT", accepts(1, 8)...)), nil, 4)
	p.Tables[0].Chains = p.Tables[0].Chains[:2] // INPUT and its first page
	if got := shape(Unpage(p)); got != "INPUT: 5\n" {
		t.Errorf("%swant four rules and the jump", got)
	}
}

// TestHandles: what is inlined keeps its handles, and a count of uses does not stand
// in the way, be it right or that of a transaction which others only make ready.
func TestHandles(t *testing.T) {
	for off := range 3 {
		testHandles(t, off)
	}
}

func testHandles(t *testing.T, off int) {
	t.Helper()
	p := Page(table(base("INPUT", accepts(1, 8)...)), nil, 4)
	for _, c := range p.Tables[0].Chains {
		c.Use = uint32(len(c.Rules) + off)
		for i, r := range c.Rules {
			r.Handle = uint64(100*len(c.Name) + i)
		}
	}
	var got []uint64
	for _, r := range Unpage(p).Tables[0].Chains[0].Rules {
		got = append(got, r.Handle)
	}
	if d := cmp.Diff([]uint64{800, 801, 802, 803, 800, 801, 802, 803}, got); d != "" {
		t.Error(d)
	}
}
