package target

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// NFQueue is -j NFQUEUE: it hands the packet to a program, through nfnetlink's
// queue of that number; where nobody listens, it is dropped. The zero value is
// queue 0.
//
//	--queue-num number | --queue-balance first:last [--queue-cpu-fanout]
//	--queue-bypass
//
// It is the kernel's own xt target, which every table has; nf_tables' queue, which
// would be the same, is an option of the kernel's that not every one has. It mirrors
// net/netfilter/xt_NFQUEUE.c.
type NFQueue struct {
	Queue  uint16 // --queue-num, or the first of --queue-balance
	Last   uint16 // the last of --queue-balance, above Queue; zero: one queue
	Bypass bool   // --queue-bypass: where nobody listens, the packet is accepted
	Fanout bool   // --queue-cpu-fanout: the CPU chooses the queue, not the connection; needs Last

	given bool // while options are read: a number or a range was
}

// Name is "NFQUEUE".
func (NFQueue) Name() string { return nfqueue.Name }

func (NFQueue) ext() option.Extension { return nfqueue }

var nfqueue = &option.Spec[NFQueue]{
	Name: "NFQUEUE",
	Rows: []option.Row[NFQueue]{
		{
			Name: "--queue-num", Args: 1, Want: "a number from 0 to 65535",
			Set: func(t *NFQueue, _ bool, w []string, _ option.Context) error {
				n, err := option.Uint(w[0], 0, 65535)
				return t.set(uint16(n), 0, err)
			},
			Get: func(t *NFQueue, _ nf.Family) (bool, string, bool) {
				return false, strconv.Itoa(int(t.Queue)), t.Last == 0
			},
		},
		{
			Name: "--queue-balance", Args: 1, Want: "first:last, from 0 to 65535",
			Set: setBalance,
			Get: func(t *NFQueue, _ nf.Family) (bool, string, bool) {
				return false, fmt.Sprintf("%d:%d", t.Queue, t.Last), t.Last != 0
			},
		},
		option.Flag("--queue-bypass", func(t *NFQueue) *bool { return &t.Bypass }),
		option.Flag("--queue-cpu-fanout", func(t *NFQueue) *bool { return &t.Fanout }),
	},
	Check: func(t *NFQueue, _ option.Context) error {
		t.given = false
		switch {
		case t.Last != 0 && t.Last <= t.Queue:
			return fmt.Errorf("%d should be less than %d", t.Queue, t.Last)
		case t.Queue == 0 && t.Last == 65535:
			return errors.New("--queue-balance 0:65535: 65535 queues at most")
		case t.Fanout && t.Last == 0:
			return errors.New("option \"--queue-cpu-fanout\" also requires \"--queue-balance\"")
		}
		return nil
	},
	List: func(t NFQueue, _ *option.Lister) string { return "NFQUEUE " + t.words() },
	XT: option.XTStruct(option.XT[NFQueue]{Target: true, Inet: true}, 3,
		NFQueue.blob, readNFQueueBlob),
}

// set stores --queue-num or --queue-balance; either may be there once.
func (t *NFQueue) set(first, last uint16, err error) error {
	if err == nil && t.given {
		err = errors.New("option \"--queue-num\" cannot be used together with \"--queue-balance\"")
	}
	t.Queue, t.Last, t.given = first, last, true
	return err
}

// setBalance reads "first:last", either of which may be missing.
func setBalance(t *NFQueue, _ bool, w []string, _ option.Context) error {
	first, last, ok := strings.Cut(w[0], ":")
	lo, hi := uint64(0), uint64(65535)
	if !ok {
		return fmt.Errorf("bad range %q", w[0])
	}
	var err error
	if first != "" {
		if lo, err = option.Uint(first, 0, 65535); err != nil {
			return err
		}
	}
	if last != "" {
		if hi, err = option.Uint(last, 0, 65535); err != nil {
			return err
		}
	}
	if lo >= hi {
		return fmt.Errorf("%d should be less than %d", lo, hi)
	}
	return t.set(uint16(lo), uint16(hi), nil)
}

// words is what iptables -L prints.
func (t NFQueue) words() string {
	s := fmt.Sprintf("num %d", t.Queue)
	if t.Last != 0 {
		s = fmt.Sprintf("balance %d:%d", t.Queue, t.Last)
	}
	if t.Bypass {
		s += " bypass"
	}
	if t.Fanout {
		s += " cpu-fanout"
	}
	return s
}

// blob is what xt_NFQUEUE is given.
func (t NFQueue) blob(program.Env) xtables.NFQueue {
	b := xtables.NFQueue{Queue: t.Queue, Total: 1}
	if t.Last != 0 {
		b.Total = t.Last - t.Queue + 1
	}
	if t.Bypass {
		b.Flags |= xtables.NFQueueBypass
	}
	if t.Fanout {
		b.Flags |= xtables.NFQueueFanout
	}
	return b
}

func readNFQueueBlob(b xtables.NFQueue, env program.Env) (t NFQueue, ok bool) {
	t = NFQueue{Queue: b.Queue, Bypass: b.Flags&xtables.NFQueueBypass != 0, Fanout: b.Flags&xtables.NFQueueFanout != 0}
	if b.Total > 1 {
		t.Last = b.Queue + b.Total - 1
	}
	return t, t.blob(env) == b && (t.Last == 0 || t.Last > t.Queue) && (t.Last != 0 || !t.Fanout)
}

// Compile adds the xt target.
func (t NFQueue) Compile(a program.Action) error { return nfqueue.Kernel(a.Code, t) }
