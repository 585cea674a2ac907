package program

// OwnSet is a set of one's own as the rules of a table look it up.
type OwnSet struct {
	Name    string // the model's
	Kernel  string // the name in the nf_tables table
	KeyType uint32
	Ranges  bool // elements are ranges in a concatenation: every field is compared in network order
}

// OwnSets are those of a table.
type OwnSets struct {
	byName, byKernel map[string]OwnSet
}

// NewOwnSets collects sets.
func NewOwnSets(sets ...OwnSet) *OwnSets {
	o := &OwnSets{make(map[string]OwnSet, len(sets)), make(map[string]OwnSet, len(sets))}
	for _, s := range sets {
		o.byName[s.Name], o.byKernel[s.Kernel] = s, s
	}
	return o
}

// Named finds a set by the model's name. Where nothing is known of the table's
// sets (nil) every name is a set's.
func (o *OwnSets) Named(name string) (s OwnSet, ok bool) {
	if o == nil {
		return OwnSet{Name: name, Kernel: name}, true
	}
	s, ok = o.byName[name]
	return s, ok
}

// InKernel finds a set by its name in the nf_tables table.
func (o *OwnSets) InKernel(name string) (s OwnSet, ok bool) {
	if o == nil {
		return OwnSet{Name: name, Kernel: name}, true
	}
	s, ok = o.byKernel[name]
	return s, ok
}
