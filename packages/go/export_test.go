package gatepass

// NewError gives the tests the error that the core has failed with.
var NewError = newError

// ReadClaims gives the tests what is made of a payload.
var ReadClaims = readClaims
