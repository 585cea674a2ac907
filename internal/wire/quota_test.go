package wire

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// A quota that is used up, as the kernel here dumped it: with a flag that it does
// not take.
func TestUsedUpQuotaIsAQuota(t *testing.T) {
	attr := func(typ byte, b ...byte) string { return string(append([]byte{byte(4 + len(b)), 0, typ, 0}, b...)) }
	number := func(typ, n byte) string { return attr(typ, 0, 0, 0, 0, 0, 0, 0, n) }
	for _, c := range []struct {
		bytes, consumed, flags byte
		want                   program.Expr
	}{
		{9, 3, 0, program.Quota{Bytes: 9, Consumed: 3}},
		{9, 9, 2, program.Quota{Bytes: 9, Consumed: 9}},
		{9, 9, 3, program.Quota{Bytes: 9, Consumed: 9, Over: true}},
		{0, 0, 2, program.Quota{}},
		{9, 9, 4, nil}, // a flag that nobody knows
		{9, 3, 2, nil},
	} {
		raw := program.Raw{Name: "quota", Data: number(1, c.bytes) + number(4, c.consumed) + attr(2, 0, 0, 0, c.flags)}
		want := c.want
		if want == nil {
			want = raw
		}
		if got := DecodeExprs([]program.Raw{raw})[0]; got != want {
			t.Errorf("%d of %d, flags %d: %v, want %v", c.consumed, c.bytes, c.flags, got, want)
		}
	}
}
