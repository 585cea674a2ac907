package packettest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// trial is rules, and packets that are sent through them on every side.
type trial struct {
	family nf.Family // IPv4 where it is 0
	rules  []string  // "[-t table] [-A CHAIN] args"; filter and INPUT where not said
	text   string    // save text instead of rules
	frames []packet  // sent by the peer, in order
	// do sends what frames cannot say; nil: nothing
	do func(w *world)
	// answers and forwarded also compare what came back to the peer and what came
	// through to the far host
	answers, forwarded bool
}

// through sends the packets through every side and compares with the first.
func (c trial) through(t *testing.T, all []*side) {
	t.Helper()
	want := c.on(t, all[0], c.frames, result{})
	blamed := false
	for _, s := range all[1:] {
		got := c.on(t, s, c.frames, want)
		if !want.same(got) {
			t.Errorf("%s:\n%s", s.name, want.difference(got))
			if !blamed {
				c.blame(t, all[0], s)
			}
			blamed = true
		}
	}
}

// result is what came of a trial.
type result struct {
	counts             []counted
	answers, forwarded [][]byte
}

// on runs a trial on one side. As many frames as the judge saw are waited for.
func (c trial) on(t *testing.T, s *side, frames []packet, judged result) (r result) {
	t.Helper()
	s.t = t
	text := c.text
	if text == "" {
		text = saveText(c.rules)
	}
	if err := s.load(text); err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	s.forget()
	back, through := s.capture(s.peer, "eth0"), s.capture(s.far, "eth0")
	defer back.Close()
	defer through.Close()
	var all [][]byte
	for _, p := range frames {
		all = append(all, p.frame)
	}
	s.send(all...)
	if c.do != nil {
		c.do(s.world)
	}
	if c.answers {
		r.answers = masked(s.collect(back, len(judged.answers)))
	}
	if c.forwarded {
		r.forwarded = masked(s.collect(through, len(judged.forwarded)))
	}
	r.counts = s.counts(tablesOf(text))
	return r
}

func (r result) same(s result) bool {
	return sameCounts(r.counts, s.counts) && slices.EqualFunc(r.answers, s.answers, bytes.Equal) &&
		slices.EqualFunc(r.forwarded, s.forwarded, bytes.Equal)
}

func sameCounts(a, b []counted) bool {
	key := func(c counted) string { return c.where + c.counts }
	sorted := func(cs []counted) []counted {
		cs = slices.Clone(cs)
		slices.SortFunc(cs, func(x, y counted) int { return strings.Compare(key(x), key(y)) })
		return cs
	}
	return slices.Equal(sorted(a), sorted(b))
}

// difference shows what is not the same, the judge's first.
func (r result) difference(s result) string {
	var b strings.Builder
	got := map[string]string{}
	for _, c := range s.counts {
		got[c.where] = c.counts
	}
	for _, c := range r.counts {
		if v, ok := got[c.where]; !ok {
			fmt.Fprintf(&b, "  missing: %s\n", c.where)
		} else if v != c.counts {
			fmt.Fprintf(&b, "  %s, want %s: %s\n", v, c.counts, c.where)
		}
		delete(got, c.where)
	}
	for where := range got {
		fmt.Fprintf(&b, "  not expected: %s\n", where)
	}
	frames(&b, "came back", s.answers, r.answers)
	frames(&b, "came through", s.forwarded, r.forwarded)
	return b.String()
}

func frames(b *strings.Builder, what string, got, want [][]byte) {
	if slices.EqualFunc(got, want, bytes.Equal) {
		return
	}
	for i := range max(len(got), len(want)) {
		var g, w []byte
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if !bytes.Equal(g, w) {
			fmt.Fprintf(b, "  %s, frame %d:\n    %s\n    want\n    %s\n", what, i+1, hex.EncodeToString(g), hex.EncodeToString(w))
		}
	}
}

// blame repeats a trial that failed with half of the packets, and a half of
// those, and names the first few that come out differently by themselves.
func (c trial) blame(t *testing.T, judge, s *side) {
	t.Helper()
	if c.do != nil {
		return
	}
	named, end := 0, time.Now().Add(10*time.Second)
	var split func(frames []packet)
	split = func(frames []packet) {
		want := c.on(t, judge, frames, result{})
		got := c.on(t, s, frames, want)
		switch n := len(frames); {
		case want.same(got) || named == 3 || time.Now().After(end):
		case n == 1:
			t.Logf("%s, %s alone:\n%s", s.name, frames[0].name, want.difference(got))
			named++
		default:
			split(frames[:n/2])
			split(frames[n/2:])
		}
	}
	if n := len(c.frames); n > 1 {
		split(c.frames[:n/2])
		split(c.frames[n/2:])
	}
}

// saveText makes a trial's rules into iptables-save text with every built-in
// chain of the tables that they name, and the user chains.
func saveText(rules []string) string {
	builtIn := map[string][]string{
		"raw": {"PREROUTING", "OUTPUT"}, "nat": {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"},
		"mangle": {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"}, "filter": {"INPUT", "FORWARD", "OUTPUT"},
	}
	lines, order, user := map[string]string{}, []string{}, map[string]string{}
	for _, r := range rules {
		name, chain := "filter", "INPUT"
		if rest, ok := strings.CutPrefix(r, "-t "); ok {
			name, r, _ = strings.Cut(rest, " ")
		}
		if rest, ok := strings.CutPrefix(r, "-A "); ok {
			chain, r, _ = strings.Cut(rest, " ")
		}
		if !slices.Contains(order, name) {
			order = append(order, name)
		}
		if !slices.Contains(builtIn[name], chain) && !strings.Contains(user[name], ":"+chain+" ") {
			user[name] += ":" + chain + " - [0:0]\n"
		}
		lines[name] += "-A " + chain + " " + r + "\n"
	}
	var b strings.Builder
	for _, name := range order {
		b.WriteString("*" + name + "\n")
		for _, c := range builtIn[name] {
			b.WriteString(":" + c + " ACCEPT [0:0]\n")
		}
		b.WriteString(user[name] + lines[name] + "COMMIT\n")
	}
	return b.String()
}

// masked are IP packets without what no two kernels have in common: the IPv4
// identification of what a host makes itself, and the checksum over it, of which
// is left whether it is right. Frames that are no IP (who has this address?) go.
func masked(frames [][]byte) (out [][]byte) {
	for _, f := range frames {
		switch {
		case len(f) >= 34 && f[12] == 8 && f[13] == 0:
			right := summed(f[14:min(len(f), 14+int(f[14]&15)*4)]) == 0xffff
			clear(f[18:20])
			clear(f[24:26])
			if !right {
				f[25] = 1
			}
			if f[23] == 1 && f[34] == 14 { // an ICMP timestamp reply tells the time
				clear(f[36:])
			}
		case len(f) < 54 || f[12] != 0x86 || f[13] != 0xdd:
			continue
		}
		out = append(out, f)
	}
	return out
}

// summed is the Internet's sum of some bytes, 0xffff where a right checksum is
// among them.
func summed(b []byte) uint16 {
	n := uint32(0)
	for i := 0; i+1 < len(b); i += 2 {
		n += uint32(b[i])<<8 | uint32(b[i+1])
	}
	for n > 0xffff {
		n = n>>16 + n&0xffff
	}
	return uint16(n)
}
