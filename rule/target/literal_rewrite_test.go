package target_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// The targets that rewrite a packet's headers, or hand it to somebody.
func TestLiteralsThatRewrite(t *testing.T) {
	for _, tc := range []struct {
		want string
		r    rule.Rule
	}{
		{"-j AUDIT --type drop", rule.New(target.Audit{Type: target.AuditDrop})},
		{"-j CHECKSUM --checksum-fill", rule.New(target.Checksum{Fill: true})},
		{"-j CLASSIFY --set-class 0001:00ab", rule.New(target.SetClass(1, 0xab))},
		{"-j DSCP --set-dscp 0x00", rule.New(target.SetDSCP(0))},
		{"-p tcp -j ECN --ecn-tcp-remove", rule.New(target.ECN{ECE: target.ECNClear, CWR: target.ECNClear}, tcp)},
		{"-j ECN --ecn-ip-ect 0", rule.New(target.ECN{ECT: target.NotECT})},
		{"-p tcp -j ECN --ecn-tcp-cwr 1 --ecn-ip-ect 3", rule.New(target.ECN{CWR: target.ECNSet, ECT: target.ECTCE}, tcp)},
		{"-j TTL --ttl-set 0", rule.New(target.SetTTL(0))},
		{"-j TTL --ttl-inc 2", rule.New(target.IncTTL(2))},
		{"-j TTL --ttl-dec 255", rule.New(target.DecTTL(255))},
		{"-j HL --hl-set 0", rule.New(target.SetHL(0))},
		{"-j HL --hl-inc 2", rule.New(target.IncHL(2))},
		{"-j HL --hl-dec 255", rule.New(target.DecHL(255))},
		{"-j NETMAP --to 192.0.2.0/24", rule.New(target.NetMap{To: netip.PrefixFrom(four, 24)})},
		{"-j NETMAP --to 2001:db8::/32", rule.New(target.NetMap{To: netip.PrefixFrom(six, 32)})},
		{"-j NFLOG", rule.New(target.NFLog{})},
		{"-j NFLOG --nflog-prefix x --nflog-group 3 --nflog-size 0 --nflog-threshold 9", rule.New(target.NFLog{Group: 3, Prefix: "x", Size: target.Bytes(0), Threshold: 9})},
		{"-j NFQUEUE --queue-num 0", rule.New(target.NFQueue{})},
		{"-j NFQUEUE --queue-balance 4:7 --queue-bypass --queue-cpu-fanout", rule.New(target.NFQueue{Queue: 4, Last: 7, Bypass: true, Fanout: true})},
		{"-p tcp -j TCPOPTSTRIP --strip-options 2,255", rule.New(target.StripOptions(255, 2), tcp)},
		{"-p tcp -j TCPOPTSTRIP", rule.New(target.TCPOptStrip{}, tcp)},
		{"-j TEE --gateway 192.0.2.1 --oif eth0", rule.New(target.Tee{Gateway: four, Device: "eth0"})},
		{"-j TEE --gateway 192.0.2.1", rule.New(target.Tee{Gateway: netip.MustParseAddr("::ffff:192.0.2.1")})},
		{"-j TOS --set-tos 0x00/0xff", rule.New(target.SetTOS(0))},
		{"-j TOS --set-tos 0x01/0x02", rule.New(target.SetTOSBits(1, 2))},
		{"-j TOS --set-tos 0x00/0xef", rule.New(target.AndTOS(0x10))},
		{"-j TOS --set-tos 0x10/0x10", rule.New(target.OrTOS(0x10))},
		{"-j TOS --set-tos 0x10/0x00", rule.New(target.XorTOS(0x10))},
		{"-j TRACE", rule.New(target.Trace{})},
		{"-j CT --zone 5", rule.New(target.CT{Zone: target.Zone(5)})},
	} {
		if err := tc.r.Err(); err != nil || tc.r.String() != tc.want {
			t.Errorf("got  %v, %v\nwant %s", tc.r, err, tc.want)
		}
	}
}

func TestLiteralsThatCannotRewrite(t *testing.T) {
	for _, tc := range []struct {
		want string
		r    rule.Rule
	}{
		{"must be specified", rule.New(target.Audit{})},
		{"type value 4", rule.New(target.Audit{Type: 4})},
		{"must be specified", rule.New(target.Checksum{})},
		{"must be specified", rule.New(target.Classify{})},
		{"is required", rule.New(target.DSCP{})},
		{"out of range", rule.New(target.SetDSCP(64))},
		{"operation", rule.New(target.ECN{})},
		{"0 or 1", rule.New(target.ECN{ECE: 3}, tcp)},
		{"out of range", rule.New(target.ECN{ECT: 5})},
		{"another -p", rule.New(target.ECN{CWR: target.ECNSet})},
		{"specify an action", rule.New(target.TTL{})},
		{"out of range", rule.New(target.IncTTL(0))},
		{"specify an action", rule.New(target.HL{})},
		{"out of range", rule.New(target.DecHL(0))},
		{"must be specified", rule.New(target.NetMap{})},
		{"invalid", rule.New(target.NetMap{To: netip.PrefixFrom(four, 33)})},
		{"64 bytes", rule.New(target.NFLog{Prefix: strings.Repeat("x", 64)})},
		{"one line", rule.New(target.NFLog{Prefix: "a\nb"})},
		{"less than", rule.New(target.NFQueue{Queue: 5, Last: 5})},
		{"requires", rule.New(target.NFQueue{Fanout: true})},
		{"65535 queues", rule.New(target.NFQueue{Last: 65535})},
		{"0 or 1", rule.New(target.StripOptions(2, 1), tcp)},
		{"another -p", rule.New(target.StripOptions(2))},
		{"must be specified", rule.New(target.Tee{})},
		{"no host", rule.New(target.Tee{Gateway: netip.IPv6Unspecified()})},
		{"no host", rule.New(target.Tee{Gateway: netip.MustParseAddr("fe80::1%eth0")})},
		{"no name", rule.New(target.Tee{Gateway: four, Device: "1234567890123456"})},
		{"exclude each other", rule.New(target.Tee{Gateway: six}, match.Source(four))},
		{"action is required", rule.New(target.TOS{})},
	} {
		if err := tc.r.Err(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v: %v, want an error with %q", tc.r, err, tc.want)
		}
	}
}
