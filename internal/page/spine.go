package page

import "github.com/gatehouse-fw/gatehouse/internal/program"

// bounds says which rules must stay in the spine.
func bounds(t *program.Table, rules []*program.Rule) []bool {
	out := make([]bool, len(rules))
	maps := map[string]bool{}
	for i, r := range rules {
		out[i] = bound(t, r, maps)
	}
	return out
}

// bound says whether a rule may leave its chain other than by a verdict or a
// jump that comes back: RETURN and GOTO, in the rule itself, in a map that it
// looks up, or in an expression that we do not know. In a page they would lead
// to the spine. maps remembers what was found out about maps.
func bound(t *program.Table, r *program.Rule, maps map[string]bool) bool {
	for _, e := range r.Exprs {
		switch e := e.(type) {
		case program.Verdict:
			if !comesBack(e.Kind) {
				return true
			}
		case program.Lookup:
			if !e.Map || e.Dst != 0 {
				continue
			}
			is, known := maps[e.Name]
			if !known {
				is = boundMap(t.Set(e.Name))
				maps[e.Name] = is
			}
			if is {
				return true
			}
		case program.Raw:
			if !harmless[e.Name] {
				return true
			}
		}
	}
	return false
}

// Stays says whether a rule must stay in its chain's spine, whatever the maps that it
// looks up hold.
func Stays(r *program.Rule) bool { return bound(&program.Table{}, r, map[string]bool{}) }

// SpineJump is where a rule jumps to that does nothing else, as a spine's do; "" for
// any other.
func SpineJump(r *program.Rule) string { return spineJump(r) }

// comesBack says whether a verdict does the same in a page as in its chain.
func comesBack(k program.VerdictKind) bool {
	switch k {
	case program.NFTGoto, program.NFTReturn:
		return false
	case program.NFTJump, program.NFTContinue, program.NFTBreak:
		return true
	}
	return k >= 0 // the packet's end: accept, drop, queue
}

// boundMap says whether a verdict map may hold a RETURN or GOTO.
func boundMap(s *program.Set) bool {
	if s == nil {
		return true
	}
	for _, e := range s.Elements {
		if !e.End && (e.Data != (program.Value{}) || !comesBack(e.Verdict.Kind)) {
			return true
		}
	}
	return false
}

// harmless are the kernel's expressions that never RETURN or GOTO, whatever
// their bytes. Not among them are immediate and lookup, which may.
var harmless = map[string]bool{
	"bitwise": true, "byteorder": true, "cmp": true, "connlimit": true, "counter": true, "ct": true,
	"dup": true, "dynset": true, "exthdr": true, "fib": true, "fwd": true, "hash": true, "last": true,
	"limit": true, "log": true, "masq": true, "match": true, "meta": true, "nat": true, "notrack": true,
	"numgen": true, "objref": true, "osf": true, "payload": true, "queue": true, "quota": true,
	"range": true, "redir": true, "reject": true, "rt": true, "socket": true, "synproxy": true,
	"target": true, "tproxy": true, "tunnel": true, "xfrm": true,
}
