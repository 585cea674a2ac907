//go:build linux

package oracle

import (
	"fmt"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
)

// NftTool is the real nft inside one host.
type NftTool struct {
	*Tool
}

// Nft is nft inside a host.
func Nft(t testing.TB, h *lab.Host) *NftTool {
	t.Helper()
	return &NftTool{NewTool(t, h, "nft")}
}

// List is what nft list ruleset prints; options ("-s", "-a", "-n" …) go before
// the command.
func (x *NftTool) List(options ...string) string {
	x.t.Helper()
	return x.Must(append(options, "list", "ruleset")...)
}

// JSON is the ruleset as nft -j prints it.
func (x *NftTool) JSON() string {
	x.t.Helper()
	return x.List("-j")
}

// Debug is the ruleset with the expressions of each rule as nft
// --debug=netlink prints them. It does not show how long a compared or loaded
// value is: compare bytes where that matters.
func (x *NftTool) Debug() string {
	x.t.Helper()
	return x.List("--debug=netlink")
}

// Load gives text to nft -f.
func (x *NftTool) Load(text string) lab.Result {
	x.t.Helper()
	return x.Input(text, "-f", "-")
}

// MustLoad is Load that ends the test if the text is refused.
func (x *NftTool) MustLoad(text string) {
	x.t.Helper()
	x.must(text, "-f", "-")
}

// Flush empties the host's ruleset, whoever made it.
func (x *NftTool) Flush() {
	x.t.Helper()
	x.Must("flush", "ruleset")
}

// Reload lists the host's ruleset, loads that text into a host made for it and
// lists it there. The error is what nft said if it can't read its own text.
func Reload(t testing.TB, h *lab.Host) (before, after string, err error) {
	t.Helper()
	before = Nft(t, h).List()
	fresh := Nft(t, labtest.Host(t))
	if r := fresh.Load(before); r.Exit != 0 {
		return before, "", fmt.Errorf("nft -f: exit %d: %s", r.Exit, r.Stderr)
	}
	return before, fresh.List(), nil
}
