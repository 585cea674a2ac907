package sharedtest

import (
	"bufio"
	"cmp"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
	"github.com/mdlayher/netlink"
)

// nf_tables' messages that make something: NFNL_SUBSYS_NFTABLES and NFT_MSG_*.
const (
	newTable = 0x0a00
	newChain = 0x0a03
	newRule  = 0x0a06
)

// sent are the messages that a program sends to nf_tables which make tables,
// chains and rules, as strace sees them.
func sent(t *testing.T, h *lab.Host, env []string, text string, command ...string) (out []wire.Message) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "strace")
	args := []string{"-f", "-qq", "-e", "trace=sendmsg,sendto,write", "-e", "write=all", "-o", log}
	for _, e := range env {
		args = append(args, "-E", e)
	}
	strace := oracle.NewTool(t, h, "strace")
	if r := strace.Input(text, append(args, command...)...); r.Exit != 0 {
		t.Fatalf("%v: exit %d: %s", command, r.Exit, r.Stderr)
	}
	for _, b := range dumped(t, log) {
		for {
			m, rest, ok, err := wire.Next(b)
			if !ok || err != nil {
				break // what is written elsewhere is no message
			}
			if slices.Contains([]uint16{newTable, newChain, newRule}, m.Type) {
				out = append(out, m)
			}
			b = rest
		}
	}
	return out
}

// dumped are the buffers in a log of strace's: lines of " | offset  bytes  text".
func dumped(t *testing.T, log string) (buffers [][]byte) {
	t.Helper()
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		row, ok := strings.CutPrefix(lines.Text(), " | ")
		if !ok {
			continue
		}
		offset, row, _ := strings.Cut(row, " ")
		if len(row) < 50 {
			t.Fatalf("strace: %q", lines.Text())
		}
		b, err := hex.DecodeString(strings.ReplaceAll(row[:50], " ", ""))
		if err != nil {
			t.Fatalf("strace: %q: %v", lines.Text(), err)
		}
		if strings.Trim(offset, "0") == "" {
			buffers = append(buffers, nil)
		}
		last := len(buffers) - 1
		buffers[last] = append(buffers[last], b...)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return buffers
}

// message is one of them.
type message struct {
	kind string // "table", "chain" or "rule"
	of   string // the table, and of a chain its name
	text string // all of it, attributes in the order of their numbers, each as its bytes
}

// messages are what sent saw. iptables-nft names the table again before whatever
// it puts into it, and makes a base chain first without its counters: of tables
// and chains the last message of a name counts.
func messages(t *testing.T, all []wire.Message) (out []message) {
	t.Helper()
	for _, raw := range all {
		m := read(t, raw)
		if m.kind != "rule" {
			out = slices.DeleteFunc(out, func(x message) bool { return x.kind == m.kind && x.of == m.of })
		}
		out = append(out, m)
	}
	order := []string{"table", "chain", "rule"}
	slices.SortStableFunc(out, func(a, b message) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.kind), slices.Index(order, b.kind)), cmp.Compare(a.of, b.of))
	})
	return out
}

// read makes a message of its bytes. What says the same in two ways is left out:
// a table's flags of 0, and whether a chain must be there or must not, which
// iptables-nft says otherwise of base chains (CREATE) than of others (EXCL),
// where nf_tables looks at EXCL alone, which we say of all.
func read(t *testing.T, raw wire.Message) (m message) {
	t.Helper()
	m.kind = map[uint16]string{newTable: "table", newChain: "chain", newRule: "rule"}[raw.Type]
	flags := raw.Flags
	if m.kind == "chain" {
		flags &^= flagCreate | flagExcl
	}
	m.text = fmt.Sprintf("%s, flags %#x, family %d", m.kind, flags, raw.Body[0])
	for _, a := range attributes(t, raw.Body[4:]) {
		switch n := number(a); {
		case m.kind == "table" && n == tableFlags && strings.Trim(string(a.Data), "\x00") == "":
			continue
		case n == nameOfTable, n == nameOfChain[m.kind]:
			m.of += strings.TrimRight(string(a.Data), "\x00") + " "
		}
		m.text += "\n " + words(t, a, "")
	}
	return m
}

// words is an attribute's number and bytes, or what is nested in it. Padding is no
// part of it, of which iptables-nft leaves some as it was in memory; nor is a
// bitwise expression's operation where it is the usual one, 0, which we say.
func words(t *testing.T, a netlink.Attribute, expr string) string {
	t.Helper()
	if a.Type&netlink.Nested == 0 {
		return fmt.Sprintf("%d:%x", number(a), a.Data)
	}
	var all []string
	for _, x := range attributes(t, a.Data) {
		switch n := number(x); {
		case expr == "bitwise" && n == bitwiseOp && strings.Trim(string(x.Data), "\x00") == "":
			continue
		case expr == "" && n == exprName && x.Type&netlink.Nested == 0:
			expr = strings.TrimRight(string(x.Data), "\x00")
		}
		all = append(all, words(t, x, expr))
	}
	return fmt.Sprintf("%d{%s}", number(a), strings.Join(all, " "))
}

// attributes are attributes in the order of their numbers; those of a list, which
// share one, stay in theirs.
func attributes(t *testing.T, b []byte) []netlink.Attribute {
	t.Helper()
	attrs, err := netlink.UnmarshalAttributes(b)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(attrs, func(a, b netlink.Attribute) int { return cmp.Compare(number(a), number(b)) })
	return attrs
}

// Numbers of linux/netlink.h and linux/netfilter/nf_tables.h.
const (
	flagExcl    = 0x200
	flagCreate  = 0x400
	tableFlags  = 2
	nameOfTable = 1
	exprName    = 1
	bitwiseOp   = 6
)

// nameOfChain is the attribute of the chain's name, by the kind of message.
var nameOfChain = map[string]uint16{"chain": 3, "rule": 2}

// number is an attribute's without the bits that say what it is made of.
func number(a netlink.Attribute) uint16 { return a.Type &^ (netlink.Nested | netlink.NetByteOrder) }
