package compile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// Every name that iptables takes, spelled as we spell it, is one that nft reads
// as the name of a chain and as the target of a jump.
func TestNftReadsEveryName(t *testing.T) {
	nft := oracle.Nft(t, labtest.Host(t))
	names := append(keywords[:], "log", "drop", "inet", "1abc", "x+y", "KUBE-SVC:x", "é", "a*b", "~log0", "%x",
		"a,b", "all", "neighbours", "gh.x", "a.b", "a/b", "-x", "x-", "\\", "#", "@x", "'", "`", "$x", "=", "{}")
	var b strings.Builder
	b.WriteString("table ip t {\n")
	for _, n := range names {
		fmt.Fprintf(&b, "chain %s {\n}\n", KernelName(n))
	}
	b.WriteString("chain ZZ {\n")
	for _, n := range names {
		fmt.Fprintf(&b, "jump %s\n", KernelName(n))
	}
	b.WriteString("}\n}\n")
	nft.MustLoad(b.String())
	again := nft.List()
	for _, n := range names {
		if !strings.Contains(again, "jump "+KernelName(n)+"\n") {
			t.Errorf("%q is not in the listing", n)
		}
	}
}
