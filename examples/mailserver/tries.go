//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

// try is one thing that must work, or must not.
type try struct {
	name string
	run  func(ctx context.Context) (string, error)
}

func (n *network) tries() []try {
	return []try{
		{"The host talks to itself over loopback:", n.loopback},
		{"The host calls the peer and is answered:", n.callOut},
		{"Active FTP, no helper for its data connection:", n.dataConnection},
		{"Active FTP, the helper watches port 21:", n.helpedDataConnection},
	}
}

// loopback connects from the host to a port of its own that outsiders cannot reach.
func (n *network) loopback(ctx context.Context) (string, error) {
	state, err := n.host.Connect(ctx, "tcp", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 22))
	return "port 22 is " + state.String(), err
}

// callOut opens a connection from the host: its answers are ESTABLISHED.
func (n *network) callOut(ctx context.Context) (string, error) {
	server, err := n.peer.Echo("tcp", netip.AddrPortFrom(netip.MustParseAddr(peerIPv4), 7))
	if err != nil {
		return "", err
	}
	defer server.Close()
	answer, err := n.host.Ask(ctx, "tcp", server.Addr(), "hello")
	return fmt.Sprintf("%q comes back", answer), err
}

// helpedDataConnection is dataConnection with connection tracking told to read
// what goes to port 21. Kernels no longer do that unasked. The kernel ties this
// one target to iptables' own table name, so a second Firewall opens it.
func (n *network) helpedDataConnection(ctx context.Context) (string, error) {
	raw, err := nft.OpenIn(ctx, nft.FD(n.host.FD()), backend.Config{Owner: backend.Iptables})
	if err != nil {
		return "", err
	}
	defer raw.Close()
	err = raw.Apply(ctx, table.NewRuleset(table.New(table.Raw.IPv4(),
		chain.BuiltIn(chain.Output, chain.Accept,
			rule.New(target.CT{Helper: "ftp"}, match.Dport(nf.TCP, 21)),
		),
	)))
	if err != nil {
		return "", err
	}
	return n.dataConnection(ctx)
}

// dataConnection is an active FTP transfer: the host calls the peer's port 21,
// says on which port it waits, and the peer connects there from port 20.
func (n *network) dataConnection(ctx context.Context) (string, error) {
	server, err := n.peer.Serve("tcp", netip.AddrPortFrom(netip.MustParseAddr(peerIPv4), 21), n.ftpServer)
	if err != nil {
		return "", err
	}
	defer server.Close()
	data, err := n.host.Listen(ctx, "tcp", netip.AddrPortFrom(netip.MustParseAddr(hostIPv4), 0))
	if err != nil {
		return "", err
	}
	defer data.Close()
	at := netip.MustParseAddrPort(data.Addr().String())
	control, err := n.host.Dial(ctx, "tcp", netip.AddrPort{}, server.Addr())
	if err != nil {
		return "", err
	}
	defer control.Close()
	// Connection tracking follows a conversation from its first line on.
	fmt.Fprint(control, "USER anonymous\r\n")
	if _, err := bufio.NewReader(control).ReadString('\n'); err != nil {
		return "", err
	}
	ip := strings.ReplaceAll(at.Addr().String(), ".", ",")
	fmt.Fprintf(control, "PORT %s,%d,%d\r\n", ip, at.Port()>>8, at.Port()&0xff)
	return transferred(data, time.Second)
}

// transferred says whether the data connection arrived.
func transferred(l net.Listener, wait time.Duration) (string, error) {
	if d, ok := l.(interface{ SetDeadline(time.Time) error }); ok {
		if err := d.SetDeadline(time.Now().Add(wait)); err != nil {
			return "", err
		}
	}
	conn, err := l.Accept()
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "dropped", nil
	case err != nil:
		return "", err
	}
	return "accepted as RELATED", conn.Close()
}

// ftpServer lets anybody in, and answers a PORT command by connecting to the
// address in it.
func (n *network) ftpServer(control net.Conn) {
	in := bufio.NewReader(control)
	if _, err := in.ReadString('\n'); err != nil {
		return
	}
	fmt.Fprint(control, "230 Welcome.\r\n")
	line, err := in.ReadString('\n')
	if err != nil {
		return
	}
	var a, b, c, d, hi, lo byte
	if _, err := fmt.Sscanf(line, "PORT %d,%d,%d,%d,%d,%d", &a, &b, &c, &d, &hi, &lo); err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 900*time.Millisecond)
	defer cancel()
	from := netip.AddrPortFrom(netip.MustParseAddr(peerIPv4), 20)
	to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{a, b, c, d}), uint16(hi)<<8|uint16(lo))
	if conn, err := n.peer.Dial(ctx, "tcp", from, to); err == nil {
		conn.Close()
	}
}
