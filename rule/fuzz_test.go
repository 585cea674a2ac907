package rule_test

import (
	"errors"
	"testing"

	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Whatever the text, Parse does not panic; it makes a rule that prints as text
// which reads as the same rule, or says where it stopped.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "-j ACCEPT", "-p tcp --dport 22 -j ACCEPT", "-s 1.2.3.4/255.0.255.0 ! -i eth+ -g FOO",
		`-m comment --comment "a \"b\" c" -j DROP`, "-p tcp -m multiport ! --dports 25,80,1000:2000 -j REJECT --reject-with tcp-reset",
		"-m state --state RELATED,ESTABLISHED -j ACCEPT", "-p icmp --icmp-type 3/1", "-p ipv6-icmp --icmpv6-type echo-request",
		"-d 2001:db8::/32 -j DNAT --to-destination [2001:db8::1]:80-90", "-m limit --limit 5/min -j LOG --log-prefix \"x: \"",
		"-m conntrack ! --ctstate NEW,DNAT --ctorigdstport 1:5", "-c 1 2 -f -j RETURN", "-m nft --expr meta:08000100000000010800020000000010",
		"-s a,b -j X", "-ptcp --syn -jDROP", "! -p udp -m u",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, v6 bool) {
		family := nf.IPv4
		if v6 {
			family = nf.IPv6
		}
		r, err := rule.Parse(text, family)
		if err != nil {
			var se *rule.SyntaxError
			if !errors.As(err, &se) || se.Column < 1 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		again, err := rule.Parse(r.String(), family)
		if err != nil || !again.Equal(r) {
			t.Fatalf("%q is %q, which reads as %q: %v", text, r, again, err)
		}
	})
}
