package userdata

import (
	"encoding/binary"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// Rule is what a rule says beside its expressions.
type Rule struct {
	Notes []program.Note // spellings and comments, by match
	Last  int            // the number of matches: a comment behind all of them is nft's own
	Only  bool           // the rule is for one family by word (-4, -6), in a table that has no other
	After int            // in half of a table: rules of the other half alone that stand before it
}

// The records inside ours: kind, then the match's number where it is a note.
const (
	kindVersion = 1
	kindIs      = 2
	kindComment = 3
	kindOnly    = 4
	kindAfter   = 5
	kindList    = 6
)

var noteKinds = map[string]byte{program.NoteIs: kindIs, program.NoteComment: kindComment, program.NoteList: kindList}

// Encode is the userdata; "" for a rule that has nothing to say.
func (r Rule) Encode() (string, error) {
	var out, mine []byte
	var err error
	add := func(kind byte, value string) {
		if err == nil {
			mine, err = record(mine, kind, value)
		}
	}
	for _, n := range r.Notes {
		if n.Kind == program.NoteComment && n.At == r.Last-1 && len(out) == 0 && printable(n.Text) {
			if out, err = record(out, nftComment, n.Text+"\x00"); err != nil {
				return "", err
			}
			continue
		}
		add(noteKinds[n.Kind], string([]byte{byte(n.At)})+n.Text)
	}
	if r.Only {
		add(kindOnly, "")
	}
	switch {
	case r.After > 0xffff:
		add(kindAfter, string(binary.BigEndian.AppendUint32(nil, uint32(r.After))))
	case r.After > 0:
		add(kindAfter, string(binary.BigEndian.AppendUint16(nil, uint16(r.After))))
	}
	if len(mine) > 0 && err == nil {
		out, err = record(out, own, "\x01\x01"+string([]byte{Version})+string(mine))
	}
	switch {
	case err != nil:
		return "", err
	case len(out) > max:
		return "", ErrTooLong
	}
	return string(out), nil
}

// DecodeRule reads a rule's userdata. A comment in nft's record is the note of a
// match behind all others: its At is -1, for the caller to place. What is not
// ours says nothing; what a newer release wrote is ErrNewer.
func DecodeRule(b string) (r Rule, err error) {
	mine := ""
	if !records(b, func(kind byte, value string) {
		switch {
		case kind == nftComment && strings.HasSuffix(value, "\x00"):
			r.Notes = append(r.Notes, program.Note{At: -1, Kind: program.NoteComment, Text: value[:len(value)-1]})
		case kind == own:
			mine = value
		}
	}) {
		return Rule{}, nil
	}
	records(mine, func(kind byte, value string) {
		switch {
		case kind == kindVersion && len(value) == 1 && value[0] > Version:
			err = ErrNewer
		case kind == kindOnly:
			r.Only = true
		case kind == kindAfter && len(value) == 2:
			r.After = int(binary.BigEndian.Uint16([]byte(value)))
		case kind == kindAfter && len(value) == 4:
			r.After = int(binary.BigEndian.Uint32([]byte(value)))
		default:
			for name, k := range noteKinds {
				if k == kind && value != "" {
					r.Notes = append(r.Notes, program.Note{At: int(value[0]), Kind: name, Text: value[1:]})
				}
			}
		}
	})
	return r, err
}

// printable says whether nft's grammar can read a comment back: up to 128
// bytes, no quote, nothing that is not printed.
func printable(s string) bool {
	return s != "" && len(s) <= 128 && strings.IndexFunc(s, func(r rune) bool { return r == '"' || r < ' ' || r == 0x7f }) < 0
}
