package wire

import (
	"encoding/binary"
	"strconv"
	"syscall"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
)

// Failure makes an error message that the kernel sent about the batch into what
// the caller can use. ok is false where the message is not about this batch.
func (b *Batch) Failure(m Message) (f driver.Failure, ok bool) {
	f = driver.Failure{Op: -1, Err: syscall.Errno(m.Errno()), Expr: -1}
	n := m.Seq - b.seq
	if n > uint32(len(b.msgs))+1 {
		return f, false
	}
	words, offs, hasOffs := extended(m)
	f.Words = words
	if n == 0 || n > uint32(len(b.msgs)) {
		return f, true
	}
	msg := b.msgs[n-1]
	f.Op = msg.op
	if hasOffs {
		f.Attr, f.Expr = b.path(msg, int(offs))
	}
	return f, true
}

// extended reads the extended acknowledgement of an error message.
func extended(m Message) (words string, offs uint32, hasOffs bool) {
	const errnoLen = 4
	if m.Flags&flagTLVs == 0 || len(m.Body) < errnoLen+headerLen {
		return "", 0, false
	}
	skip := errnoLen + headerLen
	if m.Flags&flagCapped == 0 { // the whole request is repeated
		skip = errnoLen + (int(min(binary.NativeEndian.Uint32(m.Body[errnoLen:]), 1<<30))+3)&^3
	}
	if skip > len(m.Body) {
		return "", 0, false
	}
	var f fields
	if !f.parse(m.Body[skip:]) {
		return "", 0, false
	}
	if len(f[errOffs]) == 4 {
		offs, hasOffs = binary.NativeEndian.Uint32(f[errOffs]), true
	}
	return text(f[errMsg]), offs, hasOffs
}

// path is the attribute at an offset in a message, by its name and, in a list,
// by its number, and the expression that it is in, -1 if in none.
func (b *Batch) path(msg message, offs int) (path string, expr int) {
	w := b.w.b[msg.at:]
	if offs < headerLen+genLen || offs >= int(binary.NativeEndian.Uint32(w)) {
		return "", -1
	}
	typ := binary.NativeEndian.Uint16(w[4:])
	a := attrs(w[headerLen+genLen : binary.NativeEndian.Uint32(w)])
	at, expr := headerLen+genLen, -1
	names := attrNames[typ]
	for {
		t, val, raw, ok := a.next()
		if !ok {
			return "", -1
		}
		if offs >= at+len(raw) {
			at += len(raw)
			continue
		}
		path = attrName(names, t)
		if typ == NewRule && t == ruleExpressions || t == elemListElements && (typ == NewElements || typ == DelElements) {
			if n, ok := within(val, offs-at-4); ok {
				if typ == NewRule {
					expr = n
				}
				path += "/" + strconv.Itoa(n+msg.element)
			}
		}
		return path, expr
	}
}

// within is the number of the list's element at an offset.
func within(list []byte, offs int) (n int, ok bool) {
	a := attrs(list)
	for ; offs >= 0; n++ {
		_, _, raw, ok := a.next()
		if !ok {
			return 0, false
		}
		if offs < len(raw) {
			return n, true
		}
		offs -= len(raw)
	}
	return 0, false
}

// attrNames are the kernel's names of attributes, by message type.
var attrNames = map[uint16][]string{
	NewTable:    tableAttrs,
	DelTable:    tableAttrs,
	NewChain:    chainAttrs,
	DelChain:    chainAttrs,
	NewRule:     ruleAttrs,
	DelRule:     ruleAttrs,
	NewSet:      setAttrs,
	DelSet:      setAttrs,
	NewElements: elementAttrs,
	DelElements: elementAttrs,
}

var (
	tableAttrs = []string{tableName: "NFTA_TABLE_NAME", tableFlags: "NFTA_TABLE_FLAGS", tableUserData: "NFTA_TABLE_USERDATA"}
	chainAttrs = []string{
		chainTable: "NFTA_CHAIN_TABLE", chainHandle: "NFTA_CHAIN_HANDLE", chainName: "NFTA_CHAIN_NAME",
		chainHook: "NFTA_CHAIN_HOOK", chainPolicy: "NFTA_CHAIN_POLICY", chainType: "NFTA_CHAIN_TYPE",
		chainCounters: "NFTA_CHAIN_COUNTERS", chainUserData: "NFTA_CHAIN_USERDATA",
	}
	ruleAttrs = []string{
		ruleTable: "NFTA_RULE_TABLE", ruleChain: "NFTA_RULE_CHAIN", ruleHandle: "NFTA_RULE_HANDLE",
		ruleExpressions: "NFTA_RULE_EXPRESSIONS", ruleCompat: "NFTA_RULE_COMPAT",
		rulePosition: "NFTA_RULE_POSITION", ruleUserData: "NFTA_RULE_USERDATA",
	}
	setAttrs = []string{
		setTable: "NFTA_SET_TABLE", setName: "NFTA_SET_NAME", setFlags: "NFTA_SET_FLAGS",
		setKeyType: "NFTA_SET_KEY_TYPE", setKeyLen: "NFTA_SET_KEY_LEN", setDataType: "NFTA_SET_DATA_TYPE",
		setDataLen: "NFTA_SET_DATA_LEN", setDesc: "NFTA_SET_DESC", setID: "NFTA_SET_ID",
		setTimeout: "NFTA_SET_TIMEOUT", setUserData: "NFTA_SET_USERDATA",
	}
	elementAttrs = []string{
		elemListTable: "NFTA_SET_ELEM_LIST_TABLE", elemListSet: "NFTA_SET_ELEM_LIST_SET",
		elemListElements: "NFTA_SET_ELEM_LIST_ELEMENTS", elemListSetID: "NFTA_SET_ELEM_LIST_SET_ID",
	}
)

func attrName(names []string, typ uint16) string {
	if int(typ) < len(names) && names[typ] != "" {
		return names[typ]
	}
	return strconv.Itoa(int(typ))
}
