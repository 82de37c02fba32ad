package gatepass

import (
	"context"
	"net/http"
	"time"

	"gatepass.dev/gatepass/internal/driver"
)

// ClientOption configures the client of [NewClient].
type ClientOption interface{ applyToClient(*clientSettings) }

// SourceOption configures a [Source], and that of a client.
type SourceOption interface {
	ClientOption
	applyToSource(*sourceSettings)
}

// VerifierOption configures a [Verifier].
type VerifierOption interface{ applyToVerifier(*verifierSettings) }

// Option configures a [Source] or a [Verifier].
type Option interface {
	SourceOption
	VerifierOption
}

// WithClock reads the time from now instead of [time.Now].
func WithClock(now func() time.Time) Option {
	return hostOption(func(h *driver.Host) { h.Clock = now })
}

// WithTransport sends requests to token endpoints and key URLs through transport, which must follow no redirects and
// chooses proxies itself. The metadata server is always reached directly. Credentials that name certificates for TLS need
// an [*http.Transport].
func WithTransport(transport http.RoundTripper) Option {
	return hostOption(func(h *driver.Host) { h.Transport = transport })
}

// WithCredentialsFile takes the credentials from this file instead of looking for them.
func WithCredentialsFile(path string) SourceOption {
	return sourceOption(func(s *sourceSettings) { s.CredentialsFile = &path })
}

// WithCredentialsJSON takes the credentials from the text of a credential file instead of looking for them.
func WithCredentialsJSON(text []byte) SourceOption {
	document := string(text)
	return sourceOption(func(s *sourceSettings) { s.CredentialsJSON = &document })
}

// WithImpersonation gives tokens of the service account with this e-mail, in whose name the credentials that are found
// may ask for them (the role Service Account Token Creator), if need be through delegates: accounts of which each may
// act for the next. It is also how a user's own credentials get ID tokens for an audience.
func WithImpersonation(email string, delegates ...string) SourceOption {
	return sourceOption(func(s *sourceSettings) { s.Impersonate, s.Delegates = &email, delegates })
}

// WithSupplier lets credentials of workload identity federation take their subject token from the program itself: those
// of the type external_account whose credential_source is {"supplier": name}.
func WithSupplier(name string, supplier Supplier) SourceOption {
	return sourceOption(func(s *sourceSettings) {
		if supplier == nil {
			return // As if the option were not given.
		}
		if s.host.Suppliers == nil {
			s.host.Suppliers = map[string]driver.Supplier{}
		}
		s.host.Suppliers[name] = func(ctx context.Context, audience, tokenType string) (string, error) {
			return supplier(ctx, SupplierContext{audience, tokenType})
		}
	})
}

// WithSubject gets access tokens that act for the person with this e-mail (domain-wide delegation), which an
// administrator of the person's domain must have allowed the service account.
func WithSubject(email string) SourceOption {
	return sourceOption(func(s *sourceSettings) { s.Subject = &email })
}

// WithSelfSignedAccessTokens lets a service account's key sign access tokens itself (AIP-4111) instead of asking an
// endpoint for them. Other credentials do as always.
func WithSelfSignedAccessTokens() SourceOption {
	return sourceOption(func(s *sourceSettings) { s.SelfSignedAccessTokens = true })
}

// WithGDCHAudience gets tokens for this API of Google Distributed Cloud; credentials of the type gdch_service_account
// need it.
func WithGDCHAudience(audience string) SourceOption {
	return sourceOption(func(s *sourceSettings) { s.GDCHAudience = &audience })
}

// WithUserIDToken uses, of a person's credentials, the ID token of their login, whichever audience is requested: its own
// audience is the OAuth client that they logged in with. Cloud Run accepts it if gcloud was that client; no other receiver
// should.
func WithUserIDToken() SourceOption {
	return sourceOption(func(s *sourceSettings) { s.AllowUserIDToken = true })
}

// WithExpectedType takes only credential files of this type, such as "service_account", or only the metadata server's
// credentials if it is "metadata".
func WithExpectedType(name string) SourceOption {
	return sourceOption(func(s *sourceSettings) { s.ExpectType = &name })
}

// WithQuotaProject bills calls of Google's APIs to this project instead of the one that the credential file names. It
// is among [Source.AccessTokenHeaders].
func WithQuotaProject(id string) SourceOption {
	return sourceOption(func(s *sourceSettings) { s.QuotaProjectID = &id })
}

// WithUniverseDomain trusts the endpoints of this universe besides those of Google's own.
func WithUniverseDomain(domain string) SourceOption {
	return sourceOption(func(s *sourceSettings) { s.UniverseDomain = &domain })
}

// WithTrustedEndpoints lets credential files name these endpoints, each as host or host:port, besides Google's own.
// A credential file of unknown origin could otherwise send what it holds anywhere.
func WithTrustedEndpoints(endpoints ...string) SourceOption {
	return sourceOption(func(s *sourceSettings) { s.TrustedEndpoints = append(s.TrustedEndpoints, endpoints...) })
}

