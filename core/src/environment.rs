//! Every environment variable that is read, and what it means. No other module and no host names one.

use crate::error::{Error, ErrorCode};
use crate::json::{self, Value};
use crate::quote;
use crate::secret::Secret;
use crate::url::Url;

/// The credential file (AIP-4110).
pub(crate) const CREDENTIALS_FILE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
/// The service that this process is, on Cloud Run.
pub(crate) const SERVICE: &str = "K_SERVICE";
/// Endpoints that the user trusts besides Google's own.
pub(crate) const TRUSTED_ENDPOINTS: &str = "GATEPASS_TRUSTED_ENDPOINTS";
/// Verifiers take the keys of the emulator at this URL for Google's: anybody can get a token of it.
pub(crate) const TRUST_EMULATOR: &str = "GATEPASS_DANGEROUSLY_TRUST_EMULATOR";
/// gcloud is sent to another token endpoint by it.
pub(crate) const TOKEN_HOST: &str = "CLOUDSDK_AUTH_TOKEN_HOST";
/// gcloud is sent to another endpoint of the IAM Credentials API by it.
pub(crate) const IAM_CREDENTIALS: &str = "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS";
/// A credential file may name a program only where this is 1 (AIP-4117).
pub(crate) const ALLOW_EXECUTABLES: &str = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES";

const METADATA_HOST: &str = "GCE_METADATA_HOST";
/// The older name of the other.
const METADATA_ROOT: &str = "GCE_METADATA_ROOT";
const METADATA_IP: &str = "GCE_METADATA_IP";
/// Seconds that an answer of the metadata server may take.
const METADATA_TIMEOUT: &str = "GCE_METADATA_TIMEOUT";
const GCLOUD_CONFIG: &str = "CLOUDSDK_CONFIG";
const CERTIFICATE_CONFIG: &str = "GOOGLE_API_CERTIFICATE_CONFIG";

/// Variables that say by which proxy a request goes; the last one says that it may be a client's header (httpoxy).
const OF_PROXIES: [&str; 9] = [
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "REQUEST_METHOD",
];
/// Variables of the search for credentials, and of what is done with them.
pub(crate) const OF_CREDENTIALS: &[&str] = &with_proxies::<20, 29>([
    CREDENTIALS_FILE,
    GCLOUD_CONFIG,
    "APPDATA",
    "HOME",
    "NO_GCE_CHECK",
    "METADATA_SERVER_DETECTION",
    METADATA_HOST,
    METADATA_ROOT,
    METADATA_IP,
    METADATA_TIMEOUT,
    SERVICE,
    "FUNCTION_NAME",
    "CLOUD_RUN_JOB",
    "CLOUD_RUN_WORKER_POOL",
    TRUSTED_ENDPOINTS,
    "GOOGLE_CLOUD_UNIVERSE_DOMAIN",
    "GOOGLE_CLOUD_QUOTA_PROJECT",
    "GOOGLE_CLOUD_PROJECT",
    IAM_CREDENTIALS,
    TOKEN_HOST,
]);
/// Variables that say which Cloud Run service this is, and whom to ask for more.
pub(crate) const OF_OWN_SERVICE: &[&str] =
    &[SERVICE, METADATA_HOST, METADATA_ROOT, METADATA_IP, METADATA_TIMEOUT];
/// Variables of a verifier.
pub(crate) const OF_VERIFIERS: &[&str] = &with_proxies::<3, 12>([SERVICE, TRUST_EMULATOR, TRUSTED_ENDPOINTS]);
/// Variables of a program that gives subject tokens.
pub(crate) const OF_EXECUTABLES: &[&str] = &[ALLOW_EXECUTABLES];
/// Variables of the client certificate's configuration (AIP-4118).
pub(crate) const OF_CERTIFICATES: &[&str] = &[CERTIFICATE_CONFIG, GCLOUD_CONFIG, "APPDATA", "HOME"];
/// Variables of an AWS role.
pub(crate) const OF_AWS: &[&str] = &[
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_ENDPOINT_URL_STS",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
];

/// Variables that Google's serverless platforms set: a metadata server is there.
const SERVERLESS: [&str; 4] = [SERVICE, "FUNCTION_NAME", "CLOUD_RUN_JOB", "CLOUD_RUN_WORKER_POOL"];
/// The metadata server, unless the environment says another.
const DEFAULT_METADATA_HOST: &str = "metadata.google.internal";
/// By address, so that the question whether it is there needs no DNS.
const DEFAULT_METADATA_IP: &str = "169.254.169.254";

