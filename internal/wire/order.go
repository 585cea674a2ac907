package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

// Where two expressions without a type say which register they load.
const (
	numgenDreg = 1 // NFTA_NG_DREG
	hashDreg   = 2 // NFTA_HASH_DREG
)

// registers remembers, for each of the 16 registers of 4 bytes, how long the
// host-order number is that begins there; 0: bytes in network order.
type registers [16]int

// slot is the first 4-byte register of r; ok is false for the verdict register.
func slot(r program.Reg) (int, bool) {
	switch {
	case r >= 1 && r <= 4:
		return int(r-1) * 4, true
	case r >= 8 && r <= 23:
		return int(r - 8), true
	}
	return 0, false
}

// load notes what a load put into r: a host-order number, or anything else.
func (s *registers) load(r program.Reg, host int) {
	i, ok := slot(r)
	if !ok {
		return
	}
	s[i] = host
	if host == 0 { // may have been as long as 16 bytes
		clear(s[i:min(i+4, len(s))])
	}
}

func (s *registers) host(r program.Reg) int {
	if i, ok := slot(r); ok {
		return s[i]
	}
	return 0
}

// orient gives values their Host, in place: those that are compared with, or
// stored where, the kernel keeps a host-order number of that very length.
func orient(exprs []program.Expr) {
	var s registers
	for i, e := range exprs {
		switch e := e.(type) {
		case program.Immediate:
			h := destined(exprs[i+1:], e.Reg)
			if v, ok := hosted(e.Value, h); ok {
				e.Value = v
				exprs[i] = e
			}
			s.load(e.Reg, h)
		case program.Cmp:
			if v, ok := hosted(e.Value, s.host(e.Reg)); ok {
				e.Value = v
				exprs[i] = e
			}
		case program.Range:
			lo, ok := hosted(e.Lo, s.host(e.Reg))
			hi, ok2 := hosted(e.Hi, s.host(e.Reg))
			if ok && ok2 {
				e.Lo, e.Hi = lo, hi
				exprs[i] = e
			}
		case program.Bitwise:
			mask, ok := hosted(e.Mask, s.host(e.Src))
			xor, ok2 := hosted(e.Xor, s.host(e.Src))
			if ok && ok2 {
				e.Mask, e.Xor = mask, xor
				exprs[i] = e
			}
			s.step(e)
		default:
			s.step(e)
		}
	}
}

// step follows one expression that has no values.
func (s *registers) step(e program.Expr) {
	switch e := e.(type) {
	case program.Payload:
		s.load(e.Reg, 0)
	case program.Meta:
		s.load(e.Reg, program.HostOrder(e))
	case program.CT:
		s.load(e.Reg, program.HostOrder(e))
	case program.Fib:
		s.load(e.Reg, program.HostOrder(e))
	case program.Exthdr:
		s.load(e.Reg, program.HostOrder(e))
	case program.Bitwise:
		s.load(e.Dst, s.host(e.Src))
	case program.Shift:
		s.load(e.Dst, s.host(e.Src))
	case program.Bitwise2:
		s.load(e.Dst, max(s.host(e.Src), s.host(e.Src2)))
	case program.Byteorder:
		h := 0
		if !e.ToNetwork && e.Len == e.Size {
			h = int(e.Len)
		}
		s.load(e.Dst, h)
	case program.Lookup:
		if e.Map {
			s.load(e.Dst, 0)
		}
	case program.Raw:
		s.raw(e)
	}
}

// raw follows an expression without a type: those that give a number are
// known, and after others nothing is.
func (s *registers) raw(e program.Raw) {
	numbers := map[string]int{"numgen": numgenDreg, "hash": hashDreg}
	var f fields
	at, ok := numbers[e.Name]
	if !ok || !f.parse([]byte(e.Data)) {
		*s = registers{}
		return
	}
	s.load(f.reg(at), 4)
}

// destined says what an immediate in r is for: the length of the host-order
// number that it becomes where it is used first.
func destined(rest []program.Expr, r program.Reg) int {
	r = register(r)
	for i, e := range rest {
		switch e := e.(type) {
		case program.MetaSet:
			if register(e.Reg) == r {
				return program.HostOrder(program.Meta{Key: e.Key})
			}
		case program.CTSet:
			if register(e.Reg) == r {
				return program.HostOrder(program.CT{Key: e.Key})
			}
		case program.Dup:
			if register(e.Dev) == r {
				return 4 // an interface's number
			}
		case program.Bitwise:
			if register(e.Src) == r {
				return destined(rest[i+1:], e.Dst)
			}
		case program.Shift:
			if register(e.Src) == r {
				return destined(rest[i+1:], e.Dst)
			}
		case program.Bitwise2:
			if register(e.Src) == r || register(e.Src2) == r {
				return destined(rest[i+1:], e.Dst)
			}
		case program.Byteorder:
			if register(e.Src) == r {
				if e.ToNetwork && e.Len == e.Size {
					return int(e.Len)
				}
				return 0
			}
		case program.NAT, program.Masq, program.Redir:
			return 0
		}
	}
	return 0
}

// hosted is v as a host-order number; ok is false where it has not the length
// of one, or is one already.
func hosted(v program.Value, host int) (program.Value, bool) {
	if host == 0 || len(v.Data) != host || v.Host {
		return v, false
	}
	return program.Value{Data: swapped(v.Data), Host: true}, true
}
