package packettest

import (
	"regexp"
	"slices"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/exttest"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// group is trials of one thing.
type group struct {
	name   string
	trials func(t *testing.T) []named
}

func TestIPv4(t *testing.T) {
	t.Parallel()
	each(t, nf.IPv4, []group{
		{"matches", matches}, {"verdicts and chains", verdicts}, {"marks", marks}, {"REJECT", rejections}, {"TCPMSS", segmentSizes},
		{"NAT", translations}, {"random NAT", randomTranslations}, {"untracked", untracked}, {"connections", connections},
		{"owners", owners}, {"output", output}, {"rulesets", rulesets},
	})
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	each(t, nf.IPv6, []group{
		{"matches", matches6}, {"REJECT", rejections6}, {"TCPMSS", segmentSizes6}, {"NAT", translations6}, {"owners", owners6}, {"rulesets", rulesets6},
	})
}

// each runs trials in the same worlds, one after the other.
func each(t *testing.T, f nf.Family, groups []group) {
	all := sides(t, f)
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, n := range g.trials(t) {
				t.Run(n.name, func(t *testing.T) {
					n.needs(t)
					n.family = f
					n.through(t, all)
				})
			}
		})
	}
}

// Iptables' own tables, which iptables-nft shares, do what ours do.
func TestAsIptables(t *testing.T) {
	t.Parallel()
	all := plain(t, nf.IPv4)
	for _, g := range []group{{"matches", matches}, {"verdicts and chains", verdicts}} {
		for _, n := range g.trials(t) {
			t.Run(g.name+", "+n.name, func(t *testing.T) {
				n.needs(t)
				n.frames = beginnings(n.frames)
				n.through(t, all)
			})
		}
	}
}

// strangers are rules that name other users than root.
var strangers = regexp.MustCompile(`-owner [0-9-]*[1-9]`)

// needs drops the rules that name other users than root where the kernel takes
// no such rule, in a user namespace of an ordinary user.
func (c *trial) needs(t *testing.T) {
	t.Helper()
	err := exttest.OtherIDs()
	if err == nil {
		return
	}
	if strangers.MatchString(c.text) {
		labtest.Require(t, "user ids", err)
	}
	c.rules = slices.DeleteFunc(slices.Clone(c.rules), strangers.MatchString)
}
