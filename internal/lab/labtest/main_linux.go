package labtest

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
)

// Main runs a package's tests where they may make labs: for an ordinary user
// in a user namespace (see lab.Enter). It is the whole body of TestMain. Where
// labs are impossible the tests run all the same, and those that need one
// skip or fail in New.
func Main(m *testing.M) {
	if err := lab.Enter(); err != nil && !errors.Is(err, lab.ErrNoPrivilege) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
