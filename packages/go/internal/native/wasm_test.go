//go:build !(cgo && !gatepass_wasm && linux && (amd64 || arm64))

package native

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gatepass.dev/gatepass/internal/wasm"
)

// What was begun by the interpreter goes on in compiled code, with all that it holds. It has to be the first test here.
func TestTheInterpreterIsRelieved(t *testing.T) {
	began := time.Now()
	issuer, keys := newIssuer(t), newKeys(t)
	verifier := issuer.verifier(t, keys, issuer.given())
	if !keys.within.at.instance.IsInterpreted() {
		t.Fatal("the module is compiled already, expected that its first calls are interpreted")
	}
	token := issuer.token("1")
	entry := mustAccept(t, verifier, token)
	underWay := mustResume(t, keys, issuer)
	for keys.within.at.instance.IsInterpreted() {
		if time.Since(began) > 5*time.Minute {
			t.Fatal("the module is never compiled")
		}
		if found := verifier.Recall(token, now); found != entry {
			t.Fatalf("the entry %d, expected %d", found, entry)
		}
	}
	if found := verifier.Recall(token, now); found != entry {
		t.Errorf("the entry %d, expected %d as before", found, entry)
	}
	mustAccept(t, verifier, issuer.token("2"))
	if step, err := underWay.Resume(now, `{"reply":"env","values":{}}`); err != nil || !strings.Contains(step, `"done"`) {
		t.Error(step, err)
	}
	underWay.Free()
}

// A call that ends in a fault fails with INTERNAL. The instance is replaced, and whatever was in it is made anew when it is
// asked for: it has forgotten its tokens and fetched keys, and confuses no new one with an old one.
func TestAFaultEndsItsCallOnly(t *testing.T) {
	issuer := newIssuer(t)
	keys, others := newKeys(t), newKeys(t)
	fetching := issuer.verifier(t, keys, `"keys_url":"https://keys.example/jwks"`)
	given := issuer.verifier(t, keys, issuer.given())
	other := issuer.verifier(t, others, issuer.given())
	first, second := issuer.token("first"), issuer.token("second")

	mustNeed := func() Verdict {
		t.Helper()
		found := mustCheck(t, fetching, first)
		if found.Answer != NeedsKeys || found.Flight == 0 {
			t.Fatalf("%+v, expected that keys are needed", found)
		}
		return found
	}
	needed := mustNeed()
	issuer.fetch(t, needed.Op)
	remembered := mustAccept(t, fetching, first)
	mustAccept(t, given, first)
	elsewhere := mustAccept(t, other, first)
	underWay := mustResume(t, keys, issuer)

	mustBeInternal(t, fault(fetching))

	if entry := fetching.Recall(first, now); entry != 0 {
		t.Errorf("the entry %d, expected that the token is forgotten", entry)
	}
	again := mustNeed()
	if again.Flight == needed.Flight {
		t.Error("a flight of the new instance has the number of one of the old")
	}
	issuer.fetch(t, again.Op)
	if anew := mustAccept(t, fetching, second); anew == remembered {
		t.Error("a token of the new instance has the entry of one of the old")
	}
	mustAccept(t, given, first)
	if entry := other.Recall(first, now); entry != elsewhere {
		t.Errorf("the entry %d, expected that of before in another instance: %d", entry, elsewhere)
	}
	_, err := underWay.Resume(now, `{"reply":"env","values":{}}`)
	mustBeInternal(t, err)
	underWay.Free()
}

// Those who check at the same time as somebody meets a fault do not notice.
func TestFaultsAreNobodyElses(t *testing.T) {
	issuer := newIssuer(t)
	verifier := issuer.verifier(t, newKeys(t), issuer.given())
	var all sync.WaitGroup
	for goroutine := range 4 {
		all.Add(1)
		go func() {
			defer all.Done()
			for at := range 50 {
				if goroutine == 0 {
					if err := fault(verifier); err == nil {
						t.Error("no fault")
					}
				} else if found, err := verifier.Check(issuer.token(fmt.Sprint(goroutine, at)), now); err != nil || found.Answer != Accepted {
					t.Error(found, err)
				}
			}
		}()
	}
	all.Wait()
}

func TestASourceOutlivesAFault(t *testing.T) {
	source, err := NewSource(`{"seed":1}`)
	if err != nil {
		t.Fatal(err)
	}
	lookup := func() Lookup {
		found, err := source.Lookup("id_token", "https://a.example", now)
		if err != nil || found.Answer != Fetch {
			t.Fatalf("%+v, %v, expected that it is to be fetched", found, err)
		}
		return found
	}
	first := lookup()
	mustBeInternal(t, source.within.enter(trap))
	_, err = first.Op.Resume(now, `{"reply":"start"}`)
	mustBeInternal(t, err)
	second := lookup()
	first.Op.Free() // That of the new instance may have the same handle.
	if _, err := second.Op.Resume(now, `{"reply":"start"}`); err != nil {
		t.Error(err)
	}
	second.Op.Free()
}

