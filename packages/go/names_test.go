package gatepass

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os"
	"reflect"
	"strings"
	"testing"

	"gatepass.dev/gatepass/internal/native"
)

// Every option of the schemas is an option of this package, and named so in messages.
func TestTheNamesOfOptions(t *testing.T) {
	file, err := parser.ParseFile(gotoken.NewFileSet(), "options.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	functions := map[string]bool{"WithSeed": true, "WithHostCost": true, "WithKService": true} // These are no user's.
	for _, declaration := range file.Decls {
		if function, isFunction := declaration.(*ast.FuncDecl); isFunction && function.Recv == nil {
			functions[function.Name.Name] = true
		}
	}
	for schema, settings := range map[string]any{"source_options": sourceSettings{}, "verifier_options": verifierSettings{}} {
		text, err := os.ReadFile("../../interface/" + schema + ".schema.json")
		if err != nil {
			t.Fatal(err)
		}
		var document struct{ Properties map[string]any }
		if err := json.Unmarshal(text, &document); err != nil {
			t.Fatal(err)
		}
		sent := map[string]bool{"k_service": true}
		for _, field := range reflect.VisibleFields(reflect.TypeOf(settings)) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			sent[name] = true
		}
		for option := range document.Properties {
			if !functions[optionName(option)] {
				t.Errorf("%s: there is no %s", option, optionName(option))
			}
			if !sent[option] {
				t.Errorf("%s is never sent", option)
			}
		}
	}
}

func TestMessagesNameOptionsAsGoDoes(t *testing.T) {
	for message, expected := range map[string]string{
		"`allowed_emails` is an empty list": "WithAllowedEmails is an empty list",
		"`keys` and `keys_url` are given":   "WithKeys and WithKeysURL are given",
		"`audiences`, `gdch_audience`":      "WithAudience, WithGDCHAudience",
		"`Bearer ` and `a b` and `` stay":   "`Bearer ` and `a b` and `` stay",
	} {
		if found := inGo(message); found != expected {
			t.Errorf("%q, expected %q", found, expected)
		}
	}
	text := `{"code":"INVALID_OPTION","kind":"usage","message":"` + "`any_caller`" + ` is given"}`
	if err := newError([]byte(text), nil); !strings.Contains(err.Error(), "WithAnyCaller is given") {
		t.Errorf("%v", err)
	}
}

// What an error says is at hand as data.
func TestAnErrorsData(t *testing.T) {
	err := newError([]byte(`{"code":"BAD_AUDIENCE","kind":"verify","message":"m","retryable":false,"claim":"aud",`+
		`"reason":"mismatch","found":"a","expected":["b","c"],"claimed_email":null,"refusal":{"status":401,"headers":[],"body":""}}`), nil)
	expected := &Error{
		Code: ErrBadAudience, Kind: KindVerify, Message: "m", Claim: "aud", Reason: ReasonMismatch,
		Found: []string{"a"}, Expected: []string{"b", "c"}, refusal: refusal{Status: 401, Headers: [][2]string{}},
	}
	if !reflect.DeepEqual(err, expected) {
		t.Errorf("%#v", err)
	}
	_, failure := native.AudienceForURL("")
	if err := asError(failure).(*Error); err.Found != nil || err.Expected != nil {
		t.Errorf("%#v", err)
	}
}