// TokenHeader names a header that carries an ID token.
type TokenHeader string

// The headers for [WithTokenHeader].
const (
	// Authorization is where a token is looked for by everybody.
	Authorization TokenHeader = "authorization"
	// ServerlessAuthorization leaves Authorization to the application: Cloud Run checks this one where it is present.
	ServerlessAuthorization TokenHeader = "x-serverless-authorization"
	// BothHeaders is for a service behind Cloud Run's check that verifies the token itself too: Cloud Run removes the
	// signature of the one that it has checked.
	BothHeaders TokenHeader = "both"
)

// WithTokenHeader sends tokens in this header instead of [Authorization].
func WithTokenHeader(header TokenHeader) ClientOption {
	return clientOption(func(c *clientSettings) { c.call.TokenHeader = header })
}

// WithAllowPlainHTTP sends tokens over http as well, where whoever is on the way can read and use them. To a loopback
// host they are sent so in any case.
func WithAllowPlainHTTP() ClientOption {
	return clientOption(func(c *clientSettings) { c.call.AllowPlainHTTP = true })
}

// Preset names a kind of sender that gatepass knows: the issuer of its tokens, the issuer's algorithms and where its
// keys are.
type Preset string

// The senders that gatepass knows. Google gives anybody a token for any audience: so those whose tokens come from a
// service account need [WithAllowedEmails] with that account or [WithAllowedSubjects] with its unique id, or else
// [WithAnyCaller].
const (
	// Google signs the ID tokens of all service accounts, whoever sends them.
	Google Preset = "google"
	// CloudRun is for calls from service to service, to Cloud Run and Cloud Functions.
	CloudRun Preset = "cloud_run"
	// PubSub is a push subscription of Pub/Sub.
	PubSub Preset = "pubsub"
	// CloudTasks is a queue of HTTP tasks.
	CloudTasks Preset = "cloud_tasks"
	// CloudScheduler is an HTTP job of Cloud Scheduler.
	CloudScheduler Preset = "cloud_scheduler"
	// Eventarc is a trigger of Eventarc.
	Eventarc Preset = "eventarc"
	// IAP is Identity-Aware Proxy. Its token comes in a header of its own.
	IAP Preset = "iap"
	// Firebase signs the ID tokens of the users of Firebase Authentication and Identity Platform. The audience is the
	// project's id.
	Firebase Preset = "firebase"
	// OIDC is any OpenID Connect issuer. [WithIssuers] names it: the https URL (or http URL on a loopback host) below
	// which its discovery document says where its keys are.
	OIDC Preset = "oidc"
)

// WithPreset accepts tokens of this sender. Without it, those of [Google] are accepted; with [WithIssuers] and no keys,
// those of [OIDC].
func WithPreset(preset Preset) VerifierOption {
	return verifierOption(func(v *verifierSettings) { v.Preset = preset })
}

// WithIssuers accepts tokens whose iss is exactly one of these. Without [WithPreset], its keys are those of [WithKeys] or
// [WithKeysURL], which need [WithAlgorithms] too, or else those that it publishes as [OIDC] says. A list must not be
// empty.
func WithIssuers(issuers ...string) VerifierOption {
	return verifierOption(func(v *verifierSettings) { v.Issuers = extended(v.Issuers, issuers) })
}

// WithAlgorithms accepts signatures of these algorithms only, by their names in RFC 7518 and 8037: RS256, RS384, RS512,
// PS256, ES256, ES384 and EdDSA.
func WithAlgorithms(algorithms ...string) VerifierOption {
	return verifierOption(func(v *verifierSettings) { v.Algorithms = append(v.Algorithms, algorithms...) })
}

// WithAudience accepts tokens whose aud holds one of these exactly: the service's own URL or custom audience.
func WithAudience(audiences ...string) VerifierOption {
	return verifierOption(func(v *verifierSettings) { v.Audiences = append(v.Audiences, audiences...) })
}

// WithAnyAudience accepts tokens that were issued for anybody. It is only for services that check aud themselves:
// otherwise whoever receives a token can use it here.
func WithAnyAudience() VerifierOption {
	return verifierOption(func(v *verifierSettings) { v.AnyAudience = true })
}

// WithKeys takes the issuer's keys from this document, a JWK set (RFC 7517), one JWK, or a map of certificates in PEM.
func WithKeys(document []byte) VerifierOption {
	text := string(document)
	return verifierOption(func(v *verifierSettings) { v.Keys = &text })
}

// WithKeysURL fetches the issuer's keys from this https URL, or http URL on a loopback host.
func WithKeysURL(url string) VerifierOption {
	return verifierOption(func(v *verifierSettings) { v.KeysURL = &url })
}

// WithLeeway lets clocks be apart by this much, in whole seconds.
func WithLeeway(leeway time.Duration) VerifierOption {
	seconds := int64(leeway / time.Second)
	return verifierOption(func(v *verifierSettings) { v.LeewaySeconds = &seconds })
}

