package gatepass_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gatepass.dev/gatepass"
	"gatepass.dev/gatepass/internal/native"
)

const vectors = "../../tests/vectors"

// Every token of the corpus is decided as expected, through the package's public functions.
func TestAttackCorpus(t *testing.T) {
	var corpus struct {
		Profiles map[string]struct{ Audience string }
		JWKS     map[string]json.RawMessage
		Cases    []struct {
			ID, Name, Profile, JWKS, Token string
			Now, Leeway                    int64
			Opts                           struct{ Email string }
			Expected                       string
			Reasons                        []string
		}
	}
	readVectors(t, vectors+"/verify/attack_corpus.json", &corpus)
	allowed := map[string]json.RawMessage{}
	readVectors(t, vectors+"/verify/codes.json", &allowed)
	if len(corpus.Cases) < 500 {
		t.Fatalf("only %d cases", len(corpus.Cases))
	}
	for _, c := range corpus.Cases {
		options := []gatepass.VerifierOption{
			gatepass.WithPreset(gatepass.Preset(c.Profile)),
			gatepass.WithAudience(corpus.Profiles[c.Profile].Audience),
			gatepass.WithKeys(corpus.JWKS[c.JWKS]),
			gatepass.WithLeeway(time.Duration(c.Leeway) * time.Second),
			gatepass.WithClock(func() time.Time { return time.Unix(c.Now, 0) }),
		}
		if c.Opts.Email != "" {
			options = append(options, gatepass.WithAllowedEmails(c.Opts.Email))
		}
		verifier, err := gatepass.NewVerifier(options...)
		if err != nil {
			t.Errorf("%s %s: %v", c.ID, c.Name, err)
			continue
		}
		// Twice: the second time the token may be remembered.
		for range 2 {
			payload, err := verifier.Validate(deadline(t), c.Token)
			if c.Expected == "accept" {
				if err != nil || len(payload.Claims) == 0 {
					t.Errorf("%s %s: refused: %v", c.ID, c.Name, err)
				}
				continue
			}
			var refused *gatepass.Error
			if !errors.As(err, &refused) || refused.Kind != gatepass.KindVerify {
				t.Errorf("%s %s: %v, expected an error of the kind verify", c.ID, c.Name, err)
				continue
			}
			if payload != nil {
				t.Errorf("%s %s: refused, and has a payload", c.ID, c.Name)
			}
			var codes []gatepass.Code
			for _, reason := range c.Reasons {
				var of []gatepass.Code
				must(t, json.Unmarshal(allowed[reason], &of))
				codes = append(codes, of...)
			}
			if !slices.Contains(codes, refused.Code) {
				t.Errorf("%s %s: %v, expected one of %v", c.ID, c.Name, refused, codes)
			}
		}
	}
}

// The rules come from the preset that the options name, or imply.
func TestPresetVectors(t *testing.T) {
	var file struct {
		Now   int64
		Keys  json.RawMessage
		Cases []struct {
			Name, Audience, Preset, Token, Expected string
			Issuers, Algorithms                     []string
		}
	}
	readVectors(t, vectors+"/presets/presets.json", &file)
	if len(file.Cases) == 0 {
		t.Fatal("there are no cases")
	}
	for _, c := range file.Cases {
		options := []gatepass.VerifierOption{
			gatepass.WithAudience(c.Audience), gatepass.WithKeys(file.Keys),
			gatepass.WithClock(func() time.Time { return time.Unix(file.Now, 0) }),
		}
		if c.Preset != "" {
			options = append(options, gatepass.WithPreset(gatepass.Preset(c.Preset)))
		}
		if c.Issuers != nil {
			options = append(options, gatepass.WithIssuers(c.Issuers...))
		}
		if c.Algorithms != nil {
			options = append(options, gatepass.WithAlgorithms(c.Algorithms...))
		}
		verifier, err := gatepass.NewVerifier(options...)
		if err == nil {
			_, err = verifier.Validate(deadline(t), c.Token)
		}
		if c.Expected == "accept" {
			if err != nil {
				t.Errorf("%s: %v", c.Name, err)
			}
		} else if !errors.Is(err, gatepass.Code(c.Expected)) {
			t.Errorf("%s: %v, expected %s", c.Name, err, c.Expected)
		}
	}
}

