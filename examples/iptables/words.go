package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/rule"
)

// finals begin what iptables says when an extension's options, taken together,
// are not right. What is not here begins with the extension's name and a colon.
var finals = map[string]string{
	"CONNMARK": "CONNMARK target: ", "DSCP": "DSCP target: ", "ECN": "ECN target: ", "TCPMSS": "TCPMSS target: ",
	"cluster": "cluster match: ", "devgroup": "devgroup match: ", "ecn": "ECN match: ", "iprange": "iprange match: ",
	"policy": "policy match: ", "string": "STRING match: ", "hl": "HL match: ", "ttl": "ttl match: ",
	"HMARK": "", "MASQUERADE": "", "REDIRECT": "", "SET": "", "SNAT": "", "DNAT": "",
	"connlimit": "", "hashlimit": "", "multiport": "", "set": "", "statistic": "",
}

// nameless are the extensions that do not say their name where a value is wrong.
var nameless = map[string]bool{
	"DNAT": true, "NFLOG": true, "NFQUEUE": true, "REDIRECT": true, "MASQUERADE": true, "SET": true, "SNAT": true,
	"AUDIT": true, "CLASSIFY": true, "CT": true, "TCPOPTSTRIP": true, "physdev": true, "ipv6header": true,
	"connbytes": true, "connlabel": true, "dccp": true, "limit": true, "multiport": true, "sctp": true, "set": true, "statistic": true, "string": true,
	"tcp": true, "udp": true, "udplite": true, "time": true, "conntrack": true, "state": true, "icmp": true, "icmp6": true, "addrtype": true,
	"REJECT": true, "LOG": true, "pkttype": true, "tos": true, "TOS": true, "dscp": true, "DSCP": true,
}

// listed are the options that take a list or a range of numbers: iptables says
// near which of them it stopped.
var listed = map[string]bool{
	"--ahspi": true, "--espspi": true, "--ipcompspi": true, "--mss": true, "--length": true, "--ctexpire": true, "--connbytes": true,
	"--rt-segsleft": true, "--fragid": true, "--cpu-list": true,
}

// once are the extensions that look themselves whether an option is given twice.
var once = map[string]string{
	"set": "%[2]s can be specified only once", "SET": "%[2]s can be specified only once",
}

// wrong is what is wrong with an option, in iptables' words.
func wrong(se *rule.SyntaxError) string {
	name, _, _ := strings.Cut(se.Token, " ")
	if se.Extension == "" {
		return strings.TrimPrefix(se.Err.Error(), name+": ")
	}
	var out *rule.RangeError
	form := ""
	switch {
	case errors.Is(se.Err, rule.ErrOnce):
		if form = once[se.Extension]; form == "" {
			form = "%s: option %q can only be used once."
		}
	case errors.Is(se.Err, rule.ErrNoInvert):
		form = "%s: option %q cannot be inverted."
	case !errors.As(se.Err, &out):
		return own(se, name)
	case strings.HasSuffix(name, "mark"):
		form = "%s: bad integer value for option %q, or out of range."
	case listed[name]:
		return fmt.Sprintf("%s: bad value for option %q near %q, or out of range (%d-%d).", se.Extension, name, out.Word, out.Lo, out.Hi)
	default:
		return fmt.Sprintf("%s: bad value for option %q, or out of range (%d-%d).", se.Extension, name, out.Lo, out.Hi)
	}
	return fmt.Sprintf(form, se.Extension, name)
}

// own is what an extension says of a value, or of its options together.
func own(se *rule.SyntaxError, name string) string {
	reason := se.Err
	whole := se.Token == se.Extension // it is not about one option
	if inner := errors.Unwrap(reason); inner != nil && !whole {
		reason = inner // without the extension and the option
	}
	text := strings.TrimPrefix(reason.Error(), name+": ")
	if at := strings.Index(text, `Bad value for "`); at > 0 {
		text = text[at:]
	}
	begin := se.Extension + ": "
	switch {
	case strings.HasPrefix(text, begin), strings.HasPrefix(text, "option \""):
		text = strings.TrimPrefix(text, begin)
	case whole:
		if other, ok := finals[se.Extension]; ok {
			begin = other
		}
	case nameless[se.Extension]:
		begin = ""
	}
	return begin + text
}

// refusedByKernel words what the kernel said to a rule, as iptables does; nil
// where there are no words for that.
func refusedByKernel(err error) *failure {
	var e *backend.Error
	if !errors.As(err, &e) || e.Rule == 0 || e.Extension == "" {
		return nil
	}
	missing := errNoChain.text + " " + reason(e)
	switch {
	case errors.Is(e.Err, backend.ErrUnsupported):
		return &failure{form: plain, code: exitOther, text: missing,
			before: fmt.Sprintf("Warning: Extension %s revision 0 not supported, missing kernel module?", e.Extension)}
	case !errors.Is(e.Err, fs.ErrNotExist):
		return nil
	case e.Extension == "bpf":
		return badUsage("bpf: failed to get bpf object")
	case e.Set != "":
		return badUsage("Set %s doesn't exist.\n", e.Set)
	}
	return &failure{form: plain, code: exitOther, text: missing}
}
