package difftest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// real is a peer in a host of its own.
type real struct {
	Peer
	ipt *oracle.IPTables
}

// trial is a line, what we make of it, and what a peer does.
type trial struct {
	Line
	ours    []string
	err     error
	suspect bool // better asked about alone

	theirs  []string
	refused bool
	message string // of the refusal
}

func newReal(t testing.TB, p Peer) *real {
	host := labtest.Host(t)
	r := &real{Peer: p}
	if p.NFT {
		r.ipt = oracle.NFTVariant(t, host)
	} else {
		r.ipt = oracle.Legacy(t, host)
	}
	if p.Family == nf.IPv6 {
		r.ipt = r.ipt.V6()
	}
	furnish(t, host, p.Family)
	return r
}

// firstLine is the line of text's first rule.
const firstLine = len(LeafChains) + 3

// restore gives the lines to iptables-restore, in place of all that is in their table.
func (r *real) restore(lines []*trial) lab.Result {
	var b strings.Builder
	fmt.Fprintf(&b, "*%s\n:%s - [0:0]\n", lines[0].Table, UserChain)
	for _, c := range LeafChains {
		fmt.Fprintf(&b, ":%s - [0:0]\n", c)
	}
	for _, l := range lines {
		fmt.Fprintf(&b, "-A %s %s\n", l.Chain, l.Text)
	}
	b.WriteString("COMMIT\n")
	return r.ipt.Restore(b.String())
}

// saved are the rules of a table that was restored, by chain.
func (r *real) saved(table string) map[string][]string {
	out := map[string][]string{}
	for line := range strings.Lines(r.ipt.Save("-c", "-t", table)) {
		counters, rest, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " -A ")
		if !ok || counters[0] != '[' {
			continue
		}
		chain, text, _ := strings.Cut(rest, " ")
		out[chain] = append(out[chain], counters+" "+text)
	}
	return out
}

var failedLine = regexp.MustCompile(`(?m)(?:Error occurred at line: |^line |line )(\d+)(?:$|: RULE_APPEND| failed)`)

// culprits are the lines that a failed restore names.
func culprits(stderr string, n int) map[int]bool {
	out := map[int]bool{}
	for _, m := range failedLine.FindAllStringSubmatch(stderr, -1) {
		if at, err := strconv.Atoi(m[1]); err == nil && at >= firstLine && at < firstLine+n {
			out[at-firstLine] = true
		}
	}
	return out
}

// judge asks the peer about lines of one table: those that we refuse, or that
// the peer is known to refuse, one by one, the others all at once.
func (r *real) judge(lines []*trial) {
	var many []*trial
	for _, l := range lines {
		if l.err == nil && !l.suspect {
			many = append(many, l)
		} else {
			r.load([]*trial{l})
		}
	}
	r.load(many)
}

// load restores lines, and notes what the peer saves or which it refuses. Where
// it does not say which it refuses, each half is loaded alone.
func (r *real) load(lines []*trial) {
	for len(lines) > 0 {
		res := r.restore(lines)
		if res.Exit == 0 {
			r.note(lines)
			return
		}
		if len(lines) == 1 {
			lines[0].refused, lines[0].message = true, res.Stderr
			return
		}
		bad := culprits(res.Stderr, len(lines))
		if len(bad) == 0 {
			half := len(lines) / 2
			r.load(lines[:half])
			lines = lines[half:]
			continue
		}
		var rest []*trial
		for i, l := range lines {
			if bad[i] {
				r.load([]*trial{l})
			} else {
				rest = append(rest, l)
			}
		}
		lines = rest
	}
}

// note gives each line that was restored the rules that the peer saves for it.
func (r *real) note(lines []*trial) {
	saved, want := r.saved(lines[0].Table), map[string]int{}
	for _, l := range lines {
		want[l.Chain] += len(l.ours)
	}
	for _, l := range lines {
		got := saved[l.Chain]
		switch {
		case len(lines) == 1:
			l.theirs = got
		case want[l.Chain] == len(got):
			l.theirs, saved[l.Chain] = got[:len(l.ours)], got[len(l.ours):]
			want[l.Chain] -= len(l.ours)
		default: // more or fewer than we make of them: one of them is to blame
			r.load([]*trial{l})
		}
	}
}
