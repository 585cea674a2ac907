// Package labtest is package lab for tests: what fails ends the test, and what
// the machine does not allow skips it, but only after a probe that failed, with
// the reason, and never where GATEHOUSE_REQUIRE is "all".
//
//	func TestMain(m *testing.M) { labtest.Main(m) }
//
//	func TestPort(t *testing.T) {
//		host, peer := labtest.Pair(t)
//		…
//	}
//
// [Require] is for every other probe, on every operating system.
package labtest
