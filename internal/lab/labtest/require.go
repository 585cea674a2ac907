package labtest

import (
	"os"
	"testing"
)

// Require skips the test if a probe failed, and says which probe and why.
// Where the environment has GATEHOUSE_REQUIRE=all the test fails instead. A nil
// err does nothing. probe names what is needed: "nft binary", say.
func Require(t testing.TB, probe string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if os.Getenv("GATEHOUSE_REQUIRE") == "all" {
		t.Fatalf("needs %s: %v (a failure since GATEHOUSE_REQUIRE=all)", probe, err)
	}
	t.Skipf("needs %s: %v", probe, err)
}
