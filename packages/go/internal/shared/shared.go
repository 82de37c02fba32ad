// Package shared lets package gatepasstest forget what package gatepass keeps for the whole process.
package shared

// Forget is set by package gatepass.
var Forget = func() {}
