package gatepass

// NewError gives the tests the error that the core has failed with.
var NewError = newError
