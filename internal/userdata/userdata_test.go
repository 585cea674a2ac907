package userdata

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

func TestTableSaysItsOwner(t *testing.T) {
	for _, in := range []Table{{Owner: "mailhost"}, {Owner: "kube-proxy", Split: true}} {
		out, ok, err := DecodeTable(in.String())
		if out != in || !ok || err != nil {
			t.Errorf("%+v came back as %+v, %t, %v", in, out, ok, err)
		}
	}
	if got, want := (Table{Owner: "mailhost"}).String(), "\x00\x15gatehouse/1 mailhost\x00"; got != want {
		t.Errorf("%q, want %q, as nft writes a comment", got, want)
	}
	if _, ok, _ := DecodeTable("\x00\x05nice\x00"); ok {
		t.Error("somebody's comment was taken for ours")
	}
	if _, ok, err := DecodeTable("\x00\x0egatehouse/2 x\x00"); !ok || !errors.Is(err, ErrNewer) {
		t.Errorf("a newer table: %t, %v", ok, err)
	}
}

func TestChainSaysItsNameOrPage(t *testing.T) {
	for _, in := range []Chain{{}, {Name: `f2b:"sshd" 1%`}, {Of: "INPUT", Page: 12}} {
		if out := DecodeChain(in.String()); out != in {
			t.Errorf("%+v came back as %+v", in, out)
		}
	}
}

func TestRuleNotes(t *testing.T) {
	for name, in := range map[string]Rule{
		"nothing":            {},
		"spelling":           {Notes: []program.Note{{At: 1, Kind: program.NoteIs, Text: "state"}}, Last: 2},
		"comment in front":   {Notes: []program.Note{{At: 0, Kind: program.NoteComment, Text: "x"}}, Last: 2},
		"comment with quote": {Notes: []program.Note{{At: 1, Kind: program.NoteComment, Text: `say "x"`}}, Last: 2},
		"list and family":    {Notes: []program.Note{{At: 0, Kind: program.NoteList, Text: "80,25"}}, Only: true, After: 300, Last: 1},
	} {
		s, err := in.Encode()
		if err != nil {
			t.Fatal(name, err)
		}
		out, err := DecodeRule(s)
		out.Last = in.Last
		if diff := cmp.Diff(in, out); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	last := Rule{Notes: []program.Note{{At: 1, Kind: program.NoteComment, Text: "last"}}, Last: 2}
	if s, _ := last.Encode(); s != "\x00\x05last\x00" {
		t.Errorf("a comment behind all matches is %q, want nft's record alone", s)
	}
	long := Rule{Notes: []program.Note{{At: 0, Kind: program.NoteComment, Text: strings.Repeat("x", 255)}}, Last: 2}
	if _, err := long.Encode(); !errors.Is(err, ErrTooLong) {
		t.Errorf("255 bytes: %v", err)
	}
	if _, err := DecodeRule("\x47\x03\x01\x01\x02"); !errors.Is(err, ErrNewer) {
		t.Errorf("a newer rule: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("\x00\x05last\x00")
	f.Add("\x47\x09\x01\x01\x01\x02\x04\x01is!")
	f.Add("\xff\xff")
	f.Fuzz(func(t *testing.T, b string) {
		r, err := DecodeRule(b)
		if err == nil {
			r.Last = 1
			if s, err := r.Encode(); err == nil && len(s) > max {
				t.Errorf("%d bytes", len(s))
			}
		}
		DecodeChain(b)
		_, _, _ = DecodeTable(b)
	})
}
