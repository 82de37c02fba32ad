package gatepass

import "context"

// A Supplier returns the subject token that workload identity federation exchanges for Google's: the one by which the
// program's own platform says who it is. It is called for every exchange, so it decides what to cache; a context that
// ends should end it. See [WithSupplier].
type Supplier func(ctx context.Context, wanted SupplierContext) (string, error)

// SupplierContext says which subject token is wanted.
type SupplierContext struct {
	// Audience is the provider of the identity pool, as the credential file names it.
	Audience string
	// TokenType is the kind of the token, such as urn:ietf:params:oauth:token-type:jwt (RFC 8693, section 3).
	TokenType string
}
