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
func TestCorpus(t *testing.T) {
	worlds := map[nf.Family][]*side{}
	for _, name := range corpus.Rules(t) {
		f, frames := nf.IPv4, ipv4Packets
		if corpus.V6(name) {
			f, frames = nf.IPv6, ipv6Packets
		}
		text := oracle.StripComments(corpus.Text(t, name))
		if _, err := table.Parse(strings.NewReader(text), f); err != nil {
			if !slices.Contains(beyond, name) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if worlds[f] == nil {
			worlds[f] = sides(t, f)
		}
		t.Run(name, func(t *testing.T) {
			trial{family: f, text: text, frames: frames(), answers: true, forwarded: true}.through(t, worlds[f])
		})
	}
}

// beyond are the rulesets that need extensions which are not here yet.
var beyond = []string{"docker.rules", "home-user.rules", "mailserver.ip6.rules", "shorewall.rules", "vpn.rules"}
