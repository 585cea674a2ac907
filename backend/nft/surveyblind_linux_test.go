package nft

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"golang.org/x/sys/unix"
)

// Without CAP_NET_ADMIN a survey says what lists and /proc say, and which
// capability the rest needs.
func TestSurveyWithoutTheCapability(t *testing.T) {
	h := labtest.Host(t)
	oracle.Legacy(t, h).Must("-t", "mangle", "-L", "-n")
	var r Report
	var surveyErr error
	err := h.Do(func() error { // on a thread of its own
		hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var all [2]unix.CapUserData
		if err := unix.Capget(&hdr, &all[0]); err != nil {
			return err
		}
		some := all
		some[0].Effective &^= 1 << unix.CAP_NET_ADMIN
		if err := unix.Capset(&hdr, &some[0]); err != nil {
			return err
		}
		defer unix.Capset(&hdr, &all[0])
		r, surveyErr = Survey(t.Context(), Here())
		return nil
	})
	if err != nil || surveyErr != nil {
		t.Fatal(err, surveyErr)
	}
	if len(r.Unseen) != 1 || !errors.Is(r.Unseen[0], fs.ErrPermission) || !strings.Contains(r.Unseen[0].Error(), "CAP_NET_ADMIN") {
		t.Errorf("unseen: %v", r.Unseen)
	}
	if len(r.Others) != 1 || r.Others[0].Maker != "iptables-legacy" || r.Others[0].Name != "mangle" {
		t.Errorf("tables: %v", r.Others)
	}
	if len(r.Features) < 100 || !strings.Contains(r.String(), "could not look: CAP_NET_ADMIN is missing") {
		t.Errorf("it prints\n%s", r)
	}
	for _, f := range r.Features {
		if f.IPv4|f.IPv6|f.Inet != 0 {
			t.Errorf("the kernel was asked for %v", f)
		}
	}
}

func TestSurveyOfNoNamespace(t *testing.T) {
	if _, err := Survey(t.Context(), Name("gatehouse-no-such")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Survey(over, FD(labtest.Host(t).FD())); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	var e *backend.Error
	if _, err := Survey(t.Context(), Path("/dev/null")); !errors.As(err, &e) {
		t.Error(err)
	}
}
