package main

import (
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
)

// The exit codes of iptables-confirm, and of whoever is refused because of what is
// on probation.
func TestConfirmExits(t *testing.T) {
	host := labtest.Host(t)
	file := "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n"
	for _, x := range []struct {
		text string
		exit int
	}{
		{"iptables-confirm", 1}, {"iptables-confirm --status", 1}, {"iptables-confirm --revert", 1},
		{"iptables-confirm --never", 1}, {"iptables-confirm --extend 0", 2}, {"iptables-confirm --revert --extend 5", 2},
		{"iptables-restore --confirm 1d", 2}, {"iptables-restore --confirm 20", 0},
		{"iptables -F", 4}, {"iptables-restore", 4}, {"ip6tables-restore --confirm 20", 4}, {"iptables -S", 0}, {"iptables -C INPUT -i lo -j ACCEPT", 0}, {"iptables -C INPUT -j ACCEPT", 1},
		{"iptables-confirm --status", 0}, {"iptables-confirm --extend 1m", 0}, {"ip6tables-confirm", 0}, {"iptables-confirm", 1},
	} {
		l := lineOf(x.text)
		l.stdin = file
		if got := ours(t, host, l); got.Exit != x.exit {
			t.Errorf("%s: exit %d, want %d: %s%s", x.text, got.Exit, x.exit, got.Stdout, got.Stderr)
		}
	}
	for _, text := range []string{"iptables-confirm", "iptables-confirm --status"} {
		if got := unprivileged(t, host, lineOf(text)); got.Exit != 4 {
			t.Errorf("%s: exit %d: %s", text, got.Exit, got.Stderr)
		}
	}
}

// What an ended probation leaves in the tables is gone after a confirmation that
// comes too late, for iptables-nft too; in between it lists the old rules behind one
// that says what it is.
func TestWhatNFTShowsOnProbation(t *testing.T) {
	host := labtest.Host(t)
	tool := oracle.NewTool(t, host, "iptables-nft")
	ours(t, host, lineOf("iptables -A INPUT -p tcp --dport 25 -j ACCEPT"))
	before := tool.Must("-S")
	l := lineOf("iptables-restore --confirm 150ms")
	l.stdin = "*filter\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n"
	if got := ours(t, host, l); got.Exit != 0 {
		t.Fatalf("exit %d: %s", got.Exit, got.Stderr)
	}
	want := "-A INPUT -m comment --comment \"on probation\" -g INPUT.try\n-A INPUT -p tcp -m tcp --dport 25 -j ACCEPT\n"
	if got := tool.Must("-S"); !strings.Contains(got, want) || !strings.Contains(got, "-A INPUT.try -p tcp -m tcp --dport 22 -j ACCEPT\n") {
		t.Errorf("iptables-nft lists\n%s", got)
	}
	time.Sleep(250 * time.Millisecond)
	if got := ours(t, host, lineOf("iptables-confirm")); got.Exit != 1 {
		t.Errorf("exit %d: %s%s", got.Exit, got.Stdout, got.Stderr)
	}
	if got := tool.Must("-S"); got != before {
		t.Errorf("iptables-nft lists\n%s\nwant\n%s", got, before)
	}
	if got := oracle.Nft(t, host).List(); strings.Contains(got, "probation") {
		t.Errorf("something is left:\n%s", got)
	}
}
