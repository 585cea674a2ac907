package bench

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/delta"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/internal/page"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childText); path != "" {
		if err := child(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	labtest.Main(m)
}

// text is save text of n rules.
func text(n int) string {
	var b strings.Builder
	b.WriteString("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n")
	for i := range n {
		fmt.Fprintf(&b, "-A INPUT -s 10.%d.%d.%d/32 -p tcp -m tcp --dport %d -j ACCEPT\n", i>>16, i>>8&255, i&255, i%65536)
	}
	b.WriteString("COMMIT\n")
	return b.String()
}

// peer is one way to have rules in a kernel, on a host of its own.
type peer interface {
	name() string
	load(t testing.TB, text string)
	read(t testing.TB) (rules int)
	empty(t testing.TB)
}

// library is us.
type library struct{ fw *backend.Firewall }

func newLibrary(t testing.TB, h *lab.Host) *library {
	fw, err := nft.OpenIn(t.Context(), nft.FD(h.FD()), backend.Config{Owner: "bench"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fw.Close() })
	return &library{fw}
}

func (*library) name() string { return "gatehouse" }

func parsed(t testing.TB, text string) table.Ruleset {
	rs, err := table.Parse(strings.NewReader(text), nf.IPv4)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

func (l *library) load(t testing.TB, text string) {
	if err := l.fw.Apply(t.Context(), parsed(t, text)); err != nil {
		t.Fatal(err)
	}
}

func (l *library) read(t testing.TB) int {
	rs, err := l.fw.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(rs.String(), "\n-A ")
}

func (l *library) empty(t testing.TB) {
	if err := l.fw.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// tool is the real iptables.
type tool struct {
	*oracle.IPTables
	variant string
}

func (x tool) name() string                   { return x.variant }
func (x tool) load(_ testing.TB, text string) { x.MustRestore(text) }
func (x tool) read(testing.TB) int            { return strings.Count(x.Save(), "\n-A ") }
func (x tool) empty(testing.TB)               { x.MustRestore(text(0)) }

// kernel is what is left when somebody else has done everything: it sends a batch
// that was written before and is what we would send, in one piece; reading, it
// takes the answers and does not look into them.
type kernel struct {
	fd     int
	loads  map[string][]byte
	chains []string
	buf    []byte

	last   string // chain that a rule was put into, and the rule
	handle uint64
	took   time.Duration // for the last batch
}

func newKernel(t testing.TB, h *lab.Host) *kernel {
	k := &kernel{loads: map[string][]byte{}, buf: make([]byte, 64<<10)}
	err := h.Do(func() (err error) {
		k.fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(k.fd) })
	for _, opt := range [...]int{unix.SO_SNDBUF, unix.SO_SNDBUFFORCE} { // the latter takes privilege
		_ = unix.SetsockoptInt(k.fd, unix.SOL_SOCKET, opt, 256<<20)
	}
	return k
}

func (*kernel) name() string { return "kernel" }

// write writes the batch that loads a text.
func (k *kernel) write(t testing.TB, text string) {
	p, err := compile.Ruleset(parsed(t, text), compile.Options{Owner: "bench"})
	if err != nil {
		t.Fatal(err)
	}
	p = page.Page(p, &program.Program{}, page.Size)
	k.chains = nil
	for _, c := range p.Tables[0].Chains {
		k.chains = append(k.chains, c.Name)
	}
	d := delta.Diff(&program.Program{}, p, delta.Options{})
	k.loads[text] = k.encode(t, append(d.Stage, d.Switch...))
}

func (k *kernel) encode(t testing.TB, ops []driver.Op) []byte {
	b, err := wire.Encode(driver.Batch{Ops: ops}, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (k *kernel) load(t testing.TB, text string) { k.send(t, k.loads[text]) }

func (k *kernel) empty(t testing.TB) {
	gone := &program.Table{Family: program.IP, Name: "bench-filter"}
	k.send(t, k.encode(t, []driver.Op{{Kind: driver.DeleteTable, Table: gone}}))
}

// send sends a batch. The kernel has carried it out when that returns, and its
// answers are there.
func (k *kernel) send(t testing.TB, batch []byte) {
	err := unix.Sendto(k.fd, batch, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	if errors.Is(err, unix.EMSGSIZE) {
		labtest.Require(t, "a socket that sends a batch of any size", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for {
		n, _, err := unix.Recvfrom(k.fd, k.buf, unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EAGAIN) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		k.each(t, k.buf[:n])
	}
}

// each counts the messages that are no errors and no ends.
func (k *kernel) each(t testing.TB, b []byte) (messages int, done bool) {
	for {
		m, rest, ok, err := wire.Next(b)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return messages, done
		}
		b = rest
		switch m.Type {
		case unix.NLMSG_ERROR:
			if e := m.Errno(); e != 0 {
				t.Fatal(syscall.Errno(e))
			}
		case unix.NLMSG_DONE:
			done = true
		default:
			messages++
		}
	}
}

func (k *kernel) read(t testing.TB) (rules int) {
	jumps := 0
	for i, c := range k.chains {
		ask := wire.DumpRules(uint32(i+1), program.IP, "bench-filter", c)
		if err := unix.Sendto(k.fd, ask, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			t.Fatal(err)
		}
		for done := false; !done; {
			n, _, err := unix.Recvfrom(k.fd, k.buf, 0)
			if err != nil {
				t.Fatal(err)
			}
			var m int
			m, done = k.each(t, k.buf[:n])
			rules += m
		}
	}
	if len(k.chains) > 3 {
		jumps = len(k.chains) - 3 // from the spine to its pages
	}
	return rules - jumps
}
