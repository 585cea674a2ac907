package main

import (
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle/corpus"
)

// The mail host's script, line by line as its administrator runs it, does what
// it does with the real iptables. What loads kernel modules is not for us to run.
func TestMailServersScript(t *testing.T) {
	legacy, host := newReal(t, "legacy"), labtest.Host(t)
	ran := 0
	for text := range strings.Lines(corpus.Text(t, "mailserver.sh")) {
		text = strings.TrimSpace(text)
		if !strings.HasPrefix(text, "iptables ") {
			continue
		}
		l := lineOf(text)
		compare(t, l, legacy.run(l), ours(t, host, l))
		ran++
	}
	if ran != 10 {
		t.Errorf("%d commands in the script, want 10", ran)
	}
	for _, text := range [...]string{"iptables -S", "iptables -L -n -v", "iptables-save"} {
		l := lineOf(text)
		compare(t, l, legacy.run(l), ours(t, host, l))
	}
}
