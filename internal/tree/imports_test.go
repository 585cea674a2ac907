package tree

import (
	"slices"
	"strings"
	"testing"
)

// stairs are the packages that users' programs are made of, from the lowest step
// up: a package imports those of lower steps only.
var stairs = [...][]string{
	{"internal/program", "internal/xt", "internal/feature", "rule/nf"},
	{"internal/option", "internal/userdata", "internal/align", "internal/driver"},
	{"internal/opaque", "internal/wire"},
	{"rule/match", "rule/target"},
	{"rule", "table/set"},
	{"chain"},
	{"table"},
	{"internal/compile", "internal/constset", "internal/delta", "internal/page", "internal/probation", "internal/replay"},
	{"internal/staging"},
	{"internal/image"},
	{"backend"},
	{"backend/nft", "backend/sim"},
	{"backend/iptables"},
}

// forTests are the packages that nobody's program has in it, and what is under
// them: they may import testing, and what else tests need.
var forTests = [...]string{
	"internal/lab", "internal/oracle", "internal/exttest", "internal/packettest", "internal/clienttest", "internal/bench",
	"internal/driver/drivertest", "internal/delta/deltatest", "internal/image/imagetest", "internal/sharedtest", "internal/tree", "internal/difftest", "examples",
}

// modules are the dependencies of the packages that users' programs are made of.
var modules = map[string][]string{
	"github.com/google/nftables":   {"backend/nft", "internal/wire"},
	"github.com/mdlayher/netlink":  {"backend/nft"},
	"github.com/vishvananda/netns": {"backend/nft"},
	"golang.org/x/sys/unix":        {"backend/nft"},
}

func step(dir string) int {
	return slices.IndexFunc(stairs[:], func(s []string) bool { return slices.Contains(s, dir) })
}

func isForTests(dir string) bool {
	return slices.ContainsFunc(forTests[:], func(p string) bool { return dir == p || strings.HasPrefix(dir, p+"/") })
}

// Imports go down the stairs, and what tests need stays with tests. Every step of
// the stairs is there.
func TestImports(t *testing.T) {
	there := map[string]bool{}
	defer func() {
		for _, dir := range slices.Concat(stairs[:]...) {
			if !there[dir] {
				t.Errorf("there is no package %s", dir)
			}
		}
	}()
	for _, s := range sources(t) {
		there[s.dir] = true
		mine := step(s.dir)
		if mine < 0 && !isForTests(s.dir) {
			t.Errorf("%s: the package %s has no place yet: is it on the stairs, or for tests?", s.path, s.dir)
		}
		if s.test || mine < 0 {
			continue
		}
		for _, p := range s.imports() {
			own, isOwn := strings.CutPrefix(p, "./")
			switch {
			case isOwn && (step(own) < 0 || step(own) >= mine):
				t.Errorf("%s imports %s, which is not below it", s.path, own)
			case isOwn:
			case p == "testing" || strings.HasPrefix(p, "testing/"):
				t.Errorf("%s imports %s", s.path, p)
			case strings.Contains(p, ".") && !allowed(s.dir, p):
				t.Errorf("%s imports %s", s.path, p)
			}
		}
	}
}

// allowed says whether a package may import one of another module.
func allowed(dir, path string) bool {
	for m, dirs := range modules {
		if path == m || strings.HasPrefix(path, m+"/") {
			return slices.Contains(dirs, dir)
		}
	}
	return false
}

func TestNoPackageIsCalledUtil(t *testing.T) {
	for _, s := range sources(t) {
		switch name := s.Name.Name; name {
		case "util", "utils", "common", "helpers", "misc":
			t.Errorf("%s: package %s says nothing", s.path, name)
		}
	}
}
