package sharedtest

import (
	"os"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/exttest"
)

// The messages that make the tables, chains and rules of every example are
// iptables-nft's: the same flags, the same attributes, the same bytes.
func TestMessages(t *testing.T) {
	for _, f := range files(t) {
		for name, family := range families {
			blocks := f.Alike(family)
			if len(blocks) == 0 {
				continue
			}
			t.Run(f.Name+", "+name, func(t *testing.T) {
				text := exttest.RestoreText(blocks)
				theirs := messages(t, sent(t, f.Host(t), nil, text, name+"tables-nft-restore"))
				ours := messages(t, sent(t, f.Host(t), []string{restoring + "=" + name}, text, os.Args[0]))
				compare(t, ours, theirs)
			})
		}
	}
}

// compare wants two lists of messages to be one.
func compare(t *testing.T, ours, theirs []message) {
	t.Helper()
	if len(theirs) == 0 || len(ours) != len(theirs) {
		t.Errorf("we send %d messages, iptables-nft %d", len(ours), len(theirs))
	}
	for i := range min(len(ours), len(theirs)) {
		if ours[i] != theirs[i] {
			t.Errorf("message %d is\n%s\niptables-nft's is\n%s", i+1, ours[i].text, theirs[i].text)
		}
	}
}
