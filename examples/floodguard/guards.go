//go:build linux

package main

import (
	"time"

	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// Guard is a protection: rules for table raw, before connections are tracked, and
// for INPUT, before services are let in.
type Guard struct {
	Raw, Input []rule.Rule
}

// synProxy answers for the mail server: a SYN is not tracked, SYNPROXY answers it
// with a cookie, and only who sends that back is passed on. What else is INVALID
// goes.
func synProxy() Guard {
	smtp := match.TCP{Dport: match.Is(nf.Port(25))}
	syn := match.TCP{Dport: match.Is(nf.Port(25)), Flags: match.Is(match.SYN)}
	return Guard{
		Raw: []rule.Rule{rule.New(target.CT{NoTrack: true}, match.NotIn("lo"), syn)},
		Input: []rule.Rule{
			rule.New(target.SYNPROXY{SackPerm: true, Timestamp: true, WScale: target.Is[uint8](7), MSS: target.Is[uint16](1460)},
				match.NotIn("lo"), smtp, match.CTStates(match.Invalid|match.Untracked)),
			rule.Drop(match.CTStates(match.Invalid)),
		},
	}
}

// pings lets each source have ten a second, after a burst of twenty.
func pings() Guard {
	return Guard{Input: []rule.Rule{rule.Drop(
		match.ICMP{Type: match.Is(nf.Type(8))},
		match.Hashlimit{Table: "pings", Rate: match.Rate{N: 10, Per: time.Second}, Above: true, Burst: 20, By: match.HashlimitSrcIP},
	)}}
}

// hoarding lets each address have ten connections to the web server at once.
func hoarding() Guard {
	return Guard{Input: []rule.Rule{rule.Drop(append(newConnection(80),
		match.Connlimit{Above: match.Is[uint32](10)})...)}}
}

// guessing lets each address have four tries a minute.
func guessing() Guard {
	return Guard{Input: []rule.Rule{
		rule.Drop(append(newConnection(110), match.Recent{List: "guesses", Do: match.RecentUpdate, Seconds: 60, HitCount: 4})...),
		rule.Count(append(newConnection(110), match.Recent{List: "guesses", Do: match.RecentSet})...),
	}}
}

// accounts gives each address five tries, and one more every 12 seconds.
func accounts() Guard {
	return Guard{Input: []rule.Rule{rule.Drop(append(newConnection(143), match.Hashlimit{
		Table: "accounts", Rate: match.Rate{N: 5, Per: time.Minute}, Above: true, Burst: 5, By: match.HashlimitSrcIP,
	})...)}}
}
