package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

// Inline gives a rule's lookups the content of constant sets, in place. A set
// that is the rule's own then needs no name: it goes, and is taken out of sets.
// One with a name keeps it. A set that is no plain constant stays as it is.
func Inline(exprs []program.Expr, sets map[string]*program.Set) {
	var regs registers
	for i, e := range exprs {
		l, ok := e.(program.Lookup)
		if s := sets[l.Name]; ok && s != nil && !l.Map {
			if c, ok := constFor(s, regs.host(l.Reg)); ok {
				l.Const = c
				if s.Flags&program.SetAnonymous != 0 {
					l.Name = ""
					delete(sets, s.Name)
				}
				exprs[i] = l
			}
		}
		regs.step(exprs[i])
	}
}

// constFor is a set as a constant. Where nobody noted the order of its keys,
// the register that is looked up decides: host is the length of the
// host-order number in it.
func constFor(s *program.Set, host int) (program.ConstSet, bool) {
	if keyOrder(s.UserData) == 0 && !s.Host && s.Flags&program.SetInterval == 0 && host != 0 && host == int(s.KeyLen) {
		turned := *s
		turned.Host = true
		turned.Elements = make([]program.Element, len(s.Elements))
		for i, e := range s.Elements {
			e.Key = swapped(e.Key)
			turned.Elements[i] = e
		}
		s = &turned
	}
	return ConstOf(s)
}
