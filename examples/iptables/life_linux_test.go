package main

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/table"
)

func lineOf(text string) line {
	w := shellWords(text)
	return line{text: text, tool: w[0], args: w[1:]}
}

// Without a lock, commands that run at the same time all have their effect.
func TestCommandsAtTheSameTime(t *testing.T) {
	const writers, each = 4, 10
	host := labtest.Host(t)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				l := lineOf(fmt.Sprintf("iptables -A INPUT -p tcp --dport %d", 1000+w*each+i))
				if got := ours(t, host, l); got.Exit != 0 {
					t.Errorf("%s: exit %d: %s", l.text, got.Exit, got.Stderr)
				}
			}
		})
	}
	wg.Wait()
	got := ours(t, host, lineOf("iptables -S INPUT")).Stdout
	for port := 1000; port < 1000+writers*each; port++ {
		if n := strings.Count(got, fmt.Sprintf("--dport %d\n", port)); n != 1 {
			t.Errorf("port %d: %d rules", port, n)
		}
	}
}

// The counters that are listed are those of the packets, and -Z ends them.
func TestCountersAreThePackets(t *testing.T) {
	legacy, host := newReal(t, "legacy"), labtest.Host(t)
	hosts := [...]*lab.Host{legacy.host, host}
	both := func(text string) {
		t.Helper()
		l := lineOf(text)
		compare(t, l, legacy.run(l), ours(t, host, l))
	}
	both("iptables -A INPUT -p udp --dport 5000 -j ACCEPT")
	both("iptables -A INPUT -i lo -p udp -j DROP")
	both("iptables -P INPUT DROP")
	for _, h := range hosts {
		for _, port := range []uint16{5000, 5000, 5001} {
			c, err := h.Dial(t.Context(), "udp", netip.AddrPort{}, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Write([]byte("four")); err != nil {
				t.Fatal(err)
			}
			c.Close()
		}
	}
	both("iptables -nvL")
	both("iptables -nvxL --line-numbers")
	both("iptables-save -c -t filter")
	if got := ours(t, host, lineOf("iptables -S INPUT 2 -v")).Stdout; got != "-A INPUT -i lo -p udp -c 1 32 -j DROP\n" {
		t.Error(got)
	}
	both("iptables -L -Z -nv")
	both("iptables -S -v")
}

// unprivileged is ours on a thread without CAP_NET_ADMIN.
func unprivileged(t *testing.T, host *lab.Host, l line) (got lab.Result) {
	t.Helper()
	err := host.Do(func() error {
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var all, less [2]unix.CapUserData
		if err := unix.Capget(&header, &all[0]); err != nil {
			return err
		}
		less = all
		less[0].Effective &^= 1 << unix.CAP_NET_ADMIN
		if err := unix.Capset(&header, &less[0]); err != nil {
			return err
		}
		got = inThisThread(t.Context(), l)
		return unix.Capset(&header, &all[0])
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Without CAP_NET_ADMIN it is exit code 4, with the words of iptables-nft and
// which capability is missing where.
func TestNotPermitted(t *testing.T) {
	host := labtest.Host(t)
	denied := regexp.MustCompile(`^iptables(-save|-restore)? v1\.8\.9 \(gatehouse\): Could not fetch rule set generation id: Permission denied \(you must be root\)\n.*CAP_NET_ADMIN`)
	for _, text := range []string{"iptables -L", "iptables -A INPUT -j ACCEPT", "iptables -C INPUT -j ACCEPT", "iptables-save", "iptables-restore"} {
		l := lineOf(text)
		l.stdin = "*filter\nCOMMIT\n"
		got := unprivileged(t, host, l)
		if got.Exit != 4 || !denied.MatchString(got.Stderr) || got.Stdout != "" {
			t.Errorf("%s: exit %d\n%s%s", text, got.Exit, got.Stdout, got.Stderr)
		}
	}
	// Arguments are looked at first.
	if got := unprivileged(t, host, lineOf("iptables -A")); got.Exit != 2 {
		t.Errorf("exit %d: %s", got.Exit, got.Stderr)
	}
}

// Commands that only look, or that are refused, leave no table behind.
func TestNothingIsMadeByLooking(t *testing.T) {
	host := labtest.Host(t)
	for _, text := range []string{
		"iptables -L -n", "iptables -S", "iptables -t nat -nvL", "iptables -F", "iptables -X", "iptables -Z", "iptables -L -Z -n",
		"iptables -C INPUT -j ACCEPT", "iptables -D INPUT -j ACCEPT", "iptables -D INPUT 1", "iptables -A INPUT -j missing",
		"iptables -A INPUT -j DNAT --to-destination 10.0.0.1", "iptables -N INPUT", "iptables -E a b", "iptables -P INPUT foo",
		"iptables-save", "iptables-save -t mangle", "iptables-restore -t",
	} {
		l := lineOf(text)
		l.stdin = "*filter\n:INPUT DROP [0:0]\nCOMMIT\n"
		ours(t, host, l)
		if left := oracle.Nft(t, host).Must("list", "ruleset"); left != "" {
			t.Fatalf("%s left:\n%s", text, left)
		}
	}
}

// Of a table for both families each tool shows its half, and changes neither:
// that is for the program that has it.
func TestTableForBothFamilies(t *testing.T) {
	host := labtest.Host(t)
	fw, err := nft.OpenIn(t.Context(), nft.FD(host.FD()), backend.Config{Owner: "both"})
	if err != nil {
		t.Fatal(err)
	}
	defer fw.Close()
	err = fw.Apply(t.Context(), table.NewRuleset(table.New(table.Filter, chain.BuiltIn(chain.Input, chain.Drop,
		rule.Accept(match.In("lo")),
		rule.Accept(match.Source(netip.MustParseAddr("192.0.2.1"))),
		rule.Accept(match.Source(netip.MustParseAddr("2001:db8::1"))),
	))))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"iptables --owner both -S INPUT":  "-P INPUT DROP\n-A INPUT -i lo -j ACCEPT\n-A INPUT -s 192.0.2.1/32 -j ACCEPT\n",
		"ip6tables --owner both -S INPUT": "-P INPUT DROP\n-A INPUT -i lo -j ACCEPT\n-A INPUT -s 2001:db8::1/128 -j ACCEPT\n",
	} {
		if got := ours(t, host, lineOf(text)); got.Stdout != want {
			t.Errorf("%s:\n%s%s", text, got.Stdout, got.Stderr)
		}
	}
	got := ours(t, host, lineOf("iptables --owner both -A INPUT -j DROP"))
	if got.Exit != 1 || !strings.Contains(got.Stderr, "for both families") {
		t.Errorf("exit %d: %s", got.Exit, got.Stderr)
	}
}
