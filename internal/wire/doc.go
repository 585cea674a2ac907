// Package wire turns programs into netlink bytes, and back: the only place,
// beside package xt, that knows of byte order and attribute numbers. It opens no
// socket and builds on every system.
//
// Encoding is in the order in which the kernel dumps attributes, so that what
// was read and what is sent can be compared to the byte. Decoding never guesses:
// an expression is encoded again after it was decoded, and where that gives
// other bytes, or the type is not known, it stays a program.Raw. The one
// thing that is not compared is the flag NLA_F_NESTED, which the kernel leaves
// out of some dumps and userspace sets.
//
// Some of what is sent the kernel dumps otherwise: a nat, masq or redir without
// a last register with the last like the first, registers 8, 12, 16 and 20 as 1
// to 4. Canonical does the same to a program that was not read.
package wire
