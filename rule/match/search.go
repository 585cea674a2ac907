package match

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// String is -m string: bytes anywhere in a packet, counted from its network
// header. Only one packet is looked at, so that what a sender spreads over two is
// not found.
//
//	[!] --string text | [!] --hex-string "text|hex bytes|text"
//	--algo bm|kmp  --from offset  --to offset  --icase
//
// nf_tables does not search, so it is the kernel's own xt match, which every family
// has. A --hex-string is printed as --string where all of it can be. It mirrors
// net/netfilter/xt_string.c.
type String struct {
	Pattern Opt[string] // --string or --hex-string: 1 to 128 bytes as they are; absent is an error
	Algo    string      // --algo: "bm" (Boyer-Moore) or "kmp" (Knuth-Pratt-Morris); "" is an error
	From    uint16      // --from: the first byte at which the pattern may begin
	To      Opt[uint16] // --to: the last one; absent: 65535
	ICase   bool        // --icase: letters of either case
}

// Name is "string".
func (String) Name() string { return stringName }

func (String) ext() option.Extension { return search }

const (
	stringName = "string"
	maxPattern = 128 // XT_STRING_MAX_PATTERN_SIZE
	lastOffset = 65535
)

var search = &option.Spec[String]{
	Name: stringName,
	Rows: []option.Row[String]{
		{
			Name: "--string", Args: 1, Invert: true, Want: "1 to 128 bytes",
			Set: func(m *String, not bool, w []string, _ option.Context) error { return m.set(not, w[0]) },
			Get: func(m *String, _ nf.Family) (bool, string, bool) {
				text, not, _ := m.Pattern.Get()
				return not, quotePattern(text), !wantsHex(text)
			},
		},
		{
			Name: "--hex-string", Args: 1, Invert: true, Want: "1 to 128 bytes, those between | in hexadecimal",
			Set: func(m *String, not bool, w []string, _ option.Context) error {
				text, err := parseHexString(w[0])
				if err != nil {
					return err
				}
				return m.set(not, text)
			},
			Get: func(m *String, _ nf.Family) (bool, string, bool) {
				text, not, _ := m.Pattern.Get()
				return not, quotePattern(text), wantsHex(text)
			},
		},
		option.Field("--algo", func(m *String) *string { return &m.Algo }, bare(15)),
		option.Field("--from", func(m *String) *uint16 { return &m.From }, option.Number[uint16](0, lastOffset)),
		plain("--to", func(m *String) *Opt[uint16] { return &m.To }, option.Number[uint16](0, lastOffset)),
		option.Flag("--icase", func(m *String) *bool { return &m.ICase }),
	},
	Check: func(m *String, _ option.Context) error { return m.check() },
	List:  listString,
	XT:    option.XTStruct(option.XT[String]{Inet: true}, 1, String.blob, readString),
}

var errNoPattern = errors.New("STRING must contain at least one char")

// set is the pattern, of which there is one.
func (m *String) set(not bool, text string) error {
	if m.Pattern.Given() {
		return together("--string", "--hex-string")
	}
	m.Pattern = isOrNot(not, text)
	return nil
}

func (m *String) check() error {
	if m.To == Is[uint16](lastOffset) {
		m.To = Opt[uint16]{}
	}
	text, _, ok := m.Pattern.Get()
	switch {
	case !ok:
		return errors.New("You must specify `--string' or `--hex-string'")
	case text == "":
		return errNoPattern
	case len(text) > maxPattern:
		return fmt.Errorf("STRING too long %q: %d bytes, %d at most", text, len(text), maxPattern)
	case m.Algo == "":
		return errors.New(`option "--algo" must be specified`)
	case m.Algo != "bm" && m.Algo != "kmp":
		return fmt.Errorf("no such algorithm: %q", m.Algo)
	case m.From > m.to():
		return fmt.Errorf("--from %d is behind --to %d", m.From, m.to())
	}
	return nil
}

