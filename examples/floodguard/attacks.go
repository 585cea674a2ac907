//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/table"
)

// attack is one kind of flood, its guard, and what a client that means well does.
type attack struct {
	name    string
	service string // whose rule counts what got through
	sent    int
	guard   Guard
	run     func(ctx context.Context) (stop func(), err error)
	client  func(ctx context.Context) error
}

const (
	syns     = 300 // SYN packets of a flood
	echoes   = 300 // pings
	hoard    = 60  // connections that are opened and kept
	guesses  = 30  // passwords that are tried
	attempts = 3   // what the client does, so many times
)

func (n *network) attacks() []attack {
	ask := func(port uint16) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := n.client.Ask(ctx, "tcp", netip.AddrPortFrom(hostForClient, port), "hello")
			return err
		}
	}
	return []attack{
		{"SYN flood", "smtp", syns, synProxy(), n.synFlood, ask(25)},
		{"ping flood", "ping", echoes, pings(), n.pingFlood, func(ctx context.Context) error { return n.client.Ping(ctx, hostForClient) }},
		{"hoarded connections", "http", hoard, hoarding(), n.hoard, ask(80)},
		{"password guessing", "pop3", guesses, guessing(), n.guess(110), ask(110)},
		{"the same, slower", "imap", guesses, accounts(), n.guess(143), ask(143)},
	}
}

// try makes an attack while the client does what it does, and reads off the
// service's own rule what came through of the attack alone.
func (n *network) try(ctx context.Context, fw *backend.Firewall, a attack, guards []Guard) (through, client string, err error) {
	if err := errors.Join(n.serve(), fw.Remove(ctx)); err != nil { // servers, counters and accounts begin anew
		return "", "", err
	}
	if err := fw.Apply(ctx, Rules(guards...)); err != nil {
		return "", "", err
	}
	stop, err := a.run(ctx)
	if err != nil {
		return "", "", err
	}
	defer stop()
	counted, err := count(ctx, fw, a.service)
	if err != nil {
		return "", "", err
	}
	served := 0
	for range attempts {
		switch err := a.impatient(ctx); {
		case err == nil:
			served++
		case ctx.Err() != nil:
			return "", "", err
		}
	}
	client = "is served"
	switch {
	case served == 0:
		client = "is shut out"
	case served < attempts:
		client = fmt.Sprintf("%d of %d", served, attempts)
	}
	return fmt.Sprint(counted), client, nil
}

// patience is how long the client waits: less than the second after which TCP sends
// a SYN again, and enough for a busy machine.
const patience = 3 * lab.DefaultWait

// impatient is the client, who does not wait long.
func (a attack) impatient(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return a.client(ctx)
}

// count is what a service's rule has counted.
func count(ctx context.Context, fw *backend.Firewall, service string) (uint64, error) {
	rs, err := fw.Read(ctx, table.Filter)
	if err != nil {
		return 0, err
	}
	t, _ := rs.Table(table.Filter)
	c, _ := t.Chain(chain.Input)
	for _, s := range services {
		if s.Name != service {
			continue
		}
		for _, r := range c.Rules() {
			if r.Equal(s.Rule) {
				return r.Counters().Packets, nil
			}
		}
	}
	return 0, fmt.Errorf("no rule counts %s", service)
}

// synFlood sends SYN packets from addresses that are nobody's, so that what the
// host answers is never answered.
func (n *network) synFlood(context.Context) (stop func(), err error) {
	var packets [][]byte
	for i := range syns {
		ip := &layers.IPv4{
			Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP,
			SrcIP: net.IPv4(10, 66, byte(i>>8), byte(i)), DstIP: net.IP(hostForAttacker.AsSlice()),
		}
		tcp := &layers.TCP{SrcPort: layers.TCPPort(20000 + i), DstPort: 25, Seq: uint32(i), SYN: true, Window: 1024}
		if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
			return nil, err
		}
		b := gopacket.NewSerializeBuffer()
		if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ip, tcp); err != nil {
			return nil, err
		}
		packets = append(packets, b.Bytes())
	}
	return func() {}, n.attacker.SendIP(packets...)
}

// pingFlood sends echo requests as fast as it can.
func (n *network) pingFlood(context.Context) (stop func(), err error) {
	var packets [][]byte
	for i := range echoes {
		ip := &layers.IPv4{
			Version: 4, TTL: 64, Protocol: layers.IPProtocolICMPv4,
			SrcIP: net.IP(attackerAddr.AsSlice()), DstIP: net.IP(hostForAttacker.AsSlice()),
		}
		icmp := &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(8, 0), Id: 7, Seq: uint16(i)}
		b := gopacket.NewSerializeBuffer()
		if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ip, icmp); err != nil {
			return nil, err
		}
		packets = append(packets, b.Bytes())
	}
	return func() {}, n.attacker.SendIP(packets...)
}

// hoard opens connections and keeps them.
func (n *network) hoard(ctx context.Context) (stop func(), err error) {
	open := make(chan net.Conn, hoard)
	bounded, cancel := context.WithTimeout(ctx, lab.DefaultWait)
	defer cancel()
	done := make(chan struct{})
	for range hoard {
		go func() {
			defer func() { done <- struct{}{} }()
			c, err := n.attacker.Dial(bounded, "tcp", netip.AddrPort{}, netip.AddrPortFrom(hostForAttacker, 80))
			if err == nil {
				open <- c
			}
		}()
	}
	for range hoard {
		<-done
	}
	close(open)
	var all []net.Conn
	for c := range open {
		all = append(all, c)
	}
	time.Sleep(20 * time.Millisecond) // the server has taken them
	return func() {
		for _, c := range all {
			c.Close()
		}
	}, ctx.Err()
}

// guess connects again and again; who is let in could try a password.
func (n *network) guess(port uint16) func(ctx context.Context) (func(), error) {
	return func(ctx context.Context) (func(), error) {
		probes := make([]lab.Probe, guesses)
		for i := range probes {
			probes[i] = lab.Probe{Network: "tcp", To: netip.AddrPortFrom(hostForAttacker, port)}
		}
		_, err := n.attacker.Probe(ctx, probes...)
		return func() {}, err
	}
}

// trimmed is a line without blanks at its end.
func trimmed(s string) string { return strings.TrimRight(s, " ") }