func TestPresetsOfAnEmulator(t *testing.T) {
	var file struct {
		Audience  string
		Variables []string
		Cases     []struct {
			Name, Expected, Found string
			Environment           map[string]string
		}
	}
	readVectors(t, vectors+"/presets/emulator.json", &file)
	if len(file.Cases) == 0 {
		t.Fatal("there are no cases")
	}
	for _, c := range file.Cases {
		t.Run(c.Name, func(t *testing.T) {
			for _, name := range file.Variables {
				t.Setenv(name, c.Environment[name])
			}
			_, err := gatepass.NewVerifier(gatepass.WithAudience(file.Audience))
			if c.Expected == "accept" {
				must(t, err)
			} else if !errors.Is(err, gatepass.Code(c.Expected)) || !strings.Contains(err.Error(), c.Found) {
				t.Errorf("%v, expected %s: %s", err, c.Expected, c.Found)
			}
		})
	}
}

// Every algorithm verifies with the keys that are meant for it, and with no others.
func TestAlgorithmVectors(t *testing.T) {
	var file struct {
		Issuer, Audience string
		Now              int64
		Cases            []struct {
			Name, Token, Expected string
			Keys                  json.RawMessage
			Algorithms            []string
		}
	}
	readVectors(t, vectors+"/algorithms/algorithms.json", &file)
	if len(file.Cases) < 100 {
		t.Fatalf("only %d cases", len(file.Cases))
	}
	for _, c := range file.Cases {
		verifier := got(gatepass.NewVerifier(
			gatepass.WithIssuers(file.Issuer), gatepass.WithAudience(file.Audience),
			gatepass.WithAlgorithms(c.Algorithms...), gatepass.WithKeys(c.Keys),
			gatepass.WithClock(func() time.Time { return time.Unix(file.Now, 0) })))(t)
		_, err := verifier.Validate(deadline(t), c.Token)
		if c.Expected == "accept" {
			if err != nil {
				t.Errorf("%s: %v", c.Name, err)
			}
		} else if !errors.Is(err, gatepass.Code(c.Expected)) {
			t.Errorf("%s: %v, expected %s", c.Name, err, c.Expected)
		}
	}
}

// Every transcript of a fetch goes as written, step by step.
func TestAcquireVectors(t *testing.T) {
	forEachVector(t, "acquire", func(t *testing.T, c transcript) {
		c.play(t, func(at int, step string) { sameStep(t, at, step, c.Transcript[at].Step) })
	})
}

// A transcript is what the core and its host say to each other while a token is fetched.
type transcript struct {
	Kind, Target string
	Options      json.RawMessage
	Transcript   []struct {
		NowMS       uint64  `json:"now_ms"`
		MonotonicMS *uint64 `json:"monotonic_ms"`
		Reply       json.RawMessage
		Step        json.RawMessage
	}
}

// moment is the readings of both clocks. Where the vector has but one, they agree.
func moment(now uint64, monotonic *uint64) native.Now {
	if monotonic == nil {
		monotonic = &now
	}
	return native.Now{Unix: now, Monotonic: *monotonic}
}

// play gives the core the transcript's replies, and see the step after each.
func (c transcript) play(t *testing.T, see func(at int, step string)) {
	t.Helper()
	source := got(native.NewSource(string(c.Options)))(t)
	found := got(source.Lookup(c.Kind, c.Target, moment(c.Transcript[0].NowMS, c.Transcript[0].MonotonicMS)))(t)
	if found.Answer != native.Fetch {
		t.Fatalf("the lookup's answer is %d, expected a fetch", found.Answer)
	}
	defer found.Op.Free()
	for at, turn := range c.Transcript {
		see(at, got(found.Op.Resume(moment(turn.NowMS, turn.MonotonicMS), string(turn.Reply)))(t))
	}
}

