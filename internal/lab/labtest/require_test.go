package labtest

import (
	"errors"
	"fmt"
	"testing"
)

// record is a test that notes how it would have ended, first.
type record struct {
	testing.TB
	end string
}

func (r *record) Helper() {}

func (r *record) Fatalf(format string, args ...any) { r.note("fail: "+format, args...) }

func (r *record) Skipf(format string, args ...any) { r.note("skip: "+format, args...) }

func (r *record) note(format string, args ...any) {
	if r.end == "" {
		r.end = fmt.Sprintf(format, args...)
	}
}

func TestRequire(t *testing.T) {
	missing := errors.New("not found")
	for _, c := range []struct {
		require string
		err     error
		want    string
	}{
		{"", nil, ""},
		{"all", nil, ""},
		{"", missing, "skip: needs nft binary: not found"},
		{"all", missing, "fail: needs nft binary: not found (a failure since GATEHOUSE_REQUIRE=all)"},
	} {
		t.Setenv("GATEHOUSE_REQUIRE", c.require)
		r := &record{TB: t}
		Require(r, "nft binary", c.err)
		if r.end != c.want {
			t.Errorf("GATEHOUSE_REQUIRE=%s, %v: %q, want %q", c.require, c.err, r.end, c.want)
		}
	}
}
