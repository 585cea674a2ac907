package nft

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/feature"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// surveyor makes one Report.
type surveyor struct {
	k     *kernel // nil: it may not be asked
	mods  modules
	r     Report
	known []feature.Feature // of r.Features
}

func survey(ctx context.Context, ns Namespace) (Report, error) {
	var s surveyor
	var name unix.Utsname
	if err := unix.Uname(&name); err == nil {
		s.r.Kernel = unix.ByteSliceToString(name.Release[:])
	}
	s.mods = readModules(os.DirFS("/"), s.r.Kernel)
	k, err := dialKernel(ctx, ns)
	switch {
	case err == nil:
		defer k.Close()
		s.k, s.r.Namespace = k, k.net
		s.r.Limits = k.limits()
	case errors.Is(err, fs.ErrPermission):
		s.unseen(err)
		if err := s.blind(ctx, ns, err); err != nil {
			return s.r, openError(err)
		}
	default:
		return s.r, openError(err)
	}
	s.list()
	for _, step := range [...]func(context.Context) error{s.native, s.xt, s.subsystems, s.others} {
		if s.k == nil {
			break
		}
		if err := step(ctx); err != nil && !s.unseen(err) {
			return s.r, openError(err)
		}
	}
	s.r.Missing = map[string]string{}
	for i, f := range s.r.Features {
		if f.State == Missing {
			s.r.Missing[f.Name] = s.known[i].Missing(false)
		}
	}
	return s.r, nil
}

// unseen notes a permission that is missing, once. Other errors it does not take.
func (s *surveyor) unseen(err error) bool {
	if !errors.Is(err, fs.ErrPermission) {
		return false
	}
	if !slices.ContainsFunc(s.r.Unseen, func(e error) bool { return e.Error() == err.Error() }) {
		s.r.Unseen = append(s.r.Unseen, err)
	}
	return true
}

// limits are the sockets'.
func (k *kernel) limits() Limits {
	l := Limits{Transaction: k.maxBatch}
	_ = k.control.raw.Control(func(fd uintptr) {
		l.Send, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF)
		l.Receive, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
	})
	return l
}

// list notes all features, as the lists of modules have them.
func (s *surveyor) list() {
	for _, kind := range kinds {
		for _, k := range feature.All(kind) {
			f := known(k, s.r.Kernel)
			f.State, _ = s.mods.state(k, false)
			if k.Module6 != "" && f.State != Present {
				if v6, _ := s.mods.state(k, true); v6 == Present {
					f.State = v6
				}
			}
			s.known, s.r.Features = append(s.known, k), append(s.r.Features, f)
		}
	}
}

// free says whether the kernel can be asked for a feature without loading a module.
func (s *surveyor) free(i int) bool {
	_, free := s.mods.state(s.known[i], false)
	return free
}

// native tries the expressions and sets, all in one transaction without an end.
func (s *surveyor) native(ctx context.Context) error {
	var ops []driver.Op
	tables := map[program.Family]*program.Table{}
	chain := &program.Chain{Name: "probe"}
	of := map[int]int{} // features by operation
	for i, k := range s.known {
		q, ok := sampled(k)
		if !ok || !s.free(i) {
			continue
		}
		t := tables[q.family]
		if t == nil {
			t = &program.Table{Family: q.family, Name: "gatehouse-probe"}
			tables[q.family] = t
			ops = append(ops, driver.Op{Kind: driver.AddTable, Table: t}, driver.Op{Kind: driver.AddChain, Table: t, Chain: chain})
		}
		op := q.op(t, chain)
		if op.Kind == driver.AddSet { // a name for each
			set := *op.Set
			set.Name = "set" + strings.Repeat("t", len(of))
			op.Set = &set
		}
		of[len(ops)] = i
		ops = append(ops, op)
	}
	var refused *driver.CommitError
	err := s.k.Commit(ctx, driver.Batch{Ops: ops, Trial: true})
	if err != nil && !errors.As(err, &refused) {
		return err
	}
	for _, i := range of {
		s.r.Features[i].State = Present
	}
	for _, fail := range failures(refused) {
		if i, ok := of[fail.Op]; ok {
			if q, _ := sampled(s.known[i]); !q.bare || errors.Is(fail.Err, unix.ENOENT) {
				s.r.Features[i].State = Missing
			}
		}
	}
	for i, k := range s.known {
		if with := passive[k.Name]; with != "" && k.Kind == feature.Expression {
			s.r.Features[i].State = s.state(k.Kind, with)
		}
	}
	return nil
}

// state is what was found of a feature.
func (s *surveyor) state(kind feature.Kind, name string) State {
	f, _ := s.r.Feature(kind.String(), name)
	return f.State
}

// failures are those of a transaction that was refused; nil has none.
func failures(refused *driver.CommitError) []driver.Failure {
	if refused == nil {
		return nil
	}
	return refused.Failures
}

// newest is the highest revision that is asked for: more than any extension has.
const newest = 5

