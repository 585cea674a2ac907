package match_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/exttest"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// Structs that the kernel takes, mostly of zeroes: sizes are those of the
// kernel's headers, include/uapi/linux/netfilter/xt_*.h, on a 64-bit machine.
func TestXTThatInetTablesHave(t *testing.T) {
	zeroes := func(n int) string { return strings.Repeat("\x00", n) }
	number := func(n uint16) string { return string(binary.NativeEndian.AppendUint16(nil, n)) }
	structs := map[string]match.XT{
		// One instruction, "return 0", whose number stands second and itself at 8.
		"bpf":     {Revision: 1, Info: zeroes(2) + number(1) + zeroes(4) + number(6) + zeroes(518)},
		"cgroup":  {Info: zeroes(8)},
		"comment": {Info: zeroes(256)}, "connbytes": {Info: zeroes(24)}, "connlabel": {Info: zeroes(8)},
		"connmark": {Revision: 1, Info: zeroes(16)}, "conntrack": {Revision: 3, Info: zeroes(168)},
		"cpu": {Info: zeroes(8)}, "devgroup": {Info: zeroes(24)}, "helper": {Info: zeroes(40)},
		"limit": {Info: "\x01\x00\x00\x00\x01" + zeroes(35)}, // neither rate nor burst may be zero
		"mark":  {Revision: 1, Info: zeroes(16)}, "pkttype": {Info: zeroes(8)}, "quota": {Info: zeroes(24)},
		"state": {Info: zeroes(8)}, "statistic": {Info: zeroes(24)},
		// Offsets 0 to 4096, by Boyer-Moore, the text "x" of length 1.
		"string": {Revision: 1, Info: "\x00\x00\x00\x10bm" + zeroes(14) + "x" + zeroes(127) + "\x01" + zeroes(11)},
		"time":   {Info: zeroes(24)}, "u32": {Info: zeroes(1984)},
	}
	for _, name := range match.InInet {
		x, ok := structs[name]
		if !ok {
			t.Errorf("%s: no struct to ask the kernel with", name)
			continue
		}
		x.Ext = name
		exttest.InInet(t, rule.New(target.None, x), true)
	}
	exttest.InInet(t, rule.New(target.None, match.XT{Ext: "tos", Revision: 1, Info: zeroes(8)}), false)
}
