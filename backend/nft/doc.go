// Package nft is the kernel's nf_tables over netlink. It is the only package
// that opens a socket.
//
// The sockets are opened inside the namespace that was asked for; after that
// any goroutine may use the connection, wherever it runs. Opening works on
// Linux; elsewhere it is backend.ErrUnsupported, and everything still builds.
//
// # What goes over the wire
//
// A transaction is one sendmsg of one batch. The kernel works it off before
// sendmsg returns, and answers with the errors alone; the message that ends
// the batch asks for an acknowledgement, which newer kernels give. So a read
// that does not wait finds every answer, and no message costs one of its own.
//
// Reading asks for the generation before and after. When it moved meanwhile,
// the events of the namespace are followed for as long as reading takes, and
// only tables that somebody changed are read again.
package nft