// WithAllowedEmails accepts callers with one of these e-mails only exactly, and only if the issuer has verified
// it. A list must not be empty.
func WithAllowedEmails(emails ...string) VerifierOption {
	return verifierOption(func(v *verifierSettings) { v.AllowedEmails = extended(v.AllowedEmails, emails) })
}

// WithAllowedSubjects accepts callers whose sub is one of these only exactly: unique ids, which unlike e-mails
// are never given to anybody else. With [WithAllowedEmails] too, a caller must be on both lists. A list must not be
// empty.
func WithAllowedSubjects(subjects ...string) VerifierOption {
	return verifierOption(func(v *verifierSettings) { v.AllowedSubjects = extended(v.AllowedSubjects, subjects) })
}

// WithAnyCaller accepts every caller whose token is valid, also where the preset's sender is a service account that
// should be named. It is for services that check themselves who calls.
func WithAnyCaller() VerifierOption {
	return verifierOption(func(v *verifierSettings) { v.AnyCaller = true })
}

// WithRememberedBytes bounds the memory for tokens that are remembered as valid, this package's own included. Without it
// the bound is 16 MiB, with 0 none is remembered.
func WithRememberedBytes(bytes int64) VerifierOption {
	return verifierOption(func(v *verifierSettings) { v.RememberedBytes = &bytes })
}

// WithTrustCloudRunAndSkipSignature accepts Google's ID tokens without a signature, as Cloud Run hands them on after a
// check of its own. Nothing proves such a token, and its [Payload] is Unverified: use it only in a service on Cloud Run
// that requires authentication, since anybody can send such a token to any other.
func WithTrustCloudRunAndSkipSignature() VerifierOption {
	return verifierOption(func(v *verifierSettings) {
		v.TrustCloudRunAndSkipSignature = true
	})
}

// clientSettings are the options of a client.
type clientSettings struct {
	source []SourceOption
	call   plannedCall
}

// sourceSettings are the options of a source in the border's own form; see bindings/bridge/src/options.rs.
type sourceSettings struct {
	CredentialsFile        *string  `json:"credentials_file,omitempty"`
	CredentialsJSON        *string  `json:"credentials_json,omitempty"`
	Impersonate            *string  `json:"impersonate,omitempty"`
	Delegates              []string `json:"delegates,omitempty"`
	Subject                *string  `json:"subject,omitempty"`
	SelfSignedAccessTokens bool     `json:"self_signed_access_tokens,omitempty"`
	GDCHAudience           *string  `json:"gdch_audience,omitempty"`
	AllowUserIDToken       bool     `json:"allow_user_id_token,omitempty"`
	ExpectType             *string  `json:"expect_type,omitempty"`
	QuotaProjectID         *string  `json:"quota_project_id,omitempty"`
	UniverseDomain         *string  `json:"universe_domain,omitempty"`
	TrustedEndpoints       []string `json:"trusted_endpoints,omitempty"`
	Seed                   uint64   `json:"seed"`

	host driver.Host
}

// verifierSettings are the options of a verifier, likewise.
type verifierSettings struct {
	Preset                        Preset   `json:"preset,omitempty"`
	Issuers                       []string `json:"issuers,omitzero"`
	Algorithms                    []string `json:"algorithms,omitempty"`
	Audiences                     []string `json:"audiences,omitempty"`
	AnyAudience                   bool     `json:"any_audience,omitempty"`
	Keys                          *string  `json:"keys,omitempty"`
	KeysURL                       *string  `json:"keys_url,omitempty"`
	LeewaySeconds                 *int64   `json:"leeway_seconds,omitempty"`
	AllowedEmails                 []string `json:"allowed_emails,omitzero"`
	AllowedSubjects               []string `json:"allowed_subjects,omitzero"`
	AnyCaller                     bool     `json:"any_caller,omitempty"`
	TrustCloudRunAndSkipSignature bool     `json:"trust_cloud_run_and_skip_signature,omitempty"`
	RememberedBytes               *int64   `json:"remembered_bytes,omitempty"`
	HostCost                      hostCost `json:"host_cost"`

	host driver.Host
}

// extended is never nil: a list that was given empty is not one that was not given, and the core refuses it.
func extended(list, more []string) []string { return append(append([]string{}, list...), more...) }

type (
	clientOption   func(*clientSettings)
	hostOption     func(*driver.Host)
	sourceOption   func(*sourceSettings)
	verifierOption func(*verifierSettings)
)

func (o clientOption) applyToClient(c *clientSettings)       { o(c) }
func (o hostOption) applyToClient(c *clientSettings)         { c.source = append(c.source, o) }
func (o sourceOption) applyToClient(c *clientSettings)       { c.source = append(c.source, o) }
func (o hostOption) applyToSource(s *sourceSettings)         { o(&s.host) }
func (o hostOption) applyToVerifier(v *verifierSettings)     { o(&v.host) }
func (o sourceOption) applyToSource(s *sourceSettings)       { o(s) }
func (o verifierOption) applyToVerifier(v *verifierSettings) { o(v) }