// Whatever the number of tokens, remembered, new and refused: once it holds as many as it may, the instance does not grow.
// GATEPASS_CHECKS is how many there are, if not 2,000.
func TestMemoryIsBounded(t *testing.T) {
	count := 2_000
	if text, isSet := os.LookupEnv("GATEPASS_CHECKS"); isSet {
		var err error
		if count, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	issuer := newIssuer(t)
	verifier := issuer.verifier(t, newKeys(t), issuer.given()+`,"remembered_bytes":262144`)
	refused := strings.Repeat("a", 1<<21) // Longer than is handed over.
	check := func(kind string, count int) (instance, heap uint64) {
		for at := range count {
			token := issuer.token(kind + strconv.Itoa(at))
			mustAccept(t, verifier, token)
			if verifier.Recall(token, now) == 0 {
				t.Fatal("the token is not remembered")
			}
			if _, err := verifier.Check(token+"A", now); err == nil {
				t.Fatal("another signature is accepted")
			}
			if at%100 == 0 {
				if _, err := verifier.Check(refused, now); err == nil || !strings.Contains(err.Error(), "TOKEN_TOO_LARGE") ||
					!strings.Contains(err.Error(), strconv.Itoa(len(refused))) {
					t.Fatal(err)
				}
			}
		}
		runtime.GC()
		runtime.GC()
		var statistics runtime.MemStats
		runtime.ReadMemStats(&statistics)
		return uint64(verifier.within.at.instance.MemorySize()), statistics.HeapAlloc
	}
	instance, heap := check("before ", 1_000)
	instanceAfter, heapAfter := check("after ", count)
	t.Logf("%d tokens: the instance has %d bytes, and had %d before; Go's heap %d and %d", count, instanceAfter, instance, heapAfter, heap)
	if instanceAfter > instance || heapAfter > heap+1<<20 {
		t.Error("the memory has grown")
	}
}

// A verifier that nobody has any more leaves the instance of those who share its keys.
func TestVerifiersLeave(t *testing.T) {
	issuer, keys := newIssuer(t), newKeys(t)
	for range 500 {
		issuer.verifier(t, keys, issuer.given())
	}
	runtime.GC()
	size := func() uint32 { return keys.within.at.instance.MemorySize() }
	before := size()
	for range 20 {
		for range 100 {
			issuer.verifier(t, keys, issuer.given())
		}
		runtime.GC()
	}
	if after := size(); after > 2*before {
		t.Errorf("%d bytes after 2,500 verifiers, %d after 500", after, before)
	}
}

const moment = 1_700_000_000

var now = Now{moment * 1000, 0}

// trap ends in a fault: there is no room for so much.
func trap(instance *wasm.Instance, _ uint64) error {
	_, err := instance.Number("input", 1<<31)
	return err
}

func fault(verifier *Verifier) error { return verifier.within.enter(trap) }

func mustBeInternal(t *testing.T, err error) {
	t.Helper()
	var failure struct{ Code, Message string }
	if err == nil || json.Unmarshal([]byte(err.Error()), &failure) != nil || failure.Code != "INTERNAL" {
		t.Fatalf("%v, expected INTERNAL", err)
	}
	if !strings.HasPrefix(failure.Message, "gatepass panicked: ") {
		t.Error(failure.Message)
	}
}

func mustCheck(t *testing.T, verifier *Verifier, token string) Verdict {
	t.Helper()
	found, err := verifier.Check(token, now)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// mustAccept returns the token's entry.
func mustAccept(t *testing.T, verifier *Verifier, token string) uint64 {
	t.Helper()
	found := mustCheck(t, verifier, token)
	if found.Answer != Accepted || found.Entry == 0 {
		t.Fatalf("%+v, expected that it is accepted and remembered", found)
	}
	return found.Entry
}

func newKeys(t *testing.T) *Keys {
	t.Helper()
	keys, err := NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// mustResume returns an operation under way.
func mustResume(t *testing.T, keys *Keys, issuer *testIssuer) *Op {
	t.Helper()
	op, err := keys.OpenVerifier(issuer.options(issuer.given()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := op.Resume(now, `{"reply":"start"}`); err != nil {
		t.Fatal(err)
	}
	return op
}

type testIssuer struct {
	private ed25519.PrivateKey
	jwks    string
}

func newIssuer(t *testing.T) *testIssuer {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &testIssuer{private, fmt.Sprintf(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"%s"}]}`, base64URL(string(public)))}
}

func (i *testIssuer) token(id string) string {
	signed := base64URL(`{"alg":"EdDSA","kid":"k"}`) + "." + base64URL(fmt.Sprintf(
		`{"iss":"https://issuer.example","aud":"a","sub":"1","jti":"%s","iat":%d,"exp":%d}`, id, moment-10, moment+3600))
	return signed + "." + base64URL(string(ed25519.Sign(i.private, []byte(signed))))
}

// given is the option that gives the keys.
func (i *testIssuer) given() string {
	text, _ := json.Marshal(i.jwks)
	return `"keys":` + string(text)
}

func (i *testIssuer) options(keys string) string {
	return `{"issuers":["https://issuer.example"],"algorithms":["EdDSA"],"audiences":["a"],` + keys + `}`
}

func (i *testIssuer) verifier(t *testing.T, keys *Keys, options string) *Verifier {
	t.Helper()
	op, err := keys.OpenVerifier(i.options(options))
	if err != nil {
		t.Fatal(err)
	}
	defer op.Free()
	for _, reply := range []string{`{"reply":"start"}`, `{"reply":"env","values":{}}`} {
		if _, err := op.Resume(now, reply); err != nil {
			t.Fatal(err)
		}
	}
	verifier, err := op.Verifier()
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

// fetch drives the operation that fetches the keys.
func (i *testIssuer) fetch(t *testing.T, op *Op) {
	t.Helper()
	body, _ := json.Marshal(i.jwks)
	answer := `{"reply":"response","status":200,"headers":[],"body":` + string(body) + `}`
	for _, reply := range []string{`{"reply":"start"}`, answer} {
		if _, err := op.Resume(now, reply); err != nil {
			t.Fatal(err)
		}
	}
	op.Free()
}

func base64URL(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