// Every timeline of lookups and replies goes as written.
func TestCacheVectors(t *testing.T) {
	type event struct {
		AtMS         uint64  `json:"at_ms"`
		MonotonicMS  *uint64 `json:"monotonic_ms"`
		Do, Op       string
		Kind, Target string
		Reply        json.RawMessage
		Expect       json.RawMessage
	}
	type vector struct {
		Name    string
		Options json.RawMessage
		Events  []event
	}
	answers := map[string]native.Answer{
		"fresh": native.Fresh, "stale": native.Stale, "fetch": native.Fetch, "join": native.Join,
	}
	forEachVector(t, "cache", func(t *testing.T, c vector) {
		source := got(native.NewSource(string(c.Options)))(t)
		ops := map[string]native.Turn{}
		for i, event := range c.Events {
			now := moment(event.AtMS, event.MonotonicMS)
			switch event.Do {
			case "lookup":
				found := got(source.Lookup(event.Kind, event.Target, now))(t)
				var expect struct {
					Status   string
					Header   *string
					Refresh  *bool
					FlightOf *string `json:"flight_of"`
				}
				must(t, json.Unmarshal(event.Expect, &expect))
				wanted, known := answers[expect.Status]
				if !known || found.Answer != wanted {
					t.Fatalf("event %d: the answer is %d, expected %s", i, found.Answer, expect.Status)
				}
				if expect.Header != nil && found.Header != *expect.Header {
					t.Errorf("event %d: another header than expected", i)
				}
				if expect.Refresh != nil && (found.Op != nil) != *expect.Refresh {
					t.Errorf("event %d: refresh is %t, expected %t", i, found.Op != nil, *expect.Refresh)
				}
				if expect.FlightOf != nil && found.Flight != ops[*expect.FlightOf].Flight {
					t.Errorf("event %d: flight %d is not that of %s", i, found.Flight, *expect.FlightOf)
				}
				if found.Op != nil {
					if event.Op == "" {
						t.Fatalf("event %d: an operation that nobody expects", i)
					}
					ops[event.Op] = found.Turn
				}
			case "resume":
				step := got(ops[event.Op].Op.Resume(now, string(event.Reply)))(t)
				sameStep(t, i, step, event.Expect)
			case "cancel":
				ops[event.Op].Op.Free()
			default:
				t.Fatalf("event %d: nobody knows how to %s", i, event.Do)
			}
		}
		for _, op := range ops {
			op.Op.Free()
		}
	})
}

// forEachVector runs every case of every file of a folder.
func forEachVector[V any](t *testing.T, folder string, run func(*testing.T, V)) {
	t.Helper()
	files := got(filepath.Glob(filepath.Join(vectors, folder, "*.json")))(t)
	ran := 0
	for _, path := range files {
		if filepath.Base(path) == "schema.json" {
			continue
		}
		var file struct{ Cases []json.RawMessage }
		readVectors(t, path, &file)
		for _, text := range file.Cases {
			var vector V
			must(t, json.Unmarshal(text, &vector))
			var named struct{ Name string }
			must(t, json.Unmarshal(text, &named))
			t.Run(named.Name, func(t *testing.T) { run(t, vector) })
			ran++
		}
	}
	if ran == 0 {
		t.Fatalf("no vectors in %s/%s", vectors, folder)
	}
}

// sameStep compares a step exactly; of an error only what the vector names.
func sameStep(t *testing.T, at int, step string, expected json.RawMessage) {
	t.Helper()
	var is, want map[string]any
	must(t, json.Unmarshal([]byte(step), &is))
	must(t, json.Unmarshal(expected, &want))
	if wanted, isFail := want["error"].(map[string]any); isFail && is["step"] == "fail" {
		found, _ := is["error"].(map[string]any)
		for _, member := range []string{"code", "retryable", "claim", "message"} {
			if value, named := wanted[member]; named && !reflect.DeepEqual(found[member], value) {
				t.Errorf("step %d: the error's %s is %v, expected %v", at, member, found[member], value)
			}
		}
		return
	}
	if !reflect.DeepEqual(is, want) {
		t.Errorf("step %d is\n%s\nexpected\n%s", at, step, expected)
	}
}

func readVectors(t *testing.T, path string, into any) {
	t.Helper()
	must(t, json.Unmarshal(got(os.ReadFile(path))(t), into))
}
