package clienttest

import (
	"errors"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Text that iptables 1.8.9 refuses is refused where it is read, with the place,
// the word, whose option it is and what was expected.
func TestTextThatIsRefused(t *testing.T) {
	for _, c := range []struct {
		text   string
		family nf.Family
		is     error // nil: any
		column int
		token  string
		ext    string
		says   string
	}{
		{"-p tcp --nosuch 1 -j ACCEPT", nf.IPv4, rule.ErrUnknownOption, 8, "--nosuch", "", "unknown option"},
		{"-p tcp --dport 65536 -j ACCEPT", nf.IPv4, nil, 8, "--dport 65536", "tcp", "expected"},
		{"-p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16 -j DROP", nf.IPv4, nil, 21, "--dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", "multiport", "15"},
		{"--dport 22 -j ACCEPT", nf.IPv4, rule.ErrUnknownOption, 1, "--dport", "", "-p"},
		{"-m nosuch -j ACCEPT", nf.IPv4, rule.ErrUnknownMatch, 1, "-m nosuch", "", "unknown match"},
		{"-s 2001:db8::1 -j ACCEPT", nf.IPv4, nil, 1, "-s 2001:db8::1", "", "not IPv4"},
		{"-s 10.0.0.1 -j ACCEPT", nf.IPv6, nil, 1, "-s 10.0.0.1", "", "not IPv6"},
		{"-i averyverylongname -j ACCEPT", nf.IPv4, nil, 1, "-i averyverylongname", "", "15"},
		{"-p tcp -j", nf.IPv4, rule.ErrMissing, 8, "-j", "", "requires an argument"},
		{"-p icmp --icmp-type nosuch -j ACCEPT", nf.IPv4, nil, 9, "--icmp-type nosuch", "icmp", "expected"},
		{"! -j ACCEPT", nf.IPv4, rule.ErrBang, 0, "", "", "!"},
		{"-j REJECT --reject-with nosuch", nf.IPv4, nil, 11, "--reject-with nosuch", "REJECT", "expected"},
	} {
		_, err := rule.Parse(c.text, c.family)
		judgeSyntax(t, c.text, err, 0, c.column, c.token, c.ext, c.says, c.is)
		text := "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n-A INPUT " + c.text + "\nCOMMIT\n"
		_, err = table.Parse(strings.NewReader(text), c.family)
		judgeSyntax(t, c.text, err, 4, c.column, c.token, c.ext, c.says, c.is)
	}
}

func judgeSyntax(t *testing.T, text string, err error, line, column int, token, ext, says string, is error) {
	t.Helper()
	var se *rule.SyntaxError
	if !errors.As(err, &se) || is != nil && !errors.Is(err, is) {
		t.Errorf("%s: %v, want %v", text, err, is)
		return
	}
	if line > 0 && column > 0 {
		column += len("-A INPUT ")
	}
	if se.Line != line || column > 0 && se.Column != column || token != "" && se.Token != token || ext != "" && se.Extension != ext {
		t.Errorf("%s: %+v, want line %d, column %d, %q of %q", text, se, line, column, token, ext)
	}
	if !strings.Contains(err.Error(), says) {
		t.Errorf("%s: %v, want %q", text, err, says)
	}
}

// Save text with an error of its own names the line.
func TestSaveTextThatIsRefused(t *testing.T) {
	for text, c := range map[string]struct {
		line int
		is   error
	}{
		"*filter\n:INPUT DROP [0:0]\n-A INPUT -j ACCEPT\n":         {4, table.ErrNoCommit},
		"-A INPUT -j ACCEPT\n":                                     {1, table.ErrOutside},
		"*nosuch\nCOMMIT\n":                                        {1, table.ErrNoTable},
		"*filter\n:INPUT DROP [0:x]\nCOMMIT\n":                     {2, table.ErrCounters},
		"*filter\n-D INPUT 1\nCOMMIT\n":                            {2, table.ErrCommand},
		"*filter\n:INPUT DROP [0:0]\n-A INPUT -j ACCEPT\n*nat\n":   {4, table.ErrNoCommit},
		"# all is well\n*filter\n:INPUT MAYBE [0:0]\nCOMMIT\n":     {3, nil},
		"*filter\n:INPUT DROP [0:0]\n-X INPUT --bogus\nCOMMIT\n\n": {3, nil},
	} {
		_, err := table.Parse(strings.NewReader(text), nf.IPv4)
		var se *rule.SyntaxError
		if !errors.As(err, &se) || se.Line != c.line || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%q: %v, want line %d, %v", text, err, c.line, c.is)
		}
	}
}
