package gatepass

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

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

// supply asks the user's own supplier. Its error comes back too: the reply says only of what type it is, since its
// text may hold anything.
func (d *driver) supply(ctx context.Context, step *step) (reply, error) {
	supplier, found := d.suppliers[step.Supplier]
	if !found {
		names := cmp.Or(strings.Join(slices.Sorted(maps.Keys(d.suppliers)), ", "), "none")
		return failed(errors.New("no supplier of this name is registered; registered are: "+names), "not_found"), nil
	}
	token, err := supplier(ctx, SupplierContext{Audience: step.Audience, TokenType: step.TokenType})
	if err != nil {
		return failed(fmt.Errorf("an error of the type %T", err), "other"), err
	}
	return reply{"reply": "text", "text": token}, nil
}
