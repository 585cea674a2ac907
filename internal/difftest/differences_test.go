package difftest

import "testing"

const entry = `# a comment

peer: .*-legacy
refuses: -j X
message: no
reason: none
example: iptables -t filter -A INPUT -j X

peer: ip6tables.*
saves: -s
replace: a+
with: b
reason: none
example: ip6tables -t filter -A INPUT -s ::1
`

func TestParseDifferences(t *testing.T) {
	list, err := ParseDifferences(entry)
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	x, _ := ParseLine("iptables -t filter -A INPUT -j X")
	legacy, variant := Peer{Family: x.Family}, Peer{NFT: true, Family: x.Family}
	if d := list[0]; !d.Explains(legacy, Refuses, x, "a no") || d.Explains(legacy, Refuses, x, "yes") ||
		d.Explains(variant, Refuses, x, "a no") || d.Explains(legacy, Accepts, x, "a no") {
		t.Error("the first entry explains what it should not, or not what it should")
	}
	if got := list[1].Apply("caac"); got != "cbc" {
		t.Error(got)
	}
}

func TestParseDifferencesRefuses(t *testing.T) {
	for _, bad := range []string{
		"peer: x",                      // no kind
		"peer: (\n",                    // no expression
		"nonsense",                     // no key
		"key: value",                   // no such key
		"peer: .*\nrefuses: -j\n",      // no reason
		"peer: .*\nexample: -j ACCEPT", // no line
		"peer: .*\nrefuses: -j\nreason: r\nreplace: a\nexample: iptables -t filter -A INPUT -j X", // replace is for texts
		"peer: .*\nrefuses: -g\nreason: r\nexample: iptables -t filter -A INPUT -j X",             // of something else
	} {
		if list, err := ParseDifferences(bad); err == nil {
			t.Errorf("%q: %v", bad, list)
		}
	}
}

// A line comes back from its text, and a word from its quotes.
func TestParseLine(t *testing.T) {
	g := New(3)
	for range 1000 {
		l := g.Line()
		if again, ok := ParseLine(l.String()); !ok || again != l {
			t.Fatalf("%q comes back as %q", l, again)
		}
	}
	for _, bad := range []string{"", "iptables", "iptables -t filter", "nft -t filter -A INPUT x", "iptables -t filter -D INPUT x"} {
		if l, ok := ParseLine(bad); ok {
			t.Errorf("%q: %v", bad, l)
		}
	}
	for w, want := range map[string]string{"a": "a", "": `""`, "a b": `"a b"`, `a"b\`: `"a\"b\\"`, "é": "é"} {
		if got := quoteWord(w); got != want {
			t.Errorf("%q: %s, want %s", w, got, want)
		}
	}
}
