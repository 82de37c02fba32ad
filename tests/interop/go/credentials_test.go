package interop

import (
	"context"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"cloud.google.com/go/auth/credentials"
	cloudidtoken "cloud.google.com/go/auth/credentials/idtoken"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/idtoken"
	"google.golang.org/api/option"

	"gatepass.dev/gatepass"
)

const (
	person = "person@project.example"
	scope  = "https://www.googleapis.com/auth/cloud-platform"
)

// A kind of credentials, and who gets which tokens by it.
type kind struct {
	name string
	// key are the options of `gatepass emulator key`; without any, the credentials are the metadata server's.
	key []string
	// says is what the emulator's tokeninfo knows of an access token. The e-mail is the ID token's too.
	says map[string]string
	// refusals are words of the error of those who have no token by these credentials.
	refusals map[string]string
}

var kinds = []kind{
	{
		name: "metadata server",
		says: map[string]string{"email": "default@emulator.iam.gserviceaccount.com"},
	},
	{
		name: "service_account",
		key:  []string{"--email", email},
		says: map[string]string{"email": email},
	},
	{
		name:     "authorized_user",
		key:      []string{"--type", "authorized_user", "--email", person},
		says:     map[string]string{"email": person},
		refusals: noIDToken("unsupported credentials type"),
	},
	{
		name: "impersonated_service_account",
		key:  []string{"--type", "impersonated_service_account", "--email", email, "--person", person},
		says: map[string]string{"email": email}, refusals: notByItself,
	},
	federated("file", "--file", "subject-token"),
	federated("url"),
	federated("executable"),
	federated("aws"),
	{
		name: "external_account without impersonation",
		key:  []string{"--type", "external_account", "--no-impersonation", "--source", "url"},
		says: map[string]string{
			"sub": "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/emulator/" +
				"subject/workload",
		},
		refusals: noIDToken("status code 40"),
	},
	{
		name: "external_account_authorized_user",
		key:  []string{"--type", "external_account_authorized_user", "--email", person},
		says: map[string]string{
			"sub": "principal://iam.googleapis.com/locations/global/workforcePools/emulator/subject/" + person,
		},
		refusals: noIDToken("unsupported credentials type"),
	},
}

// notByItself is for ID tokens of an impersonated account: the request for one goes out with the client that
// auth/credentials/idtoken was given, or with its default one, and neither brings an access token along.
var notByItself = map[string]string{"auth/credentials/idtoken": "status code 401"}

func federated(source string, options ...string) kind {
	return kind{
		name:     "external_account, " + source,
		key:      append([]string{"--type", "external_account", "--email", email, "--source", source}, options...),
		says:     map[string]string{"email": email},
		refusals: notByItself,
	}
}

func noIDToken(words string) map[string]string {
	return map[string]string{"auth/credentials/idtoken": words, "api/idtoken": words}
}

// accessTokens are how Google's libraries get an access token by a credential file, or without one.
var accessTokens = map[string]func(ctx context.Context, emulator *emulator, file string) (string, error){
	"auth/credentials": func(ctx context.Context, emulator *emulator, file string) (string, error) {
		found, err := credentials.DetectDefault(&credentials.DetectOptions{
			Scopes: []string{scope}, CredentialsFile: file, TokenURL: emulator.URL + "/token", STSAudience: audience,
		})
		if err != nil {
			return "", err
		}
		token, err := found.Token(ctx)
		if err != nil {
			return "", err
		}
		return token.Value, nil
	},
	"oauth2/google": func(ctx context.Context, emulator *emulator, file string) (string, error) {
		params := google.CredentialsParams{Scopes: []string{scope}, TokenURL: emulator.URL + "/token"}
		found, err := credentialsOf(ctx, file, params)
		if err != nil {
			return "", err
		}
		token, err := found.TokenSource.Token()
		if err != nil {
			return "", err
		}
		return token.AccessToken, nil
	},
}

