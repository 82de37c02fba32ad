package gatepass

import (
	"encoding/json"

	"gatepass.dev/gatepass/internal/native"
)

// A CallPlan says which token a call carries, and where.
type CallPlan struct {
	// Audience is that of the ID token; empty for an access token.
	Audience string `json:"audience"`
	// Headers are the names, in lower case, of those that hold Bearer and the token.
	Headers []string `json:"headers"`
}

// A GRPCCall is a call of gRPC that is about to be made with a token. It is for clients of gRPC's, such as that of the
// module gatepass.dev/gatepass/grpc.
type GRPCCall struct {
	// URL is the service's, https://host/package.Service, as gRPC's libraries name it.
	URL string
	// Audience is that of the ID token. If it is empty, it is https:// and the URL's host, without port and traffic tag.
	Audience string
	// WithAccessToken is for calls that carry an access token instead.
	WithAccessToken bool
	// TokenHeader is where the token goes; [Authorization] if it is empty.
	TokenHeader TokenHeader
	// IsEncrypted says whether the channel uses TLS, or something as good.
	IsEncrypted bool
	// AllowPlaintextLoopback allows a channel without TLS if the URL's host is a loopback one.
	AllowPlaintextLoopback bool
}

// Plan says how the call carries its token. It fails with [ErrInvalidAudience] if none can be derived from the URL, and
// with [ErrInvalidOption] if the token would travel unprotected.
func (c GRPCCall) Plan() (*CallPlan, error) {
	call := plannedCall{
		Audience: c.Audience, TokenHeader: c.TokenHeader, GRPC: &grpcChannel{c.IsEncrypted, c.AllowPlaintextLoopback},
	}
	if c.WithAccessToken {
		call.Kind = accessToken
	}
	return call.plan(c.URL)
}

// A plannedCall is what is known of a call before it is planned, in the border's own form; see bindings/bridge/src/options.rs.
type plannedCall struct {
	URL            string       `json:"url"`
	Kind           string       `json:"kind,omitempty"`
	Audience       string       `json:"audience,omitempty"`
	TokenHeader    TokenHeader  `json:"token_header,omitempty"`
	AllowPlainHTTP bool         `json:"allow_plain_http,omitempty"`
	GRPC           *grpcChannel `json:"grpc,omitempty"`
}

type grpcChannel struct {
	IsEncrypted            bool `json:"is_encrypted"`
	AllowPlaintextLoopback bool `json:"allow_plaintext_loopback"`
}

// check plans a call that nothing is wrong with but the options.
func (c plannedCall) check() error {
	_, err := c.plan("https://receiver.example")
	return err
}

func (c plannedCall) plan(url string) (*CallPlan, error) {
	c.URL = url
	text, err := json.Marshal(c)
	if err != nil {
		return nil, fault(err)
	}
	planned, err := native.PlanCall(string(text))
	if err != nil {
		return nil, asError(err)
	}
	plan := &CallPlan{}
	if err := json.Unmarshal([]byte(planned), plan); err != nil {
		return nil, fault(err)
	}
	return plan, nil
}
