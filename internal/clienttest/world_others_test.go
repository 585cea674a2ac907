//go:build !linux

package clienttest

import "testing"

// onKernel has no kernel with nf_tables here.
func onKernel(*testing.T, func(*testing.T, world)) {}
