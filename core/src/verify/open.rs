//! Making a verifier: its options, and what the environment adds to them.

use crate::environment::{self, Environment};
use crate::error::{Error, ErrorCode};
use crate::named_places::NamedPlaces;
use crate::proxy::Proxies;
use crate::step::{Now, Operation, Reply, Step};
use crate::url::Url;
use crate::verify::config::{KeySource, VerifierConfig};
use crate::verify::keys::KeyCache;
use crate::verify::verifier::{Surroundings, Verifier};

/// The operation that makes a verifier. Its only step reads the environment: `K_SERVICE`, without which
/// `trust_cloud_run_and_skip_signature` is refused, and `GATEPASS_DANGEROUSLY_TRUST_EMULATOR`, the URL of an emulator whose
/// keys are taken for Google's where no option gives keys.
///
/// Fails with [`ErrorCode::InvalidOption`].
pub struct OpenVerifier {
    config: VerifierConfig,
    keys: KeyCache,
    state: State,
}

enum State {
    Created,
    ReadingEnv,
    Ended,
}

/// A verifier, and what its user must hear.
pub struct Opened {
    /// The verifier.
    pub verifier: Verifier,
    /// Lines for the log, at the level of warnings.
    pub warnings: Vec<String>,
}

impl Verifier {
    /// The operation that makes a verifier with this policy, the environment's say included, and keys from this cache.
    pub fn open(config: VerifierConfig, keys: &KeyCache) -> OpenVerifier {
        OpenVerifier::new(config, keys)
    }
}

impl OpenVerifier {
    /// A verifier to be, with these options and keys from this cache.
    pub fn new(config: VerifierConfig, keys: &KeyCache) -> Self {
        Self { config: config.with_default_preset(), keys: keys.clone(), state: State::Created }
    }

    fn open(&mut self, environment: &Environment) -> Result<Opened, Error> {
        let mut warnings = Vec::new();
        let mut surroundings =
            Surroundings { is_on_cloud_run: environment.var(environment::SERVICE).is_some(), emulator: None };
        if let Some((url, origin)) = emulator(&self.config, environment)? {
            surroundings.emulator = Some(url);
            warnings.push(format!(
                "{} is set: this verifier accepts tokens of the emulator at {origin}, and anybody can get one there. \
                 Never set it where real callers are.",
                environment::TRUST_EMULATOR
            ));
        }
        self.keys.reach_by(Proxies::of(environment));
        let verifier = Verifier::within(surroundings, self.config.clone(), &self.keys)?;
        warnings.extend(verifier.problem_of_keys());
        Ok(Opened { verifier, warnings })
    }
}

impl Operation for OpenVerifier {
    type Output = Opened;

    fn resume(&mut self, _now: Now, reply: Reply) -> Step<Opened> {
        match (std::mem::replace(&mut self.state, State::Ended), reply) {
            (State::Created, Reply::Start) => {
                self.state = State::ReadingEnv;
                Step::ReadEnv { names: environment::OF_VERIFIERS }
            }
            (State::ReadingEnv, Reply::Env(values)) => self.open(&Environment::new(values)).into(),
            (State::Created, other) => Step::misuse("Start", &other),
            (State::ReadingEnv, other) => Step::misuse("Env", &other),
            (State::Ended, other) => Step::misuse("nothing: the operation has ended", &other),
        }
    }
}

