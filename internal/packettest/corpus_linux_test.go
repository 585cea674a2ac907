package packettest

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/internal/oracle/corpus"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Real rulesets, as a whole: what each rule and policy counts of packets of
// every kind, what is answered, and what comes through.
func rulesets(t *testing.T) []named  { return rulesetsOf(t, nf.IPv4, ipv4Packets()) }
func rulesets6(t *testing.T) []named { return rulesetsOf(t, nf.IPv6, ipv6Packets()) }

func rulesetsOf(t *testing.T, f nf.Family, packets []packet) (trials []named) {
	for _, name := range corpus.Rules(t) {
		if corpus.V6(name) != (f == nf.IPv6) {
			continue
		}
		if slices.Contains(tied, name) {
			continue
		}
		text := rulesetOf(t, name)
		rs, err := table.Parse(strings.NewReader(text), f)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !strings.Contains(text, "\n:") { // what is not declared is there all the same, and counts
			var b strings.Builder
			for tab := range rs.Tables() {
				tab.Complete().Save(&b, table.Saving{Counters: true})
			}
			text = b.String()
		}
		trials = append(trials, named{name, trial{text: text, frames: packets, answers: true, forwarded: true}})
	}
	return trials
}

// rulesetOf is a file's text with counters, which iptables-restore -c wants, and
// with rates that do not depend on how fast the test is.
func rulesetOf(t *testing.T, name string) string {
	text := uncounted.ReplaceAllString(oracle.StripComments(corpus.Text(t, name)), "$1 [0:0]")
	return fastRate.ReplaceAllString(text, "$1 5/hour")
}

var (
	uncounted = regexp.MustCompile(`(?m)^(:\S+ \S+)$`)
	fastRate  = regexp.MustCompile(`(--hashlimit-above) \d+/sec`)
)

// Those that only iptables' own tables can have, there.
func TestRulesetsAsIptables(t *testing.T) {
	t.Parallel()
	all := plain(t, nf.IPv4)
	for _, name := range tied {
		t.Run(name, func(t *testing.T) {
			trial{text: rulesetOf(t, name), frames: beginnings(ipv4Packets()), answers: true, forwarded: true}.through(t, all)
		})
	}
}

// tied are those with a target that the kernel ties to the table's name: CHECKSUM.
var tied = []string{"shorewall.rules"}
