//! `{"url": …}`: a local service that hands out tokens, such as Azure's metadata service or GitHub Actions.

use crate::credentials::TrustedEndpoints;
use crate::credentials::fields::{Fields, invalid};
use crate::credentials::subject_token::failed;
use crate::credentials::subject_token::format::Format;
use crate::error::Error;
use crate::exchange::{Endpoint, Exchange, Response};
use crate::retry::Jitter;
use crate::secret::Secret;
use crate::signing::Signing;
use crate::step::{HttpRequest, Millis, Now, Operation, Reply, Route, Step};
use crate::url::Url;

const TIMEOUT_MS: u64 = 10_000;
const WHO: &str = "the subject token's URL";

#[derive(Clone)]
pub(crate) struct Source {
    url: Url,
    headers: Vec<(String, Secret<String>)>,
    format: Format,
}

impl Source {
    pub(crate) fn from_fields(fields: Fields<'_>, trusted: &TrustedEndpoints) -> Result<Self, Error> {
        let url = trusted.subject_token_source("url", fields.required("url")?)?;
        let mut headers = Vec::new();
        if fields.has("headers") {
            for (name, value) in fields.object("headers")?.entries() {
                let value =
                    value.as_str().filter(|value| value.bytes().all(|b| b == b' ' || b.is_ascii_graphic()));
                let is_token = !name.is_empty()
                    && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
                match value.filter(|_| is_token && TrustedEndpoints::allows_header(name)) {
                    Some(value) => headers.push((name.to_owned(), Secret::from(value))),
                    None => {
                        return Err(invalid(
                            "headers",
                            "not fit for a request",
                            "names and values of HTTP headers, none of which is about the connection or Google's metadata server",
                        ));
                    }
                }
            }
        }
        Ok(Self { url, headers, format: Format::from_fields(fields)? })
    }
}

impl Endpoint for Source {
    const WHO: &str = WHO;
    type Output = Secret<String>;

    fn secrets(&self) -> Vec<Secret<String>> {
        self.headers.iter().map(|(_, value)| value.clone()).collect()
    }

    fn request(&self, _now: Millis) -> Result<Signing<HttpRequest>, Error> {
        let request = HttpRequest::get(self.url.as_str().to_owned(), Route::Default, TIMEOUT_MS);
        let headers = self.headers.iter();
        let request =
            headers.fold(request, |request, (name, value)| request.with_header(name.clone(), value.clone()));
        Ok(request.into())
    }

    fn read(&self, _now: Millis, response: &Response) -> Result<Secret<String>, Error> {
        match response.refusal(WHO) {
            Some(error) if error.is_retryable() => Err(error),
            Some(error) => Err(failed(error.detail())),
            None => self.format.read(&String::from_utf8_lossy(response.body.expose()), WHO),
        }
    }
}

pub(crate) struct Get(Exchange<Source>);

impl Get {
    pub(crate) fn new(source: Source, jitter: Jitter) -> Self {
        Self(Exchange::new(source, jitter))
    }
}

impl Operation for Get {
    type Output = Secret<String>;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<Secret<String>> {
        self.0.resume(now, reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(value: &str) -> Result<Source, Error> {
        let file = serde_json::json!({"url": "https://tokens.example/t", "headers": {"x-key": value}});
        let file = crate::json::value(file.to_string().as_bytes()).unwrap();
        Source::from_fields(Fields::new(&file), &TrustedEndpoints::default())
    }

    fn answer(status: u16, body: &str) -> Step<Secret<String>> {
        let now = Now::steady(Millis(0));
        let mut get = Get::new(source("the secret key").unwrap(), Jitter::new(1));
        assert!(matches!(get.resume(now, Reply::Start), Step::Send(_)));
        let body = Secret::new(body.as_bytes().to_vec());
        get.resume(now, Reply::Response { status, headers: Vec::new(), body })
    }

    #[test]
    fn a_header_has_one_line_of_ascii() {
        assert!(source("a b~!").is_ok());
        for bad in ["a\nb", "a\tb", "é", "\u{7f}"] {
            assert!(source(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_may_pass_is_asked_again_and_no_header_is_repeated() {
        assert!(matches!(answer(503, ""), Step::Wait { .. }));
        let Step::Fail(error) = answer(403, "bad the secret key") else { panic!("no refusal") };
        assert!(error.detail().ends_with("bad [redacted]"), "{error}");
    }
}
