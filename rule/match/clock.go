package match

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Time is -m time: the day and the time at which a packet arrives. Everything that
// is given must hold; the zero value always does.
//
//	--timestart hh:mm[:ss] --timestop hh:mm[:ss] [--contiguous]
//	[!] --weekdays day[,day]…  [!] --monthdays day[,day]…
//	--datestart YYYY[-MM[-DD[Thh[:mm[:ss]]]]]  --datestop …
//	--kerneltz (--localtz), --utc
//
// It is the kernel's own xt match, which every family has: nf_tables' days are
// always those of the kernel's time zone, and it has none of the month. An
// inverted list of days is the list of the others, and printed so. iptables saves
// the last date there is where none was given, and so do we; it takes days that do
// not exist (weekday 8, day 0 of a month, 123) for others or none, which are
// errors here. It mirrors net/netfilter/xt_time.c.
type Time struct {
	// Start and Stop are --timestart and --timestop; absent: midnight, and the last
	// second of the day. Where Stop is before Start the time is over midnight, and
	// belongs to two days.
	Start, Stop Opt[Clock]
	Contiguous  bool      // --contiguous: a time over midnight belongs to the day that it starts on
	Weekdays    Weekdays  // --weekdays; 0: any
	Monthdays   Monthdays // --monthdays; 0: any
	DateStart   Date      // --datestart; 0: ever since
	DateStop    Date      // --datestop; 0: for ever, which is till 2038
	KernelZone  bool      // --kerneltz: the kernel's time zone; false: UTC
	utc         bool      // --utc was read
}

// Clock is a time of day in seconds since midnight, 0 to 86399.
type Clock uint32

// TimeOfDay is an hour, minute and second of a day.
func TimeOfDay(hour, minute, second uint8) Clock {
	return Clock(hour)*3600 + Clock(minute)*60 + Clock(second)
}

// Err is not nil for what no day has.
func (c Clock) Err() error {
	if c > lastSecond {
		return fmt.Errorf("no day has a second %d", uint32(c))
	}
	return nil
}

// String is "09:00:00".
func (c Clock) String() string { return fmt.Sprintf("%02d:%02d:%02d", c/3600, c/60%60, c%60) }

// Date is a moment in seconds since 1970 in UTC; 0 is none.
type Date uint32

// DateOf is a moment, to the second. One that is not between 1970 and 2038, both
// included, is an error of the match.
func DateOf(t time.Time) Date {
	if s := t.Unix(); s > 0 && s <= int64(maxDate) {
		return Date(s)
	}
	return noDate
}

// Err is not nil for what has no text.
func (d Date) Err() error {
	if d > maxDate {
		return errors.New("a date is from 1970 to 2038")
	}
	return nil
}

// String is "2026-01-31T12:00:00".
func (d Date) String() string { return time.Unix(int64(d), 0).UTC().Format("2006-01-02T15:04:05") }

// Weekdays is a set of weekdays: Monday|Friday.
type Weekdays uint8

// The weekdays.
const (
	Monday Weekdays = 1 << (iota + 1)
	Tuesday
	Wednesday
	Thursday
	Friday
	Saturday
	Sunday
	everyWeekday = Monday | Tuesday | Wednesday | Thursday | Friday | Saturday | Sunday
)

// Monthdays is a set of days of the month, made by DaysOfMonth: bit n is day n.
type Monthdays uint32

// DaysOfMonth are days of the month, each from 1 to 31; others are errors.
func DaysOfMonth(days ...uint8) (m Monthdays) {
	for _, d := range days {
		if d > 31 {
			d = 0 // which is no day either
		}
		m |= 1 << d
	}
	return m
}

const (
	everyMonthday Monthdays = math.MaxUint32 &^ 1
	lastSecond    Clock     = 24*3600 - 1
	lastDate      Date      = math.MaxInt32 // what iptables has where there is none
	maxDate       Date      = 2177452799    // the last second of 2038
	noDate        Date      = math.MaxUint32
)

// Name is "time".
func (Time) Name() string { return timeName }

func (Time) ext() option.Extension { return clock }

const timeName = "time"

