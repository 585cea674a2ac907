package table_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// lines is a text of n rules.
func lines(n int) string {
	var b strings.Builder
	b.WriteString("*filter\n:INPUT DROP [0:0]\n")
	for i := range n {
		fmt.Fprintf(&b, "[1:60] -A INPUT -s 10.%d.%d.%d/32 -p tcp -m tcp --dport %d -j ACCEPT\n", i>>16, i>>8&255, i&255, i%65536)
	}
	b.WriteString("COMMIT\n")
	return b.String()
}

const many = 100_000

func BenchmarkParse(b *testing.B) {
	text := lines(many)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := table.Parse(strings.NewReader(text), nf.IPv4); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSave(b *testing.B) {
	rs := parsed(b)
	b.ReportAllocs()
	for b.Loop() {
		rs.WriteTo(io.Discard)
	}
}

func BenchmarkList(b *testing.B) {
	tb, _ := parsed(b).Table(table.Filter.IPv4())
	b.ReportAllocs()
	for b.Loop() {
		tb.List(b.Context(), io.Discard, table.Listing{Verbose: true})
	}
}

func BenchmarkErr(b *testing.B) {
	rs := parsed(b)
	for b.Loop() {
		if err := rs.Err(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLint(b *testing.B) {
	rs := parsed(b)
	for b.Loop() {
		for w := range table.Lint(rs) {
			if w.Rule > 0 {
				b.Fatal(w)
			}
		}
	}
}

func parsed(b *testing.B) table.Ruleset {
	rs, err := table.Parse(strings.NewReader(lines(many)), nf.IPv4)
	if err != nil {
		b.Fatal(err)
	}
	return rs
}
