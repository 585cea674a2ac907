package target

// Extensions are all targets, for the tests that hold each to its examples.
var Extensions = extensions