var clock = &option.Spec[Time]{
	Name: timeName,
	Rows: []option.Row[Time]{
		plain("--timestart", func(m *Time) *Opt[Clock] { return &m.Start }, clockTimes),
		plain("--timestop", func(m *Time) *Opt[Clock] { return &m.Stop }, clockTimes),
		dayRow("--monthdays", func(m *Time) *Monthdays { return &m.Monthdays }, everyMonthday, parseMonthday, printMonthdays),
		dayRow("--weekdays", func(m *Time) *Weekdays { return &m.Weekdays }, everyWeekday, parseWeekday, printWeekdays),
		option.Field("--datestart", func(m *Time) *Date { return &m.DateStart }, dates),
		{
			Name: "--datestop", Args: 1, Want: dates.Want,
			Set: func(m *Time, _ bool, w []string, c option.Context) (err error) {
				if m.DateStop, err = dates.Parse(w[0], c); err == nil && m.DateStop == 0 {
					err = errors.New("nothing is before 1970")
				}
				return err
			},
			Get: func(m *Time, _ nf.Family) (bool, string, bool) { return false, m.last().String(), true },
		},
		option.Flag("--kerneltz", func(m *Time) *bool { return &m.KernelZone }),
		option.Flag("--contiguous", func(m *Time) *bool { return &m.Contiguous }),
		unprinted(option.Flag("--localtz", func(m *Time) *bool { return &m.KernelZone })),
		unprinted(option.Flag("--utc", func(m *Time) *bool { return &m.utc })),
	},
	Check: func(m *Time, _ option.Context) error { return m.check() },
	List:  listTime,
	XT:    option.XTStruct(option.XT[Time]{Inet: true}, 0, Time.blob, readTime),
}

// clockTimes is a codec for "hh:mm[:ss]".
var clockTimes = option.Codec[Clock]{
	Want: "hh:mm[:ss]",
	Parse: func(w string, _ option.Context) (Clock, error) {
		n, count, ok := decimals(w, ":", 23, 59, 59)
		if !ok || count < 2 {
			return 0, fmt.Errorf("invalid time %q specified", w)
		}
		return TimeOfDay(uint8(n[0]), uint8(n[1]), uint8(n[2])), nil
	},
	Print: func(c Clock, _ nf.Family) string { return c.String() },
}

// dates is a codec for "YYYY[-MM[-DD[Thh[:mm[:ss]]]]]". A day that the month does
// not have is one of the next, as mktime counts.
var dates = option.Codec[Date]{
	Want: "YYYY[-MM[-DD[Thh[:mm[:ss]]]]]",
	Parse: func(w string, _ option.Context) (Date, error) {
		day, clock, timed := strings.Cut(w, "T")
		n, count, ok := decimals(day, "-", 2038, 12, 31)
		if !ok || n[0] < 1970 || timed && count < 3 {
			return 0, errDate(w)
		}
		for i := count; i < 3; i++ {
			n[i] = 1
		}
		var c [3]uint64
		if timed {
			if c, _, ok = decimals(clock, ":", 23, 59, 59); !ok {
				return 0, errDate(w)
			}
		}
		s := time.Date(int(n[0]), time.Month(n[1]), int(n[2]), int(c[0]), int(c[1]), int(c[2]), 0, time.UTC).Unix()
		if s < 0 || s > math.MaxUint32 {
			return 0, errDate(w)
		}
		return Date(s), nil
	},
	Print: func(d Date, _ nf.Family) string { return d.String() },
}

func errDate(w string) error { return fmt.Errorf("Invalid date %q specified", w) }

// decimals reads up to as many numbers as there are limits.
func decimals(w, sep string, limits ...uint64) (n [3]uint64, count int, ok bool) {
	for part := range strings.SplitSeq(w, sep) {
		if count == len(limits) || part == "" || strings.Trim(part, "0123456789") != "" || len(part) > 8 {
			return n, count, false
		}
		for _, c := range part {
			n[count] = n[count]*10 + uint64(c-'0')
		}
		if n[count] > limits[count] {
			return n, count, false
		}
		count++
	}
	return n, count, true
}

// last is the date that the kernel's struct has.
func (m Time) last() Date {
	if m.DateStop == 0 {
		return lastDate
	}
	return m.DateStop
}

// day is the time of day.
func (m Time) day() (start, stop Clock) {
	start, _, _ = m.Start.Get()
	stop, _, ok := m.Stop.Get()
	if !ok {
		stop = lastSecond
	}
	return start, stop
}

// check makes all days none, and of times both or neither.
func (m *Time) check() error {
	start, stop := m.day()
	switch {
	case m.utc && m.KernelZone:
		return together("--utc", "--kerneltz")
	case m.Contiguous && start < stop:
		return errors.New("--contiguous only makes sense when stoptime is smaller than starttime")
	case m.Weekdays&^everyWeekday != 0:
		return errors.New("a weekday is one of the seven")
	case m.Monthdays&^everyMonthday != 0:
		return errors.New("a day of a month is one from 1 to 31")
	case start.Err() != nil:
		return start.Err()
	case stop.Err() != nil:
		return stop.Err()
	}
	if err := errors.Join(m.DateStart.Err(), m.DateStop.Err()); err != nil {
		return err
	}
	m.utc = false
	m.Start, m.Stop = Is(start), Is(stop)
	if start == 0 && stop == lastSecond {
		m.Start, m.Stop = Opt[Clock]{}, Opt[Clock]{}
	}
	if m.Weekdays == everyWeekday {
		m.Weekdays = 0
	}
	if m.Monthdays == everyMonthday {
		m.Monthdays = 0
	}
	if m.DateStop == lastDate {
		m.DateStop = 0
	}
	return nil
}
