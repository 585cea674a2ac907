package rule

import "errors"

// word is one word of a command line and where it began.
type word struct {
	text   string
	column int // from 1
	quoted bool
}

// errQuote is the reason of a line whose quotes do not close.
var errQuote = errors.New("unfinished quotes")

// split cuts text into words as iptables-restore does: at blanks, with double
// quotes around words that hold some, and a backslash inside quotes before a
// character that stands for itself.
func split(text string) (words []word, err error) {
	var cur []byte
	start, open, quoted := -1, false, false
	flush := func() {
		if start >= 0 {
			words = append(words, word{string(cur), start + 1, quoted})
		}
		cur, start, quoted = nil, -1, false
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case open && c == '\\' && i+1 < len(text):
			i++
			cur = append(cur, text[i])
		case c == '"':
			if start < 0 {
				start = i
			}
			open, quoted = !open, true
		case !open && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			flush()
		default:
			if start < 0 {
				start = i
			}
			cur = append(cur, c)
		}
	}
	if open {
		return nil, &SyntaxError{Column: start + 1, Token: string(cur), Want: `a closing "`, Err: errQuote}
	}
	flush()
	return words, nil
}
