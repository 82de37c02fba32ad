package gatepass

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"gatepass.dev/gatepass/internal/native"
)

// What a payload costs is not more than the core is told, whatever it is made of; and for those that there are, not much
// less.
func TestThePayloadsCost(t *testing.T) {
	repeat := func(count int, item func(int) string) string {
		items := make([]string, count)
		for i := range items {
			items[i] = item(i)
		}
		return strings.Join(items, ",")
	}
	const google = `"aud":"https://orders-123.europe-west1.run.app","azp":"112233445566778899000",` +
		`"email":"caller@project.iam.gserviceaccount.com","email_verified":true,"exp":1700003600,"iat":1700000000,` +
		`"iss":"https://accounts.google.com","sub":"112233445566778899000"`
	for name, claims := range map[string]string{
		"of Google":       google,
		"none":            `"iss":"a"`,
		"spaces":          google + `, "a": 1`, // Which is not plain.
		"small members":   repeat(300, func(i int) string { return fmt.Sprintf(`"%d":%d`, i, i) }),
		"small texts":     repeat(300, func(i int) string { return fmt.Sprintf(`"%d":"a\\n"`, i) }),
		"empty objects":   repeat(300, func(i int) string { return fmt.Sprintf(`"%d":{}`, i) }),
		"small objects":   repeat(300, func(i int) string { return fmt.Sprintf(`"%d":{"a":1}`, i) }),
		"one of Firebase": google + `,"firebase":{"identities":{"email":["a@b.example"]},"sign_in_provider":"password"}`,
		"nested objects":  strings.Repeat(`"a":{`, 50) + `"b":1` + strings.Repeat("}", 50),
		"empty arrays":    `"a":[` + repeat(300, func(int) string { return "[]" }) + "]",
		"small arrays":    `"a":[` + repeat(300, func(int) string { return "[1]" }) + "]",
		"numbers":         `"a":[` + repeat(2000, func(int) string { return "0" }) + "]",
		"a long text":     `"a":"` + strings.Repeat("a", 10_000) + `"`,
		"escapes":         `"a":"` + strings.Repeat(`\\n`, 4_000) + `"`,
		"other letters":   `"a":"` + strings.Repeat("\xc3\xbc", 4_000) + `"`,
	} {
		payload := "{" + claims + "}"
		if isExpected := !strings.HasSuffix(name, "objects"); isKept(payload) != isExpected {
			t.Errorf("%s: kept is not %t", name, isExpected)
		}
		const count = 100
		kept := make([]*keptPayload, count)
		before := heap()
		for i := range kept {
			payload, err := readPayload(native.Verdict{Payload: strings.Clone(payload)})
			if err != nil {
				t.Fatal(err)
			}
			kept[i] = &keptPayload{1, payload}
		}
		cost := (heap() - before) / count
		runtime.KeepAlive(kept)
		told := costOfPayloads.Token + costOfPayloads.Member*members(payload) + costOfPayloads.Byte*len(payload)
		if isKept(payload) && cost > told || name == "of Google" && told > 3*cost {
			t.Errorf("%s: a payload costs %d bytes, the core is told %d", name, cost, told)
		}
	}
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var statistics runtime.MemStats
	runtime.ReadMemStats(&statistics)
	return int(statistics.HeapAlloc)
}

// members counts as the core does: what comes after a brace, a bracket or a comma.
func members(payload string) int {
	count, inText := 0, false
	for _, letter := range strings.ReplaceAll(payload, `\\`, "") {
		switch {
		case letter == '"':
			inText = !inText
		case !inText && strings.ContainsRune("{[,", letter):
			count++
		}
	}
	return count
}
