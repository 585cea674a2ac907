package clienttest

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Without CAP_NET_ADMIN opening fails at once and says which capability is
// missing in which namespace; a Firewall that was opened with it and is used
// without it changes nothing. What needs no kernel works all the same.
func TestWithoutTheCapability(t *testing.T) {
	host := labtest.Host(t)
	w := kernel(t, host)
	fw := w.client(t)
	w.apply(t, fw, mailhost())
	before := w.list(t)
	errs := map[string]error{}
	var here string
	err := host.Do(func() error { // on a thread of its own
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
		var buf [64]byte
		n, err := unix.Readlink("/proc/thread-self/ns/net", buf[:])
		if err != nil {
			return err
		}
		here = string(buf[:n])
		_, errs["Open"] = nft.Open(t.Context(), backend.Config{Owner: "client"})
		_, errs["OpenIn"] = nft.OpenIn(t.Context(), nft.Here(), backend.Config{Owner: "client"})
		errs["Apply"] = fw.Apply(t.Context(), input(dev("a")))
		errs["Edit"] = fw.Edit(t.Context(), func(e *backend.Edit) error { e.Chain(table.Filter, chain.Input).Flush(); return nil })
		errs["Check"] = fw.Check(t.Context(), input(dev("a")))
		errs["Remove"] = fw.Remove(t.Context())
		_, errs["Read"] = fw.Read(t.Context())
		_, errs["Snapshot"] = fw.Snapshot(t.Context())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range errs {
		var e *backend.Error
		if !errors.Is(err, fs.ErrPermission) || !errors.Is(err, unix.EPERM) || !errors.As(err, &e) || e.Hint == "" {
			t.Errorf("%s: %v", what, err)
			continue
		}
		for _, says := range []string{"CAP_NET_ADMIN", here, "user:["} {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v, want %q", what, err, says)
			}
		}
	}
	if now := w.list(t); now != before {
		t.Errorf("changed:\n%s", diff(before, now))
	}
}

// A namespace that is not there, or is none.
func TestNoSuchNamespace(t *testing.T) {
	for what, ns := range map[string]nft.Namespace{
		"a name": nft.Name("no-such-namespace"), "a path": nft.Path("/run/netns/no-such"), "a process": nft.PID(1 << 30),
	} {
		_, err := nft.OpenIn(t.Context(), ns, backend.Config{Owner: "client"})
		var e *backend.Error
		if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &e) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := nft.OpenIn(t.Context(), nft.Path("/dev/null"), backend.Config{Owner: "client"}); err == nil {
		t.Error("/dev/null is a namespace")
	}
	if _, err := nft.Open(t.Context(), backend.Config{}); !errors.Is(err, backend.ErrInvalid) {
		t.Errorf("no owner: %v", err)
	}
}

// An expression that this kernel has no module for is named, with the module and
// what to do; what was staged for the same change is gone.
func TestAKernelThatLacksAnExpression(t *testing.T) {
	w := kernel(t, labtest.Host(t))
	fw := w.client(t)
	w.apply(t, fw, mailhost())
	before := w.list(t)
	rs := table.NewRuleset(table.New(table.Filter, chain.BuiltIn(chain.Input, chain.Drop,
		dev("a"), rule.Drop(match.Raw{Expr: "nosuch"}), rule.Jump("LONG"),
		// A list with a range becomes a set, which is staged before the rules.
		rule.Accept(match.Multiport{Proto: nf.TCP, Dports: match.Is(nf.List(nf.PortRange(1000, 2000), nf.Port(80)))}),
	), long("LONG", 2000)))
	for way, err := range map[string]error{"Apply": fw.Apply(t.Context(), rs), "Check": fw.Check(t.Context(), rs)} {
		es := backend.Errors(err)
		if len(es) != 1 || !errors.Is(err, backend.ErrUnsupported) {
			t.Fatalf("%s: %v", way, err)
		}
		if e := es[0]; e.Rule != 2 || e.Chain != chain.Input || e.Extension != "nosuch" || e.Feature != "nft_nosuch" || !strings.Contains(e.Hint, "nft_nosuch") {
			t.Errorf("%s: %+v", way, e)
		}
		if now := w.list(t); now != before {
			t.Errorf("%s changed:\n%.2000s", way, diff(before, now))
		}
	}
}

// long is a chain of many rules, so that it is staged in pages.
func long(name string, n int) chain.Chain {
	var rules []rule.Rule
	for i := range n {
		rules = append(rules, dev("long"+itoa(uint64(i))))
	}
	return chain.New(name, rules...)
}

// A Firewall that was closed says so, and what it did stays.
func TestAfterClose(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		fw := w.client(t)
		w.apply(t, fw, mailhost())
		if err := fw.Close(); err != nil {
			t.Error(err)
		}
		if err := fw.Close(); err != nil {
			t.Errorf("closed twice: %v", err)
		}
		if err := fw.Apply(t.Context(), input()); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("Apply: %v", err)
		}
		if _, err := fw.Read(t.Context()); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("Read: %v", err)
		}
		w.holds(t, w.client(t), mailhost())
	})
}
