// Package jwx is the contender github.com/lestrrat-go/jwx.
package jwx

import (
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"gatepass.dev/gatepass/bench/material"
)

// New returns the policy's check.
func New(policy material.Policy) (material.Verify, error) {
	keys, err := jwk.Parse(policy.JWKS)
	if err != nil {
		return nil, err
	}
	return func(token string) (string, error) {
		parsed, err := jwt.ParseString(token, jwt.WithKeySet(keys), jwt.WithIssuer(policy.Issuer),
			jwt.WithAudience(policy.Audience), jwt.WithRequiredClaim(jwt.ExpirationKey))
		if err != nil {
			return "", err
		}
		var email string
		err = parsed.Get("email", &email)
		return email, err
	}, nil
}
