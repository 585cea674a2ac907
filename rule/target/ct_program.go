package target

import (
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
)

// Compile adds notrack, a zone, or xt_CT.
func (t CT) Compile(a program.Action) error {
	switch t {
	case CT{NoTrack: true}:
		a.Add(program.Notrack{})
		return nil
	case CT{Zone: t.Zone}:
		if t.Zone.id != 0 {
			a.Add(program.Immediate{Reg: 1, Value: program.Host16(t.Zone.id)},
				program.CTSet{Key: program.CTZone, Dir: t.Zone.dir, Reg: 1})
			return nil
		}
	}
	return ct.Kernel(a.Code, t)
}

// XT_CT_*, include/uapi/linux/netfilter/xt_CT.h.
const (
	ctNoTrack   = 1 << 0
	ctAlias     = 1 << 1 // spelled NOTRACK; the kernel ignores it
	ctZoneOrig  = 1 << 2
	ctZoneReply = 1 << 3
	ctZoneMark  = 1 << 4
)

var zoneFlags = map[program.Dir]uint16{program.Original: ctZoneOrig, program.Reply: ctZoneReply}

func (t CT) blob(program.Env) xtables.CT {
	b := xtables.CT{
		Zone: t.Zone.id, Flags: zoneFlags[t.Zone.dir],
		CTEvents: uint32(t.Events), ExpEvents: uint32(t.ExpEvents),
	}
	if t.NoTrack {
		b.Flags |= ctNoTrack
	}
	if t.Zone.mark {
		b.Flags |= ctZoneMark
	}
	copy(b.Helper[:], t.Helper)
	copy(b.Timeout[:], t.Timeout)
	return b
}

func readCT(r *program.Reader) (t CT, ok bool) {
	switch e := r.Item(0).(type) {
	case program.Notrack:
		r.Take(1)
		return CT{NoTrack: true}, true
	case program.Immediate:
		set, ok := r.Item(1).(program.CTSet)
		n, okN := e.Value.Uint()
		if !ok || !okN || set.Key != program.CTZone || n > 65535 {
			return t, false
		}
		r.Take(2)
		return CT{Zone: CTZone{id: uint16(n), dir: set.Dir}}, true
	}
	return t, false
}

func readCTBlob(b xtables.CT, env program.Env) (t CT, ok bool) {
	t = CT{
		NoTrack: b.Flags&ctNoTrack != 0,
		Helper:  xtables.String(b.Helper[:]),
		Timeout: xtables.String(b.Timeout[:]),
		Events:  CTEvents(b.CTEvents), ExpEvents: CTEvents(b.ExpEvents),
		Zone: CTZone{id: b.Zone, mark: b.Flags&ctZoneMark != 0},
	}
	for dir, flag := range zoneFlags {
		if b.Flags&flag != 0 {
			t.Zone.dir = dir
		}
	}
	return t, t.blob(env) == b
}
