//go:build linux

package oracle

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
)

// IPTables is the real iptables inside one host, in one variant and for one
// family. See Legacy, NFTVariant and IPTables.V6.
type IPTables struct {
	*Tool   // the command itself, for IPv4 or IPv6
	variant string
	family  string // "ip" or "ip6"
	save    *Tool
	restore *Tool
}

// Legacy is iptables-legacy inside a host, for IPv4.
func Legacy(t testing.TB, h *lab.Host) *IPTables {
	t.Helper()
	return newIPTables(t, h, "legacy", "ip", lockFile(t))
}

// NFTVariant is iptables-nft inside a host, for IPv4.
func NFTVariant(t testing.TB, h *lab.Host) *IPTables {
	t.Helper()
	return newIPTables(t, h, "nft", "ip", lockFile(t))
}

// V6 is the ip6tables of the same variant and host.
func (x *IPTables) V6() *IPTables {
	x.t.Helper()
	return newIPTables(x.t, x.host, x.variant, "ip6", x.env)
}

// lockFile gives the host a lock of its own: the usual one, in /run, would
// make tests wait for each other, and is root's.
func lockFile(t testing.TB) []string {
	return []string{"XTABLES_LOCKFILE=" + filepath.Join(t.TempDir(), "xtables.lock")}
}

func newIPTables(t testing.TB, h *lab.Host, variant, family string, env []string) *IPTables {
	t.Helper()
	name := family + "tables-" + variant
	x := &IPTables{
		Tool:    NewTool(t, h, name),
		variant: variant,
		family:  family,
		save:    NewTool(t, h, name+"-save"),
		restore: NewTool(t, h, name+"-restore"),
	}
	x.env, x.save.env, x.restore.env = env, env, env
	return x
}

// Save is the text of iptables-save with these arguments ("-c" for counters,
// "-t" and a table), as printed. See StripComments.
func (x *IPTables) Save(args ...string) string {
	x.t.Helper()
	return x.save.Must(args...)
}

// Restore gives text to iptables-restore with these arguments ("-c", "-n" …).
func (x *IPTables) Restore(text string, args ...string) lab.Result {
	x.t.Helper()
	return x.restore.Input(text, args...)
}

// MustRestore is Restore that ends the test if the text is refused.
func (x *IPTables) MustRestore(text string, args ...string) {
	x.t.Helper()
	x.restore.must(text, args...)
}

// List is what iptables -L prints with these arguments ("-n", "-v" …).
func (x *IPTables) List(args ...string) string {
	x.t.Helper()
	return x.Must(append([]string{"-L"}, args...)...)
}

// StripComments removes from save text the lines that begin with "#": the ones
// that say what made it, and when.
func StripComments(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}
