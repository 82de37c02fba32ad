package gatepass_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"gatepass.dev/gatepass"
)

const plainPayload = `{"aud":"https://receiver.example","azp":"1","email":"a@b.example","email_verified":true,"exp":1700003600,` +
	`"iat":1700000000,"hd":null,"admin":false}`

// Claims are what encoding/json reads, whoever has read them; and where that fails, so does this.
func TestClaimsAreThoseOfEncodingJSON(t *testing.T) {
	payloads := []string{
		plainPayload, "", "{", "{}", "[]", "null", "7", `""`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,"a":1}`, `{"a":1}}`, `{"a":1} `,
		`{"a":"b"`, `{"a":b}`, `{a:1}`, `{"a" : 1 , "b":2}`, `{"a":"\u0041\n\"\\"}`, `{"\u0061":1}`, `{"a":"ü€😀"}`, "{\"a\":\"\xff\"}",
		"{\"a\":\"\x00\"}", "{\"a\":\"\t\"}", "{\"a\":\"\x7f\"}", `{"a":[1,{"b":[]}],"c":{"d":{}}}`, `{"a":0,"b":-1,"c":1.5,"d":1e3,"e":007}`,
		`{"a":999999999999999,"b":9007199254740993,"c":123456789012345678901234567890}`, `{"a":1e999}`, `{"a":-}`, `{"a":+1}`,
		`{"a":1,"a":2}`, `{"a":truE}`, `{"a":nul}`, `{"":""}`, `{"<&>":"<&>"}`,
	}
	for end := range plainPayload {
		payloads = append(payloads, plainPayload[:end])
		for _, other := range []byte("\x00 \"\\{}[]:,-.0e~\x7f\x80") {
			payloads = append(payloads, plainPayload[:end]+string([]byte{other})+plainPayload[end+1:])
		}
	}
	for _, payload := range payloads {
		var expected map[string]any
		expectedErr := json.Unmarshal([]byte(payload), &expected)
		claims, err := gatepass.ReadClaims(payload)
		if (err == nil) != (expectedErr == nil) || err == nil && !reflect.DeepEqual(claims, expected) {
			t.Errorf("%q: %v, %v; expected %v, %v", payload, claims, err, expected, expectedErr)
		}
	}
}
