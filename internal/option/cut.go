package option

import (
	"errors"
	"strings"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Cut is a codec for a string that iptables cuts off behind n bytes and prints
// without quotes. A string that would then not be one word is quoted all the same:
// iptables cannot load its own listing of it.
func Cut(n int) Codec[string] {
	c := Text(n)
	c.Parse = func(w string, _ Context) (string, error) {
		if err := oneLine(w); err != nil {
			return "", err
		}
		return w[:min(len(w), n)], nil
	}
	c.Print = func(s string, _ nf.Family) string { return Bare(s) }
	return c
}

// Bare is s without quotes where it is one word, else Quote's.
func Bare(s string) string {
	if s == "" || s == "!" || strings.ContainsAny(s, " \t\r\"\\") {
		return Quote(s)
	}
	return s
}

// The reasons of CheckText.
var (
	errEmpty   = errors.New("must have a minimum length of 1 characters")
	errLong    = errors.New("is too long")
	errNotLine = errors.New("must be one line")
)

func oneLine(s string) error {
	if strings.ContainsAny(s, "\n\x00") {
		return errNotLine
	}
	return nil
}

// CheckText refuses a string that is empty, longer than n bytes, or not one line.
func CheckText(s string, n int) error {
	switch {
	case s == "":
		return errEmpty
	case len(s) > n:
		return errLong
	}
	return oneLine(s)
}
