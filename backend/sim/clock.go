package sim

import (
	"slices"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// Advance moves the clock: elements whose time is up go, and with them probations.
// As in the kernel that is no commit: the generation stays and no Watch hears of
// it. The clock does not go back; d of 0 or less does nothing.
func (h *Host) Advance(d time.Duration) {
	if d <= 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	next := *h.state
	next.uptime += d
	next.tables = slices.Clone(next.tables)
	for i, t := range next.tables {
		if t.over(next.uptime) {
			next.tables[i] = t.clone()
			next.tables[i].expire(next.uptime)
		}
	}
	h.state = &next
}

// over says whether an element's time is up.
func (t *table) over(at time.Duration) bool {
	for _, s := range t.sets {
		for _, e := range s.elements {
			if e.over(at) {
				return true
			}
		}
	}
	return false
}

// expire takes out the elements whose time is up, and the ends of such ranges.
func (t *table) expire(at time.Duration) {
	for _, s := range t.sets {
		begun := false // the element before is one that went
		for _, e := range s.sorted(at) {
			k := keyOf(e)
			switch held := s.elements[k]; {
			case held.over(at), begun && e.End:
				s.write()
				delete(s.elements, k)
				t.referElement(s, e, -1)
				begun = s.Ranges() && !e.End
			default:
				begun = false
			}
		}
	}
}

func (e *element) over(at time.Duration) bool { return e.until != 0 && e.until <= at }

// left is the element with the time that it has left, of which the kernel shows
// milliseconds; the last one counts as whole.
func (e *element) left(at time.Duration) program.Element {
	out := e.Element
	if e.until != 0 {
		out.Left = uint64((e.until - at + time.Millisecond - 1) / time.Millisecond)
	}
	return out
}

// timeout is how long an element lasts in the set, in milliseconds; 0: for ever.
func (s *set) timeout(e program.Element) uint64 {
	switch {
	case e.Forever, e.End:
		return 0
	case e.Timeout != 0:
		return e.Timeout
	}
	return s.Timeout
}

// timed is an element as the set keeps it that is added then: a timeout that is the
// set's own is not the element's.
func (s *set) timed(e program.Element, at time.Duration) element {
	out := element{Element: e}
	out.Left = 0
	if ms := s.timeout(e); ms != 0 {
		if e.Left != 0 {
			ms = e.Left
		}
		out.until = at + time.Duration(ms)*time.Millisecond
	}
	if e.Timeout == s.Timeout {
		out.Timeout = 0
	}
	out.Forever = e.Forever && s.Timeout != 0
	return out
}
