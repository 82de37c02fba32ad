package gatepass

import (
	"regexp"
	"strings"
)

// inGo names options as this package does where a message of the core has them in backticks.
func inGo(message string) string {
	return optionInBackticks.ReplaceAllStringFunc(message, func(quoted string) string {
		return optionName(strings.Trim(quoted, "`"))
	})
}

var optionInBackticks = regexp.MustCompile("`[a-z]+(_[a-z]+)*`")

// optionName turns allowed_emails into WithAllowedEmails.
func optionName(option string) string {
	if name, isOther := otherNames[option]; isOther {
		return name
	}
	name := "With"
	for _, word := range strings.Split(option, "_") {
		if initials, are := initialWords[word]; are {
			name += initials
		} else {
			name += strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return name
}

// initialWords are words that Go writes in capitals.
var initialWords = map[string]string{
	"gdch": "GDCH", "http": "HTTP", "id": "ID", "json": "JSON", "url": "URL",
}

// otherNames are those of options that Go's users give in another form.
var otherNames = map[string]string{
	"allow_user_id_token": "WithUserIDToken", "audience": "WithAudience", "audiences": "WithAudience",
	"delegates": "WithImpersonation", "expect_type": "WithExpectedType", "impersonate": "WithImpersonation",
	"leeway_seconds": "WithLeeway", "quota_project_id": "WithQuotaProject", "suppliers": "WithSupplier",
}
