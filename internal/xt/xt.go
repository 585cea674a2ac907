// Package xt is the codec of the kernel's xt_* structs: what NFTA_MATCH_INFO
// and NFTA_TARGET_INFO hold. Each struct is written down once, in a file named
// after its extension, with the C struct's padding spelled out; encoding/binary
// does the rest. With package wire it is the only place that knows the machine's
// byte order.
package xt

import (
	"encoding/binary"
	"strings"
)

// align is XT_ALIGN: the kernel compares a blob's length with its struct's,
// rounded up to the alignment of a 64-bit word, and refuses any other.
const align = 8

// Encode is a struct's bytes, padded as the kernel wants them. T must be made of
// fixed-size fields; a type that is not is a mistake in this package, which its
// tests find, and gives "".
func Encode[T any](v T) string {
	n := binary.Size(v)
	if n < 0 {
		return ""
	}
	b := make([]byte, (n+align-1)/align*align)
	if _, err := binary.Encode(b, binary.NativeEndian, v); err != nil {
		return ""
	}
	return string(b)
}

// Decode reads a struct; ok is false where the length is not the struct's, or
// the padding behind it is not 0, so that nothing is lost by encoding it again.
func Decode[T any](info string) (v T, ok bool) {
	n := binary.Size(v)
	if n < 0 || len(info) != (n+align-1)/align*align || strings.Trim(info[n:], "\x00") != "" {
		return v, false
	}
	_, err := binary.Decode([]byte(info[:n]), binary.NativeEndian, &v)
	return v, err == nil
}

// String reads a fixed-size C string.
func String(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return s
}
