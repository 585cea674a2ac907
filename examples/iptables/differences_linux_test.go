//go:build linux

package main

import (
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
)

// difference is a command line that does not do or say exactly what it does with
// iptables-legacy 1.8.9.
type difference struct {
	why  string
	exit int
	says string // part of what we print, on either output
}

// check sees that ours does what the list says, and that it is a difference.
func (d difference) check(t *testing.T, l line, want, got lab.Result) {
	t.Helper()
	if got.Exit != d.exit || !strings.Contains(got.Stdout+got.Stderr, d.says) {
		t.Errorf("$ %s\nexit %d, want %d and %q (%s):\n%s%s", l.key(), got.Exit, d.exit, d.says, d.why, got.Stdout, got.Stderr)
	}
	if want.Exit == got.Exit && savedText(want.Stdout) == savedText(got.Stdout) && sameMessage(want.Stderr, got.Stderr) {
		t.Errorf("$ %s\nis no difference any more", l.key())
	}
}

// Why they differ.
const (
	itsWords    = "names the value as the library does"
	otherFamily = "says that the address is of the other family"
	whichName   = "says which name it is"
	unreached   = "a loop is refused before packets can reach it"
	never       = "a range that no packet can be in is an error, not a warning or a rule that never matches"
	joined      = "1.8.9 takes the whole word for the value, which is a bug of its own"
	noComment   = "a comment that says nothing is taken, and not kept"
	ownOption   = "it has an option of its own"
	noLine      = "arguments are not on line 0 of the file"
	lineForm    = "the library reads the lines and words what is wrong with their form"
	wildcard    = "-i + is no -i"
)

// differenceOf finds what is known of a line.
func differenceOf(l line) (difference, bool) {
	if d, ok := differences[l.key()]; ok {
		return d, true
	}
	d, ok := extensionDifferences[l.key()]
	return d, ok
}

// differences are those of the command itself and the common extensions; those of
// the others are extensionDifferences. Keys are those of the lines.
var differences = map[string]difference{
	`iptables -A INPUT -j ""`:                      {itsWords, 2, "invalid target name (too short)"},
	"iptables -A INPUT -p tcp -m tcp --dport 10:5": {itsWords, 2, "runs backward (min > max)"},
	"iptables -A INPUT -p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16": {itsWords, 2, "too many ports specified: 15 at most"},
	"iptables -A INPUT -m multiport --dports 22":                                            {itsWords, 2, "needs -p tcp, -p udp, -p udplite, -p sctp or -p dccp"},
	"iptables -A INPUT -p icmp -m multiport --dports 1":                                     {itsWords, 2, "only works with tcp, udp, udplite, sctp and dccp"},
	"iptables -A INPUT -m limit --limit 0/s":                                                {itsWords, 2, `bad rate "0/s"`},
	"iptables -A INPUT -m limit --limit foo":                                                {itsWords, 2, `bad rate "foo"`},
	"iptables -A INPUT -m mac --mac-source xx":                                              {itsWords, 2, "invalid MAC address specified"},
	"iptables -A INPUT -m addrtype --src-type FOO":                                          {itsWords, 2, `bad type "FOO"`},
	"iptables -A INPUT -m comment":                                                          {itsWords, 2, "comment: --comment: empty"},
	"iptables -A INPUT -m ttl":                                                              {itsWords, 2, "you must specify one of --ttl-eq, --ttl-lt, --ttl-gt"},
	"iptables -t mangle -A INPUT -j MARK":                                                   {itsWords, 2, "MARK: mark not given"},

	"ip6tables -A INPUT -s 1.2.3.4 -j ACCEPT": {otherFamily, 2, "host/network `1.2.3.4' is not IPv6"},
	"iptables -A INPUT -s ::1 -j ACCEPT":      {otherFamily, 2, "host/network `::1' is not IPv4"},

	`iptables -N ""`:     {whichName, 2, "chain name is empty"},
	"iptables -N ACCEPT": {whichName, 2, "chain name may not clash with target name `ACCEPT'"},
	"iptables -N DNAT":   {whichName, 2, "chain name may not clash with target name `DNAT'"},

	"iptables -A foo -j foo": {unreached, 1, "Too many levels of symbolic links."},

	"iptables -A INPUT -m length --length 5:3":                 {never, 2, "invalid range 5:3"},
	"iptables -A INPUT -m iprange --src-range 5.5.5.5-1.1.1.1": {never, 2, "runs backward"},

	"iptables -A INPUT --in-interface=lo": {joined, 0, ""},
	"iptables -A INPUT --protocol=tcp":    {joined, 0, ""},
	"iptables -A INPUT -ptcp":             {joined, 0, ""},
	"iptables -A INPUT -jDROP":            {joined, 0, ""},
	"iptables -A INPUT -s10.0.0.1":        {joined, 0, ""},

	"iptables -t filter -S INPUT": {noComment, 0, "--dport 22 -j ACCEPT"},

	"iptables-restore -h": {ownOption, 0, "[ --owner=<NAME> ]"},

	"iptables-restore --wait x": {noLine, 2, "wait seconds not numeric"},

	"iptables-restore < *filter|:INPUT|COMMIT":                  {lineForm, 2, "line 2 policy missing"},
	"iptables-restore < *filter|:|COMMIT":                       {lineForm, 2, "line 2 chain name missing"},
	"iptables-restore < *filter|[1:2 -A INPUT -j ACCEPT|COMMIT": {lineForm, 2, "line 2 bad counters"},

	"iptables -L -v": {wildcard, 0, "any    any"},
}
