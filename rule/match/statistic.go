package match

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Statistic is -m statistic: some packets, by chance or by number. Made by
// Random or Nth; the zero value is an error. IPv4 and IPv6.
//
//	--mode random [!] --probability p
//	--mode nth [!] --every n --packet p
//
// Chance is native: 31 bits of the kernel's random numbers, compared with the
// probability as the kernel's struct keeps it, a multiple of 2⁻³¹. The number of
// a packet is xt_statistic, which every family has; its count begins anew when
// the rule is made anew. In the tables that are shared with iptables-nft both are. It mirrors net/netfilter/xt_statistic.c.
type Statistic struct {
	mode          uint8 // one of the below
	not           bool  // "!" before --probability or --every
	given         uint8 // the options that were read; 0 in the normal form
	err           string
	probability   uint32 // times 2³¹
	every, packet uint32
}

// The modes of a Statistic.
const (
	random = iota + 1
	nth
)

// The options that a Statistic was made of.
const (
	givenProbability = 1 << iota
	givenEvery
	givenPacket
	givenMode
)

// certain is a probability of 1.
const certain = 1 << 31

// Random matches with probability p, 0 < p <= 1, rounded to a multiple of 2⁻³¹.
func Random(p float64) Statistic {
	s := Statistic{mode: random, given: givenProbability}
	if !(p > 0 && p <= 1) {
		s.err = fmt.Sprintf("a probability of %v is not above 0 and at most 1", p)
		return s
	}
	if s.probability = uint32(math.Round(p * certain)); s.probability == 0 {
		s.err = fmt.Sprintf("a probability of %v is too small", p)
	}
	return s
}

// Nth matches packet number packet (from 0) of each every packets.
func Nth(every, packet uint32) Statistic {
	return Statistic{mode: nth, given: givenEvery | givenPacket, every: every, packet: packet}
}

// Not matches the packets that s does not.
func (s Statistic) Not() Statistic {
	s.not = !s.not
	return s
}

const statisticName = "statistic"

// Name is "statistic".
func (Statistic) Name() string { return statisticName }

func (Statistic) ext() option.Extension { return statistic }

var statistic = &option.Spec[Statistic]{
	Name: statisticName,
	Rows: []option.Row[Statistic]{
		{
			Name: "--mode", Args: 1, Want: "random or nth",
			Set: setMode,
			Get: func(s *Statistic, _ nf.Family) (bool, string, bool) {
				if s.mode == nth {
					return false, "nth", true
				}
				return false, "random", true
			},
		},
		{
			Name: "--probability", Args: 1, Invert: true, Want: "a number from 0 to 1",
			Set: setProbability,
			Get: func(s *Statistic, _ nf.Family) (bool, string, bool) {
				return s.not, printProbability(s.probability), s.mode == random
			},
		},
		{
			Name: "--every", Args: 1, Invert: true, Want: "a number from 1 to 4294967295",
			Set: func(s *Statistic, not bool, w []string, _ option.Context) error {
				n, err := option.Uint(w[0], 1, 1<<32-1)
				s.every, s.given = uint32(n), s.given|givenEvery
				s.not = s.not || not
				return err
			},
			Get: func(s *Statistic, _ nf.Family) (bool, string, bool) { return s.not, fmt.Sprint(s.every), s.mode == nth },
		},
		{
			Name: "--packet", Args: 1, Want: "a number below that of --every",
			Set: func(s *Statistic, _ bool, w []string, _ option.Context) error {
				n, err := option.Uint(w[0], 0, 1<<32-1)
				s.packet, s.given = uint32(n), s.given|givenPacket
				return err
			},
			Get: func(s *Statistic, _ nf.Family) (bool, string, bool) {
				return false, fmt.Sprint(s.packet), s.mode == nth
			},
		},
	},
	Check: checkStatistic,
	List:  listStatistic,
	Read:  readStatistic,
	XT:    option.XTStruct(option.XT[Statistic]{Inet: true}, 0, Statistic.blob, readStatisticBlob),
}

func setMode(s *Statistic, _ bool, w []string, _ option.Context) error {
	switch w[0] {
	case "random":
		s.mode = random
	case "nth":
		s.mode = nth
	default:
		return fmt.Errorf("bad mode %q", w[0])
	}
	s.given |= givenMode
	return nil
}

