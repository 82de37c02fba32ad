// Package apiidtoken is the contender google.golang.org/api/idtoken.
package apiidtoken

import (
	"context"

	"google.golang.org/api/idtoken"
	"google.golang.org/api/option"

	"gatepass.dev/gatepass/bench/material"
)

// New returns the policy's check.
func New(policy material.Policy) (material.Verify, error) {
	ctx := context.Background()
	validator, err := idtoken.NewValidator(ctx, option.WithHTTPClient(policy.Client()))
	if err != nil {
		return nil, err
	}
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
