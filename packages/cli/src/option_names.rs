//! The core's options as this program spells them: messages name them in backticks.

/// Each option of the core, and its name here.
const NAMES: [(&str, &str); 23] = [
    ("algorithms", "--algorithm"),
    ("allow_user_id_token", "--allow-user-id-token"),
    ("allowed_emails", "--email"),
    ("allowed_subjects", "--subject"),
    ("any_audience", "--any-audience"),
    ("any_caller", "--any-caller"),
    ("audience", "--audience"),
    ("audiences", "--audience"),
    ("credentials_file", "--credentials"),
    ("delegates", "--delegate"),
    ("expect_type", "--expect-type"),
    ("gdch_audience", "--gdch-audience"),
    ("header", "--header"),
    ("impersonate", "--impersonate"),
    ("issuers", "--issuer"),
    ("keys", "--keys"),
    ("keys_url", "--keys-url"),
    ("leeway_seconds", "--leeway"),
    ("preset", "--preset"),
    ("quota_project_id", "--quota-project"),
    ("self_signed_access_tokens", "--self-signed-access-tokens"),
    ("subject", "--subject"),
    ("universe_domain", "--universe-domain"),
];

/// The message with `any_audience` as `--any-audience`. Whatever else is in backticks stays as it is.
pub(crate) fn spelled(message: &str) -> String {
    let parts = message.split('`').enumerate().map(|(index, part)| {
        let name = NAMES.iter().find(|(option, _)| index % 2 == 1 && *option == part);
        name.map_or(part, |(_, name)| name)
    });
    parts.collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use clap::CommandFactory as _;
    use serde_json::Value;

    use super::*;
    use crate::Gatepass;

    #[test]
    fn options_are_named_as_they_are_typed() {
        assert_eq!(
            spelled("needs `allowed_emails` (or `any_caller`), not a_b"),
            "needs `--email` (or `--any-caller`), not a_b"
        );
        assert_eq!(spelled("a `Bearer` and a ` alone"), "a `Bearer` and a ` alone");
        assert_eq!(spelled("`audience"), "`--audience");
    }

    /// An option of the schemas is spelled here, or known to be none of this program's.
    #[test]
    fn every_option_has_a_name() {
        const NONE: [&str; 10] = [
            "credentials_json",
            "host_cost",
            "k_service",
            "remembered_bytes",
            "seed",
            "suppliers",
            "time",
            "trust_cloud_run_and_skip_signature",
            "trusted_endpoints",
            "url",
        ];
        let mut program = Gatepass::command();
        program.build();
        let flags: HashSet<_> = program
            .get_subcommands()
            .flat_map(|one| one.get_arguments())
            .filter_map(|arg| arg.get_long())
            .collect();
        for (option, name) in NAMES {
            assert!(flags.contains(name.trim_start_matches("--")), "{option}: no {name}");
        }
        for schema in ["source_options", "verifier_options", "explain_options"] {
            let path = format!("{}/../../interface/{schema}.schema.json", env!("CARGO_MANIFEST_DIR"));
            let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
            for option in schema["properties"].as_object().unwrap().keys() {
                let is_named = NAMES.iter().any(|(name, _)| name == option);
                assert!(is_named || NONE.contains(&option.as_str()), "`{option}` has no name here");
            }
        }
    }
}
