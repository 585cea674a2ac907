package compile

import (
	"encoding/hex"
	"slices"
	"strings"
)

// escaped begins every chain name that had to be spelled otherwise.
const escaped = "gh."

// KernelName is a chain's name as the kernel gets it: the name itself where
// nft's grammar can read it, else an escape that can be told back. iptables
// takes log, 1abc, x+y; nft does not.
func KernelName(name string) string {
	if readable(name) && !strings.HasPrefix(name, escaped) {
		return name
	}
	var b strings.Builder
	b.WriteString(escaped)
	for i := range len(name) {
		if c := name[i]; letter(c) || c >= '0' && c <= '9' || c == '-' || c == '_' {
			b.WriteByte(c)
			continue
		}
		b.WriteString("." + hex.EncodeToString([]byte{name[i]}))
	}
	return b.String()
}

// kernelName is KernelName but for the tables that are shared with iptables-nft,
// whose names are iptables' own.
func (o Options) kernelName(name string) string {
	if o.Plain {
		return name
	}
	return KernelName(name)
}

// modelName undoes kernelName.
func (o Options) modelName(kernel string) string {
	if o.Plain {
		return kernel
	}
	return ModelName(kernel)
}

// ModelName undoes KernelName; a name that is no escape of ours is itself.
func ModelName(kernel string) string {
	rest, ok := strings.CutPrefix(kernel, escaped)
	if !ok {
		return kernel
	}
	var b strings.Builder
	for i := 0; i < len(rest); i++ {
		if rest[i] != '.' {
			b.WriteByte(rest[i])
			continue
		}
		if i+3 > len(rest) {
			return kernel
		}
		c, err := hex.DecodeString(rest[i+1 : i+3])
		if err != nil {
			return kernel
		}
		b.Write(c)
		i += 2
	}
	if name := b.String(); name != "" && KernelName(name) == kernel {
		return name
	}
	return kernel
}

// readable says whether nft's grammar takes a name as it is.
func readable(name string) bool {
	if name == "" || !letter(name[0]) && name[0] != '_' {
		return false
	}
	for i := range len(name) {
		if c := name[i]; !letter(c) && (c < '0' || c > '9') && strings.IndexByte("_-./", c) < 0 {
			return false
		}
	}
	return !slices.Contains(keywords[:], name)
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
