package packettest

import (
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gopacket/gopacket/layers"
)

// find is what the first rule or policy counted whose text has this in it.
func find(t *testing.T, counts []counted, text string) string {
	t.Helper()
	for _, c := range counts {
		if strings.Contains(c.where, text) {
			return c.counts
		}
	}
	t.Errorf("there is no %q in %v", text, counts)
	return ""
}

// A header that is cut short: xt matches drop the packet on sight, whatever the
// rule says of it; ours do not match it, and later rules see it. This is on
// purpose, and so is what stands beside it: where no match looks at the header
// the two are the same.
func TestCutHeaders(t *testing.T) {
	t.Parallel()
	cut := func(name string, p layers.IPProtocol, b ...byte) packet { return v4(name, p, nil, raw(b...)) }
	frames := []packet{
		cut("TCP, 8 bytes", layers.IPProtocolTCP, 0x9c, 0x40, 0, 22, 0, 0, 0, 1), cut("TCP, 2 bytes", layers.IPProtocolTCP, 0x9c, 0x40),
		cut("TCP, 19 bytes", layers.IPProtocolTCP, append([]byte{0x9c, 0x40, 0, 22}, make([]byte, 15)...)...),
		cut("UDP, 7 bytes", layers.IPProtocolUDP, 0, 1, 0, 53, 0, 7, 0), cut("UDP, nothing", layers.IPProtocolUDP),
		cut("ICMP, 3 bytes", layers.IPProtocolICMPv4, 8, 0, 0), cut("SCTP, 3 bytes", protoSCTP, 0, 1, 0),
		v4("TCP fragment at 8, which hides flags", layers.IPProtocolTCP, fragment(1, false), raw(make([]byte, 24)...)),
	}
	looks := []string{"-p tcp --dport 22", "-p tcp ! --dport 22", "-p tcp --syn", "-p udp --dport 53", "-p udp ! --dport 53",
		"-p icmp --icmp-type 8", "-p tcp -m multiport --dports 22", "-p sctp -m multiport ! --dports 22"}
	us := ours(t, "ours", "packettest", nf.IPv4, nf.IPv4)
	for _, look := range looks {
		got := trial{rules: []string{"-t raw -A PREROUTING " + look, "-t raw -A PREROUTING"}}.on(t, us, frames, result{})
		if n := find(t, got.counts, "raw PREROUTING, rule 2"); !strings.HasPrefix(n, "8:") {
			t.Errorf("%s: %s packets go on, want all 8", look, n)
		}
		// A port is there in four bytes, and multiport looks at no more.
		want := "0:"
		if strings.Contains(look, "tcp -m multiport") {
			want = "2:"
		}
		if n := find(t, got.counts, "rule 1"); !strings.HasPrefix(n, want) {
			t.Errorf("%s matches %s packets that are cut short, want %s", look, n, want)
		}
	}
	judge := legacy(t, nf.IPv4)
	got := trial{rules: []string{"-t raw -A PREROUTING -p tcp --dport 22", "-t raw -A PREROUTING"}}.on(t, judge, frames, result{})
	if n := find(t, got.counts, "raw PREROUTING, rule 2"); !strings.HasPrefix(n, "4:") {
		t.Errorf("legacy lets %s packets go on, want 4: is the difference gone?", n)
	}
	trial{family: nf.IPv4, frames: frames, rules: []string{"-p tcp", "-t raw -A PREROUTING -p tcp", "-t raw -A PREROUTING -p udp", "-t raw -A PREROUTING ! -p icmp", "-t raw -A PREROUTING -f",
		"-t raw -A PREROUTING -m length --length 28", "-t raw -A PREROUTING -m ttl --ttl-eq 64"}}.through(t, []*side{judge, us})
}

// Behind an authentication header nf_tables' l4proto is AH's, where ip6tables
// looks on: see match.Protocol.
func TestBehindAuthentication(t *testing.T) {
	t.Parallel()
	ah := raw(append([]byte{6, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, transport6(tcp(40000, 22, "S"))...)...)
	frames := []packet{v6("TCP behind AH", layers.IPProtocolAH, nil, ah)}
	rules := []string{"-p tcp", "-p 51", ""}
	for _, s := range sides(t, nf.IPv6) {
		tcp, ah := "0:0", "1:84"
		if s.name == "iptables-legacy" {
			tcp, ah = ah, tcp
		}
		got := trial{rules: rules}.on(t, s, frames, result{})
		if n, m := find(t, got.counts, "INPUT -p tcp"), find(t, got.counts, "INPUT -p ah"); n != tcp || m != ah {
			t.Errorf("%s: -p tcp counts %s, -p ah %s, want %s and %s", s.name, n, m, tcp, ah)
		}
	}
}

// What the kernel ties to iptables' table names is exact for the owner of those:
// a helper that rules assign, and the connection that it expects.
func TestHelper(t *testing.T) {
	t.Parallel()
	rules := []string{"-t raw -A PREROUTING -p tcp --dport 21 -j CT --helper ftp", "-t raw -A PREROUTING", "-m conntrack --ctstate RELATED", "-m conntrack --ctstate NEW",
		"-m conntrack --ctstatus EXPECTED", "-m conntrack ! --ctstatus EXPECTED", "-A OUTPUT -m conntrack --ctstate RELATED", "-A OUTPUT -m conntrack --ctstatus EXPECTED"}
	c := trial{family: nf.IPv4, rules: rules, do: func(w *world) {
		// Active FTP: the client names a port, and the server calls back from 20.
		w.serving(w.host, "tcp", at(labtest.HostIPv4, 21), func() {
			conn, err := w.peer.Dial(w.t.Context(), "tcp", netip.AddrPort{}, at(labtest.HostIPv4, 21))
			w.must(err)
			defer conn.Close()
			// The helper looks at lines that follow one that it has seen. 19*256+137 is 5001.
			for _, line := range []string{"USER anonymous\r\n", "PORT 192,168,1,102,19,137\r\n"} {
				if _, err := conn.Write([]byte(line)); err != nil {
					w.t.Fatal(err)
				}
				if _, err := io.ReadFull(conn, make([]byte, len(line))); err != nil { // the server has it
					w.t.Fatal(err)
				}
			}
			w.connectsFrom(at(labtest.HostIPv4, 20), at(labtest.PeerIPv4, 5001), lab.Closed)
		})
	}}
	all := plain(t, nf.IPv4)
	c.through(t, all)
	if n := find(t, c.on(t, all[1], nil, result{}).counts, "OUTPUT -m conntrack --ctstate RELATED"); !strings.HasPrefix(n, "1:") {
		t.Errorf("%s packets out are RELATED, want the one that opens the data connection", n)
	}
}

// connectsFrom is connects from a port of the host's own.
func (w *world) connectsFrom(from, to netip.AddrPort, want lab.State) {
	w.t.Helper()
	got, err := w.host.Probe(w.t.Context(), lab.Probe{Network: "tcp", From: from, To: to, Wait: lab.DefaultWait})
	if err != nil || got[0].State != want {
		w.t.Errorf("%v to %v is %v, want %v: %v", from, to, got, want, err)
	}
}
