package compile_test

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/internal/oracle/corpus"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// What of the corpus needs no kernel extension, for which nft has no words of its
// own, survives "nft list ruleset | nft -f -": what nft made of it reads as the
// rules that they were, but for what nft's text does not hold, and the next Apply
// writes it as it was.
func TestCorpusReloadedByNft(t *testing.T) {
	tried := 0
	for _, name := range corpus.Rules(t) {
		f := nf.IPv4
		if corpus.V6(name) {
			f = nf.IPv6
		}
		for _, f := range [...]nf.Family{f, nf.Both} {
			rs, err := table.Parse(strings.NewReader(corpus.Text(t, name)), f)
			if err == nil {
				err = rs.Err()
			}
			if err != nil || extensions(t, rs) {
				continue // extensions that come later; backend/nft has a list of these files
			}
			tried++
			t.Run(name+" for "+f.String(), func(t *testing.T) { reloaded(t, rs) })
		}
	}
	if tried < 10 {
		t.Errorf("only %d files were tried", tried)
	}
}

// extensions says whether a ruleset needs extensions of the kernel.
func extensions(t *testing.T, rs table.Ruleset) bool {
	p, err := compile.Ruleset(rs, compile.Options{Owner: "corpus"})
	var inexact *program.InexactError
	switch {
	case errors.As(err, &inexact):
		return true
	case err != nil:
		t.Fatal(err)
	}
	for _, tb := range p.Tables {
		for _, c := range tb.Chains {
			if slices.ContainsFunc(c.Rules, (*program.Rule).XT) {
				return true
			}
		}
	}
	return false
}

func reloaded(t *testing.T, rs table.Ruleset) {
	host := labtest.Host(t)
	fw, err := nft.OpenIn(t.Context(), nft.FD(host.FD()), backend.Config{Owner: "corpus"})
	if err != nil {
		t.Fatal(err)
	}
	defer fw.Close()
	if err := fw.Apply(t.Context(), rs); err != nil {
		t.Fatal(err)
	}
	tool := oracle.Nft(t, host)
	text := tool.List()
	tool.Flush()
	tool.MustLoad(text)
	got, err := fw.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(common(rs.String()), common(got.String())); diff != "" {
		t.Errorf("reads otherwise when nft has loaded it (-want +got):\n%s", diff)
	}
	if err := fw.Apply(t.Context(), rs); err != nil {
		t.Fatal(err)
	}
	if got, err := fw.Read(t.Context()); err != nil || !got.Equal(rs) {
		t.Errorf("applied again: %v\n%s", err, cmp.Diff(rs.String(), got.String()))
	}
}

var (
	policyCounts = regexp.MustCompile(`^(:\S+ \S+) \[\d+:\d+\]`)
	portList     = regexp.MustCompile(`(--[sd]ports) (\S+)`)
)

// common is save text as lines without what nft's text does not hold: policies'
// counters, which of two spellings a rule had, the order of a list of ports.
func common(text string) []string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		l = policyCounts.ReplaceAllString(l, "$1")
		l = strings.ReplaceAll(l, "-m state --state ", "-m conntrack --ctstate ")
		lines[i] = portList.ReplaceAllStringFunc(l, func(s string) string {
			option, list, _ := strings.Cut(s, " ")
			return option + " " + eachPort(list)
		})
	}
	return lines
}

// eachPort is a list of ports and ranges with each port said, in order.
func eachPort(list string) string {
	var ports []int
	for part := range strings.SplitSeq(list, ",") {
		first, last, ok := strings.Cut(part, ":")
		if !ok {
			last = first
		}
		lo, _ := strconv.Atoi(first)
		hi, _ := strconv.Atoi(last)
		for p := lo; p <= hi; p++ {
			ports = append(ports, p)
		}
	}
	slices.Sort(ports)
	var words []string
	for _, p := range ports {
		words = append(words, strconv.Itoa(p))
	}
	return strings.Join(words, ",")
}
