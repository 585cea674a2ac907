// Package tree holds the module's source to the rules that a compiler does not
// check: what imports what, how long files and functions may be, and that every
// package and every exported name says what it is. It is tests only.
package tree
