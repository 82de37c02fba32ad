// Command mistakes makes each of the named mistakes and prints what it gets for it, a line of JSON for each. Mistakes that
// the compiler finds are in the folder uncompiled.
//
// Its argument: {"mistakes": [name, …], "audience": …, "tokens": {name: …}, "url": <of the emulator>}.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"

	"gatepass.dev/gatepass"
)

var asked struct {
	Mistakes []string
	Audience string
	Tokens   map[string]string
	URL      string
}

var ctx = context.Background()

var mistakes = map[string]func() error{
	"no_credentials": fetch,
	"wrong_path":     fetch,
	"wrong_audience": func() error { return verify(asked.Tokens["other_audience"]) },
	"missing_scheme": func() error {
		_, err := gatepass.AudienceForURL("orders.example/items")
		return err
	},
	"trailing_slash": func() error { return verify(asked.Tokens["trailing_slash"]) },
	"access_token": func() error {
		source, err := gatepass.NewAccessTokenSource(ctx, []string{"https://www.googleapis.com/auth/cloud-platform"})
		if err != nil {
			return err
		}
		token, err := source.Token()
		if err != nil {
			return err
		}
		return verify(token.AccessToken)
	},
	"plain_http": func() error {
		client, err := gatepass.NewClient(ctx, asked.Audience)
		if err != nil {
			return err
		}
		_, err = client.Get("http://orders.example/items")
		return err
	},
	"emulator_down": fetch,
	"clock_behind":  func() error { return verify(asked.Tokens["issued_in_two_hours"]) },
	"no_audience": func() error {
		_, err := gatepass.NewVerifier()
		return err
	},
	"keys_url_404": func() error {
		return verify(asked.Tokens["good"], gatepass.WithKeysURL(asked.URL+"/no/such/keys"))
	},
	"bearer":  func() error { return verify("Bearer " + asked.Tokens["good"]) },
	"newline": func() error { return verify(asked.Tokens["good"] + "\n") },
	"empty":   func() error { return verify("") },
	"null": func() error {
		var verifier *gatepass.Verifier
		_, err := verifier.Validate(ctx, asked.Tokens["good"])
		return err
	},
	"wrong_preset": func() error {
		return verify(asked.Tokens["good"], gatepass.WithPreset(gatepass.IAP))
	},
}

func fetch() error {
	_, err := gatepass.FetchIDToken(ctx, asked.Audience)
	return err
}

func verify(token string, options ...gatepass.VerifierOption) error {
	_, err := gatepass.Validate(ctx, token, asked.Audience, options...)
	return err
}

type answer struct {
	Mistake string  `json:"mistake"`
	Type    string  `json:"type"`
	Code    *string `json:"code"`
	Message string  `json:"message"`
}

func answerTo(name string) answer {
	err := mistakes[name]()
	if err == nil {
		return answer{Mistake: name, Type: "no error"}
	}
	var ours *gatepass.Error
	if !errors.As(err, &ours) {
		return answer{Mistake: name, Type: fmt.Sprintf("%T", err), Message: err.Error()}
	}
	code := string(ours.Code)
	return answer{Mistake: name, Type: "*gatepass.Error", Code: &code, Message: ours.Message}
}

func main() {
	if err := json.Unmarshal([]byte(os.Args[1]), &asked); err != nil {
		log.Fatal(err)
	}
	lines := json.NewEncoder(os.Stdout)
	lines.SetEscapeHTML(false)
	for _, name := range asked.Mistakes {
		if err := lines.Encode(answerTo(name)); err != nil {
			log.Fatal(err)
		}
	}
}