func (m String) to() uint16 {
	if to, _, ok := m.To.Get(); ok {
		return to
	}
	return lastOffset
}

// wantsHex says whether a pattern is printed as --hex-string: a byte of it is
// not printable, or its last one is a backslash.
func wantsHex(text string) bool {
	return strings.HasSuffix(text, `\`) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// quotePattern is a pattern in double quotes, as --string or --hex-string wants it.
func quotePattern(text string) string {
	if wantsHex(text) {
		return fmt.Sprintf(`"|%x|"`, text)
	}
	return `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(text) + `"`
}

// parseHexString reads text in which bytes between two | are in hexadecimal, one
// blank between them or none, and a backslash makes the next character itself.
// What follows a | at once is taken as it is, a | too, as iptables takes it.
func parseHexString(w string) (string, error) {
	var out []byte
	hex := false
	for i := 0; i < len(w); {
		if len(out) >= maxPattern {
			return "", fmt.Errorf("STRING too long %q", w)
		}
		literal := w[i] == '\\'
		if literal && hex {
			return "", errors.New("Cannot include literals in hex data")
		}
		if w[i] == '|' {
			hex = !hex
			for hex && i+1 < len(w) && w[i+1] == ' ' {
				i++
			}
			if i++; i == len(w) {
				break
			}
		}
		switch {
		case literal && i+1 == len(w):
			return "", errors.New("Bad literal placement at end of string")
		case literal:
			out = append(out, w[i+1])
			i += 2
		case hex:
			b, err := hexByte(w[i:])
			if err != nil {
				return "", err
			}
			out = append(out, b)
			if i += 2; w[i] == ' ' {
				i++
			}
		default:
			out = append(out, w[i])
			i++
		}
	}
	if len(out) == 0 {
		return "", errNoPattern
	}
	return string(out), nil
}

// hexByte reads two digits, which something must follow.
func hexByte(w string) (b byte, err error) {
	switch len(w) {
	case 1:
		return 0, errors.New("Odd number of hex digits")
	case 2:
		return 0, errors.New("Invalid hex block")
	}
	for _, c := range []byte(w[:2]) {
		n, err := strconv.ParseUint(string(c), 16, 8)
		if err != nil {
			return 0, fmt.Errorf("Invalid hex char '%c'", c)
		}
		b = b<<4 | byte(n)
	}
	return b, nil
}

func listString(m String, _ *option.Lister) string {
	text, not, _ := m.Pattern.Get()
	s := "STRING match " + bang(not) + " " + quotePattern(text) + " ALGO name " + m.Algo
	if m.From != 0 {
		s += fmt.Sprintf(" FROM %d", m.From)
	}
	if to, _, ok := m.To.Get(); ok {
		s += fmt.Sprintf(" TO %d", to)
	}
	if m.ICase {
		s += " ICASE"
	}
	return s
}

// Compile is the kernel's own match.
func (m String) Compile(c *program.Code) error { return search.Kernel(c, m) }

func (m String) blob(program.Env) xtables.Search {
	text, not, _ := m.Pattern.Get()
	b := xtables.Search{
		From: m.From, To: m.to(), Len: uint8(len(text)),
		Flags: bitIf[uint8](not, xtables.SearchInvert) | bitIf[uint8](m.ICase, xtables.SearchIgnoreCase),
	}
	copy(b.Algo[:], m.Algo)
	copy(b.Pattern[:], text)
	return b
}

func readString(b xtables.Search, _ program.Env) (m String, ok bool) {
	if int(b.Len) > maxPattern || b.Flags > xtables.SearchInvert|xtables.SearchIgnoreCase {
		return m, false
	}
	m = String{
		Pattern: isOrNot(b.Flags&xtables.SearchInvert != 0, string(b.Pattern[:b.Len])), Algo: xtables.String(b.Algo[:]),
		From: b.From, To: Is(b.To), ICase: b.Flags&xtables.SearchIgnoreCase != 0,
	}
	return m, m.check() == nil
}