func credentialsOf(ctx context.Context, file string, params google.CredentialsParams) (*google.Credentials, error) {
	if file == "" {
		return google.FindDefaultCredentialsWithParams(ctx, params)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return google.CredentialsFromJSONWithParams(ctx, text, params)
}

// idTokens are how they get an ID token.
var idTokens = map[string]func(ctx context.Context, file string) (string, error){
	"auth/credentials/idtoken": func(ctx context.Context, file string) (string, error) {
		found, err := cloudidtoken.NewCredentials(&cloudidtoken.Options{Audience: audience, CredentialsFile: file})
		if err != nil {
			return "", err
		}
		token, err := found.Token(ctx)
		if err != nil {
			return "", err
		}
		return token.Value, nil
	},
	"api/idtoken": func(ctx context.Context, file string) (string, error) {
		var options []option.ClientOption
		if file != "" {
			options = append(options, option.WithCredentialsFile(file))
		}
		source, err := idtoken.NewTokenSource(ctx, audience, options...)
		if err != nil {
			return "", err
		}
		token, err := source.Token()
		if err != nil {
			return "", err
		}
		return token.AccessToken, nil
	},
}

// With the emulator's credential files of every kind, Google's libraries get tokens from the emulator.
func TestTheirCredentials(t *testing.T) {
	emulator := startEmulator(t)
	emulator.standInForGoogle(t)
	t.Setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
	t.Chdir(t.TempDir())
	must(t, os.WriteFile("subject-token", []byte("subject"), 0o600))
	for _, kind := range kinds {
		file := ""
		if kind.key != nil {
			file = emulator.KeyFile(t, kind.key...)
		}
		emulator.testAccessTokens(t, kind, file)
		for library, fetch := range idTokens {
			t.Run(kind.name+", ID token by "+library, func(t *testing.T) {
				token, err := fetch(deadline(t), file)
				if kind.refuses(t, library, err) {
					return
				}
				payload, err := gatepass.Validate(deadline(t), token, audience, gatepass.WithKeysURL(emulator.URL+"/oauth2/v3/certs"))
				must(t, err)
				if payload.Claims["email"] != kind.says["email"] {
					t.Errorf("%v's, expected %s's", payload.Claims["email"], kind.says["email"])
				}
			})
		}
	}
}

func (e *emulator) testAccessTokens(t *testing.T, kind kind, file string) {
	t.Helper()
	for library, fetch := range accessTokens {
		t.Run(kind.name+", access token by "+library, func(t *testing.T) {
			token, err := fetch(deadline(t), e, file)
			if kind.refuses(t, library, err) {
				return
			}
			said := e.TokenInfo(t, token)
			for name, value := range kind.says {
				if said[name] != value {
					t.Errorf("its %s is %s, expected %s", name, said[name], value)
				}
			}
		})
	}
}

// Over TLS, which the emulator cannot speak in Google's place: so there are no ID tokens, for which the libraries go to
// Google's own host.
func TestTheirCredentialsOverTLS(t *testing.T) {
	emulator := startEmulator(t)
	for _, kind := range []kind{
		{
			name:     "external_account, certificate",
			key:      []string{"--type", "external_account", "--email", email, "--source", "certificate"},
			says:     map[string]string{"email": email},
			refusals: map[string]string{"oauth2/google": "credential source"},
		},
		{
			name:     "gdch_service_account",
			key:      []string{"--type", "gdch_service_account", "--name", "identity"},
			says:     map[string]string{"sub": "system:serviceaccount:emulator:identity"},
			refusals: map[string]string{"oauth2/google": "private key"},
		},
	} {
		emulator.testAccessTokens(t, kind, emulator.KeyFile(t, kind.key...))
	}
}

// refuses tells whether a library has no token by these credentials, and compares how it says so.
func (k kind) refuses(t *testing.T, library string, err error) bool {
	t.Helper()
	words, expected := k.refusals[library]
	if !expected {
		must(t, err)
		return false
	}
	if err == nil || !strings.Contains(err.Error(), words) {
		t.Errorf("%v, expected an error with %q", err, words)
	}
	return true
}

// standInForGoogle makes this process find the emulator behind every https URL, until the test ends.
func (e *emulator) standInForGoogle(t *testing.T) {
	t.Helper()
	transport := http.DefaultTransport.(*http.Transport)
	transport.DialTLSContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, e.Host())
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		transport.DialTLSContext = nil
	})
}
