package delta

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
)

// nets is a set of ranges of one field.
func nets(elements ...program.Element) *program.Set {
	return &program.Set{
		Name: "nets", KeyType: uint32(program.TypeIPv4), KeyLen: 4, Flags: program.SetInterval | program.SetTimeout,
		Elements: elements,
	}
}

// between is a range as the kernel has it.
func between(lo, hi uint32) []program.Element {
	return wire.AppendRange(nil, program.Element{Key: program.Net32(lo).Data}, program.Net32(hi).Data)
}

// TestFillingIsSplit: what changes in a set in force and does not fit one transaction
// is split where nothing overlaps, and each part goes before it comes.
func TestFillingIsSplit(t *testing.T) {
	var old, want []program.Element
	for i := range uint32(5000) {
		old = append(old, between(i*100, i*100+99)...)
		want = append(want, between(i*100, i*100+9)...) // each is split in two
		want = append(want, between(i*100+20, i*100+99)...)
	}
	p := Diff(table(nets(old...)), table(nets(want...)), Options{MaxBatch: 100_000})
	stage, turn, sweep, err := p.Batches()
	if err != nil || len(stage)+len(sweep) > 0 {
		t.Fatal(len(stage), len(sweep), err)
	}
	batches := append([][]driver.Op{turn}, p.Filling()...)
	if len(batches) < 5 {
		t.Errorf("%d transactions", len(batches))
	}
	have := map[string]bool{}
	for _, e := range old {
		have[fmt.Sprint(e.Key, e.End)] = true
	}
	for i, ops := range batches {
		if n := encoded(t, ops); n > 100_000 {
			t.Errorf("transaction %d has %d bytes", i, n)
		}
		gone, added := 0, 0
		for _, op := range ops {
			for _, e := range op.Set.Elements {
				key := fmt.Sprint(e.Key, e.End)
				if op.Kind == driver.DeleteElements {
					if !have[key] {
						t.Fatalf("%q goes, and is not there", key)
					}
					delete(have, key)
					gone++
					continue
				}
				have[key] = true
				added++
			}
		}
		if added != 2*gone {
			t.Errorf("transaction %d: %d elements come for %d that go", i, added, gone)
		}
	}
	if len(have) != len(want) {
		t.Errorf("%d elements in the end, want %d", len(have), len(want))
	}
	if p := Diff(table(nets(old...)), table(nets(want...)), Options{}); p.Filling() != nil {
		t.Error("split, though all of it fits")
	}
}

// TestWhatAnElementKeeps: counts stay with an element that is written anew, and its
// time too unless that is to start again.
func TestWhatAnElementKeeps(t *testing.T) {
	key := program.Net32(7).Data
	set := func(e program.Element) *program.Set {
		s := &program.Set{Name: "s", KeyType: 7, KeyLen: 4, Flags: program.SetTimeout, Timeout: 600_000, Counted: true}
		e.Key = key
		s.Elements = []program.Element{e}
		return s
	}
	was := program.Element{Left: 5000, Packets: 3, Bytes: 30}
	for name, c := range map[string]struct{ want, sent program.Element }{
		"nothing new": {program.Element{}, program.Element{}},
		"a comment":   {program.Element{UserData: "u"}, program.Element{Key: key, UserData: "u", Left: 5000, Packets: 3, Bytes: 30}},
		"a timeout":   {program.Element{Timeout: 60_000}, program.Element{Key: key, Timeout: 60_000, Packets: 3, Bytes: 30}},
		"its time":    {program.Element{Fresh: true}, program.Element{Key: key, Fresh: true, Packets: 3, Bytes: 30}},
	} {
		p := Diff(table(set(was)), table(set(c.want)), Options{})
		if c.sent == (program.Element{}) {
			if !p.Empty() {
				t.Errorf("%s: %s", name, say(p.Switch))
			}
			continue
		}
		if len(p.Switch) != 2 || !slices.Equal(p.Switch[1].Set.Elements, []program.Element{c.sent}) {
			t.Errorf("%s: %s", name, strings.TrimSpace(say(p.Switch)))
		}
	}
	kept := set(program.Element{Fresh: true})
	kept.Keep = true
	if p := Diff(table(set(was)), table(kept), Options{}); !p.Empty() {
		t.Errorf("kept: %s", say(p.Switch))
	}
}