/// These variables, and after them those of proxies; `ALL` is how many that makes.
const fn with_proxies<const OWN: usize, const ALL: usize>(own: [&'static str; OWN]) -> [&'static str; ALL] {
    let mut all = [""; ALL];
    let (first, last) = all.split_at_mut(OWN);
    first.copy_from_slice(&own);
    last.copy_from_slice(&OF_PROXIES);
    all
}

/// The variables that a host has read.
#[derive(Default)]
pub(crate) struct Environment(Vec<(String, Secret<String>)>);

/// What the environment says about the metadata server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MetadataServer {
    /// It is there.
    Given,
    /// It is not to be asked; by this setting.
    RuledOut(&'static str),
    /// It may be there.
    Unknown,
}

/// A file in gcloud's folder.
pub(crate) struct GcloudFile {
    pub(crate) path: String,
    /// The path as a message may show it.
    pub(crate) shown: String,
}

impl Environment {
    pub(crate) fn new(values: Vec<(String, Secret<String>)>) -> Self {
        Self(values)
    }

    /// A variable that is set and not empty.
    pub(crate) fn var(&self, name: &str) -> Option<&str> {
        self.secret(name).map(|value| value.expose().as_str())
    }

    /// As [`var`](Self::var), of a variable that holds a secret.
    pub(crate) fn secret(&self, name: &str) -> Option<&Secret<String>> {
        self.0.iter().find(|(n, value)| n == name && !value.expose().is_empty()).map(|(_, value)| value)
    }

    /// Whether there is a metadata server, as far as the environment knows.
    pub(crate) fn metadata_server(&self) -> MetadataServer {
        let detection = self.var("METADATA_SERVER_DETECTION");
        if self.var("NO_GCE_CHECK") == Some("true") {
            MetadataServer::RuledOut("NO_GCE_CHECK=true")
        } else if detection == Some("none") {
            MetadataServer::RuledOut("METADATA_SERVER_DETECTION=none")
        } else if self.var(METADATA_HOST).or_else(|| self.var(METADATA_ROOT)).is_some()
            || detection == Some("assume-present")
            || SERVERLESS.iter().any(|name| self.var(name).is_some())
        {
            MetadataServer::Given
        } else {
            MetadataServer::Unknown
        }
    }

    /// `host` or `host:port` of the metadata server.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] when a variable names something that is more or less than that.
    pub(crate) fn metadata_host(&self) -> Result<String, Error> {
        // An address alone is where the server is, too: the name may be unknown where somebody has to give an address.
        let given =
            [METADATA_HOST, METADATA_ROOT, METADATA_IP].into_iter().find(|name| self.var(name).is_some());
        self.host(given.unwrap_or(METADATA_HOST), DEFAULT_METADATA_HOST)
    }

    /// The address at which it is asked whether there is a metadata server.
    ///
    /// # Errors
    /// As [`metadata_host`](Self::metadata_host).
    pub(crate) fn metadata_address(&self) -> Result<String, Error> {
        self.host(METADATA_IP, DEFAULT_METADATA_IP)
    }

    /// Milliseconds that an answer of the metadata server may take, if the environment says.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] when it is no number of seconds up to two minutes.
    pub(crate) fn metadata_timeout_ms(&self) -> Result<Option<u64>, Error> {
        const LONGEST: u32 = 120;
        let Some(text) = self.var(METADATA_TIMEOUT) else { return Ok(None) };
        match json::value(text.trim().as_bytes()) {
            Ok(Value::Number(seconds)) if (0.001..=f64::from(LONGEST)).contains(&seconds) => {
                Ok(Some((seconds * 1000.0) as u64))
            }
            _ => {
                let begins_a_number = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
                let shown = if begins_a_number {
                    quote::quoted(text)
                } else {
                    quote::withheld(text, "that are no number")
                };
                let message =
                    format!("{METADATA_TIMEOUT} is {shown}, expected seconds from 0.001 to {LONGEST}");
                Err(Error::new(ErrorCode::InvalidOption, message))
            }
        }
    }

    fn host(&self, name: &str, default: &str) -> Result<String, Error> {
        let host = self.var(name).unwrap_or(default);
        // It becomes part of a URL; anything that could be more than a host is a mistake. A scheme in front is a common one.
        let bare = host.strip_prefix("http://").unwrap_or(host);
        let bare = bare.strip_suffix('/').unwrap_or(bare);
        let found = match Url::parse(&format!("http://{bare}/")) {
            Ok(_) if bare.contains(['/', '?']) => "holds more than a host",
            Ok(_) => return Ok(bare.to_owned()),
            Err(why) => why,
        };
        // No URL has other characters; and what is before an @ may be a password.
        let is_of_urls = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]%=&".contains(c);
        let shown = if host.chars().all(is_of_urls) {
            quote::quoted(host)
        } else {
            quote::withheld(host, "that are no host")
        };
        Err(Error::new(
            ErrorCode::InvalidOption,
            format!("{name} is {shown} and {found}, expected host or host:port"),
        ))
    }

    /// Where gcloud keeps the file of this name; `None` when no variable says where its folder is.
    pub(crate) fn gcloud_file(&self, file: &str) -> Option<GcloudFile> {
        // APPDATA is set on Windows only.
        let places = [
            (GCLOUD_CONFIG, format!("/{file}")),
            ("APPDATA", format!("\\gcloud\\{file}")),
            ("HOME", format!("/.config/gcloud/{file}")),
        ];
        places.into_iter().find_map(|(name, file)| {
            let folder = self.var(name)?;
            Some(GcloudFile { path: format!("{folder}{file}"), shown: quote::path_in(folder, &file) })
        })
    }

    /// Where the configuration of the client certificate is.
    pub(crate) fn certificate_config(&self) -> Option<String> {
        let named = self.var(CERTIFICATE_CONFIG).map(str::to_owned);
        named.or_else(|| self.gcloud_file("certificate_config.json").map(|file| file.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(values: &[(&str, &str)]) -> Environment {
        Environment(values.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect())
    }

    #[test]
    fn the_metadata_host_is_a_host() {
        for (values, expected) in [
            (&[][..], "metadata.google.internal"),
            (&[(METADATA_HOST, "127.0.0.1:8080"), (METADATA_ROOT, "b")], "127.0.0.1:8080"),
            (&[(METADATA_HOST, ""), (METADATA_ROOT, "b")], "b"),
            (&[(METADATA_HOST, "[::1]:8080"), (METADATA_IP, "127.0.0.1:1")], "[::1]:8080"),
            (&[(METADATA_IP, "127.0.0.1:8080")], "127.0.0.1:8080"),
            (&[(METADATA_HOST, "http://127.0.0.1:8080/")], "127.0.0.1:8080"),
        ] {
            assert_eq!(environment(values).metadata_host().as_deref(), Ok(expected), "{values:?}");
        }
        for bad in ["https://a", "a/b", "a?b", "a#b", "a@b", "a b", "a:b", "a\r\nb", "/"] {
            for name in [METADATA_HOST, METADATA_ROOT] {
                let error = environment(&[(name, bad)]).metadata_host().unwrap_err();
                assert!(
                    error.code() == ErrorCode::InvalidOption && error.to_string().contains(name),
                    "{bad:?}"
                );
            }
            assert!(environment(&[(METADATA_IP, bad)]).metadata_address().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_metadata_server_may_be_given_time() {
        let timeout = |value| environment(&[(METADATA_TIMEOUT, value)]).metadata_timeout_ms().ok();
        assert_eq!(timeout("5"), Some(Some(5000)));
        assert_eq!(timeout("0.25"), Some(Some(250)));
        assert_eq!(timeout(""), Some(None));
        for bad in ["0", "-1", "121", "NaN", "inf", "5s"] {
            assert_eq!(timeout(bad), None, "{bad}");
        }
    }

    #[test]
    fn gcloud_keeps_its_files_where_the_environment_says() {
        let all = [(GCLOUD_CONFIG, "/c"), ("APPDATA", r"C:\a"), ("HOME", "/h")];
        let file = |values| environment(values).gcloud_file("f").map(|file| file.path);
        assert_eq!(file(&all).as_deref(), Some("/c/f"));
        assert_eq!(file(&all[1..]).as_deref(), Some(r"C:\a\gcloud\f"));
        assert_eq!(file(&all[2..]).as_deref(), Some("/h/.config/gcloud/f"));
        assert_eq!(file(&[]), None);
    }

    #[test]
    fn what_cannot_be_the_value_of_a_variable_is_not_shown() {
        let password = "hunter2";
        let file = |name| environment(&[(name, password)]).gcloud_file("f").unwrap().shown;
        let timeout = environment(&[(METADATA_TIMEOUT, password)]).metadata_timeout_ms().unwrap_err();
        let host = |text| environment(&[(METADATA_HOST, text)]).metadata_host().unwrap_err().to_string();
        for (shown, expected) in [
            (
                file(GCLOUD_CONFIG),
                r#""/f" in a folder whose name is [7 characters without a separator, not shown]"#,
            ),
            (file("HOME"), r#""/.config/gcloud/f" in a folder whose name is [7 characters"#),
            (
                timeout.to_string(),
                "GCE_METADATA_TIMEOUT is [7 characters that are no number, not shown], expected",
            ),
            (
                host("http://user:hunter2@a"),
                "GCE_METADATA_HOST is [21 characters that are no host, not shown] and has user",
            ),
            (host("hunter2 hunter2"), "is [15 characters that are no host, not shown] and holds white space"),
            (host("https://a"), r#"is "https://a" and"#),
        ] {
            assert!(shown.contains(expected) && !shown.contains(password), "{shown}");
        }
        assert_eq!(
            environment(&[("HOME", "/home/u")]).gcloud_file("f").unwrap().shown,
            r#""/home/u/.config/gcloud/f""#
        );
    }
}
