// Package gojose is the contender github.com/go-jose/go-jose.
package gojose

import (
	"encoding/json"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"gatepass.dev/gatepass/bench/material"
)

// New returns the policy's check.
func New(policy material.Policy) (material.Verify, error) {
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(policy.JWKS, &keys); err != nil {
		return nil, err
	}
	algorithms := []jose.SignatureAlgorithm{jose.SignatureAlgorithm(policy.Algorithm)}
	return func(token string) (string, error) {
		parsed, err := jwt.ParseSigned(token, algorithms)
		if err != nil {
			return "", err
		}
		var claims jwt.Claims
		var others map[string]any
		if err := parsed.Claims(&keys, &claims, &others); err != nil {
			return "", err
		}
		expected := jwt.Expected{Issuer: policy.Issuer, AnyAudience: jwt.Audience{policy.Audience}, Time: time.Now()}
		if err := claims.Validate(expected); err != nil {
			return "", err
		}
		email, _ := others["email"].(string)
		return email, nil
	}, nil
}
