//! The audiences of the Cloud Run service that this process is: a receiver need not be told them (Cloud Run
//! documentation, "Deterministic URL").

use crate::audience::url::same_audience_spellings;
use crate::environment::{self, Environment};
use crate::error::{Error, ErrorCode};
use crate::exchange::Exchange;
use crate::exchange::metadata::{self, MetadataValue};
use crate::retry::Jitter;
use crate::step::{Now, Operation, Reply, Step};

/// Longest label of a host name (RFC 1035, section 2.3.4); a service whose name does not fit has no such URL.
const MAX_LABEL: usize = 63;

/// The operation that asks the environment and the metadata server for the service's deterministic URL
/// `https://SERVICE-PROJECT_NUMBER.REGION.run.app`; its output are both spellings of it. The older URL, with a hash in
/// it, cannot be told from inside, nor can custom audiences: name those in addition.
///
/// Fails with [`ErrorCode::InvalidAudience`] where there is no Cloud Run service, and with a transport code where the
/// metadata server does not answer.
pub struct OwnAudiences {
    service: String,
    host: String,
    timeout_ms: u64,
    state: State,
}

enum State {
    Created,
    ReadingEnv,
    AskingProject(Exchange<MetadataValue>),
    AskingRegion { project_number: String, exchange: Exchange<MetadataValue> },
    Ended,
}

impl OwnAudiences {
    /// The question, not asked yet.
    pub fn new() -> Self {
        Self {
            service: String::new(),
            host: String::new(),
            timeout_ms: metadata::TIMEOUT_MS,
            state: State::Created,
        }
    }

    fn read_env(&mut self, env: &Environment) -> Result<(), Error> {
        self.service = env.var(environment::SERVICE).unwrap_or_default().to_owned();
        if !is_label(&self.service) {
            return Err(unknown(
                "K_SERVICE is not set to a service's name: this process is no Cloud Run service",
            ));
        }
        self.host = env.metadata_host()?;
        self.timeout_ms = env.metadata_timeout_ms()?.unwrap_or(metadata::TIMEOUT_MS);
        Ok(())
    }

    fn ask(&self, path: &'static str) -> Exchange<MetadataValue> {
        Exchange::new(
            MetadataValue { host: self.host.clone(), path, timeout_ms: self.timeout_ms },
            Jitter::new(0),
        )
    }

    fn url(&self, project_number: &str, region: &str) -> Result<String, Error> {
        // projects/NUMBER/regions/REGION
        let region = region.rsplit('/').next().unwrap_or_default();
        let label = format!("{}-{project_number}", self.service);
        let is_number = !project_number.is_empty() && project_number.bytes().all(|b| b.is_ascii_digit());
        if !is_number || !is_label(region) {
            return Err(unknown("the metadata server's project number or region has another form"));
        }
        if label.len() > MAX_LABEL {
            return Err(unknown("the service's name is too long for a URL that can be told from it"));
        }
        Ok(format!("https://{label}.{region}.run.app"))
    }
}

impl Default for OwnAudiences {
    fn default() -> Self {
        Self::new()
    }
}

impl Operation for OwnAudiences {
    type Output = Vec<String>;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<Vec<String>> {
        match (std::mem::replace(&mut self.state, State::Ended), reply) {
            (State::Created, Reply::Start) => {
                self.state = State::ReadingEnv;
                Step::ReadEnv { names: environment::OF_OWN_SERVICE }
            }
            (State::ReadingEnv, Reply::Env(env)) => match self.read_env(&Environment::new(env)) {
                Ok(()) => {
                    self.state = State::AskingProject(self.ask("project/numeric-project-id"));
                    self.resume(now, Reply::Start)
                }
                Err(error) => Step::Fail(error),
            },
            (State::AskingProject(mut exchange), reply) => match exchange.resume(now, reply) {
                Step::Done(project_number) => {
                    let exchange = self.ask("instance/region");
                    self.state = State::AskingRegion { project_number, exchange };
                    self.resume(now, Reply::Start)
                }
                Step::Fail(error) => Step::Fail(explained(error)),
                step => {
                    self.state = State::AskingProject(exchange);
                    step.and_then(|_| Step::Done(Vec::new()))
                }
            },
            (State::AskingRegion { project_number, mut exchange }, reply) => {
                match exchange.resume(now, reply) {
                    Step::Done(region) => {
                        self.url(&project_number, &region).map(|url| same_audience_spellings(&url)).into()
                    }
                    Step::Fail(error) => Step::Fail(explained(error)),
                    step => {
                        self.state = State::AskingRegion { project_number, exchange };
                        step.and_then(|_| Step::Done(Vec::new()))
                    }
                }
            }
            (State::Created, other) => Step::misuse("Start", &other),
            (State::ReadingEnv, other) => Step::misuse("Env", &other),
            (State::Ended, other) => Step::misuse("nothing: the operation has ended", &other),
        }
    }
}

/// A metadata server that knows no project or region is not Cloud Run's.
fn explained(error: Error) -> Error {
    match error.code() {
        ErrorCode::TokenRefused | ErrorCode::RedirectRefused => unknown(error.detail()),
        _ => error,
    }
}

fn is_label(text: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.bytes().all(is_allowed)
}

