package target

// Extensions are all targets, for the tests that hold each to its examples.
var Extensions = extensions

// InInet are the xt targets that inet tables are known to have.
var InInet = inInet[:]
