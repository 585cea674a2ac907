package match

// Extensions are all matches, for the tests that hold each to its examples.
var Extensions = extensions
