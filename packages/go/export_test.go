package gatepass

import (
	"net/http"
	"time"

	"gatepass.dev/gatepass/internal/driver"
)

// WithMonotonic reads the time that nobody sets from now.
func WithMonotonic(now func() time.Duration) Option {
	return hostOption(func(h *driver.Host) { h.Monotonic = now })
}

// NewError gives the tests the error that the core has failed with.
var NewError = newError

// Heap tells the tests how many bytes Go's heap has.
var Heap = heap

// ReadClaims gives the tests what is made of a payload.
var ReadClaims = readClaims

// SetCarrier lets the requests of a client be carried by this transport.
func SetCarrier(client *http.Client, carrier http.RoundTripper) {
	client.Transport.(*attachingTransport).base = carrier
}
