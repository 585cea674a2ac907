package drivertest

import (
	"io/fs"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// timed is a set whose elements may have an end, and lasting one where they have
// one unless they say otherwise.
var (
	timed   = program.Set{Name: "timed", KeyType: uint32(program.TypeService), KeyLen: 2, Flags: program.SetTimeout, Size: 64}
	lasting = program.Set{Name: "lasting", KeyType: uint32(program.TypeService), KeyLen: 2, Flags: program.SetTimeout, Size: 64, Timeout: 60_000}
	stretch = program.Set{Name: "stretch", KeyType: uint32(program.TypeService), KeyLen: 2, Flags: program.SetTimeout | program.SetInterval}
	ways    = program.Set{Name: "ways", KeyType: uint32(program.TypeService), KeyLen: 2, Flags: program.SetTimeout | program.SetMap, DataType: 0xffffff00, Size: 64}
)

// short is a time that is over soon, long one that a test does not see the end
// of, in milliseconds; soon is when short is over for certain.
const (
	short = 40
	long  = 20_000
	soon  = 100 * time.Millisecond
)

// clock is a host whose time a test lets pass.
type clock struct {
	*host
	room
	pass func(time.Duration)
}

func testTimeouts(t *testing.T, open func(t *testing.T) driver.Driver, pass func(driver.Driver, time.Duration)) {
	for name, test := range map[string]func(*clock){
		"WhatIsLeft": whatIsLeft, "TheEnd": theEnd, "Again": again, "Wrong": wrongTimes, "Ranges": rangeEnds, "Ways": wayEnds,
	} {
		t.Run(name, func(t *testing.T) {
			h := start(t, open)
			c := &clock{h, suite(), func(d time.Duration) { pass(h.Driver, d) }}
			c.commit(c.add(), c.set(driver.AddSet, &timed), c.set(driver.AddSet, &lasting))
			test(c)
		})
	}
}

// put is the operation that adds an element to a set for a time.
func (c *clock) put(set *program.Set, port uint16, ms uint64) driver.Op {
	e := exactly(port)
	e.Timeout = ms
	return c.set(driver.AddElements, like(*set, e))
}

func (c *clock) take(set *program.Set, port uint16) driver.Op {
	return c.set(driver.DeleteElements, like(*set, exactly(port)))
}

// element reads one; ok is false where it is not there.
func (c *clock) element(set *program.Set, port uint16) (e program.Element, ok bool) {
	c.Helper()
	all := c.readSet(c.room, set.Name).Elements
	i := slices.IndexFunc(all, func(e program.Element) bool { return e.Key == exactly(port).Key })
	if i < 0 {
		return e, false
	}
	return all[i], true
}

// lasts wants an element with that timeout of its own and about so much left, in
// milliseconds; left of 0 is one without an end.
func (c *clock) lasts(set *program.Set, port uint16, timeout, left uint64) {
	c.Helper()
	const late = 5000 // how long a slow machine takes to look
	e, ok := c.element(set, port)
	switch {
	case !ok:
		c.Errorf("%d is not in %s", port, set.Name)
	case e.Timeout != timeout, left == 0 && e.Left != 0, left != 0 && (e.Left > left || e.Left == 0 || e.Left+late < left):
		c.Errorf("%d in %s has %d of %d ms left, want %d of %d", port, set.Name, e.Left, e.Timeout, left, timeout)
	}
}

// whatIsLeft: an element says how long it lasts, if that is not what the set says,
// and how much of it is left.
func whatIsLeft(c *clock) {
	forever := exactly(4)
	forever.Forever = true
	rest := exactly(5)
	rest.Timeout, rest.Left = long, long/2
	c.commit(c.put(&timed, 1, 0), c.put(&timed, 2, long), c.put(&lasting, 1, 0), c.put(&lasting, 2, long), c.put(&lasting, 3, lasting.Timeout),
		c.set(driver.AddElements, like(lasting, forever)), c.set(driver.AddElements, like(timed, rest)))
	c.lasts(&timed, 1, 0, 0)
	c.lasts(&timed, 2, long, long)
	c.lasts(&lasting, 1, 0, lasting.Timeout)
	c.lasts(&lasting, 2, long, long)
	c.lasts(&lasting, 3, 0, lasting.Timeout)
	c.lasts(&lasting, 4, 0, 0)
	c.lasts(&timed, 5, long, long/2)
	if e, _ := c.element(&lasting, 4); !e.Forever {
		c.Errorf("%+v does not last for ever", e)
	}
	if e, _ := c.element(&timed, 1); e.Forever {
		c.Errorf("%+v lasts for ever by itself", e)
	}
	c.pass(soon)
	c.lasts(&timed, 2, long, long-uint64(soon/time.Millisecond)+4) // a tick of the kernel's
	c.lasts(&timed, 1, 0, 0)
}

// theEnd: an element whose time is up is not there: not to a reader, not to whoever
// deletes it, and not to whoever adds it. Nobody commits meanwhile.
func theEnd(c *clock) {
	c.commit(c.put(&timed, 1, short), c.put(&timed, 2, short), c.put(&timed, 3, long))
	before := c.read().Generation
	c.pass(soon)
	if got := keys(c.readSet(c.room, timed.Name)); got != "0003" {
		c.Errorf("elements %q, want 3 alone", got)
	}
	if now := c.read().Generation; now != before {
		c.Errorf("generation %d, and %d when the time was up", before, now)
	}
	c.refuseFirst(1, fs.ErrNotExist, c.put(&timed, 4, 0), c.take(&timed, 1))
	if got := keys(c.readSet(c.room, timed.Name)); got != "0003" {
		c.Errorf("after a refusal: elements %q, want 3 alone", got)
	}
	c.refuseFirst(0, fs.ErrNotExist, c.take(&timed, 1), c.put(&timed, 1, 0))
	c.commit(c.put(&timed, 1, long))
	c.lasts(&timed, 1, long, long)
	if err := c.Commit(c.Context(), driver.Batch{Generation: before + 1, Ops: []driver.Op{c.take(&timed, 3)}}); err != nil {
		c.Errorf("expiry moved the generation: %v", err)
	}
}

// again: going and coming in one batch gives an element another time, and so does
// adding one that is there with a time that is another.
func again(c *clock) {
	c.commit(c.put(&timed, 1, short), c.put(&timed, 2, short), c.put(&timed, 3, short), c.put(&timed, 4, long), c.put(&timed, 5, short), c.put(&timed, 6, long))
	c.commit(c.take(&timed, 1), c.take(&timed, 2), c.put(&timed, 1, 0), c.put(&timed, 2, long))
	c.commit(c.put(&timed, 3, long), c.put(&timed, 4, short), c.put(&timed, 5, 0))
	c.pass(soon)
	c.lasts(&timed, 1, 0, 0)
	c.lasts(&timed, 2, long, long)
	c.lasts(&timed, 3, long, long)
	if _, ok := c.element(&timed, 4); ok {
		c.Error("an element that was given less time is there")
	}
	c.lasts(&timed, 5, 0, 0)
	c.commit(c.put(&timed, 6, long)) // the same time does not begin again
	if e, _ := c.element(&timed, 6); e.Left > long-uint64(soon/time.Millisecond)+4 {
		c.Errorf("%+v has begun again", e)
	}
}

// wrongTimes: a time for what has none, and more left than there is.
func wrongTimes(c *clock) {
	c.commit(c.set(driver.AddSet, &ports))
	e := exactly(1)
	e.Left = short
	c.refuseFirst(0, syscall.EINVAL, c.put(&ports, 1, long))
	c.refuseFirst(0, syscall.EINVAL, c.set(driver.AddElements, like(ports, e)))
	c.refuseFirst(0, impossible, c.set(driver.AddElements, like(timed, e)))
	e.Timeout, e.Left = short, long
	c.refuseFirst(0, syscall.ERANGE, c.set(driver.AddElements, like(timed, e)))
}

// rangeEnds: a range goes as one.
func rangeEnds(c *clock) {
	brief := between(10, 19)
	brief[0].Timeout = short
	keeps := between(30, 39)
	keeps[0].Timeout = long
	c.commit(c.set(driver.AddSet, &stretch), c.set(driver.AddElements, like(stretch, append(brief, keeps...)...)))
	c.pass(soon)
	if got := starts(c.readSet(c.room, stretch.Name)); got != 1 {
		c.Errorf("%d ranges, want 1", got)
	}
	c.commit(c.set(driver.AddElements, like(stretch, between(12, 15)...))) // there is room
	if got := starts(c.readSet(c.room, stretch.Name)); got != 2 {
		c.Errorf("%d ranges, want 2", got)
	}
}

func starts(s *program.Set) (n int) {
	for _, e := range s.Elements {
		if !e.End {
			n++
		}
	}
	return n
}

// wayEnds: where an element of a verdict map led stays in use until its time is up.
func wayEnds(c *clock) {
	e := leads(1, program.Verdict{Kind: program.NFTJump, Chain: "x"})
	e.Timeout = short
	c.commit(ops(c.user("x"), c.set(driver.AddSet, &ways), c.set(driver.AddElements, like(ways, e)))...)
	c.refuseFirst(0, busy, c.deleteChain("x"))
	c.pass(soon)
	if n := len(c.readSet(c.room, ways.Name).Elements); n != 0 {
		c.Errorf("%d elements", n)
	}
}
