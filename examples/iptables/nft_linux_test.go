package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
)

// The same command lines succeed and fail as they do with iptables-nft, and leave
// the same rules, but where nftDifferences says otherwise. What the two print
// when they fail, and with which code, differs: see the comment of the package.
func TestSequencesAsNFTVariant(t *testing.T) {
	met := map[string]bool{}
	for _, seq := range readSequences(t) {
		t.Run(seq.name, func(t *testing.T) {
			real, host := newReal(t, "nft"), labtest.Host(t)
			for _, l := range seq.lines {
				want, got := real.run(l), ours(t, host, l)
				at := seq.name + ": " + l.key()
				if _, known := nftDifferences[at]; known {
					met[at] = true
					if (want.Exit == 0) == (got.Exit == 0) && nftText(want) == nftText(got) {
						t.Errorf("%s\nis no difference any more", at)
					}
					return // from here on the two have different rules
				}
				if _, known := differenceOf(l); known && want.Exit != got.Exit {
					return
				}
				compareNFT(t, l, want, got)
			}
			savedByBoth(t, real, &realHost{t, host, "nft", real.lock})
		})
	}
	for key := range nftDifferences {
		if !met[key] && !t.Failed() {
			t.Errorf("%s: no sequence has it", key)
		}
	}
}

// compareNFT compares what scripts look at: whether it worked, and what -S, -C
// and save print.
func compareNFT(t *testing.T, l line, want, got lab.Result) {
	t.Helper()
	switch {
	case (want.Exit == 0) != (got.Exit == 0):
		t.Errorf("$ %s\nexit %d, the real one %d\n%s%s--- real:\n%s%s", l.key(), got.Exit, want.Exit, got.Stdout, got.Stderr, want.Stdout, want.Stderr)
	case slices.Contains(l.args, "-S") && nftText(want) != nftText(got):
		t.Errorf("$ %s\n%s--- real:\n%s", l.key(), nftText(got), nftText(want))
	}
}

// nftText is what -S prints, without the comment that iptables-nft adds.
func nftText(r lab.Result) string {
	var b strings.Builder
	for l := range strings.Lines(savedText(r.Stdout)) {
		if !strings.HasPrefix(l, "#") {
			b.WriteString(l)
		}
	}
	return b.String()
}

// nftDifferences are the command lines, each in its sequence, that iptables-nft
// 1.8.9 treats otherwise than iptables-legacy and we do, with the reason. What
// follows in the sequence is not compared.
var nftDifferences = map[string]string{
	"chains are removed when nothing needs them: iptables -X INPUT":                                                                               "iptables-nft removes a built-in chain that is empty",
	"chains are renamed with what goes there: iptables -E INPUT x":                                                                                "iptables-nft renames a built-in chain, hook and all",
	"bad numbers: iptables -Z INPUT 2":                                                                                                            "iptables-nft does not mind that there is no such rule",
	"policies: iptables -S -v":                                                                                                                    "iptables-nft does not preset a policy's counters",
	"a match needs its protocol: iptables -A INPUT ! -p tcp -m tcp --dport 22":                                                                    "iptables-nft takes ports of anything but TCP for a rule",
	"targets that look at the rule: iptables -A FORWARD -p tcp -j TCPMSS --clamp-mss-to-pmtu":                                                     "through nft_compat the kernel does not check that SYN is matched",
	"restore replaces what was there: iptables -S":                                                                                                "iptables-nft-restore makes the table anew, legacy keeps policies that the file does not name",
	"restore resets counters that the file does not name: iptables -S -v":                                                                         "as above",
	"restore of what is not there: iptables-restore < *filter|:foo - [0:0]|:foo - [0:0]|COMMIT":                                                   "iptables-nft-restore does not mind",
	"restore of bad policies: iptables-restore < *filter|:foo ACCEPT [0:0]|COMMIT":                                                                "iptables-nft-restore does not look at a user chain's policy",
	"restore of a chain that the table does not have: iptables-restore < *nat|:FORWARD ACCEPT [0:0]|COMMIT":                                       "as above",
	"restore of commands: iptables-restore -n < *filter|-L -n -v|-S|-C INPUT -j ACCEPT|-Z|-R INPUT 1 -j DROP|-N a|-E a b|-A INPUT -v -g b|COMMIT": "iptables-nft-restore forgets what it renamed",
	"a comment without a word: iptables -t filter -S INPUT":                                                                                       "a comment that says nothing is taken, and not kept",
	"a size given and taken from the path: iptables -t mangle -A FORWARD -p tcp --syn -j TCPMSS --set-mss 5 --clamp-mss-to-pmtu":                  "two that exclude each other are an error",
	"a mask that is longer than an address: iptables -A INPUT -m connlimit --connlimit-above 3 --connlimit-mask 33":                               "no address has such a mask",
	"a port that is none: iptables -t mangle -A PREROUTING -p udp -j TPROXY --on-port 70000":                                                      "iptables takes the port 4464 instead",
	"tracing where no packet is traced: iptables -A INPUT -j TRACE":                                                                               "iptables-nft writes the mark of nftrace, which any table may; TRACE of legacy and of ours is for raw",
	"a burst of nothing: iptables -A INPUT -m limit --limit 10/hour --limit-burst 0":                                                              "iptables-nft takes it for the default, the kernel's xt_limit refuses it",
	"connlimit with its mask and without: iptables -C INPUT -m connlimit --connlimit-above 50":                                                    "32 is what connlimit has without a mask, iptables says so with other flags",
	"restore for trial: iptables-restore --test < *filter|-A foo -j DROP|COMMIT":                                                                  "iptables-nft-restore does not look for the chain",
}
