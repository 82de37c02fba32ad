package gatepass

import (
	"encoding/json"
	"strings"
)

// readClaims returns the claims of a payload, a JSON object, as [encoding/json] reads them. It reads plain claims itself,
// which are nearly all that there are: for a token that is new, encoding/json would take a sixth of the whole time.
func readClaims(payload string) (map[string]any, error) {
	if claims, arePlain := readPlainClaims(payload); arePlain {
		return claims, nil
	}
	var claims map[string]any
	err := json.Unmarshal([]byte(payload), &claims)
	return claims, err
}

// readPlainClaims reads an object without spaces, in which there are only strings of ASCII without escapes, whole numbers
// that a float64 holds, true, false and null. All else, even if it is no JSON, is not plain. The strings are parts of the
// payload.
func readPlainClaims(payload string) (claims map[string]any, arePlain bool) {
	claims = map[string]any{}
	rest, isPlain := strings.CutPrefix(payload, "{")
	for isPlain {
		var name string
		var claim any
		if name, rest, isPlain = cutString(rest); !isPlain {
			break
		}
		if rest, isPlain = strings.CutPrefix(rest, ":"); !isPlain {
			break
		}
		if claim, rest, isPlain = cutClaim(rest); !isPlain {
			break
		}
		claims[name] = claim
		if rest == "}" {
			return claims, true
		}
		rest, isPlain = strings.CutPrefix(rest, ",")
	}
	return nil, false
}

func cutClaim(text string) (claim any, rest string, isPlain bool) {
	if strings.HasPrefix(text, `"`) {
		return cutString(text)
	}
	end := strings.IndexAny(text, ",}")
	if end < 0 {
		return nil, "", false
	}
	switch word, rest := text[:end], text[end:]; word {
	case "true":
		return true, rest, true
	case "false":
		return false, rest, true
	case "null":
		return nil, rest, true
	default:
		number, isPlain := wholeNumber(word)
		return number, rest, isPlain
	}
}

func cutString(text string) (content, rest string, isPlain bool) {
	text, found := strings.CutPrefix(text, `"`)
	if !found {
		return "", "", false
	}
	for at := range len(text) {
		switch letter := text[at]; {
		case letter == '"':
			return text[:at], text[at+1:], true
		case letter == '\\' || letter < ' ' || letter > '~':
			return "", "", false
		}
	}
	return "", "", false
}

// wholeNumber takes so many digits that each such number is a float64.
func wholeNumber(digits string) (number float64, isPlain bool) {
	if digits == "" || len(digits) > 15 || digits[0] == '0' {
		return 0, false
	}
	for at := range len(digits) {
		if digits[at] < '0' || digits[at] > '9' {
			return 0, false
		}
		number = number*10 + float64(digits[at]-'0')
	}
	return number, true
}
