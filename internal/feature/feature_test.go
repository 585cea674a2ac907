package feature

import (
	"strings"
	"testing"
)

// Every feature is known once, by what a person can act on.
func TestEveryFeature(t *testing.T) {
	for _, k := range []Kind{Expression, Match, Target, Subsystem} {
		seen := map[string]bool{}
		for _, f := range All(k) {
			if f.Kind != k || f.Name == "" || seen[f.Name] {
				t.Errorf("%v %q", f.Kind, f.Name)
			}
			seen[f.Name] = true
			for _, v6 := range []bool{false, true} {
				if f.Missing(v6) == "" || f.Hint(v6, "") == "" || strings.Contains(f.Missing(v6)+f.Hint(v6, ""), "CONFIG_,") {
					t.Errorf("%v %s: %q, %q", k, f.Name, f.Missing(v6), f.Hint(v6, ""))
				}
			}
			if Find(k, f.Name) != f {
				t.Errorf("%v %s is not found", k, f.Name)
			}
		}
	}
	if len(All(0)) != 0 {
		t.Error("no kind has features")
	}
}

func TestHints(t *testing.T) {
	for _, tc := range []struct {
		kind          Kind
		name, release string
		v6            bool
		missing, hint string
	}{
		{Target, "LED", "", false, "xt_LED", "load the kernel module xt_LED, or build the kernel with CONFIG_NETFILTER_XT_TARGET_LED"},
		{Target, "REJECT", "", true, "ip6t_REJECT", "load the kernel module ip6t_REJECT, or build the kernel with CONFIG_IP6_NF_TARGET_REJECT"},
		{Expression, "exthdr dccp", "", false, "CONFIG_NFT_EXTHDR_DCCP", "build the kernel with CONFIG_NFT_EXTHDR_DCCP (Linux 6.5 or newer)"},
		{Expression, "exthdr dccp", "6.1.0-18-amd64", false, "CONFIG_NFT_EXTHDR_DCCP", "build the kernel with CONFIG_NFT_EXTHDR_DCCP (Linux 6.5 or newer)"},
		{Expression, "exthdr dccp", "6.18.44", false, "CONFIG_NFT_EXTHDR_DCCP", "build the kernel with CONFIG_NFT_EXTHDR_DCCP"},
		{Target, "ULOG", "", false, "ipt_ULOG", "Linux has it no more since 3.17; use NFLOG"},
		{Match, "nosuch", "", false, "xt_nosuch", "load the kernel module xt_nosuch"},
		{Expression, "nosuch", "", false, "nft_nosuch", "load the kernel module nft_nosuch"},
	} {
		f := Find(tc.kind, tc.name)
		if f.Missing(tc.v6) != tc.missing || f.Hint(tc.v6, tc.release) != tc.hint {
			t.Errorf("%s: %q, %q", tc.name, f.Missing(tc.v6), f.Hint(tc.v6, tc.release))
		}
	}
}

func TestBefore(t *testing.T) {
	for _, tc := range []struct {
		release, than string
		want          bool
	}{
		{"5.10.0-33-amd64", "5.14", true}, {"5.14", "5.14", false}, {"6.1", "5.14", false}, {"4.18.0", "5.0", true},
		{"6.18.44-fc", "6.2", false}, {"unknown", "5.0", false}, {"5.0", "", false},
	} {
		if got := Before(tc.release, tc.than); got != tc.want {
			t.Errorf("%s before %s: %v", tc.release, tc.than, got)
		}
	}
}

func FuzzBefore(f *testing.F) {
	f.Add("5.10.0-33-amd64", "5.14")
	f.Add("", "x.y")
	f.Fuzz(func(t *testing.T, a, b string) {
		if Before(a, b) && Before(b, a) {
			t.Errorf("%q and %q are older than each other", a, b)
		}
	})
}
