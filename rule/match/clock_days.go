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

// dayRow is the row of a list of days, of which every has all.
func dayRow[V Weekdays | Monthdays](name string, field func(*Time) *V, every V, parse func(string) (V, error), print func(V) string) option.Row[Time] {
	return option.Row[Time]{
		Name: name, Args: 1, Invert: true, Want: "days with commas between",
		Set: func(m *Time, not bool, w []string, _ option.Context) error {
			var days V
			for day := range strings.SplitSeq(w[0], ",") {
				d, err := parse(day)
				if err != nil {
					return err
				}
				days |= d
			}
			if not {
				days ^= every
			}
			if days == 0 {
				return errors.New("matches on no day")
			}
			*field(m) = days
			return nil
		},
		Get: func(m *Time, _ nf.Family) (bool, string, bool) {
			days := *field(m)
			return false, print(days), days != 0
		},
	}
}

// parseMonthday reads a day of the month.
func parseMonthday(w string) (Monthdays, error) {
	n, err := option.Uint(w, 1, 31)
	if err != nil || len(w) > 2 { // iptables reads two characters and no more
		return 0, fmt.Errorf("%s is not a valid day for --monthdays", w)
	}
	return 1 << n, nil
}

// weekdayNames are the weekdays from Monday.
var weekdayNames = [...]string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}

// parseWeekday reads a weekday by its number, or its first two letters or more:
// iptables looks at no others.
func parseWeekday(w string) (Weekdays, error) {
	if n, err := option.Uint(w, 0, 7); err == nil {
		if n == 0 {
			return 0, errors.New("No, the week does NOT begin with Sunday.")
		}
		return 1 << n, nil
	}
	for i, name := range weekdayNames {
		if len(w) >= 2 && w[:2] == name[:2] {
			return Monday << i, nil
		}
	}
	return 0, fmt.Errorf("%s is not a valid day specifier", w)
}

func printMonthdays(m Monthdays) string {
	return strings.Join(eachMonthday(m, func(int) string { return "" }), ",")
}

// eachMonthday is the days by number, each with what behind says.
func eachMonthday(m Monthdays, behind func(day int) string) (days []string) {
	for d := 1; d <= 31; d++ {
		if m&(1<<d) != 0 {
			days = append(days, strconv.Itoa(d)+behind(d))
		}
	}
	return days
}

func printWeekdays(w Weekdays) string {
	var days []string
	for i, name := range weekdayNames {
		if w&(Monday<<i) != 0 {
			days = append(days, name)
		}
	}
	return strings.Join(days, ",")
}

// ordinal is what iptables prints behind a day of the month, 11st and 12nd too.
func ordinal(day int) string {
	switch day % 10 {
	case 1:
		return "st"
	case 2:
		return "nd"
	case 3:
		return "rd"
	}
	return "th"
}

func listTime(m Time, _ *option.Lister) string {
	s := "TIME"
	if m.Start.Given() || m.Stop.Given() {
		start, stop := m.day()
		s += fmt.Sprintf(" from %v to %v", start, stop)
	}
	if m.Weekdays != 0 {
		s += " on " + printWeekdays(m.Weekdays)
	}
	if m.Monthdays != 0 {
		s += " on " + strings.Join(eachMonthday(m.Monthdays, ordinal), ",")
	}
	if m.DateStart != 0 {
		s += " starting from " + strings.Replace(m.DateStart.String(), "T", " ", 1)
	}
	if m.DateStop != 0 {
		s += " until date " + strings.Replace(m.DateStop.String(), "T", " ", 1)
	}
	if !m.KernelZone {
		s += " UTC"
	}
	if m.Contiguous {
		s += " contiguous"
	}
	return s
}

// Compile is the kernel's own match.
func (m Time) Compile(c *program.Code) error { return clock.Kernel(c, m) }

func (m Time) blob(program.Env) xtables.Time {
	start, stop := m.day()
	b := xtables.Time{
		DateStart: uint32(m.DateStart), DateStop: uint32(m.last()), DaytimeStart: uint32(start), DaytimeStop: uint32(stop),
		Monthdays: uint32(m.Monthdays), Weekdays: uint8(m.Weekdays),
		Flags: bitIf[uint8](m.KernelZone, xtables.TimeKernelZone) | bitIf[uint8](m.Contiguous, xtables.TimeContiguous),
	}
	if m.Monthdays == 0 {
		b.Monthdays = uint32(everyMonthday)
	}
	if m.Weekdays == 0 {
		b.Weekdays = uint8(everyWeekday)
	}
	return b
}

func readTime(b xtables.Time, _ program.Env) (m Time, ok bool) {
	m = Time{
		Start: Is(Clock(b.DaytimeStart)), Stop: Is(Clock(b.DaytimeStop)),
		DateStart: Date(b.DateStart), DateStop: Date(b.DateStop),
		Weekdays: Weekdays(b.Weekdays), Monthdays: Monthdays(b.Monthdays),
		KernelZone: b.Flags&xtables.TimeKernelZone != 0, Contiguous: b.Flags&xtables.TimeContiguous != 0,
	}
	none := b.Weekdays == 0 || b.Monthdays == 0 || b.DateStop == 0
	return m, !none && b.Flags <= xtables.TimeKernelZone|xtables.TimeContiguous && m.check() == nil
}
