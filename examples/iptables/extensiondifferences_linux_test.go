//go:build linux

package main

// Why the extensions' lines differ.
const (
	together   = "names the option that came second, or all that exclude each other"
	earlier    = "refused before it is sent, so as wrong usage; iptables leaves it to the kernel"
	warned     = "the kernel is asked when a rule is sent, not when an extension is named"
	noResolver = "iptables hands on what the resolver says of a word that is no address"
	atCommit   = "sets are looked for when the table is sent, which is at its COMMIT"
	noVerdict  = "nf_tables has no such verdict: iptables-nft refuses it too, NFQUEUE is the same"
	sameMask   = "32 is what connlimit has without a mask, iptables says so with other flags"
	forgotten  = "iptables-legacy loses a policy's preset counters with the last rule, iptables-nft keeps them too"
	lostBang   = "iptables-legacy does not save the rule that it has: it matches no packet"
)

// extensionDifferences are those of the lines that use the extensions.
var extensionDifferences = map[string]difference{
	"iptables -A INPUT -p tcp --dport 22 --dport 23":                                             {itsWords, 2, `tcp: option "--dport" can only be used once.`},
	"iptables -A INPUT -m set --match-set blocked":                                               {itsWords, 2, `option "--match-set" requires an argument`},
	"iptables -A INPUT -m set --match-set blocked foo":                                           {itsWords, 2, "you must specify (the comma separated list of) 'src' or 'dst'"},
	"iptables -A INPUT -m set --match-set abcdefghijklmnopqrstuvwxyz0123456789 src":              {itsWords, 2, "setname `abcdefghijklmnopqrstuvwxyz0123456789' too long, max 31 characters: a set's name has 1 to 31 bytes on one line"},
	"iptables -A INPUT -j SET --add-set blocked":                                                 {itsWords, 2, `option "--add-set" requires an argument`},
	"iptables -A INPUT -j RATEEST":                                                               {itsWords, 2, `RATEEST: option "--rateest-name" must be specified`},
	"iptables -A INPUT -j RATEEST --rateest-name est":                                            {itsWords, 2, `RATEEST: option "--rateest-interval" must be specified`},
	"iptables -A INPUT -j RATEEST --rateest-name est --rateest-interval 250ms":                   {itsWords, 2, `RATEEST: option "--rateest-ewmalog" must be specified`},
	"iptables -t mangle -A INPUT -j SECMARK":                                                     {itsWords, 2, "SECMARK: option --selctx must be specified, and must have a minimum length of 1 characters"},
	"iptables -A INPUT -m devgroup --src-group nosuch":                                           {itsWords, 2, "devgroup: could not map name nosuch to an integer value"},
	"iptables -A INPUT -m dscp":                                                                  {itsWords, 2, `dscp: option "--dscp" must be specified`},
	"iptables -A INPUT -m hashlimit --hashlimit-upto 5/s --hashlimit-burst 0 --hashlimit-name x": {itsWords, 2, `hashlimit: bad value for option "--hashlimit-burst", or out of range (1-1000000)`},
	"iptables -A INPUT -m policy --dir x":                                                        {itsWords, 2, `policy: invalid dir "x"`},
	"iptables -A INPUT -m policy --dir in --pol ipsec --strict":                                  {itsWords, 2, "policy match: empty policy element 0: --strict is in effect, but at least one of reqid, spi, tunnel-src, tunnel-dst, proto or mode is required"},
	"iptables -A INPUT -m limit --limit 10001/s":                                                 {itsWords, 2, `limit: Rate too fast "10001/1s"`},
	"iptables -A INPUT -m limit --limit 5/fortnight":                                             {itsWords, 2, `bad rate "5/fortnight"`},
	"iptables -A INPUT -m statistic --mode random --probability 1.5":                             {itsWords, 2, "bad value, or out of range (0-1)"},
	"iptables -A INPUT -m recent --update --seconds x":                                           {itsWords, 2, `recent: bad value for option "--seconds", or out of range (1-2147483647).`},
	"iptables -A INPUT -m realm --realm nosuch":                                                  {itsWords, 2, "realm: could not map name nosuch to an integer value"},
	"iptables -A INPUT -m time --timestart 25:00":                                                {itsWords, 2, `invalid time "25:00" specified`},
	"iptables -A INPUT -m time --datestart foo":                                                  {itsWords, 2, `Invalid date "foo" specified`},
	"iptables -A INPUT -m state":                                                                 {itsWords, 2, `state: option "--state" must be specified: no connection state`},
	`iptables -A INPUT -m state --state ""`:                                                      {itsWords, 2, `Bad state ""`},
	"iptables -A INPUT -m conntrack --ctdir FOO":                                                 {itsWords, 2, `bad direction "FOO"`},
	"iptables -A INPUT -m iprange --src-range x-y":                                               {itsWords, 2, "iprange: host/network `x' not found"},
	"iptables -A INPUT -m cluster --cluster-total-nodes 2":                                       {itsWords, 2, "cluster match: `--cluster-local-node' or `--cluster-local-nodemask' is missing"},
	"iptables -A INPUT -m cluster":                                                               {itsWords, 2, `cluster: option "--cluster-total-nodes" must be specified`},
	"iptables -t mangle -A FORWARD -p tcp --syn -j TCPMSS --set-mss x":                           {itsWords, 2, `TCPMSS: bad value for option "--set-mss", or out of range (1-65515).`},
	"iptables -A INPUT -p tcp -j SYNPROXY --mss x":                                               {itsWords, 2, `SYNPROXY: bad value for option "--mss" near "x", or out of range (0-65535).`},
	"iptables -t nat -A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1:90-80":               {itsWords, 2, "port range 90:80: runs backward (min > max)"},
	"iptables -t nat -A PREROUTING -p tcp -j REDIRECT --to-ports 90-80":                          {itsWords, 2, "port range 90:80: runs backward (min > max)"},
	"ip6tables -A INPUT -m dst --dst-opts x":                                                     {itsWords, 2, `dst: bad value for option "--dst-opts", or out of range (0-255).`},
	"ip6tables -A INPUT -m hl":                                                                   {itsWords, 2, "HL match: you must specify one of --hl-eq, --hl-lt, --hl-gt"},

	"iptables-restore -n < *filter|-A INPUT -m set --match-set missing src -j DROP|COMMIT": {atCommit, 2, "Error occurred at line: 3"},

	"iptables -A INPUT -m rateest":                                                                  {earlier, 2, "rateest: --rateest must be specified"},
	"iptables -A INPUT -m rateest --rateest est":                                                    {earlier, 2, "rateest: one of --rateest-lt, --rateest-gt and --rateest-eq must be specified"},
	"iptables -t raw -A PREROUTING -j CT --helper nosuchhelper":                                     {earlier, 2, "CT: --helper and --timeout need a protocol (-p), not inverted"},
	"iptables -t raw -A PREROUTING -j CT --timeout nosuch":                                          {earlier, 2, "CT: --helper and --timeout need a protocol (-p), not inverted"},
	"iptables -A OUTPUT -m cgroup":                                                                  {earlier, 2, "cgroup: neither --path nor --cgroup is specified"},
	"iptables -A INPUT -m hashlimit --hashlimit-upto 5/s --hashlimit-name x --hashlimit-srcmask 33": {earlier, 2, `hashlimit: "33" is neither a valid network mask nor valid CIDR (0-32)`},
	"iptables -A INPUT -m recent --set --seconds 5":                                                 {earlier, 2, `recent: option "--seconds" cannot be used together with "--set"`},
	`iptables -A INPUT -m recent --set --name ""`:                                                   {earlier, 2, "recent: a name must have a minimum length of 1 characters"},
	"iptables -A INPUT -m string --algo foo --string bar":                                           {earlier, 2, `STRING match: no such algorithm: "foo"`},
	"iptables -A INPUT -j TEE --gateway 0.0.0.0":                                                    {earlier, 2, "TEE: --gateway 0.0.0.0 is no host's address"},
	"iptables -A INPUT -j IDLETIMER --timeout 0 --label idle3":                                      {earlier, 2, `IDLETIMER: bad value for option "--timeout", or out of range (1-2147482).`},
	"iptables -A INPUT -m limit --limit 10/hour --limit-burst 0":                                    {earlier, 2, `limit: bad value for option "--limit-burst", or out of range (1-10000).`},

	"iptables -j CLUSTERIP":                         {warned, 2, "no command specified"},
	"iptables -A INPUT -j ULOG --ulog-nlgroup 99":   {warned, 2, `ULOG: bad value for option "--ulog-nlgroup", or out of range (1-32).`},
	"iptables -A INPUT -j LED":                      {warned, 2, `LED: option "--led-trigger-id" must be specified`},
	"iptables -A INPUT -m connlabel --label nosuch": {warned, 2, "label 'nosuch' not found or invalid value"},

	"iptables -A INPUT -m dscp --dscp 1 --dscp-class EF":                    {together, 2, "these options cannot be used together"},
	"iptables -A INPUT -m recent --set --update":                            {together, 2, `recent: option "--update" cannot be used together with "--set"`},
	"iptables -A INPUT -m ttl --ttl-eq 5 --ttl-lt 6":                        {together, 2, "ttl match: --ttl-eq, --ttl-lt and --ttl-gt cannot be used together"},
	"iptables -t mangle -A PREROUTING -j TTL --ttl-set 5 --ttl-dec 5":       {together, 2, "TTL: cannot be used together with --ttl-set"},
	"iptables -t mangle -A PREROUTING -j MARK --set-mark 1 --or-mark 2":     {together, 2, "MARK: cannot be used together with another option that sets the mark"},
	"iptables -t mangle -A PREROUTING -j CONNMARK --set-mark 1 --save-mark": {together, 2, "CONNMARK: cannot be used together with another option that sets the mark"},
	"ip6tables -A INPUT -m frag --fragmore --fraglast":                      {together, 2, "frag: --fragmore and --fraglast cannot be used together"},
	"ip6tables -A INPUT -m hl --hl-eq 5 --hl-lt 6":                          {together, 2, "HL match: --hl-eq, --hl-lt and --hl-gt cannot be used together"},

	"iptables -A INPUT -m recent --set --mask foo":                              {noResolver, 2, `recent: ParseAddr("foo"): unable to parse IP`},
	"iptables -A INPUT -m conntrack --ctorigdst x.invalid.":                     {noResolver, 2, "address `x.invalid.' not understood"},
	"iptables -A INPUT -j TEE --gateway x":                                      {noResolver, 2, `TEE: host "x" not found`},
	"iptables -t mangle -A PREROUTING -p udp -j TPROXY --on-port 5 --on-ip ::1": {noResolver, 2, `TPROXY: host "::1" is not IPv4`},
	"iptables -t nat -A PREROUTING -j NETMAP --to x":                            {noResolver, 2, `NETMAP: host "x" not found`},

	"iptables -A INPUT -m connlimit --connlimit-above 3 --connlimit-mask 33":               {never, 2, `connlimit: "33" is neither a valid network mask nor valid CIDR (0-32)`},
	"iptables -t mangle -A FORWARD -p tcp --syn -j TCPMSS --set-mss 5 --clamp-mss-to-pmtu": {never, 2, "TCPMSS: --set-mss and --clamp-mss-to-pmtu exclude each other"},
	"iptables -t mangle -A PREROUTING -p udp -j TPROXY --on-port 70000":                    {never, 2, `TPROXY: port "70000" does not resolve to anything`},

	"iptables -A INPUT -j QUEUE": {noVerdict, 2, "Couldn't load target `QUEUE':No such file or directory"},

	"iptables -C INPUT -m connlimit --connlimit-above 50": {sameMask, 0, ""},

	"iptables -n -v -L FORWARD": {wildcard, 0, "0     0            0    --  *      *  "},

	"iptables-save -c -t raw": {forgotten, 0, ":OUTPUT ACCEPT [7:70]"},

	"iptables -t filter -S FORWARD": {lostBang, 0, "-A FORWARD ! -i + -j ACCEPT"},
}
