package match

import (
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
)

// compileID compares a socket's user or group. The kernel keeps the number in the
// machine's order, and compares ranges byte by byte: so a range is compared in
// the network's order, as nft writes it.
func compileID(c *program.Code, key program.MetaKey, r IDRange) {
	if r.First == r.Last {
		c.Test(idTest(key, r.First))
		return
	}
	e := idRangeExprs(key, r)
	c.Add(e[:]...)
}

func idTest(key program.MetaKey, id uint32) program.Test {
	return program.IsValue(program.Meta{Key: key}, false, program.Host32(id))
}

func idRangeExprs(key program.MetaKey, r IDRange) [3]program.Expr {
	return [...]program.Expr{
		program.Meta{Key: key, Reg: 1},
		program.Byteorder{Src: 1, Dst: 1, ToNetwork: true, Len: 4, Size: 4},
		program.Range{Reg: 1, Lo: program.Net32(r.First), Hi: program.Net32(r.Last)},
	}
}

// readOwner reads one number or range, or under the note user and group.
func readOwner(r *program.Reader) (m Owner, ok bool) {
	if m.UID, ok = readID(r, program.MetaSkuid); ok && r.Is() != ownerName {
		return m, true
	}
	both := ok
	if m.GID, ok = readID(r, program.MetaSkgid); !ok {
		return m, false
	}
	return m, both == (r.Is() == ownerName)
}

// readID takes what compileID wrote.
func readID(r *program.Reader, key program.MetaKey) (o Opt[IDRange], ok bool) {
	if t, ok := r.Test(0); ok {
		n, _ := t.A.Uint()
		if t != idTest(key, uint32(n)) || ID(uint32(n)).Err() != nil {
			return o, false
		}
		r.Take(1)
		return Is(ID(uint32(n))), true
	}
	e, ok := r.Item(2).(program.Range)
	if !ok {
		return o, false
	}
	lo, _ := e.Lo.Uint()
	hi, _ := e.Hi.Uint()
	id := IDRange{uint32(lo), uint32(hi)}
	got := [...]program.Expr{r.Item(0), r.Item(1), e}
	if id.Err() != nil || id.First == id.Last || got != idRangeExprs(key, id) {
		return o, false
	}
	r.Take(len(got))
	return Is(id), true
}

// blob is the match as xt_owner takes it.
func (m Owner) blob(program.Env) xtables.Owner {
	var b xtables.Owner
	add := func(bit uint8, given, not bool) {
		if given {
			b.Match |= bit
		}
		if not {
			b.Invert |= bit
		}
	}
	uid, not, ok := m.UID.Get()
	b.UID = [2]uint32{uid.First, uid.Last}
	add(xtables.OwnerUID, ok, not)
	gid, not, ok := m.GID.Get()
	b.GID = [2]uint32{gid.First, gid.Last}
	add(xtables.OwnerGID, ok, not)
	_, not, ok = m.Socket.Get()
	add(xtables.OwnerSocket, ok, not)
	add(xtables.OwnerSupplGroups, m.SupplGroups, false)
	return b
}

// readOwnerBlob is blob's inverse.
func readOwnerBlob(b xtables.Owner, env program.Env) (m Owner, ok bool) {
	has := func(bit uint8) bool { return b.Match&bit != 0 }
	not := func(bit uint8) bool { return b.Invert&bit != 0 }
	if has(xtables.OwnerUID) {
		m.UID = isOrNot(not(xtables.OwnerUID), IDRange{b.UID[0], b.UID[1]})
	}
	if has(xtables.OwnerGID) {
		m.GID = isOrNot(not(xtables.OwnerGID), IDRange{b.GID[0], b.GID[1]})
	}
	if has(xtables.OwnerSocket) {
		m.Socket = isOrNot(not(xtables.OwnerSocket), true)
	}
	m.SupplGroups = has(xtables.OwnerSupplGroups)
	return m, m != (Owner{}) && m.blob(env) == b
}
