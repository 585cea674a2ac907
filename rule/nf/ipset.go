package nf

import (
	"errors"
	"fmt"
	"strings"
)

// IPSet is one of the kernel's ipsets, which the command ipset makes, and which
// fields of a packet are looked up in it. The zero value is "not given".
type IPSet struct {
	Name string // 1 to 31 bytes
	Dirs Dirs   // one for each field of the set's type: hash:ip,port has two
}

// Dir says whose field is looked up in an ipset: the source's or the destination's.
type Dir uint8

// The directions of an IPSet's fields.
const (
	Src Dir = iota + 1 // src: the source's address or port, the interface that a packet came in through
	Dst                // dst: the destination's, or the interface that it goes out through
)

// Dirs are the directions of a set's fields, in order; they end at the first 0.
type Dirs [6]Dir

// InIPSet is the ipset of that name with the directions of its fields; more than
// six are an error where it is used.
func InIPSet(name string, dirs ...Dir) IPSet {
	s := IPSet{Name: name}
	if copy(s.Dirs[:], dirs) < len(dirs) {
		s.Dirs = Dirs{tooMany}
	}
	return s
}

// tooMany is a Dir of an IPSet that was given too many.
const tooMany Dir = 0xff

// Reasons of IPSet.Err; tested with errors.Is.
var (
	ErrIPSetName = errors.New("a set's name has 1 to 31 bytes on one line")
	ErrIPSetDirs = errors.New("a set needs 1 to 6 directions, 'src' or 'dst' each")
)

// maxIPSetName is IPSET_MAXNAMELEN less the end of the string.
const maxIPSetName = 31

// Given says whether s is not the zero value.
func (s IPSet) Given() bool { return s != IPSet{} }

// Err is not nil for a set without a name or without a direction.
func (s IPSet) Err() error {
	switch {
	case len(s.Name) > maxIPSetName:
		return fmt.Errorf("setname `%s' too long, max %d characters: %w", s.Name, maxIPSetName, ErrIPSetName)
	case s.Name == "" || strings.ContainsAny(s.Name, "\n\x00"):
		return ErrIPSetName
	case s.Dirs[0] == 0:
		return ErrIPSetDirs
	}
	n := s.Dirs.Len()
	for i, d := range s.Dirs {
		if i < n && d > Dst || i >= n && d != 0 {
			return ErrIPSetDirs
		}
	}
	return nil
}

// Len is how many directions there are.
func (d Dirs) Len() int {
	for i, dir := range d {
		if dir == 0 {
			return i
		}
	}
	return len(d)
}

// String is "src,dst".
func (d Dirs) String() string {
	words := make([]string, d.Len())
	for i := range words {
		words[i] = "dst"
		if d[i] == Src {
			words[i] = "src"
		}
	}
	return strings.Join(words, ",")
}
