package table_test

import (
	"io/fs"
	"strings"
	"testing"

	"errors"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

const setsText = `*filter
create bans hash:net timeout 600 counters keep
add bans 10.0.0.0/8 timeout 3600 packets 1 bytes 60 comment "sshd, again"
add bans 192.0.2.1-192.0.2.9 packets 0 bytes 0
add bans 2001:db8::/32 expires 20 packets 0 bytes 0
create services hash:ip,proto,port
add services 192.0.2.1,tcp,80
:INPUT DROP [0:0]
-A INPUT -m own --match-set bans src -j DROP
-A INPUT -m own ! --match-set services dst,proto,dport -j RETURN
COMMIT
`

// Sets come out as they went in.
func TestSetsText(t *testing.T) {
	rs, err := table.Parse(strings.NewReader(setsText), nf.Both)
	if err != nil || rs.Err() != nil {
		t.Fatal(err, rs.Err())
	}
	if got := rs.String(); got != setsText {
		t.Errorf("%s\nwant\n%s", got, setsText)
	}
	again, err := table.Parse(strings.NewReader(rs.String()), nf.Both)
	if err != nil || !again.Equal(rs) {
		t.Error(err)
	}
}

func TestSetsTextRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		lines string
		f     nf.Family
		want  string
	}{
		"no such set":       {"add bans 10.0.0.1", nf.IPv4, "set bans"},
		"no such type":      {"create bans list:set", nf.IPv4, "list:set"},
		"no such kind":      {"create bans hash:mac", nf.IPv4, "mac"},
		"two of Nets":       {"create bans hash:net,net", nf.IPv4, "one of Nets"},
		"other family":      {"create bans hash:net family inet6", nf.IPv4, "inet6"},
		"a v6 element":      {"create bans hash:net\nadd bans ::1", nf.IPv4, "IPv6"},
		"twice":             {"create bans hash:net\ncreate bans hash:net", nf.IPv4, "exist"},
		"no address":        {"create bans hash:net\nadd bans 80", nf.IPv4, "80"},
		"a net of addrs":    {"create bans hash:ip\nadd bans 10.0.0.0/8", nf.IPv4, "10.0.0.0/8"},
		"backward":          {"create bans hash:net\nadd bans 10.0.0.2-10.0.0.1", nf.IPv4, "backward"},
		"open quote":        {"create bans hash:net\nadd bans 10.0.0.1 comment \"x", nf.IPv4, "quotes"},
		"nomatch":           {"create bans hash:net\nadd bans 10.0.0.1 nomatch", nf.IPv4, "nomatch"},
		"no number":         {"create bans hash:net timeout x", nf.IPv4, "timeout"},
		"nothing behind":    {"create bans hash:net timeout", nf.IPv4, "timeout"},
		"too long":          {"create bans hash:net timeout 4294967296", nf.IPv4, "68 years"},
		"a name too long":   {"create " + strings.Repeat("x", 32) + " hash:net", nf.IPv4, "31"},
		"no set of a rule":  {":INPUT ACCEPT\n-A INPUT -m own --match-set bans src -j DROP", nf.IPv4, "set bans"},
		"another key":       {"create bans hash:port\n-A INPUT -m own --match-set bans src -j DROP", nf.IPv4, "not the key"},
		"overlap":           {"create bans hash:net disjoint\nadd bans 10.0.0.0/8\nadd bans 10.1.0.0/16", nf.IPv4, "overlaps"},
		"four fields":       {"create bans hash:ip,port,proto,mark", nf.IPv4, "three"},
		"mark out of range": {"create m hash:mark\nadd m 4294967296", nf.IPv4, "range"},
	} {
		t.Run(name, func(t *testing.T) {
			rs, err := table.Parse(strings.NewReader("*filter\n"+tc.lines+"\nCOMMIT\n"), tc.f)
			if err = errors.Join(err, rs.Err()); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
			if name == "no such set" && !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
		})
	}
}
