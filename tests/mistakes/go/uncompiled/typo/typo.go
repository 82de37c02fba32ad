// Package typo has a typo in an option. It does not compile.
package typo

import "gatepass.dev/gatepass"

func mistake() (*gatepass.Verifier, error) {
	return gatepass.NewVerifier(gatepass.WithAudiance("https://orders.example"))
}
