// Package golangjwt is the contender github.com/golang-jwt/jwt.
package golangjwt

import (
	"errors"

	"github.com/golang-jwt/jwt/v5"

	"gatepass.dev/gatepass/bench/material"
)

// New returns the policy's check.
func New(policy material.Policy) (material.Verify, error) {
	kid, key, err := policy.PublicKey()
	if err != nil {
		return nil, err
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{policy.Algorithm}), jwt.WithIssuer(policy.Issuer),
		jwt.WithAudience(policy.Audience), jwt.WithExpirationRequired())
	find := func(token *jwt.Token) (any, error) {
		if token.Header["kid"] != kid {
			return nil, errors.New("unknown key")
		}
		return key, nil
	}
	return func(token string) (string, error) {
		claims := jwt.MapClaims{}
		if _, err := parser.ParseWithClaims(token, claims, find); err != nil {
			return "", err
		}
		email, _ := claims["email"].(string)
		return email, nil
	}, nil
}
