package rule

import (
	"errors"
	"strings"
)

// word is one word of a command line and where it began.
type word struct {
	text   string
	column int // from 1
	quoted bool
}

// errQuote is the reason of a line whose quotes do not close.
var errQuote = errors.New("unfinished quotes")

// split adds the words of a text to words. It cuts it as iptables-restore does:
// at blanks and behind a closing quote, with double quotes around words that hold
// blanks, and a backslash inside quotes before a character that stands for itself.
func split(words []word, text string) (_ []word, err error) {
	if words == nil {
		words = make([]word, 0, strings.Count(text, " ")+1)
	}
	for i := 0; i < len(text); {
		if isBlank(text[i]) {
			i++
			continue
		}
		start := i
		for i < len(text) && !isBlank(text[i]) && text[i] != '"' {
			i++
		}
		w := word{text[start:i], start + 1, false}
		if i < len(text) && text[i] == '"' {
			if w.text, i, err = unquote(text, start, i); err != nil {
				return nil, err
			}
			w.quoted = true
		}
		words = append(words, w)
	}
	return words, nil
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// unquote is the word that began at start and has its first quote at i, and
// where it ends: behind the quote that closes, whatever follows.
func unquote(text string, start, i int) (w string, end int, err error) {
	cur := []byte(text[start:i])
	for i++; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			cur = append(cur, text[i])
		case c == '"':
			return string(cur), i + 1, nil
		default:
			cur = append(cur, c)
		}
	}
	return "", i, &SyntaxError{Column: start + 1, Token: string(cur), Want: `a closing "`, Err: errQuote}
}
