package table_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// What iptables-save (1.8.9) prints after iptables-restore -c of the same text,
// with the built-in chains that the text does not name left out.
func TestSaveText(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"nothing":         {"", ""},
		"only comments":   {"# a\n\n#\n", ""},
		"an empty table":  {"*filter\nCOMMIT\n", "*filter\nCOMMIT\n"},
		"no end of line":  {"*filter\nCOMMIT", "*filter\nCOMMIT\n"},
		"after the name":  {"*filter \t x\nCOMMIT\n", "*filter\nCOMMIT\n"},
		"chains":          {"*filter\n:z - [0:0]\n:OUTPUT ACCEPT [3:4]\n:a -\n:INPUT DROP\nCOMMIT\n", "*filter\n:INPUT DROP [0:0]\n:OUTPUT ACCEPT [3:4]\n:a - [0:0]\n:z - [0:0]\nCOMMIT\n"},
		"declared twice":  {"*filter\n:INPUT DROP [1:2]\n:INPUT - [0:0]\nCOMMIT\n", "*filter\n:INPUT DROP [0:0]\nCOMMIT\n"},
		"not declared":    {"*filter\n-A INPUT -j DROP\nCOMMIT\n", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\nCOMMIT\n"},
		"commands":        {"*filter\n-N f\n--new x\n-P INPUT DROP\n--append f -j x\n--insert f\nCOMMIT\n", "*filter\n:INPUT DROP [0:0]\n:f - [0:0]\n:x - [0:0]\n-A f\n-A f -j x\nCOMMIT\n"},
		"inserted":        {"*filter\n-A INPUT -j DROP\n-I INPUT -j ACCEPT\n-I INPUT 2 -j RETURN\n-I INPUT 4\nCOMMIT\n", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\n-A INPUT -j RETURN\n-A INPUT -j DROP\n-A INPUT\nCOMMIT\n"},
		"indented":        {"*filter\n  -A INPUT\n\t-A INPUT -j DROP\nCOMMIT\n", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT\n-A INPUT -j DROP\nCOMMIT\n"},
		"quoted":          {"*filter\n-A \"INPUT\" -m comment --comment \"a \\\"b\\\" \\\\\" -j \"DROP\"\nCOMMIT\n", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m comment --comment \"a \\\"b\\\" \\\\\" -j DROP\nCOMMIT\n"},
		"IPv6 lines":      {"*filter\n-6 -A INPUT -j nosuch --nosuch\n-A INPUT -6 -j RETURN\n-4 -A INPUT\n-A INPUT --ipv4 -j DROP\nCOMMIT\n", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT\n-A INPUT -j DROP\nCOMMIT\n"},
		"a comment of -6": {"*filter\n-A INPUT -m comment --comment \"-6\" -j DROP\nCOMMIT\n", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m comment --comment -6 -j DROP\nCOMMIT\n"},
		"lists":           {"*filter\n-A INPUT -s 10.0.0.1,10.0.0.2 -j DROP\nCOMMIT\n", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 10.0.0.1/32 -j DROP\n-A INPUT -s 10.0.0.2/32 -j DROP\nCOMMIT\n"},
		"two tables":      {"*filter\n:x - [0:0]\nCOMMIT\n# between\n*mangle\n:x - [0:0]\nCOMMIT\n", "*mangle\n:x - [0:0]\nCOMMIT\n*filter\n:x - [0:0]\nCOMMIT\n"},
		"odd names":       {"*filter\n::x - [0:0]\n:*y - [0:0]\n-A :x -g *y\nCOMMIT\n", "*filter\n:*y - [0:0]\n::x - [0:0]\n-A :x -g *y\nCOMMIT\n"},
	} {
		rs, err := table.Parse(strings.NewReader(tc.in), nf.IPv4)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := rs.String(); got != tc.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, tc.want)
		}
		again, err := table.Parse(strings.NewReader(rs.String()), nf.IPv4)
		if err != nil || !again.Equal(rs) {
			t.Errorf("%s does not come back: %v\n%v", name, err, again)
		}
	}
}

func TestCounters(t *testing.T) {
	in := "*filter\n:INPUT DROP [1:2]\n[3:4] -A INPUT -j DROP\n-A INPUT -c 5 6 -j ACCEPT\n[18446744073709551615:0]   -A INPUT\n-A INPUT\nCOMMIT\n"
	rs, err := table.Parse(strings.NewReader(in), nf.IPv4)
	if err != nil {
		t.Fatal(err)
	}
	want := "*filter\n:INPUT DROP [1:2]\n[3:4] -A INPUT -j DROP\n[5:6] -A INPUT -j ACCEPT\n[18446744073709551615:0] -A INPUT\n[0:0] -A INPUT\nCOMMIT\n"
	var b strings.Builder
	n, err := rs.Save(&b, table.Saving{Counters: true})
	if b.String() != want || err != nil || n != int64(len(want)) {
		t.Errorf("%d %v\n%s\nwant\n%s", n, err, b.String(), want)
	}
	if bare := strings.NewReplacer("[3:4] ", "", "[5:6] ", "", "[18446744073709551615:0] ", "", "[0:0] ", "").Replace(want); rs.String() != bare {
		t.Error(rs)
	}
}

func TestBothFamilies(t *testing.T) {
	in := "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n-4 -A INPUT -j ACCEPT\n-A INPUT -6 -j DROP\n" +
		"-A INPUT -s 192.0.2.1 -j ACCEPT\n-A INPUT -s 2001:db8::1 -j ACCEPT\nCOMMIT\n"
	rs, err := table.Parse(strings.NewReader(in), nf.Both)
	if err != nil {
		t.Fatal(err)
	}
	want := "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n-A INPUT -4 -j ACCEPT\n-A INPUT -6 -j DROP\n" +
		"-A INPUT -s 192.0.2.1/32 -j ACCEPT\n-A INPUT -s 2001:db8::1/128 -j ACCEPT\nCOMMIT\n"
	if rs.String() != want {
		t.Errorf("%v\nwant\n%s", rs, want)
	}
	if _, ok := rs.Table(table.Filter); !ok || rs.Len() != 1 {
		t.Error("not a table for both")
	}
	six, err := table.Parse(strings.NewReader("*nat\n-A OUTPUT -4 -s 1.2.3.4\n-A OUTPUT -s ::1\nCOMMIT\n"), nf.IPv6)
	if tb, ok := six.Table(table.NAT.IPv6()); err != nil || !ok || tb.String() != "*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -s ::1/128\nCOMMIT\n" {
		t.Error(six, err)
	}
}

func TestSyntaxErrors(t *testing.T) {
	for in, want := range map[string]struct {
		line, column int
		is           error
	}{
		"*filter\n-A INPUT\n":                             {3, 1, table.ErrNoCommit},
		"*filter\n*nat\nCOMMIT\n":                         {2, 1, table.ErrNoCommit},
		":INPUT ACCEPT\n":                                 {1, 1, table.ErrOutside},
		"\n\nCOMMIT\n":                                    {3, 1, table.ErrOutside},
		"*filter\nCOMMIT\n-A INPUT\n":                     {3, 1, table.ErrOutside},
		"*foo\nCOMMIT\n":                                  {1, 2, table.ErrNoTable},
		"*filter\r\nCOMMIT\r\n":                           {1, 2, table.ErrNoTable},
		"*filter\nCOMMIT\n*filter\nCOMMIT\n":              {3, 1, fs.ErrExist},
		"*filter\n:INPUT\nCOMMIT\n":                       {2, 7, nil},
		"*filter\n:\nCOMMIT\n":                            {2, 2, nil},
		"*filter\n:INPUT QUEUE\nCOMMIT\n":                 {2, 1, chain.ErrPolicy},
		"*filter\n:INPUT DROP [1:x]\nCOMMIT\n":            {2, 13, table.ErrCounters},
		"*filter\n:FOO ACCEPT\nCOMMIT\n":                  {2, 1, chain.ErrPolicy},
		"*filter\n:LOG -\nCOMMIT\n":                       {2, 2, chain.ErrName},
		"*filter\n:FOO -\n:FOO -\nCOMMIT\n":               {3, 2, fs.ErrExist},
		"*filter\n:PREROUTING ACCEPT\nCOMMIT\n":           {2, 1, table.ErrHook},
		"*filter\n-A FOO -j DROP\n:FOO -\nCOMMIT\n":       {2, 1, fs.ErrNotExist},
		"*filter\n-A\nCOMMIT\n":                           {2, 1, fs.ErrNotExist},
		"*filter\n[1:2 -A INPUT\nCOMMIT\n":                {2, 1, table.ErrCounters},
		"*filter\n[-1:2] -A INPUT\nCOMMIT\n":              {2, 1, table.ErrCounters},
		"*filter\n[1:2] -A INPUT --dport 5\nCOMMIT\n":     {2, 16, rule.ErrUnknownOption},
		"*filter\n-A INPUT -m nosuch -j A\nCOMMIT\n":      {2, 10, rule.ErrUnknownMatch},
		"*filter\n-A INPUT -j standard\nCOMMIT\n":         {2, 13, table.ErrUnknownTarget},
		"*filter\n-A INPUT -j standard --type drop\nCOMM": {2, 13, table.ErrUnknownTarget},
		"*filter\n-A INPUT -g standard --type drop\nCOMM": {2, 13, table.ErrUnknownTarget},
		"*filter\n-A INPUT -j x\n:x -\nCOMMIT\n":          {2, 13, fs.ErrNotExist},
		"*filter\n-A INPUT -p tcp -g \"x\"\nCOMMIT\n":     {2, 20, fs.ErrNotExist},
		"*filter\n-A INPUT -g AUDIT\nCOMMIT\n":            {2, 13, fs.ErrNotExist},
		"*filter\n-A INPUT -j OUTPUT\nCOMMIT\n":           {0, 0, nil}, // Err says it
		"*filter\n-6 -A INPUT -s 1.2.3.4 -6\nCOMMIT\n":    {0, 0, nil},
		"*filter\n-A INPUT -p tcp --dport 70000\nCOMM":    {2, 17, nil},
		"*filter\n  # no comment\nCOMMIT\n":               {2, 3, table.ErrCommand},
		"*filter\nhello\nCOMMIT\n":                        {2, 1, table.ErrCommand},
		"*filter\n-D INPUT 1\nCOMMIT\n":                   {2, 1, table.ErrCommand},
		"*filter\n-F\nCOMMIT\n":                           {2, 1, table.ErrCommand},
		"*filter\n-t nat -A INPUT\nCOMMIT\n":              {2, 1, table.ErrCommand},
		"*filter\n-A INPUT -t nat\nCOMMIT\n":              {2, 10, rule.ErrUnknownOption},
		"*filter\n-I INPUT 2\nCOMMIT\n":                   {2, 10, fs.ErrNotExist},
		"*filter\n-I INPUT 0\nCOMMIT\n":                   {2, 10, fs.ErrNotExist},
		"*filter\n-N INPUT\nCOMMIT\n":                     {2, 1, fs.ErrExist},
		"*filter\n-N PREROUTING\nCOMMIT\n":                {2, 1, table.ErrHook},
		"*filter\n-N a b\nCOMMIT\n":                       {2, 6, nil},
		"*filter\n-P a DROP\nCOMMIT\n":                    {2, 1, chain.ErrPolicy},
		"*filter\n-P INPUT\nCOMMIT\n":                     {2, 9, chain.ErrPolicy},
		"*filter\nCOMMIT \n":                              {2, 1, table.ErrCommand},
		"*filter\n-A INPUT -m comment --comment \"a\nC":   {2, 31, nil},
		"*filter\n-A INPUT -j DROP\r\nCOMMIT\n":           {0, 0, nil},
	} {
		_, err := table.Parse(strings.NewReader(in), nf.IPv4)
		if want.line == 0 {
			if err != nil {
				t.Errorf("%q: %v", in, err)
			}
			continue
		}
		var se *rule.SyntaxError
		if !errors.As(err, &se) || se.Line != want.line || se.Column != want.column || want.is != nil && !errors.Is(err, want.is) {
			t.Errorf("%q: %v, want line %d, column %d, %v", in, err, want.line, want.column, want.is)
		}
	}
}

type failing struct{}

var errFull = errors.New("no space")

func (failing) Write(b []byte) (int, error) { return len(b) / 2, errFull }
func (failing) Read([]byte) (int, error)    { return 0, errFull }

func TestErrorsOfReadersAndWritersComeThrough(t *testing.T) {
	rs, _ := table.Parse(strings.NewReader("*filter\nCOMMIT\n"), nf.IPv4)
	if n, err := rs.WriteTo(failing{}); n != 7 || !errors.Is(err, errFull) {
		t.Error(n, err)
	}
	if _, err := table.Parse(failing{}, nf.IPv4); !errors.Is(err, errFull) {
		t.Error(err)
	}
	if _, err := table.Parse(strings.NewReader("*filter\n#"+strings.Repeat("x", 1<<21)), nf.IPv4); err == nil {
		t.Error("a line of 2 MiB")
	}
}
