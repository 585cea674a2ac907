package xt

// U32 is struct xt_u32 (include/uapi/linux/netfilter/xt_u32.h), revision 0.
type U32 struct {
	Tests  [11]U32Test
	Count  uint8
	Invert uint8
}

// U32Test is struct xt_u32_test.
type U32Test struct {
	Location [11]U32Location
	Value    [11]U32Range
	Numbers  uint8 // how many of Location are used
	Values   uint8
	_        [2]byte
}

// U32Location is struct xt_u32_location_element. The first one's operation is not
// looked at.
type U32Location struct {
	Number uint32
	Op     uint8
	_      [3]byte
}

// U32Range is struct xt_u32_value_element.
type U32Range struct{ Min, Max uint32 }

// The values of U32Location.Op.
const (
	U32And   = 0
	U32Left  = 1
	U32Right = 2
	U32At    = 3
)
