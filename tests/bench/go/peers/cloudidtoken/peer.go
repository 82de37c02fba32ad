// Package cloudidtoken is the contender cloud.google.com/go/auth/credentials/idtoken.
package cloudidtoken

import (
	"context"

	"cloud.google.com/go/auth/credentials/idtoken"

	"gatepass.dev/gatepass/bench/material"
)

// New returns the policy's check.
func New(policy material.Policy) (material.Verify, error) {
	validator, err := idtoken.NewValidator(&idtoken.ValidatorOptions{Client: policy.Client()})
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	return func(token string) (string, error) {
		payload, err := validator.Validate(ctx, token, policy.Audience)
		if err != nil {
			return "", err
		}
		if payload.Issuer != policy.Issuer {
			return "", material.ErrIssuer
		}
		email, _ := payload.Claims["email"].(string)
		return email, nil
	}, nil
}
