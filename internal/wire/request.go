package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

// request is a message with one or two names in it.
func request(typ, flags uint16, seq uint32, f program.Family, attrs func(w *writer)) []byte {
	var w writer
	at := w.message(typ, flags, seq, f, 0)
	if attrs != nil {
		attrs(&w)
	}
	w.end(at)
	return w.b
}

// IsDump says whether a request asks for a dump.
func IsDump(request []byte) bool {
	m, _, ok, err := Next(request)
	return ok && err == nil && m.Flags&flagDump == flagDump
}

// AskGeneration asks for the generation.
func AskGeneration(seq uint32) []byte { return request(GetGen, 0, seq, 0, nil) }

// DumpTables asks for all tables.
func DumpTables(seq uint32) []byte { return request(GetTable, flagDump, seq, 0, nil) }

// DumpChains asks for a family's chains: the kernel has no narrower question.
func DumpChains(seq uint32, f program.Family) []byte {
	return request(GetChain, flagDump, seq, f, nil)
}

// DumpRules asks for one chain's rules.
func DumpRules(seq uint32, f program.Family, table, chain string) []byte {
	return request(GetRule, flagDump, seq, f, func(w *writer) {
		w.str(ruleTable, table)
		w.str(ruleChain, chain)
	})
}

// DumpSets asks for one table's sets.
func DumpSets(seq uint32, f program.Family, table string) []byte {
	return request(GetSet, flagDump, seq, f, func(w *writer) { w.str(setTable, table) })
}

// AskSet asks what one set is.
func AskSet(seq uint32, f program.Family, table, set string) []byte {
	return request(GetSet, 0, seq, f, func(w *writer) {
		w.str(setTable, table)
		w.str(setName, set)
	})
}

// DumpElements asks for one set's elements.
func DumpElements(seq uint32, f program.Family, table, set string) []byte {
	return request(GetElements, flagDump, seq, f, func(w *writer) {
		w.str(elemListTable, table)
		w.str(elemListSet, set)
	})
}

// AskXT asks whether the kernel has an xt extension; the answer is its name and
// an acknowledgement, or an error. Families are ip, ip6, arp and bridge.
func AskXT(seq uint32, f program.Family, name string, rev uint32, target bool) []byte {
	return request(getCompat, flagAck, seq, f, func(w *writer) {
		w.str(compatName, name)
		w.u32(compatRev, rev)
		w.u32(compatType, flag(target, 1))
	})
}

// DecodeGeneration reads the answer to AskGeneration, and the event of a commit.
func DecodeGeneration(m Message) (uint32, error) {
	var f fields
	if err := m.parse(&f); err != nil {
		return 0, err
	}
	if len(f[genID]) != 4 {
		return 0, ErrShort
	}
	return f.u32(genID), nil
}

// EventTable is the name of the table that an event is about: every message of
// nf_tables but a generation's has it in its first attribute.
func EventTable(m Message) (string, error) {
	var f fields
	if err := m.parse(&f); err != nil {
		return "", err
	}
	return f.str(tableName), nil
}
