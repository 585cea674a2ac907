// Package corpus gives tests the real rulesets that are kept beside the
// repository, in ../shared/corpus. A checkout without them is a failed probe.
package corpus

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
)

// Dir is the corpus' directory. The test is skipped, or fails (see
// labtest.Require), if there is none.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := find()
	labtest.Require(t, "corpus of real rulesets", err)
	return dir
}

// Text is the content of one file, such as "nas.rules".
func Text(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(Dir(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Rules are the names of the files in iptables-save form, sorted.
func Rules(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir(Dir(t))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".rules") {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names
}

// V6 says whether a file's rules are ip6tables': "nas.ip6.rules" are.
func V6(name string) bool { return strings.HasSuffix(name, ".ip6.rules") }

// find walks up from the test's directory to the module's root.
func find() (string, error) {
	wd, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for root := wd; ; root = filepath.Dir(root) {
		_, err := os.Stat(filepath.Join(root, "go.mod"))
		if err == nil {
			dir := filepath.Join(root, "..", "shared", "corpus")
			_, err = os.Stat(dir)
			return dir, err
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if root == filepath.Dir(root) {
			return "", fmt.Errorf("go.mod above %s: %w", wd, fs.ErrNotExist)
		}
	}
}
