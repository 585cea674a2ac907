package wire

import (
	"encoding/binary"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/google/nftables/userdata"
)

// The orders that nft notes for a set's keys.
const (
	orderHost = 1
	orderBig  = 2
)

// set is a set to be made; id is its number in the batch. Its elements come in
// messages of their own.
func (w *writer) newSet(table string, s *program.Set, id uint32) {
	name := s.Name
	if name == "" {
		name = anonymousName
	}
	w.str(setTable, table)
	w.str(setName, name)
	w.u32(setFlags, s.Flags)
	w.u32(setKeyType, s.KeyType)
	w.u32(setKeyLen, s.KeyLen)
	if s.Flags&program.SetMap != 0 {
		w.u32(setDataType, s.DataType)
		w.u32(setDataLen, s.DataLen)
	}
	w.u32(setID, id)
	if s.Timeout != 0 {
		w.u64(setTimeout, s.Timeout)
	}
	w.desc(s)
	if s.Counted {
		w.counted(setExpr, 0, 0)
	}
	if s.UserData != "" {
		w.bytes(setUserData, s.UserData)
	}
}

// desc writes the set's size, and what else its description had, and the
// attributes that have no field.
func (w *writer) desc(s *program.Set) {
	rest := attrs(s.Raw)
	var concat []byte
	for {
		typ, val, raw, ok := rest.next()
		if !ok {
			break
		}
		if typ == setDesc {
			concat = val
			continue
		}
		w.b = append(w.b, raw...)
		w.pad()
	}
	if s.Size == 0 && concat == nil && s.Fields == "" {
		return
	}
	at := w.open(setDesc)
	w.some(descSize, s.Size)
	if s.Fields != "" {
		list := w.open(descConcat)
		for i := range len(s.Fields) {
			field := w.open(listField)
			w.u32(fieldLen, uint32(s.Fields[i]))
			w.done(field)
		}
		w.done(list)
	}
	w.b = append(w.b, concat...)
	w.pad()
	w.done(at)
}

// fieldLens reads the lengths of a concatenation's fields; ok is false where they
// say more than that.
func fieldLens(b []byte) (lens string, ok bool) {
	a := attrs(b)
	var out []byte
	for {
		typ, val, _, more := a.next()
		if !more {
			return string(out), len(a) == 0 && len(out) > 0
		}
		inner := attrs(val)
		t, n, _, ok := inner.next()
		if typ != listField || !ok || t != fieldLen || len(n) != 4 || len(inner) != 0 || n[0]|n[1]|n[2] != 0 || n[3] == 0 {
			return "", false
		}
		out = append(out, n[3])
	}
}

// DecodeSet reads a set's message: the table's name, all but the set's
// elements, and how many the kernel says there are; -1 where it does not say.
func DecodeSet(m Message) (table string, s *program.Set, count int, err error) {
	var f fields
	if err := m.parse(&f); err != nil {
		return "", nil, 0, err
	}
	s = &program.Set{
		Name: f.str(setName), Handle: f.u64(setHandle), Flags: f.u32(setFlags),
		KeyType: f.u32(setKeyType), KeyLen: f.u32(setKeyLen),
		DataType: f.u32(setDataType), DataLen: f.u32(setDataLen),
		Timeout: f.u64(setTimeout), UserData: string(f[setUserData]),
	}
	s.Host = hostKeys(s) && s.KeyType != uint32(program.TypeIfname)
	count = -1
	if len(f[setCount]) == 4 {
		count = int(f.u32(setCount))
	}
	var w writer
	a := attrs(m.Body[genLen:])
	for {
		typ, val, raw, ok := a.next()
		if !ok {
			break
		}
		switch typ {
		case setExpr:
			if packets, bytes, ok := counter(val); ok && packets|bytes == 0 {
				s.Counted = true
				continue
			}
			fallthrough
		case setPolicy, setGC, setObjType, setExprs:
			w.b = append(w.b, raw...)
			w.pad()
		case setDesc:
			w.descRest(val, s)
		}
	}
	s.Raw = string(w.b)
	return f.str(setTable), s, count, nil
}

// descRest reads a description's size and fields, and keeps what else it has.
func (w *writer) descRest(b []byte, s *program.Set) {
	at := w.open(setDesc)
	empty := len(w.b)
	a := attrs(b)
	for {
		typ, val, raw, ok := a.next()
		if !ok {
			break
		}
		if typ == descSize && len(val) == 4 {
			s.Size = binary.BigEndian.Uint32(val)
			continue
		}
		if lens, ok := fieldLens(val); ok && typ == descConcat && s.Fields == "" {
			s.Fields = lens
			continue
		}
		w.b = append(w.b, raw...)
		w.pad()
	}
	if len(w.b) == empty {
		w.b = w.b[:at]
		return
	}
	w.done(at)
}

// hostKeys says whether a set's keys are host-order numbers: as nft noted it,
// else as its type has it.
func hostKeys(s *program.Set) bool {
	if o := keyOrder(s.UserData); o != 0 {
		return o == orderHost
	}
	switch program.KeyType(s.KeyType) {
	case program.TypeMark, program.TypeARPHRD, program.TypeUID, program.TypeGID,
		program.TypeCTState, program.TypeCTStatus, program.TypeFibAddr:
		return true
	}
	return false
}

// Notes are nft's notes of a set of one's own: the order of its keys, whether nft
// may merge its elements, and a comment that nft prints and loads again.
func Notes(s *program.Set, comment string) string {
	order := uint32(orderBig)
	switch t := program.KeyType(s.KeyType); {
	case program.IsConcat(s.KeyType):
		order = 0
	case t.Host(), t == program.TypeIfname:
		order = orderHost
	}
	out := ""
	if order != 0 {
		out = note(byte(userdata.NFTNL_UDATA_SET_KEYBYTEORDER), order)
	}
	if s.Flags&program.SetInterval != 0 {
		out += note(byte(userdata.NFTNL_UDATA_SET_MERGE_ELEMENTS), 0)
	}
	text := comment + "\x00"
	return out + string([]byte{byte(userdata.NFTNL_UDATA_SET_COMMENT), byte(len(text))}) + text
}

// SetComment is the comment that nft prints of a set; "" where it has none.
func SetComment(data string) string {
	for typ, val := range tlvs(data) {
		if typ == byte(userdata.NFTNL_UDATA_SET_COMMENT) {
			return text([]byte(val))
		}
	}
	return ""
}

// keyOrder is the order of keys that nft noted; 0: it did not.
func keyOrder(data string) uint32 {
	return noted(data, userdata.NFTNL_UDATA_SET_KEYBYTEORDER)
}

// noted is a number among nft's notes; 0: it is not there.
func noted(data string, what userdata.Type) uint32 {
	for typ, val := range tlvs(data) {
		if typ == byte(what) && len(val) == 4 {
			return binary.NativeEndian.Uint32([]byte(val))
		}
	}
	return 0
}

// tlvs yields nft's notes in a userdata. What is no note ends it.
func tlvs(data string) func(yield func(byte, string) bool) {
	return func(yield func(byte, string) bool) {
		for len(data) >= 2 && len(data) >= 2+int(data[1]) {
			n := 2 + int(data[1])
			if !yield(data[0], data[2:n]) {
				return
			}
			data = data[n:]
		}
	}
}
