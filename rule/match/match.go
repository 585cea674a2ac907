// Package match holds the matches of iptables: what a packet must be for a rule
// to apply. One file an extension, one struct type a file, named as -m names it.
//
// Every match is a comparable value: no pointer, slice or map inside, so a rule
// cannot change behind its owner's back and == compares two matches.
//
// An option that iptables lets you invert is an Opt: absent (the zero value),
// Is(v), or Not(v). What iptables writes before the matches (-s -d -i -o -p -f,
// -4 -6) are matches too, with a function each: In, NotIn, Source, NotSource, …
// Their order in a rule does not matter and each may appear once.
//
// A match implies what iptables demands: TCP implies -p tcp, ICMP implies
// -p icmp and IPv4. It is added when the rule is made, and printed.
package match

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// Match is one match of a rule. Only this module can implement it; kernel
// extensions that it does not know go in as XT, raw expressions as Raw.
type Match interface {
	// Name is the extension's name after -m; "" for the header matches.
	Name() string
	// Compile adds the match to a program. For the pipeline, not for callers.
	Compile(c *program.Code) error

	ext() option.Extension
}

// Extension is what the pipeline knows of a match: its options, its texts, its
// needs and how it is read off a program.
func Extension(m Match) option.Extension { return m.ext() }

// Find is the extension that -m names; ok is false if there is none.
func Find(name string) (e option.Extension, ok bool) {
	for _, e := range extensions {
		if e.ExtName() == name {
			return e, true
		}
	}
	return nil, false
}

// All are the extensions that -m names, in the order in which a program is offered
// to them.
func All() []option.Extension { return slices.Clone(extensions) }

// Read takes the match that comes next off a rule's program: the extension that
// a note names, else the first that knows the program. ok is false where none
// does. Header matches are ReadHeader's.
func Read(r *program.Reader) (m Match, ok bool) {
	if name := r.Is(); name != "" {
		if e, ok := Find(name); ok {
			if v, ok := e.ReadFrom(r); ok {
				return v.(Match), true
			}
		}
	}
	for _, e := range extensions {
		if v, ok := e.ReadFrom(r); ok {
			return v.(Match), true
		}
	}
	return nil, false
}

// extensions are all matches, in the order in which a program is offered to
// them: where two spell the same program, the one that is spelled more often
// comes first, and the other leaves a note.
var extensions = []option.Extension{
	addrtype,
	ah,
	bpf,
	cgroup,
	cluster,
	comment,
	connbytes,
	connlabel,
	connlimit,
	conntrack,
	connmark,
	cpu,
	dccp,
	devgroup,
	dscp,
	dst,
	ecn,
	esp,
	eui64,
	frag,
	hashlimit,
	hbh,
	helper,
	hl,
	icmp,
	icmp6,
	ipcomp,
	iprange,
	ipset,
	ipv6header,
	ipvs,
	length,
	limit,
	mac,
	mark,
	mh,
	multiport,
	nfacct,
	osf,
	own,
	owner,
	physdev,
	pkttype,
	policy,
	quota,
	rateest,
	realm,
	recent,
	rpfilter,
	rt,
	sctp,
	socket,
	srh,
	state,
	statistic,
	search,
	tcp,
	tcpmss,
	clock,
	tos,
	ttl,
	u32,
	udp,
	raw,
	xt,
}
