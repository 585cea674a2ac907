package target_test

import (
	"encoding/binary"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/exttest"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// Structs that the kernel takes: xt_AUDIT.h, and xt_NFQUEUE.h with one queue.
func TestXTThatInetTablesHave(t *testing.T) {
	structs := map[string]target.XT{
		"AUDIT":   {Info: "\x00\x00\x00\x00\x00\x00\x00\x00"},
		"NFQUEUE": {Revision: 3, Info: "\x00\x00" + string(binary.NativeEndian.AppendUint16(nil, 1)) + "\x00\x00\x00\x00"},
	}
	for _, name := range target.InInet {
		x, ok := structs[name]
		if !ok {
			t.Errorf("%s: no struct to ask the kernel with", name)
			continue
		}
		x.Ext = name
		exttest.InInet(t, rule.New(x), true)
	}
	exttest.InInet(t, rule.New(target.XT{Ext: "MARK", Revision: 2, Info: "\x00\x00\x00\x00\x00\x00\x00\x00"}), false)
}