func setProbability(s *Statistic, not bool, w []string, _ option.Context) error {
	p, err := strconv.ParseFloat(strings.TrimLeft(w[0], " \t\n\v\f\r"), 64) // as strtod does
	if err != nil || !(p >= 0 && p <= 1) || strings.Contains(w[0], "_") {   // _ is in Go's numbers only
		return errors.New("bad value, or out of range (0-1)")
	}
	s.probability, s.given = uint32(math.Round(p*certain)), s.given|givenProbability
	s.not = s.not || not
	return nil
}

// checkStatistic wants the options of one mode, all of them and no others. What
// is brought to the normal form has none of them noted.
func checkStatistic(s *Statistic, _ option.Context) error {
	if s.err != "" {
		return errors.New(s.err)
	}
	normal := s.given == 0
	switch has := func(o uint8) bool { return s.given&o != 0 }; {
	case s.mode == 0:
		return errors.New(`option "--mode" must be specified`)
	case normal:
		return nil
	case has(givenProbability) && has(givenEvery|givenPacket):
		return errors.New(`option "--probability" cannot be used together with "--every"`)
	case s.mode == random && !has(givenProbability):
		return errors.New("--probability must be specified when using random mode")
	case s.mode == nth && !has(givenEvery):
		return errors.New("--every and --packet must be specified when using nth mode")
	case s.mode == nth && !has(givenPacket):
		return errors.New(`option "--every" also requires "--packet"`)
	case s.mode == nth && s.packet >= s.every:
		return errors.New("the --packet p must be 0 <= p <= n-1")
	}
	s.given = 0
	return nil
}

func printProbability(p uint32) string { return strconv.FormatFloat(float64(p)/certain, 'f', 11, 64) }

func listStatistic(s Statistic, _ *option.Lister) string {
	if s.mode == random {
		return "statistic mode random " + blank(s.not) + "probability " + printProbability(s.probability)
	}
	text := "statistic mode nth " + blank(s.not) + "every " + fmt.Sprint(s.every)
	if s.packet != 0 {
		text += fmt.Sprintf(" packet %d", s.packet)
	}
	return text
}

// Compile compares a random number, or is xt_statistic.
func (s Statistic) Compile(c *program.Code) error {
	if s.mode == random {
		c.Test(randomTest(s.not, s.probability))
		return nil
	}
	return statistic.Kernel(c, s)
}

// randomTest is "meta random & 0x7fffffff < p".
func randomTest(not bool, p uint32) program.Test {
	t := program.Test{
		Load: program.Meta{Key: program.MetaRandom},
		Mask: program.Net32(certain - 1), Op: program.IsLt, A: program.Net32(p),
	}
	if not {
		t.Op = program.IsGe
	}
	return t
}

func readStatistic(r *program.Reader) (s Statistic, ok bool) {
	t, _ := r.Test(0)
	p, _ := t.A.Uint()
	s = Statistic{mode: random, not: t.Op == program.IsGe, probability: uint32(p)}
	if t != randomTest(s.not, s.probability) || s.probability > certain {
		return s, false
	}
	r.Take(1)
	return s, true
}

// blob is the match as xt_statistic takes it. The count stands so that packet
// number packet is the first to find it full; iptables sets it for a probability
// too, which is in the place of every.
func (s Statistic) blob(program.Env) xtables.Statistic {
	b := xtables.Statistic{Mode: xtables.StatisticRandom, Every: s.probability}
	if s.mode == nth {
		b = xtables.Statistic{Mode: xtables.StatisticNth, Every: s.every - 1, Packet: s.packet}
	}
	b.Count = b.Every - b.Packet
	if s.not {
		b.Flags = xtables.StatisticInvert
	}
	return b
}

// readStatisticBlob is blob's inverse.
func readStatisticBlob(b xtables.Statistic, env program.Env) (s Statistic, ok bool) {
	s = Statistic{mode: random, not: b.Flags&xtables.StatisticInvert != 0, probability: b.Every}
	ok = b.Every <= certain
	if b.Mode == xtables.StatisticNth {
		s = Statistic{mode: nth, not: s.not, every: b.Every + 1, packet: b.Packet}
		ok = s.packet < s.every
	}
	return s, ok && s.blob(env) == b
}
