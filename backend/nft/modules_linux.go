package nft

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/feature"
)

// modules is what a host says of its kernel's modules without being asked for one:
// a question to the kernel for what is not loaded would load it.
type modules struct {
	fixed  bool              // the kernel loads none: every question is free
	listed bool              // files has all that there are
	files  map[string]bool   // modules that could be loaded
	in     map[string]bool   // loaded, or built in
	config map[string]string // options: "y", "m", "n"; empty where there is no list
}

// largest bounds what is read of one list, in bytes.
const largest = 16 << 20

// readModules reads the lists of a host whose files root holds.
func readModules(root fs.FS, release string) modules {
	m := modules{files: map[string]bool{}, in: map[string]bool{}, config: map[string]string{}}
	loaded, err := read(root, "proc/modules")
	m.fixed = err != nil
	names(loaded, m.in)
	dir := path.Join("lib/modules", release)
	if b, err := read(root, path.Join(dir, "modules.builtin")); err == nil {
		names(b, m.in)
		b, err = read(root, path.Join(dir, "modules.dep"))
		m.listed = err == nil
		names(b, m.files)
	}
	for _, file := range [...]string{"proc/config.gz", path.Join("boot", "config-"+release)} {
		if b, err := read(root, file); err == nil {
			options(b, m.config)
			break
		}
	}
	return m
}

// read reads a file, unpacked where it is packed.
func read(root fs.FS, name string) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(io.LimitReader(r, largest))
}

// names adds the modules of a list, one a line: of /proc/modules the first word,
// of the files in /lib/modules the path up to a colon.
func names(list []byte, out map[string]bool) {
	for line := range bytes.Lines(list) {
		word, _, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		word, _, _ = strings.Cut(word, ":")
		word = path.Base(word)
		word, _, _ = strings.Cut(word, ".ko")
		if word != "" && word != "." && word != "/" {
			out[strings.ReplaceAll(word, "-", "_")] = true
		}
	}
}

// options adds the options of a kernel's configuration.
func options(text []byte, out map[string]string) {
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		line := s.Text()
		if name, ok := strings.CutSuffix(line, " is not set"); ok {
			if name, ok := strings.CutPrefix(name, "# CONFIG_"); ok {
				out[name] = "n"
			}
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if name, is := strings.CutPrefix(name, "CONFIG_"); ok && is {
			out[name] = value
		}
	}
}

// state is what the lists say of a feature: whether it is Present, Loadable or
// Missing as far as they know, and whether the kernel can be asked without loading
// anything.
func (m modules) state(k feature.Feature, v6 bool) (s State, free bool) {
	module, config := k.For(v6)
	option, told := m.config[config], len(m.config) > 0
	if told && option == "" {
		option = "n" // what an option needs that is off takes it out of the list
	}
	switch {
	case option == "y" || m.in[module]:
		return Present, true
	case module == "" && option == "n":
		return Missing, true
	case module == "":
		return Present, true
	case m.files[module]:
		return Loadable, false
	case option == "n" && config != "":
		return Missing, m.fixed
	case m.fixed:
		return Unknown, true
	case m.listed:
		return Missing, false
	}
	return Unknown, false
}
