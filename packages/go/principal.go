package gatepass

import (
	"context"
	"encoding/json"

	"gatepass.dev/gatepass/internal/native"
)

// A Principal is whose tokens a source gives.
type Principal struct {
	// Email is the service account's or the person's; empty if it cannot be known.
	Email string `json:"email"`
	// ProjectID is the project of the credentials; empty if it cannot be known.
	ProjectID string `json:"project_id"`
}

// Principal says whose tokens the source gives. Otherwise as [Source.IDToken].
func (s *Source) Principal(ctx context.Context) (*Principal, error) {
	if s == nil || s.native == nil {
		return nil, unusable("Source", "NewSource")
	}
	principal := &Principal{}
	if err := s.drive(ctx, principal, s.native.Principal); err != nil {
		return nil, err
	}
	return principal, nil
}

// A Signature is one of a service account's keys, by RSASSA-PKCS1-v1_5 with SHA-256.
type Signature struct {
	// KeyID names the key; empty if that is not known.
	KeyID string `json:"key_id"`
	// Bytes are the signature.
	Bytes []byte `json:"signature"`
}

// SignBytes signs as the source's service account, with its own key or by IAM's, as a signed URL of Cloud Storage needs.
// It fails with [ErrSelfSignedJWTUnsupported] if the credentials are of no service account. Otherwise as [Source.IDToken].
func (s *Source) SignBytes(ctx context.Context, bytes []byte) (*Signature, error) {
	if s == nil || s.native == nil {
		return nil, unusable("Source", "NewSource")
	}
	signature := &Signature{}
	if err := s.drive(ctx, signature, func() (*native.Op, error) { return s.native.SignBytes(string(bytes)) }); err != nil {
		return nil, err
	}
	return signature, nil
}

// drive carries out an operation that is this caller's only.
func (s *Source) drive(ctx context.Context, into any, begin func() (*native.Op, error)) error {
	op, err := begin()
	if err != nil {
		return asError(err)
	}
	defer op.Free()
	output, err := s.driver.Drive(ctx, op)
	if err != nil {
		return asError(err)
	}
	if err := json.Unmarshal(output, into); err != nil {
		return fault(err)
	}
	return nil
}
