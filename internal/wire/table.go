package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

func (w *writer) table(t *program.Table) {
	w.str(tableName, t.Name)
	w.u32(tableFlags, t.Flags)
	if t.UserData != "" {
		w.bytes(tableUserData, t.UserData)
	}
}

// DecodeTable reads a table's message: all but what is in the table.
func DecodeTable(m Message) (*program.Table, error) {
	var f fields
	if err := m.parse(&f); err != nil {
		return nil, err
	}
	return &program.Table{
		Family: m.Family(), Name: f.str(tableName), Flags: f.u32(tableFlags),
		Handle: f.u64(tableHandle), UserData: string(f[tableUserData]), Port: f.u32(tableOwner),
	}, nil
}
