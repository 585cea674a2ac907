package exttest

import (
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

func TestParse(t *testing.T) {
	blocks, err := parse("tcp", `# About ports.
args: -p tcp --dport 22 -j ACCEPT
save: -p tcp -m tcp --dport 22 -j ACCEPT
program:
  [meta l4proto -> r1]
  [cmp r1 == 06]
nft: tcp dport 22

family: ip6
table: nat
chain: OUTPUT
# A comment inside.
args: -m x
list: x


family: inet
args: --dport
error: dport
iptables: accepts
`)
	if err != nil || len(blocks) != 3 {
		t.Fatalf("%d blocks, %v", len(blocks), err)
	}
	a, b, c := blocks[0], blocks[1], blocks[2]
	if a.String() != "tcp.txt:2" || a.Family != nf.IPv4 || a.Table != "filter" || a.Chain != "INPUT" ||
		a.Saves[0] != "-p tcp -m tcp --dport 22 -j ACCEPT" || len(a.Program) != 2 || a.Program[1] != "[cmp r1 == 06]" ||
		a.NFT != "tcp dport 22" || a.Refused() {
		t.Errorf("%+v", a)
	}
	if b.String() != "tcp.txt:9" || b.Family != nf.IPv6 || b.Table != "nat" || b.Chain != "OUTPUT" || b.Saves[0] != "-m x" || b.List != "x" {
		t.Errorf("%+v", b)
	}
	if c.Family != nf.Both || !c.Refused() || c.Iptables != "accepts" || !c.real(nf.IPv6) || a.real(nf.IPv6) {
		t.Errorf("%+v", c)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"args: x\nfoo: y\n":                "x.txt:2",
		"args\n":                           "x.txt:1",
		"family: ipx\n":                    "ipx",
		"args: x\niptables: maybe\n":       "maybe",
		"args: x\niptables: accepts\n":     "accepts",
		"args: x\nerror: y\nnft: z\n":      "refused",
		"args: x\nerror: y\nprogram:\n  z": "refused",
	} {
		if _, err := parse("x", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
