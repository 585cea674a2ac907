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
		for family := range uint8(3) {
			f.Add(string(text), family)
		}
		for line := range strings.Lines(string(text)) {
			f.Add(line, uint8(1))
		}
	}
	for _, text := range []string{
		"*nat\n-6 -A OUTPUT\n-4 -A OUTPUT\nCOMMIT\n",
		"*filter\n-N \"a\"\n-I a 1 -m comment --comment \"-6 \\\" \" -j a\nCOMMIT",
		"*filter\n:x - [1:2\n[3:4]-A x -c 1,2 -g x\nCOMMIT\n",
		"*raw\n-P OUTPUT DROP\n-A OUTPUT -s 1.2,3.4.5.6/7 ! -o + -j LOG\nCOMMIT\n",
	} {
		f.Add(text, uint8(1))
	}
	f.Fuzz(func(t *testing.T, text string, family uint8) {
		fam := [...]nf.Family{nf.Both, nf.IPv4, nf.IPv6}[family%3]
		if !strings.HasPrefix(text, "*") { // a line or two
			text = "*filter\n" + text + "\nCOMMIT\n"
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
