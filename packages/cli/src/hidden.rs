//! Arguments that may be secrets are not repeated in messages: people paste a token where a path belongs, and standard
//! error ends up in logs.

/// The text without those of the arguments that look like secrets.
pub(crate) fn without_secrets(text: &str, arguments: impl Iterator<Item = String>) -> String {
    let mut text = text.to_owned();
    for argument in arguments {
        // Of `--option=value` the value alone, too.
        let value = argument.split_once('=').map(|(_, value)| value.to_owned());
        for secret in [Some(argument), value].into_iter().flatten().filter(|text| looks_secret(text)) {
            let shown = format!("[{} characters, not shown]", secret.chars().count());
            let escaped = format!("{secret:?}");
            text = text.replace(escaped.trim_matches('"'), &shown).replace(&secret, &shown);
        }
    }
    text
}

fn looks_secret(text: &str) -> bool {
    // What is no word of the command line, for a terminal or for the core.
    text.contains(|c: char| c.is_control()) || gatepass::quoted(text) != format!("{text:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_however_they_are_shown() {
        let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\n";
        let arguments = || ["verify", key, "--keys=eyJhbGci.e30.c2ln"].map(str::to_owned).into_iter();
        let text = format!("invalid value '{key}', also as {key:?}, and eyJhbGci.e30.c2ln");
        assert_eq!(
            without_secrets(&text, arguments()),
            "invalid value '[69 characters, not shown]', also as \"[69 characters, not shown]\", and [17 characters, \
             not shown]"
        );
    }

    #[test]
    fn what_people_ask_for_is_shown() {
        for plain in [
            "/home/someone/a-rather-long-folder/with_a_long_name/credentials-2027.json",
            "https://orders-abc123-uc.a.run.app/v1/a/path?with=a&query=1",
            "orders@a-project-of-ours-1234.iam.gserviceaccount.com",
            "--trust-cloud-run-and-skip-signature",
            "projects/123456789012/locations/global/workloadIdentityPools/emulator",
        ] {
            assert_eq!(without_secrets(plain, [plain.to_owned()].into_iter()), plain);
        }
    }
}
