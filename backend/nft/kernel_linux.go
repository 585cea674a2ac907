package nft

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// kernel is the driver of one namespace.
type kernel struct {
	control *socket // questions with one answer, and transactions
	dumps   *socket // Read
	events  *socket // followed while a Read needs it
	walk    *socket // Elements, which may take as long as its caller likes

	ns        netns.NsHandle // for sockets that are opened later
	net, user string         // the namespaces, for errors
	maxBatch  int            // bytes that one sendmsg may have

	patience time.Duration // how long a Read is tried while others commit
	watching int           // bytes of a Watch's socket

	says   bool    // that a batch was committed; whoever has taken control may look
	faults *faults // of sockets that are opened later, for tests

	mu     sync.Mutex
	probed map[driver.XT]probed
}

var _ driver.Driver = (*kernel)(nil)

// What the sockets' buffers are set to, where the host allows it. A batch must
// fit into the first; 100,000 rules take 45 MB. The second holds the errors of
// a batch, about 800 bytes each, the third the events of a few large commits.
// Memory is used for what is in them only.
const (
	sendBuffer   = 128 << 20
	answerBuffer = 16 << 20
	eventBuffer  = 16 << 20

	// sendOverhead is how much shorter than its buffer a message must be.
	sendOverhead = 32
)

// dial connects to a namespace.
func dial(ctx context.Context, n Namespace) (driver.Driver, error) {
	return dialKernel(ctx, n)
}

func dialKernel(ctx context.Context, n Namespace) (*kernel, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ns, err := n.open()
	if err != nil {
		return nil, err
	}
	k := &kernel{ns: ns, probed: make(map[driver.XT]probed), patience: readTime, watching: eventBuffer}
	k.net, k.user = owner(ns)
	if err := k.open(ns); err != nil {
		k.Close()
		return nil, err
	}
	k.maxBatch = k.control.setBuffer(unix.SO_SNDBUFFORCE, unix.SO_SNDBUF, sendBuffer) - sendOverhead
	k.control.setBuffer(unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, answerBuffer)
	k.events.setBuffer(unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, eventBuffer)
	if _, err := k.Generation(ctx); err != nil {
		k.Close()
		return nil, err
	}
	return k, nil
}

func (k *kernel) open(ns netns.NsHandle) (err error) {
	for _, s := range []**socket{&k.control, &k.dumps, &k.events, &k.walk} {
		if *s, err = openSocket(ns); err != nil {
			return k.explain(err)
		}
	}
	return nil
}

// Close ends the sockets.
func (k *kernel) Close() error {
	var errs []error
	for _, s := range []*socket{k.control, k.dumps, k.events, k.walk} {
		if s != nil {
			errs = append(errs, s.close())
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ns.IsOpen() {
		errs = append(errs, k.ns.Close())
	}
	return errors.Join(errs...)
}

// socket opens one more socket.
func (k *kernel) socket() (*socket, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.ns.IsOpen() {
		return nil, fs.ErrClosed
	}
	s, err := openSocket(k.ns)
	if err == nil {
		s.faults = k.faults
	}
	return s, err
}

// Generation asks for the count of commits.
func (k *kernel) Generation(ctx context.Context) (uint32, error) {
	if err := k.control.take(ctx); err != nil {
		return 0, err
	}
	defer k.control.release()
	return k.generation(ctx, k.control)
}

// generation asks on a socket that the caller has taken.
func (k *kernel) generation(ctx context.Context, s *socket) (gen uint32, err error) {
	err = s.ask(ctx, wire.AskGeneration, func(m wire.Message) (err error) {
		gen, err = wire.DecodeGeneration(m)
		return err
	})
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) {
		return 0, fmt.Errorf("nf_tables: %w: %w", driver.ErrUnsupported, err)
	}
	return gen, k.explain(err)
}

// explain says more of an EPERM.
func (k *kernel) explain(err error) error {
	if errors.Is(err, unix.EPERM) {
		return &permissionError{net: k.net, user: k.user, err: unix.EPERM}
	}
	return err
}
