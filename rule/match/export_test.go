package match

// Extensions are all matches, for the tests that hold each to its examples.
var Extensions = extensions

// InInet are the xt matches that inet tables are known to have.
var InInet = inInet[:]
