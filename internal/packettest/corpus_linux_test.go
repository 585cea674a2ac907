package packettest

import (
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
		text := oracle.StripComments(corpus.Text(t, name))
		if _, err := table.Parse(strings.NewReader(text), f); err != nil {
			if !slices.Contains(beyond, name) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		trials = append(trials, named{name, trial{text: text, frames: packets, answers: true, forwarded: true}})
	}
	return trials
}

// beyond are the rulesets that need extensions which are not here yet.
var beyond = []string{"docker.rules", "home-user.rules", "mailserver.ip6.rules", "shorewall.rules", "vpn.rules"}
