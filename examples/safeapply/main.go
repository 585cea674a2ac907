//go:build linux

// Safeapply changes the firewall of a host that is reached over the network alone,
// without the danger of locking the administrator out.
//
// It builds two hosts that exist only while it runs, the mail host at
// 192.168.1.101 and its administrator at 192.168.1.102, who works on it over port
// 22. A ruleset that forgets port 22 is tried for a short time by a process that is
// killed at once: the administrator is shut out, and is back in when the time is
// up, since it is the kernel that goes back. A better one is tried by one process
// and confirmed by another. It runs as root or as an ordinary user and touches
// nothing of the machine's own network.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

const owner = "mailhost"

// How long the rulesets are tried. A real one gets the half minute that it takes to
// open another connection and type a word.
const (
	badTime  = 1500 * time.Millisecond
	goodTime = 1500 * time.Millisecond
)

// rulesets are what the host has at first, a mistake, and what was meant.
var rulesets = map[string]table.Ruleset{
	"first": letting(22, 25),
	"bad":   letting(25, 80),
	"good":  letting(22, 25, 80),
}

// letting lets these ports in, for IPv4 and IPv6, and nothing else: there is no
// rule for ESTABLISHED, so that even the administrator's session depends on 22.
func letting(ports ...uint16) table.Ruleset {
	return table.NewRuleset(table.New(table.Filter,
		chain.BuiltIn(chain.Input, chain.Drop,
			rule.Accept(match.In("lo")),
			rule.Accept(match.Dports(nf.TCP, ports...)),
			rule.Jump("neighbours", match.Proto(nf.ICMPv6)),
		),
		chain.New("neighbours", rule.NeighborDiscovery()...),
	))
}

func main() {
	ctx := context.Background()
	if len(os.Args) > 1 { // one of the processes on the mail host
		if err := on(ctx, os.Stdout, os.Args[1:]); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := lab.Enter(); err != nil {
		log.Fatal(err)
	}
	if err := run(ctx, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// on is what a process on the mail host does: "apply NAME", "try NAME TIME" or
// "confirm".
func on(ctx context.Context, w io.Writer, args []string) error {
	fw, err := nft.Open(ctx, backend.Config{Owner: owner})
	if err != nil {
		return err
	}
	defer fw.Close()
	switch {
	case args[0] == "apply" && len(args) == 2:
		return fw.Apply(ctx, rulesets[args[1]])
	case args[0] == "try" && len(args) == 3:
		d, err := time.ParseDuration(args[2])
		if err != nil {
			return err
		}
		if _, err := fw.Try(ctx, rulesets[args[1]], d); err != nil {
			return err
		}
		fmt.Fprintln(w, "tried")
		time.Sleep(time.Minute) // somebody kills it before
		return nil
	case args[0] == "confirm":
		p, err := fw.Probation(ctx)
		if err != nil {
			return err
		}
		return p.Confirm(ctx)
	}
	return fmt.Errorf("unknown: %q", args)
}

// run tells the story.
func run(ctx context.Context, w io.Writer) error {
	n, err := newNetwork(ctx)
	if err != nil {
		return err
	}
	defer n.lab.Close()
	s := &story{network: n, w: w}
	for _, part := range []func(context.Context) error{s.before, s.mistake, s.back, s.meant} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}
