// Package gatepass is the contender gatepass.
package gatepass

import (
	"context"

	"gatepass.dev/gatepass"
	"gatepass.dev/gatepass/bench/material"
)

// Verifier returns a verifier of the policy.
func Verifier(policy material.Policy) (*gatepass.Verifier, error) {
	preset := gatepass.Google
	if policy.Algorithm == "ES256" {
		preset = gatepass.IAP
	}
	return gatepass.NewVerifier(gatepass.WithPreset(preset), gatepass.WithAudience(policy.Audience), gatepass.WithKeys(policy.JWKS))
}

// New returns the policy's check, by one verifier.
func New(policy material.Policy) (material.Verify, error) {
	verifier, err := Verifier(policy)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	return func(token string) (string, error) {
		payload, err := verifier.Validate(ctx, token)
		if err != nil {
			return "", err
		}
		email, _ := payload.Claims["email"].(string)
		return email, nil
	}, nil
}