// xt asks for the extensions' revisions.
func (s *surveyor) xt(ctx context.Context) error {
	for i, k := range s.known {
		if k.Kind != feature.Match && k.Kind != feature.Target {
			continue
		}
		f := &s.r.Features[i]
		for _, q := range [...]struct {
			family program.Family
			to     *Revisions
		}{{program.IP, &f.IPv4}, {program.IP6, &f.IPv6}} {
			if _, free := s.mods.state(k, q.family == program.IP6); !free {
				continue
			}
			revs, err := s.revisions(ctx, driver.XT{Family: q.family, Name: k.Name, Target: k.Kind == feature.Target})
			if err != nil {
				return err
			}
			*q.to = revs
			if f.State != Loadable {
				f.State = Missing
			}
		}
		if f.IPv4|f.IPv6 != 0 {
			f.State = Present
		}
	}
	return s.xtInet(ctx)
}

// revisions asks for those of an extension.
func (s *surveyor) revisions(ctx context.Context, x driver.XT) (out Revisions, err error) {
	for x.Rev = 0; x.Rev <= newest; x.Rev++ {
		err := s.k.Probe(ctx, x)
		switch {
		case err == nil:
			out |= 1 << x.Rev
		case !errors.Is(err, driver.ErrUnsupported):
			return out, err
		case errors.Is(err, unix.ENOENT): // of no revision
			return out, nil
		}
	}
	return out, nil
}

// xtInet tries what ip and ip6 tables can have in an inet table, all at once: there
// is no question about those.
func (s *surveyor) xtInet(ctx context.Context) error {
	t := &program.Table{Family: program.Inet, Name: "gatehouse-probe"}
	c := &program.Chain{Name: "probe"}
	ops := []driver.Op{{Kind: driver.AddTable, Table: t}, {Kind: driver.AddChain, Table: t, Chain: c}}
	type asked struct {
		feature int
		rev     uint32
	}
	of := map[int]asked{}
	for i, k := range s.known {
		f := &s.r.Features[i]
		for rev := range uint32(newest + 1) {
			if (f.IPv4|f.IPv6)>>rev&1 == 0 {
				continue
			}
			of[len(ops)] = asked{i, rev}
			f.Inet |= 1 << rev
			ops = append(ops, driver.Op{Kind: driver.AddRule, Table: t, Chain: c, Rule: &program.Rule{
				Exprs: []program.Expr{extension(driver.XT{Name: k.Name, Rev: rev, Target: k.Kind == feature.Target})},
			}})
		}
	}
	var refused *driver.CommitError
	if err := s.k.Commit(ctx, driver.Batch{Ops: ops, Trial: true}); err != nil && !errors.As(err, &refused) {
		return err
	}
	for _, fail := range failures(refused) {
		a, ok := of[fail.Op]
		switch {
		case !ok: // the kernel has no inet tables
			for i := range s.r.Features {
				s.r.Features[i].Inet = 0
			}
		case errors.Is(fail.Err, unix.ENOENT):
			s.r.Features[a.feature].Inet &^= 1 << a.rev
		}
	}
	return nil
}

// subsystems asks those that have messages of their own.
func (s *surveyor) subsystems(ctx context.Context) error {
	for i, k := range s.known {
		if k.Kind != feature.Subsystem || !s.free(i) {
			continue
		}
		typ, isSet := strings.CutPrefix(k.Name, "ipset ")
		var question func(seq uint32) []byte
		switch {
		case isSet:
			question = func(seq uint32) []byte { return wire.AskIPSetType(seq, program.IP, typ) }
		case k.Module == "nfnetlink_hook":
			question = func(seq uint32) []byte { return wire.DumpHooks(seq, program.IP, 1) }
		default:
			continue // native's
		}
		err := s.k.question(ctx, question)
		switch {
		case err == nil, errors.Is(err, unix.ENOENT): // no such hook, but somebody who knows
			s.r.Features[i].State = Present
		case errors.Is(err, fs.ErrPermission), ctx.Err() != nil, errors.Is(err, fs.ErrClosed):
			return s.k.explain(err)
		default:
			s.r.Features[i].State = Missing
		}
	}
	return nil
}

// question sends one and looks at nothing but whether the answer is an error.
func (k *kernel) question(ctx context.Context, request func(seq uint32) []byte) error {
	if err := k.control.take(ctx); err != nil {
		return err
	}
	defer k.control.release()
	return k.control.ask(ctx, request, func(wire.Message) error { return nil })
}

// others looks whose tables there are.
func (s *surveyor) others(ctx context.Context) (err error) {
	s.r.Others, s.r.Generation, err = backend.Others(ctx, s.k)
	return err
}

// blind looks at what takes no capability: the legacy tables, which root may see.
func (s *surveyor) blind(ctx context.Context, n Namespace, why error) error {
	ns, err := n.open()
	if err != nil {
		return err
	}
	defer ns.Close()
	b := blindDriver{ns: ns, err: why}
	b.net, b.user = owner(ns)
	s.r.Namespace = b.net
	if s.r.Others, _, err = backend.Others(ctx, b); err != nil && !s.unseen(err) {
		return err
	}
	return nil
}

// blindDriver is a driver that may not ask the kernel.
type blindDriver struct {
	driver.Driver
	ns        netns.NsHandle
	net, user string
	err       error
}

// Read is refused.
func (b blindDriver) Read(context.Context, driver.Scope) (*driver.State, error) { return nil, b.err }

// Legacy lists the legacy tables.
func (b blindDriver) Legacy(context.Context) (ip, ip6 []string, err error) {
	return legacyIn(b.ns, b.net, b.user)
}
