package set

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// The words of ipset's save text, and, keep, disjoint and expires, three of ours.
const (
	wordTimeout  = "timeout"
	wordCounters = "counters"
	wordComment  = "comment"
	wordMaxelem  = "maxelem"
	wordFamily   = "family"
	wordPackets  = "packets"
	wordBytes    = "bytes"
	wordKeep     = "keep"
	wordDisjoint = "disjoint"
	wordExpires  = "expires"

	typePrefix = "hash:"
)

// ErrWord is the reason of a word that a create or add line cannot have; tested with
// errors.Is.
var ErrWord = errors.New("unknown argument")

// AppendCreate appends the line that ipset save writes for a set in a table for
// family f, without its end: "create bans hash:net family inet timeout 600 counters
// comment". The family is left out where the set has no addresses or the table is
// for both. keep says that the elements come and go by edits: a word of ours.
func (s Set) AppendCreate(b []byte, f nf.Family, keep bool) []byte {
	b = append(b, "create "+s.Name+" "+typePrefix+s.Key.String()...)
	if s.Key.Addressed() && f != nf.Both {
		b = append(b, " family "+familyWord(f)...)
	}
	if s.Timeout > 0 {
		b = append(b, " timeout "...)
		b = strconv.AppendInt(b, seconds(s.Timeout), 10)
	}
	if s.Size > 0 {
		b = append(b, " maxelem "...)
		b = strconv.AppendInt(b, int64(s.Size), 10)
	}
	for _, w := range [...]struct {
		is   bool
		word string
	}{{s.Counters, wordCounters}, {s.Disjoint, wordDisjoint}, {keep, wordKeep}} {
		if w.is {
			b = append(b, " "+w.word...)
		}
	}
	return b
}

func familyWord(f nf.Family) string {
	if f == nf.IPv6 {
		return "inet6"
	}
	return "inet"
}

// ParseCreate reads the words behind "create". What ipset says of its own memory
// (hashsize, bucketsize, initval) and comment, which every set takes, is passed over.
func ParseCreate(words []string, f nf.Family) (s Set, keep bool, err error) {
	if len(words) < 2 {
		return s, false, errors.New("create: name and type expected")
	}
	kind, ok := strings.CutPrefix(words[1], typePrefix)
	if !ok {
		return s, false, fmt.Errorf("%w: type %q, expected %s and ip, net, port, proto, iface or mark", ErrWord, words[1], typePrefix)
	}
	s.Name = words[0]
	if s.Key, err = ParseKey(kind); err != nil {
		return s, false, err
	}
	rest := words[2:]
	for len(rest) > 0 && err == nil {
		word := rest[0]
		rest = rest[1:]
		switch word {
		case wordCounters:
			s.Counters = true
		case wordDisjoint:
			s.Disjoint = true
		case wordKeep:
			keep = true
		case wordComment:
		case wordFamily:
			err = checkFamily(&rest, f)
		case wordTimeout:
			var n uint64
			n, err = number64(word, &rest)
			s.Timeout = time.Duration(min(n, 1<<32)) * time.Second
		case wordMaxelem:
			var n uint64
			n, err = number64(word, &rest)
			s.Size = int(min(n, 1<<32))
		case "hashsize", "bucketsize", "initval":
			_, err = word1(word, &rest)
		default:
			err = fmt.Errorf("%w %q", ErrWord, word)
		}
	}
	return s, keep, errors.Join(err, s.Err())
}

// checkFamily reads a family, which must be the table's.
func checkFamily(rest *[]string, f nf.Family) error {
	w, err := word1(wordFamily, rest)
	if err != nil {
		return err
	}
	if f == nf.Both || w != familyWord(f) {
		return fmt.Errorf("family %s: the table is for %v", w, f)
	}
	return nil
}

// word1 takes the word behind another.
func word1(name string, rest *[]string) (string, error) {
	if len(*rest) == 0 {
		return "", fmt.Errorf("%s: a word is missing behind it", name)
	}
	w := (*rest)[0]
	*rest = (*rest)[1:]
	return w, nil
}

func number64(name string, rest *[]string) (uint64, error) {
	w, err := word1(name, rest)
	if err != nil {
		return 0, err
	}
	n, err := option.Uint(w, 0, 1<<63)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return n, nil
}

// AppendAdd appends the line of an element of s, without its end: "add bans
// 10.0.0.0/24 timeout 3600 packets 1 bytes 60 comment "sshd"". timeout is the
// element's own; expires, a word of ours, what is left of it.
func (s Set) AppendAdd(b []byte, e Element) []byte {
	b = append(b, "add "...)
	b = append(b, s.Name...)
	b = append(b, ' ')
	b = e.append(b)
	if e.timed {
		b = append(b, " timeout "...)
		b = strconv.AppendInt(b, seconds(e.timeout), 10)
	}
	if e.left > 0 {
		b = append(b, " expires "...)
		b = strconv.AppendInt(b, seconds(e.left), 10)
	}
	if s.Counters {
		b = append(b, " packets "...)
		b = strconv.AppendUint(b, e.counters.Packets, 10)
		b = append(b, " bytes "...)
		b = strconv.AppendUint(b, e.counters.Bytes, 10)
	}
	if e.comment != "" {
		b = append(b, ` comment "`...)
		b = append(b, e.comment...)
		b = append(b, '"')
	}
	return b
}

// ParseAdd reads the words behind "add" and the set's name.
func (s Set) ParseAdd(words []string) (e Element, err error) {
	if len(words) == 0 {
		return e, errors.New("add: an element expected")
	}
	if e, err = ParseElement(words[0], s.Key); err != nil {
		return e, err
	}
	rest := words[1:]
	for len(rest) > 0 && err == nil {
		word := rest[0]
		rest = rest[1:]
		var n uint64
		switch word {
		case wordTimeout, wordExpires:
			n, err = number64(word, &rest)
			d := time.Duration(min(n, 1<<32)) * time.Second
			if word == wordExpires {
				e = e.Expires(d)
				break
			}
			left := e.left
			e = e.For(d)
			e.left = left
		case wordPackets:
			e.counters.Packets, err = number64(word, &rest)
		case wordBytes:
			e.counters.Bytes, err = number64(word, &rest)
		case wordComment:
			var text string
			text, err = word1(word, &rest)
			e = e.Comment(text)
		default:
			err = fmt.Errorf("%w %q", ErrWord, word)
		}
	}
	return e, errors.Join(err, e.Err())
}

// Words splits a create or add line as ipset does: at blanks, but for what stands
// between quotes. ok is false where a quote is not closed.
func Words(line string) (words []string, ok bool) {
	for {
		line = strings.TrimLeft(line, " \t")
		if line == "" {
			return words, true
		}
		if line[0] == '"' {
			text, rest, closed := strings.Cut(line[1:], `"`)
			if !closed {
				return nil, false
			}
			words, line = append(words, text), rest
			continue
		}
		end := strings.IndexAny(line, " \t")
		if end < 0 {
			end = len(line)
		}
		words, line = append(words, line[:end]), line[end:]
	}
}
