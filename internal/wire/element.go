package wire

import (
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/google/nftables/userdata"
)

// element writes one element of s, whose keys turn turns.
func (w *writer) element(s *program.Set, turn func(string) string, e *program.Element) {
	at := w.open(listElem)
	if flags := flag(e.End, elemIntervalEnd) | flag(e.CatchAll, elemCatchAll); flags != 0 {
		w.u32(elemFlags, flags)
	}
	if !e.CatchAll || e.Key != "" {
		w.value(elemKey, program.Value{Data: turn(e.Key)})
	}
	if e.KeyEnd != "" {
		w.value(elemKeyEnd, program.Value{Data: turn(e.KeyEnd)})
	}
	if e.Timeout != 0 || e.Forever {
		w.u64(elemTimeout, e.Timeout)
	}
	if e.Left != 0 {
		w.u64(elemLeft, e.Left)
	}
	switch {
	case e.End:
	case e.Data.Data != "":
		w.value(elemData, e.Data)
	case s.DataType == dataTypeVerdict, e.Verdict != program.Verdict{}:
		w.verdict(elemData, e.Verdict)
	}
	if s.Counted && !e.End {
		w.counted(elemExpr, e.Packets, e.Bytes)
	}
	w.b = append(w.b, e.Exprs...)
	w.pad()
	if e.UserData != "" {
		w.bytes(elemUserData, e.UserData)
	}
	w.done(at)
}

// DecodeElements reads a message of elements of set s.
func DecodeElements(m Message, s *program.Set) ([]program.Element, error) {
	var f fields
	if err := m.parse(&f); err != nil {
		return nil, err
	}
	var out []program.Element
	turn := turner(s)
	a := attrs(f[elemListElements])
	for {
		typ, val, _, ok := a.next()
		if !ok {
			break
		}
		if typ != listElem {
			return nil, ErrShort
		}
		e, err := decodeElement(val, s, turn)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	if len(a) != 0 {
		return nil, ErrShort
	}
	return out, nil
}

// decodeElement reads one element; what has no field it keeps as it is.
func decodeElement(b []byte, s *program.Set, turn func(string) string) (program.Element, error) {
	var f fields
	var e program.Element
	if !f.parse(b) {
		return e, ErrShort
	}
	e.Key, e.KeyEnd = f.value(elemKey).Data, f.value(elemKeyEnd).Data
	e.Key, e.KeyEnd = turn(e.Key), turn(e.KeyEnd)
	flags := f.u32(elemFlags)
	e.End, e.CatchAll = flags&elemIntervalEnd != 0, flags&elemCatchAll != 0
	e.Timeout, e.Left = f.u64(elemTimeout), f.u64(elemLeft)
	e.Forever = !e.End && e.Timeout == 0 && e.Left == 0 && s.Timeout != 0
	if s.Counted && !e.End {
		e.Packets, e.Bytes, _ = counter(f[elemExpr])
	}
	e.UserData = string(f[elemUserData])
	if s.Flags&program.SetMap != 0 && f[elemData] != nil {
		if v, ok := decodeVerdict(f[elemData]); ok {
			e.Verdict = v
		} else {
			e.Data = f.value(elemData)
			if noted(s.UserData, userdata.NFTNL_UDATA_SET_DATABYTEORDER) == orderHost {
				e.Data = program.Value{Data: swapped(e.Data.Data), Host: true}
			}
		}
	}
	a := attrs(b)
	var rest writer
	for {
		typ, _, raw, ok := a.next()
		if !ok {
			break
		}
		switch typ {
		case elemKey, elemKeyEnd, elemFlags, elemUserData, elemData, elemTimeout, elemLeft:
		case elemExpr:
			if _, _, ok := counter(f[elemExpr]); ok && s.Counted {
				continue
			}
			fallthrough
		default:
			rest.b = append(rest.b, raw...)
			rest.pad()
		}
	}
	e.Exprs = string(rest.b)
	return e, nil
}
