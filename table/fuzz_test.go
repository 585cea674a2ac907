package table_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// What is read prints, and what is printed reads as the same again; and nothing
// that is read makes the check, the listing or lint panic.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.rules")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), uint8(0))
		f.Add(string(text), uint8(4))
		f.Add(string(text), uint8(6))
	}
	for _, text := range []string{
		"*nat\n-6 -A OUTPUT\n-4 -A OUTPUT\nCOMMIT\n",
		"*filter\n-N \"a\"\n-I a 1 -m comment --comment \"-6 \\\" \" -j a\nCOMMIT",
		"*filter\n:x - [1:2\n[3:4]-A x -c 1,2 -g x\nCOMMIT\n",
		"*raw\n-P OUTPUT DROP\n-A OUTPUT -s 1.2,3.4.5.6/7 ! -o + -j LOG\nCOMMIT\n",
	} {
		f.Add(text, uint8(4))
	}
	f.Fuzz(func(t *testing.T, text string, family uint8) {
		fam := nf.Family(family % 3 * 2)
		if fam == 2 {
			fam = nf.IPv6
		}
		rs, err := table.Parse(strings.NewReader(text), fam)
		if err != nil {
			return
		}
		var b strings.Builder
		if n, err := rs.Save(&b, table.Saving{Counters: true}); err != nil || n != int64(b.Len()) {
			t.Fatal(n, err)
		}
		again, err := table.Parse(strings.NewReader(b.String()), fam)
		if err != nil || !again.Equal(rs) {
			t.Fatalf("%v\n%s\nis read as\n%v", err, b.String(), again)
		}
		var c strings.Builder
		again.Save(&c, table.Saving{Counters: true})
		if b.String() != c.String() {
			t.Fatalf("%s\nand then\n%s", b.String(), c.String())
		}
		_ = rs.Err()
		for range table.Lint(rs) {
		}
		for tb := range rs.Tables() {
			if err := tb.List(t.Context(), &b, table.Listing{Verbose: true}); err != nil {
				t.Fatal(err)
			}
		}
	})
}
