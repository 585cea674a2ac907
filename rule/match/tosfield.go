package match

import "github.com/gatehouse-fw/gatehouse/internal/program"

// The type of service of IPv4 is a byte; IPv6's traffic class lies across two,
// between the version and the flow label.
var (
	tosField   = program.Payload{Base: program.Network, Offset: 1, Len: 1}
	classField = program.Payload{Base: program.Network, Offset: 0, Len: 2}
)

// testTOSField compares bits of the type of service or the traffic class.
func testTOSField(c *program.Code, extension string, not bool, v, mask uint8) error {
	switch {
	case c.Env.Both():
		return program.NotInInet(extension)
	case c.Env.V6():
		c.Test(program.IsMasked(classField, not, program.Net16(uint16(mask)<<4), program.Net16(uint16(v)<<4)))
	case mask == 0xff:
		c.Test(program.IsValue(tosField, not, program.Bytes(v)))
	default:
		c.Test(program.IsMasked(tosField, not, program.Bytes(mask), program.Bytes(v)))
	}
	return nil
}

// readTOSField looks at what testTOSField added, without taking it.
func readTOSField(r *program.Reader) (v, mask uint8, not, ok bool) {
	t, ok := r.Test(0)
	if !ok || t.Op > program.IsNe || r.Env.Both() {
		return 0, 0, false, false
	}
	value, _ := t.A.Uint()
	bits, masked := t.Mask.Uint()
	switch {
	case r.Env.V6():
		ok = t.Load == classField && masked && len(t.A.Data) == 2 && len(t.Mask.Data) == 2 && (value|bits)&^0xff0 == 0
		return uint8(value >> 4), uint8(bits >> 4), t.Not(), ok
	case t.Mask == (program.Value{}):
		return uint8(value), 0xff, t.Not(), t.Load == tosField && len(t.A.Data) == 1
	}
	return uint8(value), uint8(bits), t.Not(), t.Load == tosField && len(t.A.Data) == 1 && len(t.Mask.Data) == 1
}