fn unknown(found: impl Into<String>) -> Error {
    Error::new(
        ErrorCode::InvalidAudience,
        format!("this service's own audience is unknown: {}", found.into()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use crate::step::{HostFailure, Millis, Route};

    const NOW: Now = Now::steady(Millis(0));

    fn start(env: &[(&str, &str)]) -> (OwnAudiences, Step<Vec<String>>) {
        let mut op = OwnAudiences::new();
        assert!(
            matches!(op.resume(NOW, Reply::Start), Step::ReadEnv { names } if names == environment::OF_OWN_SERVICE)
        );
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let step = op.resume(NOW, Reply::Env(env));
        (op, step)
    }

    fn asks_for(step: Step<Vec<String>>, url: &str) {
        let Step::Send(request) = step else { panic!("no request for {url}") };
        assert_eq!((request.url.as_str(), request.route), (url, Route::Direct));
    }

    fn answer(op: &mut OwnAudiences, status: u16, body: &str) -> Step<Vec<String>> {
        let body = Secret::new(body.as_bytes().to_vec());
        op.resume(NOW, Reply::Response { status, headers: Vec::new(), body })
    }

    fn failure(step: Step<Vec<String>>) -> Error {
        let Step::Fail(error) = step else { panic!("not failed") };
        error
    }

    #[test]
    fn the_url_follows_from_name_project_and_region() {
        let (mut op, step) = start(&[("K_SERVICE", "orders")]);
        asks_for(step, "http://metadata.google.internal/computeMetadata/v1/project/numeric-project-id");
        let step = answer(&mut op, 200, "418702934");
        asks_for(step, "http://metadata.google.internal/computeMetadata/v1/instance/region");
        let Step::Done(audiences) = answer(&mut op, 200, "projects/418702934/regions/europe-west1\n") else {
            panic!("not done")
        };
        let url = "https://orders-418702934.europe-west1.run.app";
        assert_eq!(audiences, [url.to_owned(), format!("{url}/")]);
        assert_eq!(failure(op.resume(NOW, Reply::Elapsed)).code(), ErrorCode::ApiMisuse);
    }

    #[test]
    fn the_longest_name_of_a_url_has_63_characters() {
        let service = "s".repeat(58);
        let (mut op, _) = start(&[("K_SERVICE", &service)]);
        let _ = answer(&mut op, 200, "1234");
        assert!(matches!(answer(&mut op, 200, "projects/1234/regions/r"), Step::Done(_)));
        let (mut op, _) = start(&[("K_SERVICE", &service)]);
        let _ = answer(&mut op, 200, "12345");
        assert!(matches!(answer(&mut op, 200, "projects/12345/regions/r"), Step::Fail(_)));
    }

    #[test]
    fn the_metadata_server_may_be_elsewhere() {
        for env in [
            [("K_SERVICE", "a"), ("GCE_METADATA_HOST", "127.0.0.1:8080"), ("GCE_METADATA_ROOT", "b")],
            [("GCE_METADATA_ROOT", "127.0.0.1:8080"), ("GCE_METADATA_HOST", ""), ("K_SERVICE", "a")],
            [("GCE_METADATA_IP", "127.0.0.1:8080"), ("GCE_METADATA_HOST", ""), ("K_SERVICE", "a")],
        ] {
            let (_, step) = start(&env);
            asks_for(step, "http://127.0.0.1:8080/computeMetadata/v1/project/numeric-project-id");
        }
    }

    #[test]
    fn elsewhere_than_on_cloud_run_it_says_so() {
        for env in [&[][..], &[("K_SERVICE", "")], &[("K_SERVICE", "a/b")]] {
            let error = failure(start(env).1);
            assert_eq!(error.code(), ErrorCode::InvalidAudience);
            assert!(error.to_string().contains("K_SERVICE"), "{error}");
        }
    }

    #[test]
    fn answers_that_make_no_url_are_refused() {
        let long = "s".repeat(60);
        for (service, project, region, expected) in [
            ("orders", "my-project", "projects/1/regions/r", "has another form"),
            ("orders", "", "projects/1/regions/r", "has another form"),
            ("orders", "1", "<html>", "has another form"),
            (long.as_str(), "1234", "projects/1/regions/r", "too long"),
        ] {
            let (mut op, _) = start(&[("K_SERVICE", service)]);
            let _ = answer(&mut op, 200, project);
            let error = failure(answer(&mut op, 200, region));
            assert!(error.to_string().contains(expected), "{error}");
        }
        let (mut op, _) = start(&[("K_SERVICE", "orders")]);
        assert_eq!(failure(answer(&mut op, 404, "")).code(), ErrorCode::InvalidAudience);
    }

    #[test]
    fn a_metadata_server_that_does_not_answer_is_asked_again() {
        let (mut op, _) = start(&[("K_SERVICE", "orders")]);
        let failed = Reply::Failed { kind: HostFailure::Connect, message: "refused".into() };
        let Step::Wait { .. } = op.resume(NOW, failed) else { panic!("no wait") };
        asks_for(
            op.resume(NOW, Reply::Elapsed),
            "http://metadata.google.internal/computeMetadata/v1/project/numeric-project-id",
        );
    }
}
