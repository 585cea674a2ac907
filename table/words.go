package table

import (
	"iter"
	"strings"
)

// blanks separate words.
const blanks = " \t"

// cutWord is the word that begins at or after byte i of a line, up to the next
// blank, and where it ends.
func cutWord(line string, i int) (word string, end int) {
	for i < len(line) && strings.IndexByte(blanks, line[i]) >= 0 {
		i++
	}
	start := i
	for i < len(line) && strings.IndexByte(blanks, line[i]) < 0 {
		i++
	}
	return line[start:i], i
}

// chainWord is cutWord for a word that may be in double quotes.
func chainWord(line string, i int) (word string, end int) {
	word, end = cutWord(line, i)
	if !strings.HasPrefix(word, `"`) {
		return word, end
	}
	start := end - len(word)
	var b strings.Builder
	for k := start + 1; k < len(line); k++ {
		switch line[k] {
		case '\\':
			if k++; k < len(line) {
				b.WriteByte(line[k])
			}
		case '"':
			return b.String(), k + 1
		default:
			b.WriteByte(line[k])
		}
	}
	return b.String(), len(line)
}

// words yields the words of a rule with their columns, from 1.
func words(text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for i := 0; i < len(text); {
			start := i + len(text[i:]) - len(strings.TrimLeft(text[i:], blanks))
			word, end := chainWord(text, start)
			if start == len(text) || !yield(start+1, word) {
				return
			}
			i = end
		}
	}
}

// targets yields what stands behind -j and -g, with its column.
func targets(text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		last := ""
		for column, word := range words(text) {
			switch last {
			case "-j", "--jump", "-g", "--goto":
				if !yield(column, word) {
					return
				}
			}
			last = word
		}
	}
}
