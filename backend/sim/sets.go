package sim

import (
	"slices"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

const (
	verdictData = 0xffffff00 // NFT_DATA_VERDICT
	maxKey      = 64         // NFT_DATA_VALUE_MAXLEN
)

// setOp does an operation on a set and says whether it changed anything.
func (t *table) setOp(op driver.Op, at time.Duration) (changed bool, r *refusal) {
	if op.Set == nil {
		return false, refuse(errWrong)
	}
	s := t.setNamed[op.Set.Name]
	if op.Kind == driver.AddSet {
		if s != nil {
			return false, refuse(errThere)
		}
		return true, t.addSet(op.Set)
	}
	if s == nil {
		return false, refuse(errMissing)
	}
	switch op.Kind {
	case driver.AddElements:
		return t.addElements(s, op.Set.Elements, at)
	case driver.DeleteElements:
		return true, t.deleteElements(s, op.Set.Elements)
	}
	return true, t.deleteSet(s)
}

func (t *table) addSet(as *program.Set) *refusal {
	if as.Name == "" || as.KeyLen == 0 || as.KeyLen > maxKey || len(as.UserData) > maxUserData {
		return refuse(errWrong)
	}
	s := &set{Set: *as}
	s.Elements, s.ID, s.Handle = nil, 0, t.handle()
	t.sets, t.setNamed[s.Name] = append(t.sets, s), s
	return nil
}

// fixed says whether the set's content cannot change: not before the transaction
// after the one in which the last lookup goes.
func (s *set) fixed() bool { return s.bound && s.Flags&program.SetConstant != 0 }

// addElements adds those that are not there yet; one that is gets the time that is
// given, if it is another. Those before a bad one are
// added all the same, for later operations of the batch to meet, as in the
// kernel; the batch is refused anyhow.
func (t *table) addElements(s *set, elements []program.Element, at time.Duration) (changed bool, r *refusal) {
	if s.fixed() {
		return false, refuse(errBusy)
	}
	s.write()
	for _, e := range elements {
		there, err := t.checkElement(s, e)
		if err != nil {
			return changed, refuse(err)
		}
		fresh := s.timed(e, at)
		switch old := s.elements[keyOf(e)]; {
		case !there:
			t.referElement(s, e, 1)
		case fresh.Timeout == old.Timeout && fresh.Forever == old.Forever && e.Left == 0:
			continue
		default:
			old.Timeout, old.Forever, old.until = fresh.Timeout, fresh.Forever, fresh.until
			fresh = old
		}
		s.elements[keyOf(e)], changed = fresh, true
	}
	return changed, nil
}

// checkElement says whether the set has the element, or why it cannot have it.
func (t *table) checkElement(s *set, e program.Element) (there bool, err error) {
	switch {
	case !e.CatchAll && len(e.Key) != int(s.KeyLen):
		return false, errWrong
	case e.End && s.Flags&program.SetInterval == 0:
		return false, errWrong
	case s.Flags&program.SetTimeout == 0 && (e.Timeout != 0 || e.Left != 0 || e.Forever):
		return false, errWrong
	case e.Left != 0 && s.timeout(e) == 0:
		return false, errUnfit
	case e.Left > s.timeout(e):
		return false, errRange
	case s.DataType == verdictData && !e.End:
		if err := t.checkVerdict(e.Verdict); err != nil {
			return false, err
		}
	}
	old, there := s.elements[keyOf(e)]
	switch {
	case there && (old.Data != e.Data || old.Verdict != e.Verdict):
		return false, errThere
	case there:
		return true, nil
	case s.Size != 0 && s.Flags&program.SetInterval == 0 && len(s.elements) >= int(s.Size):
		return false, errFull
	}
	return false, nil
}

// deleteElements takes out elements; each must be there.
func (t *table) deleteElements(s *set, elements []program.Element) *refusal {
	if s.fixed() {
		return refuse(errBusy)
	}
	s.write()
	for _, e := range elements {
		old, there := s.elements[keyOf(e)]
		if !there {
			return refuse(errMissing)
		}
		delete(s.elements, keyOf(e))
		t.referElement(s, old.Element, -1)
	}
	return nil
}

func (t *table) deleteSet(s *set) *refusal {
	if s.refs > 0 {
		return refuse(errBusy)
	}
	for _, e := range s.elements {
		t.referElement(s, e.Element, -1)
	}
	t.sets = slices.DeleteFunc(t.sets, func(o *set) bool { return o == s })
	delete(t.setNamed, s.Name)
	return nil
}

// referElement counts the chain that a verdict map's element goes to.
func (t *table) referElement(s *set, e program.Element, n int) {
	if s.DataType == verdictData && !e.End {
		t.referTo(e.Verdict, n)
	}
}
