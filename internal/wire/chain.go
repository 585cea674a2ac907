package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

// chain is a chain to be made.
func (w *writer) chain(table string, c *program.Chain) {
	w.str(chainTable, table)
	w.str(chainName, c.Name)
	if c.Base {
		at := w.open(chainHook)
		w.u32(hookNum, c.Hook.Num)
		w.u32(hookPriority, uint32(c.Hook.Priority))
		if c.Hook.Device != "" {
			w.str(hookDevice, c.Hook.Device)
		}
		w.done(at)
		w.policy(c)
		w.str(chainType, c.Hook.Type)
	}
	if c.UserData != "" {
		w.bytes(chainUserData, c.UserData)
	}
}

// chainUpdate is a base chain's new policy.
func (w *writer) chainUpdate(table string, c *program.Chain) {
	w.str(chainTable, table)
	w.str(chainName, c.Name)
	w.policy(c)
}

// policy writes the counters too, for without them the policy is not counted.
func (w *writer) policy(c *program.Chain) {
	w.u32(chainPolicy, uint32(c.Policy))
	if c.Counted {
		at := w.open(chainCounters)
		w.u64(counterBytes, c.Bytes)
		w.u64(counterPackets, c.Packets)
		w.done(at)
	}
}

// DecodeChain reads a chain's message: the table's name, and all but its rules.
func DecodeChain(m Message) (table string, c *program.Chain, err error) {
	var f fields
	if err := m.parse(&f); err != nil {
		return "", nil, err
	}
	c = &program.Chain{
		Name: f.str(chainName), Handle: f.u64(chainHandle), Use: f.u32(chainUse), UserData: string(f[chainUserData]),
	}
	if f[chainHook] != nil {
		c.Base = true
		c.Policy = program.VerdictKind(int32(f.u32(chainPolicy)))
		c.Hook = decodeHook(f[chainHook])
		c.Hook.Type = f.str(chainType)
	}
	if f[chainCounters] != nil {
		var n fields
		if !n.parse(f[chainCounters]) {
			return "", nil, ErrShort
		}
		c.Counted, c.Packets, c.Bytes = true, n.u64(counterPackets), n.u64(counterBytes)
	}
	return f.str(chainTable), c, nil
}

// decodeHook reads a hook; of several devices it takes the first.
func decodeHook(b []byte) program.Hook {
	var f fields
	if !f.parse(b) {
		return program.Hook{}
	}
	h := program.Hook{Num: f.u32(hookNum), Priority: int32(f.u32(hookPriority)), Device: f.str(hookDevice)}
	if f[hookDevices] != nil && h.Device == "" {
		a := attrs(f[hookDevices])
		_, val, _, _ := a.next()
		h.Device = text(val)
	}
	return h
}
