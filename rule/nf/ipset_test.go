package nf_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

func TestIPSet(t *testing.T) {
	six := []nf.Dir{nf.Src, nf.Dst, nf.Src, nf.Dst, nf.Src, nf.Dst}
	for _, tc := range []struct {
		set  nf.IPSet
		want error
	}{
		{nf.InIPSet("bans", nf.Src), nil},
		{nf.InIPSet(strings.Repeat("x", 31), six...), nil},
		{nf.IPSet{Name: "bans", Dirs: nf.Dirs{nf.Src, nf.Dst}}, nil},
		{nf.InIPSet("bans", append(six, nf.Src)...), nf.ErrIPSetDirs},
		{nf.InIPSet("bans"), nf.ErrIPSetDirs},
		{nf.InIPSet("bans", 3), nf.ErrIPSetDirs},
		{nf.IPSet{Name: "bans", Dirs: nf.Dirs{nf.Src, 0, nf.Dst}}, nf.ErrIPSetDirs},
		{nf.InIPSet("", nf.Src), nf.ErrIPSetName},
		{nf.InIPSet("a\nb", nf.Src), nf.ErrIPSetName},
		{nf.InIPSet(strings.Repeat("x", 32), nf.Src), nf.ErrIPSetName},
		{nf.IPSet{}, nf.ErrIPSetName},
	} {
		if err := tc.set.Err(); !errors.Is(err, tc.want) || tc.want == nil && err != nil {
			t.Errorf("%+v: %v, want %v", tc.set, err, tc.want)
		}
	}
	if got := nf.InIPSet("x", six[:3]...).Dirs.String(); got != "src,dst,src" {
		t.Error(got)
	}
}
