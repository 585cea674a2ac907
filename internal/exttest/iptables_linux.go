package exttest

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// IPTables gives every block to the real iptables, legacy and nft variant: they
// take and refuse what we do, save what we print, and legacy lists as we do.
func IPTables(t *testing.T, files []File) {
	for _, f := range files {
		t.Run(f.Name, func(t *testing.T) {
			f.needs(t)
			legacy, variant := oracle.Legacy(t, f.host(t)), oracle.NFTVariant(t, f.host(t))
			for _, fam := range [...]nf.Family{nf.IPv4, nf.IPv6} {
				l, n := judge{legacy, fam, false}, judge{variant, fam, true}
				if fam == nf.IPv6 {
					l.IPTables, n.IPTables = legacy.V6(), variant.V6()
				}
				l.ask(t, f)
				n.ask(t, f)
			}
		})
	}
}

// judge is the real iptables of one family and variant.
type judge struct {
	*oracle.IPTables
	family nf.Family
	nft    bool
}

func (j judge) String() string {
	s := "iptables"
	if j.family == nf.IPv6 {
		s = "ip6tables"
	}
	if j.nft {
		return s + "-nft"
	}
	return s + "-legacy"
}

// takes says whether the variant is expected to take the block.
func (j judge) takes(b *Block) bool {
	switch {
	case j.nft && b.NFTSave == "refused":
		return false
	case j.nft && b.NFTSave == "accepted":
		return true
	case b.Refused():
		return b.Iptables == "accepts"
	}
	return b.Iptables != "refuses"
}

// ask puts a file's good rules into the real iptables at once, and asks about
// each of the others alone.
func (j judge) ask(t *testing.T, f File) {
	var good []*Block
	for _, b := range f.Blocks {
		switch {
		case !j.concerns(b):
		case j.takes(b) && !b.Refused():
			good = append(good, b)
		default:
			if r := j.try(b); (r.Exit == 0) != j.takes(b) {
				t.Errorf("%v: %v exits with %d, want taken %t: %s\n%s", b, j, r.Exit, j.takes(b), b.Args, r.Stderr)
			}
		}
	}
	if len(good) == 0 {
		return
	}
	if r := j.Restore(restoreText(good, true)); r.Exit != 0 {
		t.Errorf("%v refuses what we accept:", j)
		for _, b := range good {
			if r := j.try(b); r.Exit != 0 {
				t.Errorf("%v: %v: %s\n%s", b, j, b.Args, r.Stderr)
			}
		}
		return
	}
	j.compare(t, good)
}

// concerns says whether the family's iptables can be asked about the block: a
// rule that fits one family only is that one's.
func (j judge) concerns(b *Block) bool {
	if !b.real(j.family) {
		return false
	}
	if b.Family != nf.Both || b.Refused() {
		return true
	}
	rs, err := rule.ParseLine(b.Args, b.Family)
	return err == nil && len(rs) > 0 && rs[0].Family().Has(j.family)
}

// try asks about one block, on top of what is there, and leaves nothing.
func (j judge) try(b *Block) lab.Result {
	r := j.Restore(restoreText([]*Block{b}, false), "--noflush")
	if r.Exit == 0 {
		j.Restore("*"+b.Table+"\n-F "+b.Chain+"\nCOMMIT\n", "--noflush")
	}
	return r
}

// restoreText is the blocks' rules as iptables-restore reads them, each table
// once; with fresh, of the chains that they are in and go to.
func restoreText(blocks []*Block, fresh bool) string {
	var out strings.Builder
	for _, name := range [...]string{"filter", "nat", "mangle", "raw", "security"} {
		var heads, rules strings.Builder
		seen := map[string]bool{}
		for _, b := range blocks {
			if b.Table != name {
				continue
			}
			for _, c := range append(destinations(b), b.Chain) {
				if !seen[c] && (fresh || c != b.Chain) {
					seen[c] = true
					policy := "-"
					if builtIn[c] {
						policy = "ACCEPT"
					}
					fmt.Fprintf(&heads, ":%s %s [0:0]\n", c, policy)
				}
			}
			fmt.Fprintf(&rules, "-A %s %s\n", b.Chain, b.Args)
		}
		if rules.Len() > 0 {
			out.WriteString("*" + name + "\n" + heads.String() + rules.String() + "COMMIT\n")
		}
	}
	return out.String()
}

var builtIn = map[string]bool{"PREROUTING": true, "INPUT": true, "FORWARD": true, "OUTPUT": true, "POSTROUTING": true}

// destinations are the user chains that a block's rules go to.
func destinations(b *Block) (chains []string) {
	rs, err := rule.ParseLine(b.Args, b.Family)
	if err != nil {
		return nil
	}
	for _, r := range rs {
		if to := destination(r.Target()); to != "" {
			chains = append(chains, to)
		}
	}
	return chains
}

// compare compares what the real iptables saves and lists with what we do.
func (j judge) compare(t *testing.T, blocks []*Block) {
	chains := map[string][]*Block{}
	for _, b := range blocks {
		chains[b.Table+" "+b.Chain] = append(chains[b.Table+" "+b.Chain], b)
	}
	for key, bs := range chains {
		name, chain, _ := strings.Cut(key, " ")
		saved := rulesOf(j.Must("-t", name, "-S", chain), chain)
		var listed []string
		if !j.nft {
			listed = strings.Split(strings.TrimRight(j.List(chain, "-n", "-t", name), "\n"), "\n")[2:]
		}
		for _, b := range bs {
			saves, list := j.texts(b)
			for k, want := range saves {
				if len(saved) == 0 {
					t.Errorf("%v: %v has no such rule in %s", b, j, key)
					break
				}
				if saved[0] != want {
					t.Errorf("%v: %v saves\n     %s\nwant %s", b, j, saved[0], want)
				}
				if k == len(saves)-1 && list != "" && !j.nft && behindColumns(listed[0]) != list {
					t.Errorf("%v: %v lists\n     %s\nwant %s", b, j, behindColumns(listed[0]), list)
				}
				saved, listed = saved[1:], listed[min(1, len(listed)):]
			}
		}
		if len(saved) > 0 {
			t.Errorf("%v: %s has %d rules too many", j, key, len(saved))
		}
	}
}

// texts are what the block's rules should save and list as. Of a block for both
// families each command prints what ours does where it is the command's own.
func (j judge) texts(b *Block) (saves []string, list string) {
	saves, list = b.Saves, b.List
	if b.Family == nf.Both {
		rs, _ := rule.ParseLine(b.Args, j.family)
		saves = nil
		for _, r := range rs {
			saves = append(saves, r.String())
			if b.List != "" {
				list = strings.TrimRight(listing(r, j.family), " ")
			}
		}
	}
	if j.nft && b.NFTSave != "" {
		saves = []string{b.NFTSave}
	}
	if !j.nft && b.Legacy != "" {
		saves = []string{b.Legacy}
	}
	return saves, list
}

// rulesOf are the rules in what -S CHAIN prints, without "-A CHAIN".
func rulesOf(text, chain string) (rules []string) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "-A "+chain); ok {
			rules = append(rules, strings.TrimPrefix(rest, " "))
		}
	}
	return rules
}

// columns are what -L -n prints before the extensions: target, protocol, the
// fragment option, which ip6tables leaves blank, source and destination.
var columns = regexp.MustCompile(`^(\S+ +| +)\S+ +(--|-f|!f)? +!?\S+ +!?\S+ *(\[goto\] )?`)

func behindColumns(line string) string {
	return strings.TrimRight(line[len(columns.FindString(line)):], " ")
}
