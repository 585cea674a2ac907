// Package userdata is what Gatehouse writes beside programs: the owner of a
// table, the true name of a chain, a rule's comment and the few words that its
// expressions cannot say. It never copies a rule's text.
//
// The kernel keeps userdata as opaque bytes, 256 at most. nft keeps type-length-
// value records there, and so do we: what nft can print goes into its own
// comment record, which survives "nft list ruleset | nft -f -", and the rest
// into a record of our own, which nft ignores. Both carry a format version: an
// older release reads a newer table and does not write to it.
package userdata

import "errors"

// Version is the format that this release writes.
const Version = 1

// ErrNewer is the error of userdata that a newer release wrote.
var ErrNewer = errors.New("written by a newer release")

// ErrTooLong is the error of userdata that does not fit the kernel's limit.
var ErrTooLong = errors.New("longer than the kernel's 256 bytes")

// max is NFT_USERDATA_MAXLEN.
const max = 256

// nftComment is the record that nft prints as comment "…": type 0 of tables,
// chains, sets and rules alike. The string ends in a zero byte.
const nftComment = 0

// own is the record that holds what nft has no word for. nft knows types up to
// 2 and ignores the rest.
const own = 0x47

// records walks type-length-value records; ok is false where the bytes are none.
func records(b string, each func(kind byte, value string)) (ok bool) {
	for len(b) > 0 {
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return false
		}
		each(b[0], b[2:2+int(b[1])])
		b = b[2+int(b[1]):]
	}
	return true
}

// record appends one record; a value of more than 255 bytes is ErrTooLong.
func record(b []byte, kind byte, value string) ([]byte, error) {
	if len(value) > 255 {
		return b, ErrTooLong
	}
	return append(append(b, kind, byte(len(value))), value...), nil
}

// comment is the text of nft's record, or "".
func comment(b string) string {
	text := ""
	records(b, func(kind byte, value string) {
		if kind == nftComment && len(value) > 0 && value[len(value)-1] == 0 {
			text = value[:len(value)-1]
		}
	})
	return text
}

// withComment is one record of nft's.
func withComment(text string) string {
	b, err := record(nil, nftComment, text+"\x00")
	if err != nil {
		return ""
	}
	return string(b)
}
