package userdata

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// TestRuleComesBack: what a rule says is read as it was said, whatever stands in
// it, or does not fit.
func TestRuleComesBack(t *testing.T) {
	kinds := []string{program.NoteIs, program.NoteComment, program.NoteList}
	rapid.Check(t, func(t *rapid.T) {
		in := Rule{
			Last:  rapid.IntRange(0, 4).Draw(t, "last"),
			Only:  rapid.Bool().Draw(t, "only"),
			After: rapid.SampledFrom([]int{0, 1, 255, 256, 65535, 65536, 1 << 24, 1<<31 - 1}).Draw(t, "after"),
		}
		for at := range in.Last {
			for _, kind := range kinds {
				if !rapid.Bool().Draw(t, kind) {
					continue
				}
				text := rapid.OneOf(rapid.StringN(0, 40, 80), rapid.Just("a word"), rapid.Just(strings.Repeat("x", 129)), rapid.Just(strings.Repeat("x", 230))).Draw(t, "text")
				in.Notes = append(in.Notes, program.Note{At: at, Kind: kind, Text: text})
			}
		}
		s, err := in.Encode()
		if err != nil || len(s) > max {
			if !errors.Is(err, ErrTooLong) {
				t.Fatalf("%d bytes, %v", len(s), err)
			}
			return
		}
		out, err := DecodeRule(s)
		if err != nil || out.Only != in.Only || out.After != in.After {
			t.Fatalf("%+v came back as %+v, %v", in, out, err)
		}
		for i, n := range out.Notes {
			if n.At < 0 { // nft's: behind all matches
				out.Notes[i].At = in.Last - 1
			}
		}
		order := func(a, b program.Note) int {
			if a.At != b.At {
				return a.At - b.At
			}
			return strings.Compare(a.Kind, b.Kind)
		}
		slices.SortFunc(in.Notes, order)
		slices.SortFunc(out.Notes, order)
		if !slices.Equal(in.Notes, out.Notes) {
			t.Fatalf("%+v came back as %+v", in.Notes, out.Notes)
		}
	})
}

// TestForeign: what is not ours, or was cut, says nothing.
func TestForeign(t *testing.T) {
	for _, b := range []string{"", "\x00", "\x00\x09x\x00", "\x00\x02xy", "\x01\x02x\x00", "\x47\x00", "\x47\x05\x01\x01\x01\x05\x07", "\x47\x06\x01\x01\x01\x05\x01\x01"} {
		if r, err := DecodeRule(b); err != nil || len(r.Notes) != 0 || r.Only || r.After != 0 {
			t.Errorf("rule %q: %+v, %v", b, r, err)
		}
		if c := DecodeChain(b); c != (Chain{}) {
			t.Errorf("chain %q: %+v", b, c)
		}
		if x, ok, err := DecodeTable(b); ok || err != nil {
			t.Errorf("table %q: %+v, %v", b, x, err)
		}
	}
}
