package nft

import (
	"bytes"
	"compress/gzip"
	"testing"
	"testing/fstest"

	"github.com/gatehouse-fw/gatehouse/internal/feature"
)

// host is the files of a made-up machine.
func host(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, text := range files {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

// Where modules can be loaded only what is in the kernel is asked for.
func TestModules(t *testing.T) {
	debian := map[string]string{
		"proc/modules":                      "nft_ct 28672 0 - Live 0x0000000000000000\nxt_mark 16384 2 nf_x, Live 0x0\n",
		"lib/modules/6.1.0/modules.builtin": "kernel/net/netfilter/xt_tcpudp.ko\nkernel/net/netfilter/nft-reject.ko\n",
		"lib/modules/6.1.0/modules.dep":     "kernel/net/netfilter/nft_queue.ko: kernel/net/netfilter/nf_tables.ko\nkernel/net/netfilter/xt_LED.ko.xz:\n",
	}
	container := map[string]string{"proc/modules": debian["proc/modules"]}
	config := map[string]string{
		"proc/modules":      "",
		"boot/config-6.1.0": "CONFIG_NFT_CT=y\n# CONFIG_NFT_QUEUE is not set\nCONFIG_NFT_SOCKET=m\n# CONFIG_NFT_EXTHDR_DCCP is not set\n",
	}
	for _, tc := range []struct {
		name  string
		files map[string]string
		kind  feature.Kind
		what  string
		state State
		free  bool
	}{
		{"loaded", debian, feature.Expression, "ct", Present, true},
		{"loaded", debian, feature.Match, "mark", Present, true},
		{"built in", debian, feature.Match, "tcp", Present, true},
		{"there", debian, feature.Expression, "queue", Loadable, false},
		{"there, packed", debian, feature.Target, "LED", Loadable, false},
		{"not there", debian, feature.Match, "ipvs", Missing, false},
		{"no list", container, feature.Expression, "queue", Unknown, false},
		{"no list, loaded", container, feature.Expression, "ct", Present, true},
		{"configured", config, feature.Expression, "ct", Present, true},
		{"not configured", config, feature.Expression, "queue", Missing, false},
		{"a module, and no list", config, feature.Expression, "socket", Unknown, false},
		{"a part that is off", config, feature.Expression, "exthdr dccp", Missing, true},
		{"a part of nf_tables", container, feature.Expression, "exthdr dccp", Present, true},
		{"no modules at all", nil, feature.Expression, "queue", Unknown, true},
	} {
		s, free := readModules(host(tc.files), "6.1.0").state(feature.Find(tc.kind, tc.what), false)
		if s != tc.state || free != tc.free {
			t.Errorf("%s: %v, %v, want %v, %v", tc.name, s, free, tc.state, tc.free)
		}
	}
}

func TestPackedConfiguration(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte("CONFIG_NFT_NAT=y\n")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if m := readModules(host(map[string]string{"proc/config.gz": b.String()}), ""); m.config["NFT_NAT"] != "y" {
		t.Errorf("%v", m.config)
	}
	if m := readModules(host(map[string]string{"proc/config.gz": "not gzip"}), ""); len(m.config) != 0 {
		t.Errorf("%v", m.config)
	}
}

func FuzzModules(f *testing.F) {
	f.Add("nft_ct 28672 0 - Live 0x0\n", "kernel/net/a-b.ko.xz: c.ko\n", "CONFIG_A=y\n# CONFIG_B is not set\n", "filter\nnat\n")
	f.Add("\n\x00", ":", "CONFIG_=", "\n\n")
	f.Fuzz(func(t *testing.T, loaded, dep, config, legacy string) {
		m := readModules(host(map[string]string{
			"proc/modules": loaded, "lib/modules/r/modules.builtin": dep, "lib/modules/r/modules.dep": dep, "boot/config-r": config,
		}), "r")
		for name := range m.in {
			if name == "" || bytes.ContainsAny([]byte(name), "-/\n") {
				t.Errorf("a module %q", name)
			}
		}
		seen := map[string]bool{}
		for _, name := range tableNames([]byte(legacy)) {
			if name == "" || seen[name] {
				t.Errorf("a table %q", name)
			}
			seen[name] = true
		}
	})
}

func TestRevisions(t *testing.T) {
	for r, want := range map[Revisions]string{0: "", 1: "0", 2: "1", 0b111: "0-2", 0b1101: "0,2-3", 0xff: "0-7", 0x80: "7"} {
		if got := r.String(); got != want {
			t.Errorf("%08b: %q, want %q", r, got, want)
		}
	}
}
