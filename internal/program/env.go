package program

// Env is where a rule is compiled for: what an extension may need to know to
// choose its form. The zero value is no place.
type Env struct {
	Family Family // IP, IP6 or Inet
	Table  string // iptables' name of the table: "filter", "nat", …
	Plain  bool   // the nf_tables table has that very name (the owner iptables)
	Chain  string // the built-in chain that the rule is in; "": a user chain

	Proto    uint8 // the rule's -p; 0: none
	ProtoNot bool  // "! -p"
	IPv6     bool  // in an inet table: the rule is for IPv6 only
	IPv4     bool  // in an inet table: the rule is for IPv4 only

	Sets *OwnSets // the table's sets of one's own; nil: not known

	LongComments bool // comments do not fit the userdata and go into xt_comment
}

// V4 says whether the rule sees IPv4 packets.
func (e Env) V4() bool { return e.Family == IP || e.Family == Inet && !e.IPv6 }

// V6 says whether the rule sees IPv6 packets.
func (e Env) V6() bool { return e.Family == IP6 || e.Family == Inet && !e.IPv4 }

// Both says whether it sees both.
func (e Env) Both() bool { return e.V4() && e.V6() }

// InexactError says that an extension has no exact form where it was asked for
// one. The compiler tries another placement where Inet is set, else it reports it.
type InexactError struct {
	Extension string
	Why       string
	Hint      string // what would do
	Inet      bool   // an ip and an ip6 table would do where an inet table does not
}

// Error is "extension: why".
func (e *InexactError) Error() string { return e.Extension + ": " + e.Why }

// NotInInet is the error of an extension whose only exact form is an xt
// extension that the kernel has for ip and ip6 tables alone.
func NotInInet(extension string) error {
	return &InexactError{
		Extension: extension, Inet: true,
		Why:  "the kernel has it for ip and ip6 tables only",
		Hint: "a table for one family, or for both without the inet form, can hold it",
	}
}
