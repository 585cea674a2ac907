package exttest

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
)

// errIDs is why rules cannot name other users than root.
var errIDs = errors.New("this user namespace has root's user and group id only")

// OtherIDs is nil where rules may name any user and group. In a user namespace
// that an ordinary user made, the kernel takes none but those that it maps.
func OtherIDs() error {
	for _, path := range []string{"/proc/self/uid_map", "/proc/self/gid_map"} {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		ids := uint64(0)
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) == 3 {
				n, _ := strconv.ParseUint(f[2], 10, 64)
				ids += n
			}
		}
		if ids < 1<<16 {
			return errIDs
		}
	}
	return nil
}

// needs asks for what a file's rules need of the host.
func (f File) needs(t *testing.T) {
	t.Helper()
	if f.Name == "owner" {
		labtest.Require(t, "user ids", OtherIDs())
	}
}
