package main

import "strings"

// argument says whether a word follows an option.
type argument uint8

const (
	none argument = iota
	required
	optional // it may be joined, or follow if it does not look like an option
)

// option is one option of a program.
type option struct {
	letter byte // after one dash; one that cannot be typed for none
	long   string
	arg    argument
}

// owner is the letter of --owner, which has no short spelling.
const owner = 0x01

// commandOptions are those of iptables itself. Options of extensions are the
// library's to know.
var commandOptions = []option{
	{'A', "append", required}, {'D', "delete", required}, {'C', "check", required},
	{'I', "insert", required}, {'R', "replace", required},
	{'L', "list", optional}, {'S', "list-rules", optional},
	{'F', "flush", optional}, {'Z', "zero", optional},
	{'N', "new-chain", required}, {'X', "delete-chain", optional},
	{'E', "rename-chain", required}, {'P', "policy", required},

	{'s', "source", required}, {'s', "src", required},
	{'d', "destination", required}, {'d', "dst", required},
	{'p', "protocol", required}, {'i', "in-interface", required}, {'o', "out-interface", required},
	{'j', "jump", required}, {'g', "goto", required}, {'m', "match", required},
	{'f', "fragments", none}, {'c', "set-counters", required},
	{'4', "ipv4", none}, {'6', "ipv6", none},

	{'t', "table", required}, {'n', "numeric", none}, {'v', "verbose", none}, {'x', "exact", none},
	{'0', "line-numbers", none}, {'w', "wait", optional}, {'W', "wait-interval", required},
	{'M', "modprobe", required}, {'V', "version", none}, {'h', "help", optional},
	{owner, "owner", required},
}

// saveOptions are those of iptables-save.
var saveOptions = []option{
	{'c', "counters", none}, {'t', "table", required}, {'f', "file", required},
	{'M', "modprobe", required}, {'V', "version", none}, {'4', "ipv4", none}, {'6', "ipv6", none},
	{owner, "owner", required},
}

// restoreOptions are those of iptables-restore.
var restoreOptions = []option{
	{'c', "counters", none}, {'v', "verbose", none}, {'V', "version", none}, {'t', "test", none},
	{'h', "help", none}, {'n', "noflush", none}, {'T', "table", required}, {'M', "modprobe", required},
	{'w', "wait", optional}, {'W', "wait-interval", required}, {'4', "ipv4", none}, {'6', "ipv6", none},
	{owner, "owner", required}, {confirmTime, "confirm", required},
}

// byLetter finds an option by its letter.
func byLetter(options []option, letter byte) (option, bool) {
	for _, o := range options {
		if o.letter == letter && letter > ' ' {
			return o, true
		}
	}
	return option{}, false
}

// byName finds an option by its long spelling or the beginning of one, as
// getopt_long does. Ambiguous says that it begins several that are not the same.
func byName(options []option, name string) (found option, ok, ambiguous bool) {
	for _, o := range options {
		if o.long == name {
			return o, true, false
		}
		if !strings.HasPrefix(o.long, name) {
			continue
		}
		if ok && o.letter != found.letter {
			ambiguous = true
		}
		found, ok = o, true
	}
	return found, ok && !ambiguous, ambiguous
}

// given is an option with its argument, as it was given. A zero letter is a
// word that is no option.
type given struct {
	letter byte
	value  string
	has    bool // value was given
}

// getopt reads the arguments of iptables-save and iptables-restore. The error is
// the word that is no option.
func getopt(options []option, args []string) (out []given, bad string) {
	for i := 0; i < len(args); i++ {
		word := args[i]
		if len(word) < 2 || word[0] != '-' {
			out = append(out, given{value: word, has: true})
			continue
		}
		found, g, bad := getoptWord(options, word)
		if bad != "" {
			return out, bad
		}
		if last := len(g) - 1; !g[last].has && wants(found, args[i+1:]) {
			i++
			g[last].value, g[last].has = args[i], true
		}
		if found.arg == required && !g[len(g)-1].has {
			return out, word
		}
		out = append(out, g...)
	}
	return out, ""
}

// wants says whether an option takes the next word.
func wants(o option, rest []string) bool {
	switch {
	case o.arg == none || len(rest) == 0:
		return false
	case o.arg == required:
		return true
	}
	return free(rest[0])
}

// free says whether a word may be an option's optional argument.
func free(word string) bool {
	return word == "" || word[0] != '-' && word[0] != '!'
}

// getoptWord reads one word: a long option, or short ones in a bundle. The last
// of them may want an argument.
func getoptWord(options []option, word string) (last option, out []given, bad string) {
	if long, isLong := strings.CutPrefix(word, "--"); isLong {
		name, value, has := strings.Cut(long, "=")
		o, ok, _ := byName(options, name)
		if !ok || has && o.arg == none {
			return o, nil, word
		}
		return o, []given{{o.letter, value, has}}, ""
	}
	for i := 1; i < len(word); i++ {
		o, ok := byLetter(options, word[i])
		if !ok {
			return o, nil, "-" + word[i:i+1]
		}
		last = o
		if rest := word[i+1:]; o.arg != none && rest != "" {
			return o, append(out, given{o.letter, rest, true}), ""
		}
		out = append(out, given{letter: o.letter})
	}
	return last, out, ""
}
