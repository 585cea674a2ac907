//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
)

// network is the mail host with an attacker on one link and a client on another.
type network struct {
	lab                    *lab.Lab
	host, attacker, client *lab.Host
	servers                []*lab.Server
}

var (
	hostForAttacker = netip.MustParseAddr("192.168.1.101")
	attackerAddr    = netip.MustParseAddr("192.168.1.103")
	hostForClient   = netip.MustParseAddr("192.168.2.101")
	clientAddr      = netip.MustParseAddr("192.168.2.102")
)

// workers is how many connections the web server serves at once.
const workers = 40

func newNetwork(ctx context.Context) (n *network, err error) {
	n = &network{}
	if n.lab, err = lab.New(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.lab.Close())
		}
	}()
	for name, h := range map[string]**lab.Host{"mailhost": &n.host, "attacker": &n.attacker, "client": &n.client} {
		if *h, err = n.lab.Host(name); err != nil {
			return nil, err
		}
	}
	if err = n.lab.Wire(n.host.End("eth0", hostForAttacker.String()+"/24"), n.attacker.End("eth0", attackerAddr.String()+"/24")); err != nil {
		return nil, err
	}
	if err = n.lab.Wire(n.host.End("eth1", hostForClient.String()+"/24"), n.client.End("eth0", clientAddr.String()+"/24")); err != nil {
		return nil, err
	}
	// What the host answers to addresses that are nobody's goes where it came from.
	if err = n.host.Route("10.66.0.0/16", attackerAddr.String()); err != nil {
		return nil, err
	}
	return n, n.settings()
}

// settings make the host one that a flood can hurt, as a busy one is: it keeps
// few half-open connections and has no cookies of its own. SYNPROXY wants the
// connection tracker to be strict about what begins a connection.
func (n *network) settings() error {
	for key, value := range map[string]string{
		"net.ipv4.tcp_syncookies":              "0",
		"net.ipv4.tcp_max_syn_backlog":         "64",
		"net.netfilter.nf_conntrack_tcp_loose": "0",
	} {
		if err := n.host.Sysctl(key, value); err != nil {
			return err
		}
	}
	return nil
}

// serve starts the services anew, with nothing left of what came before. The web
// server has so many workers and no more.
func (n *network) serve() error {
	for _, s := range n.servers {
		s.Close()
	}
	n.servers = nil
	free := make(chan struct{}, workers)
	work := func(c net.Conn) {
		select {
		case free <- struct{}{}:
			defer func() { <-free }()
			_, _ = io.Copy(c, c)
		default: // no worker is free
		}
	}
	for port, handle := range map[uint16]func(net.Conn){25: echo, 80: work, 110: echo, 143: echo} {
		s, err := n.host.Serve("tcp", netip.AddrPortFrom(netip.IPv4Unspecified(), port), handle)
		if err != nil {
			return fmt.Errorf("the mail host's port %d: %w", port, err)
		}
		n.servers = append(n.servers, s)
	}
	return nil
}

func echo(c net.Conn) { _, _ = io.Copy(c, c) }
