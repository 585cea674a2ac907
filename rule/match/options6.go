package match

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// IPv6Option is an option of an IPv6 options header.
type IPv6Option struct {
	Type uint8      // as IANA numbers them: 0 is Pad1, which has no length, 1 PadN, 5 Router Alert
	Len  Opt[uint8] // of what follows type and length, 0 to 254; absent: any. "!" is an error
}

// maxOptions6 is IP6T_OPTS_OPTSNR: what the kernel's struct holds.
const maxOptions6 = 16

// IPv6Options is a list of options, which a packet's must begin with, in that
// order. Made by Options; the zero value is empty, which is an error where it is
// used.
type IPv6Options struct {
	list [maxOptions6]IPv6Option
	n    uint8
	err  string
}

// Options makes a list of 1 to 16 options.
func Options(list ...IPv6Option) (o IPv6Options) {
	if len(list) > maxOptions6 {
		return IPv6Options{err: "too many options: 16 at most"}
	}
	for _, x := range list {
		if x.Len.not {
			return IPv6Options{err: "a length of an option cannot be inverted"}
		}
		if x.Type == 0 && x.Len.ok && x.Len.v != xtables.OptionsAnyLen {
			return IPv6Options{err: errPad1.Error()}
		}
		if x.Len == Is[uint8](xtables.OptionsAnyLen) { // the kernel's "any"
			x.Len = Opt[uint8]{}
		}
		o.list[o.n] = x
		o.n++
	}
	return o
}

var errPad1 = errors.New("Pad1, type 0, has no length")

// All are the options.
func (o IPv6Options) All() []IPv6Option { return append([]IPv6Option(nil), o.list[:o.n]...) }

// Err is not nil for an empty list, and for what Options could not take.
func (o IPv6Options) Err() error {
	switch {
	case o.err != "":
		return errors.New(o.err)
	case o.n == 0:
		return errors.New("empty list of options")
	}
	return nil
}

// String is "1:4,5", as ip6tables prints it.
func (o IPv6Options) String() string {
	var words []string
	for _, x := range o.list[:o.n] {
		w := fmt.Sprint(x.Type)
		if n, _, ok := x.Len.Get(); ok {
			w += fmt.Sprintf(":%d", n)
		}
		words = append(words, w)
	}
	return strings.Join(words, ",")
}

// optionList is a codec for "type[:length][,type[:length]…]".
var optionList = option.Codec[IPv6Options]{
	Want: "type[:length][,type[:length]…], 16 at most",
	Parse: func(w string, _ option.Context) (o IPv6Options, err error) {
		var list []IPv6Option
		for _, part := range strings.Split(w, ",") {
			typ, length, given := strings.Cut(part, ":")
			n, err := option.Uint(typ, 0, 255)
			if err != nil {
				return o, err
			}
			x := IPv6Option{Type: uint8(n)}
			if given && n == 0 {
				return o, errPad1
			}
			if given {
				if n, err = option.Uint(length, 0, 255); err != nil {
					return o, err
				}
				x.Len = Is(uint8(n))
			}
			list = append(list, x)
		}
		o = Options(list...)
		return o, o.Err()
	},
	Print: func(o IPv6Options, _ nf.Family) string { return o.String() },
}

// options6 is what Dst and HBH have in common.
type options6 struct {
	Len  Opt[uint32]
	Opts Opt[IPv6Options]
}

// check refuses an empty list, and a list that is inverted.
func (o options6) check(name string) error {
	if o.Opts.not {
		return fmt.Errorf("%s: %w", name, option.ErrNoInvert)
	}
	return valid(o.Opts)
}

// list is "dst length:!8 opts 1:4,5".
func (o options6) format(name string) string {
	if n, not, ok := o.Len.Get(); ok {
		name += fmt.Sprintf(" length:%s%d", bang(not), n)
	}
	if l, _, ok := o.Opts.Get(); ok {
		name += " opts " + l.String()
	}
	return name
}

// options6XT is the kernel's form; of and to make it of the extension's type.
func options6XT[T any](of func(T) options6, to func(options6) T) *option.XT[T] {
	return option.XTStruct(option.XT[T]{}, 0,
		func(t T, _ program.Env) xtables.Options6 { return of(t).blob() },
		func(b xtables.Options6, _ program.Env) (T, bool) {
			o, ok := readOptions6(b)
			return to(o), ok
		})
}

func (o options6) blob() (b xtables.Options6) {
	b.What = bitIf[uint8](o.Len.ok, xtables.OptionsLen) | bitIf[uint8](o.Opts.ok, xtables.OptionsList)
	b.Invert = bitIf[uint8](o.Len.not, xtables.OptionsLen)
	b.Len, b.Count = o.Len.v, o.Opts.v.n
	for i, x := range o.Opts.v.All() {
		n, _, ok := x.Len.Get()
		if !ok {
			n = xtables.OptionsAnyLen
		}
		b.Opts[i] = uint16(x.Type)<<8 | uint16(n)
	}
	return b
}

func readOptions6(b xtables.Options6) (o options6, ok bool) {
	if b.What&xtables.OptionsLen != 0 {
		o.Len = isOrNot(b.Invert&xtables.OptionsLen != 0, b.Len)
	}
	if b.Count > maxOptions6 {
		return o, false
	}
	if b.What&xtables.OptionsList != 0 {
		var list []IPv6Option
		for _, x := range b.Opts[:b.Count] {
			list = append(list, IPv6Option{Type: uint8(x >> 8), Len: Is(uint8(x))})
		}
		o.Opts = Is(Options(list...))
	}
	return o, o.check("") == nil && o.blob() == b
}
