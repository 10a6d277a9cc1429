use std::fmt;

use reqwest::Url;
use url::Host;

/// Where an API is, version included, e.g. `https://api.hetzner.cloud/v1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// A URL that no API may have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBaseUrl {
    /// It is not a URL of the web.
    #[error("it is not a URL: {0}")]
    NotAUrl(String),
    /// Tokens would travel in the clear.
    #[error("`http://` would send the token in the clear; only this machine may be reached so")]
    Insecure,
    /// A user name, a password, a query or a fragment.
    #[error("it must end after the path, and have no user name")]
    TooMuch,
}

impl BaseUrl {
    /// Checks where an API is said to be.
    ///
    /// # Errors
    /// Why it cannot be there.
    pub fn parse(text: &str) -> Result<Self, InvalidBaseUrl> {
        Self::checked(text, is_this_machine)
    }

    /// The same for what a cloud offers to its own machines, at addresses that lead nowhere else.
    ///
    /// # Errors
    /// Why it cannot be there.
    pub(crate) fn parse_metadata(text: &str) -> Result<Self, InvalidBaseUrl> {
        Self::checked(text, |host| is_this_machine(host) || is_metadata(host))
    }

    fn checked(
        text: &str,
        in_the_clear: impl Fn(&Host<&str>) -> bool,
    ) -> Result<Self, InvalidBaseUrl> {
        let url = Url::parse(text).map_err(|error| InvalidBaseUrl::NotAUrl(error.to_string()))?;
        match (url.scheme(), url.host()) {
            ("https", Some(_)) => {}
            ("http", Some(host)) if in_the_clear(&host) => {}
            ("http", Some(_)) => return Err(InvalidBaseUrl::Insecure),
            _ => {
                let why = "it must start with `https://`".to_owned();
                return Err(InvalidBaseUrl::NotAUrl(why));
            }
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidBaseUrl::TooMuch);
        }
        Ok(Self(url))
    }

    /// Whether nothing hides what is sent there.
    pub(super) fn is_in_the_clear(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// The URL of something below, or of the base itself.
    pub(super) fn below(&self, path: &[String], query: &[(&'static str, String)]) -> Url {
        let mut url = self.0.clone();
        if let (false, Ok(mut segments)) = (path.is_empty(), url.path_segments_mut()) {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Where AWS tells machines, tasks and pods whose they are.
fn is_metadata(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(_) => false,
        Host::Ipv4(address) => address.is_link_local(),
        Host::Ipv6(address) => address.segments()[..2] == [0xfd00, 0x0ec2],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_leave_their_segment_or_parameter() {
        let base = BaseUrl::parse("https://proxy.example/do/v2/").expect("a URL");
        let path = ["droplets".to_owned(), "../account?x=1#y".to_owned()];
        let url = base.below(&path, &[("tag_name", "a&b=c d:e".to_owned())]);
        assert_eq!(
            url.as_str(),
            "https://proxy.example/do/v2/droplets/..%2Faccount%3Fx=1%23y?tag_name=a%26b%3Dc+d%3Ae"
        );
        assert_eq!(base.to_string(), "https://proxy.example/do/v2");
    }

    #[test]
    fn tokens_travel_in_the_clear_only_within_this_machine() {
        for allowed in ["http://127.0.0.1:8080/v1", "http://[::1]/v1", "http://localhost:1"] {
            assert!(BaseUrl::parse(allowed).is_ok(), "{allowed}");
        }
        for refused in ["http://10.0.0.1/v1", "http://localhost.example/", "http://0.0.0.0/"] {
            assert_eq!(BaseUrl::parse(refused), Err(InvalidBaseUrl::Insecure), "{refused}");
        }
    }

    #[test]
    fn metadata_travels_in_the_clear_only_where_it_cannot_leave_the_machine() {
        for allowed in ["http://169.254.169.254", "http://[fd00:ec2::254]/", "http://127.0.0.1:1"] {
            assert!(BaseUrl::parse_metadata(allowed).is_ok(), "{allowed}");
        }
        for refused in ["http://10.0.0.1", "http://metadata.example", "http://[fd00:ec3::254]"] {
            assert_eq!(
                BaseUrl::parse_metadata(refused),
                Err(InvalidBaseUrl::Insecure),
                "{refused}"
            );
        }
        assert_eq!(BaseUrl::parse("http://169.254.169.254"), Err(InvalidBaseUrl::Insecure));
    }

    #[test]
    fn what_is_more_or_less_than_a_base_is_refused() {
        for refused in ["https://u:p@x.example/", "https://x.example/?a=b", "https://x.example/#f"]
        {
            assert_eq!(BaseUrl::parse(refused), Err(InvalidBaseUrl::TooMuch), "{refused}");
        }
        for refused in ["ftp://x.example/", "file:///etc", "api.example", ""] {
            assert!(
                matches!(BaseUrl::parse(refused), Err(InvalidBaseUrl::NotAUrl(_))),
                "{refused}"
            );
        }
    }
}