/// The emulator's key URL in place of the one of these options' preset, and the emulator's own URL.
fn emulator(config: &VerifierConfig, environment: &Environment) -> Result<Option<(String, String)>, Error> {
    let preset = config.preset.filter(|preset| preset.is_emulated());
    let (Some(text), Some(google), KeySource::Preset) = (
        environment.var(environment::TRUST_EMULATOR),
        preset.and_then(|preset| preset.keys_url()),
        &config.keys,
    ) else {
        return Ok(None);
    };
    let refused = |found: String| {
        let message = format!("{} {found}", environment::TRUST_EMULATOR);
        Err(Error::new(ErrorCode::InvalidOption, message))
    };
    if environment.var(environment::SERVICE).is_some() {
        return refused(format!(
            "is set and {} is as well, expected it on a developer's machine only, never on Cloud Run: unset it",
            environment::SERVICE
        ));
    }
    let url = match Url::parse(text) {
        Ok(url)
            if text.matches('/').count() - usize::from(text.ends_with('/')) == 2 && !text.contains('?') =>
        {
            url
        }
        Ok(_) => {
            return refused("has a path, expected the emulator's URL, such as http://127.0.0.1:8085".into());
        }
        Err(why) => {
            return refused(format!("{why}, expected the emulator's URL, such as http://127.0.0.1:8085"));
        }
    };
    let trusted = NamedPlaces::parse(environment.var(environment::TRUSTED_ENDPOINTS).unwrap_or_default());
    if !url.is_loopback() && !trusted.include(&url) {
        let (scheme, place) = (if url.is_https() { "https" } else { "http" }, url.place());
        return refused(format!(
            "names {place}, which is not this machine: add {scheme}://{place} to {} if it is yours",
            environment::TRUSTED_ENDPOINTS
        ));
    }
    let origin = text.trim_end_matches('/');
    let path = google.splitn(4, '/').nth(3).unwrap_or_default();
    Ok(Some((format!("{origin}/{path}"), origin.to_owned())))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::verify::issuers::Preset;

    fn config() -> VerifierConfig {
        VerifierConfig { audiences: "https://a".into(), ..VerifierConfig::default() }
    }

    fn open(config: VerifierConfig, env: &[(&str, &str)]) -> Result<Opened, Error> {
        let mut op = OpenVerifier::new(config, &KeyCache::default());
        let now = Now::default();
        assert!(
            matches!(op.resume(now, Reply::Start), Step::ReadEnv { names } if names == environment::OF_VERIFIERS)
        );
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let outcome = match op.resume(now, Reply::Env(env)) {
            Step::Done(opened) => Ok(opened),
            Step::Fail(error) => Err(error),
            _ => panic!("another step"),
        };
        assert!(
            matches!(op.resume(now, Reply::Elapsed), Step::Fail(error) if error.code() == ErrorCode::ApiMisuse)
        );
        outcome
    }

    fn keys_url(opened: &Opened) -> Option<String> {
        opened.verifier.keys_url()
    }

    const TRUST: &str = "GATEPASS_DANGEROUSLY_TRUST_EMULATOR";

    #[test]
    fn the_emulators_keys_are_used_where_the_variable_says_so_and_a_warning_says_it() {
        let opened = open(config(), &[]).unwrap();
        assert_eq!(keys_url(&opened).as_deref(), Some("https://www.googleapis.com/oauth2/v3/certs"));
        assert!(opened.warnings.is_empty());

        let iap = VerifierConfig {
            preset: Some(Preset::Iap),
            audiences: "/projects/1/apps/a".into(),
            ..VerifierConfig::default()
        };
        for (config, url, expected) in [
            (config(), "http://127.0.0.1:8085", "http://127.0.0.1:8085/oauth2/v3/certs"),
            (config(), "http://localhost:1/", "http://localhost:1/oauth2/v3/certs"),
            (config(), "https://[::1]", "https://[::1]/oauth2/v3/certs"),
            (iap, "http://127.0.0.1:8085", "http://127.0.0.1:8085/iap/verify/public_key-jwk"),
        ] {
            let opened = open(config, &[(TRUST, url)]).unwrap();
            assert_eq!(keys_url(&opened).as_deref(), Some(expected));
            let [warning] = opened.warnings.as_slice() else { panic!("{:?}", opened.warnings) };
            assert!(warning.contains(TRUST) && warning.contains(url.trim_end_matches('/')), "{warning}");
        }
        // Which the emulator does not play.
        let firebase = VerifierConfig {
            preset: Some(Preset::Firebase),
            audiences: "shop".into(),
            ..VerifierConfig::default()
        };
        let opened = open(firebase, &[(TRUST, "http://127.0.0.1:8085")]).unwrap();
        assert!(keys_url(&opened).is_some_and(|url| url.starts_with("https://www.googleapis.com/robot/")));
        assert!(opened.warnings.is_empty());
        // What is trusted for credentials is trusted here, and in the same spelling.
        for trusted in ["a:1, emulator:8085", "http://emulator:8085", "HTTP://EMULATOR:8085/"] {
            let env = [(TRUST, "http://Emulator:8085"), ("GATEPASS_TRUSTED_ENDPOINTS", trusted)];
            let opened = open(config(), &env).unwrap();
            assert_eq!(keys_url(&opened).as_deref(), Some("http://Emulator:8085/oauth2/v3/certs"));
        }
    }

    #[test]
    fn the_variable_is_refused_where_it_could_let_a_stranger_in() {
        for (env, expected) in [
            (&[(TRUST, "http://127.0.0.1:8085"), ("K_SERVICE", "orders")][..], "K_SERVICE"),
            (&[(TRUST, "http://emulator:8085")], "add http://emulator:8085 to GATEPASS_TRUSTED_ENDPOINTS"),
            (&[(TRUST, "http://q8FzA3kd9xLm2Vb7TnQw4RsYc1:8085")], "names [redacted]:8085, which is not"),
            (
                &[
                    (TRUST, "http://emulator.example:8085"),
                    ("GATEPASS_TRUSTED_ENDPOINTS", "emulator.example:8085"),
                ],
                "add http://emulator.example:8085",
            ),
            (
                &[(TRUST, "http://emulator:8085"), ("GATEPASS_TRUSTED_ENDPOINTS", "emulator,emulator:80")],
                "GATEPASS_TRUSTED_ENDPOINTS",
            ),
            (&[(TRUST, "https://127.0.0.1.evil.example")], "GATEPASS_TRUSTED_ENDPOINTS"),
            (&[(TRUST, "http://127.0.0.1:8085/x")], "has a path"),
            (&[(TRUST, "http://127.0.0.1:8085?x=/")], "has a path"),
            (&[(TRUST, "true")], "does not begin with https://"),
            (&[(TRUST, "http://127.0.0.1@evil.example")], "user information"),
        ] {
            let error = open(config(), env).err().unwrap();
            assert_eq!(error.code(), ErrorCode::InvalidOption);
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn the_variable_changes_nothing_for_keys_that_are_given_and_for_other_issuers() {
        let env = [(TRUST, "http://evil.example"), ("K_SERVICE", "orders")];
        let given = VerifierConfig { keys: KeySource::Url("https://keys.example/".into()), ..config() };
        let oidc = VerifierConfig { issuers: vec!["https://issuer.example".into()], ..config() };
        for config in [given, oidc] {
            let opened = open(config, &env).unwrap();
            assert!(
                opened.warnings.is_empty()
                    && keys_url(&opened).is_none_or(|url| url == "https://keys.example/")
            );
        }
    }

    #[test]
    fn cloud_run_is_trusted_on_cloud_run_only() {
        let trusting = VerifierConfig { trust_cloud_run_and_skip_signature: true, ..config() };
        assert!(open(trusting.clone(), &[("K_SERVICE", "orders")]).is_ok());
        for env in [&[][..], &[("K_SERVICE", "")]] {
            let error = open(trusting.clone(), env).err().unwrap();
            assert!(error.to_string().contains("K_SERVICE is not set"), "{error}");
        }
    }

    #[test]
    fn keys_are_fetched_by_the_proxy_of_the_environment() {
        let config = VerifierConfig {
            audiences: crate::verify::Audiences::Any,
            callers: crate::verify::Callers::Any,
            ..VerifierConfig::default()
        };
        let mut open = Verifier::open(config, &KeyCache::default());
        let now = Now::steady(crate::step::Millis::from_secs(1_800_000_000));
        assert!(matches!(open.resume(now, Reply::Start), Step::ReadEnv { .. }));
        let env = vec![("https_proxy".to_owned(), crate::Secret::from("http://proxy.example:3128"))];
        let Step::Done(opened) = open.resume(now, Reply::Env(env)) else { panic!("no verifier") };
        // {"alg":"RS256","kid":"a"}
        let token = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.e30.AAAA";
        let crate::verify::Verdict::NeedsKeys(mut fetch) = opened.verifier.check(token, now) else {
            panic!("no fetch")
        };
        let Step::Send(request) = fetch.resume(now, Reply::Start) else { panic!("no request") };
        assert_eq!(
            request.proxy.as_ref().map(|proxy| proxy.expose().as_str()),
            Some("http://proxy.example:3128")
        );
    }
}
