//! Where the Docker Engine listens.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, Docker};
use stagecraft_core::cloud::{CloudError, CloudErrorKind};
use stagecraft_core::desired::ProviderId;

/// How long a request may take. Starting many containers at once on a busy machine is slow.
const ANSWER: Duration = Duration::from_secs(120);
/// Where an engine listens if nobody said otherwise.
pub(super) const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// Where the engine listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineAddress {
    /// A socket on this machine.
    Unix(PathBuf),
    /// Another machine, or a port of this one.
    Tcp {
        /// Host and port, e.g. `build.example:2376`.
        authority: String,
        /// The folder with `ca.pem`, `cert.pem` and `key.pem`; `None` means without TLS.
        certificates: Option<PathBuf>,
    },
}

impl EngineAddress {
    /// Reads the address as Docker's own client does: `docker_host` is the value of `DOCKER_HOST`,
    /// `certificates` the folder to use when `DOCKER_TLS_VERIFY` asks for TLS.
    ///
    /// # Errors
    /// [`CloudErrorKind::Unsupported`] for a scheme that cannot be used, e.g. `ssh`.
    pub fn parse(
        docker_host: Option<&str>,
        certificates: Option<&Path>,
    ) -> Result<Self, CloudError> {
        let text = docker_host.map(str::trim).unwrap_or_default();
        if text.is_empty() {
            return Ok(Self::Unix(DEFAULT_SOCKET.into()));
        }
        if let Some(path) = text.strip_prefix("unix://") {
            return Ok(Self::Unix(path.into()));
        }
        if let Some(rest) = text.strip_prefix("tcp://") {
            let authority = rest.trim_end_matches('/');
            let port = if certificates.is_some() { 2376 } else { 2375 };
            let has_port = authority
                .rsplit_once(':')
                .is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
            return Ok(Self::Tcp {
                authority: if has_port {
                    authority.to_owned()
                } else {
                    format!("{authority}:{port}")
                },
                certificates: certificates.map(Path::to_owned),
            });
        }
        let scheme = text.split_once("://").map_or(text, |(scheme, _)| scheme);
        let kind = CloudErrorKind::Unsupported(format!("`{scheme}` in `DOCKER_HOST`"));
        Err(CloudError::new(ProviderId::Local, format!("use the Docker Engine at `{text}`"), kind)
            .with_hint("use `unix:///path/to/docker.sock` or `tcp://host:port`"))
    }

    /// The name or address of another machine; `None` when it is this one by its socket.
    pub(super) fn remote_host(&self) -> Option<&str> {
        match self {
            Self::Unix(_) => None,
            Self::Tcp { authority, .. } => {
                let host = authority.rsplit_once(':').map_or(authority.as_str(), |(host, _)| host);
                Some(host.trim_start_matches('[').trim_end_matches(']'))
            }
        }
    }

    /// A client; nothing is sent yet.
    pub(super) fn connect(&self) -> Result<Docker, bollard::errors::Error> {
        let (limit, version) = (ANSWER.as_secs(), API_DEFAULT_VERSION);
        match self {
            Self::Unix(path) => Docker::connect_with_unix(&path.to_string_lossy(), limit, version),
            Self::Tcp { authority, certificates: None } => {
                Docker::connect_with_http(authority, limit, version)
            }
            Self::Tcp { authority, certificates: Some(folder) } => {
                let [key, cert, ca] =
                    ["key.pem", "cert.pem", "ca.pem"].map(|name| folder.join(name));
                Docker::connect_with_ssl(authority, &key, &cert, &ca, limit, version)
            }
        }
    }
}

impl std::fmt::Display for EngineAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { authority, .. } => write!(f, "tcp://{authority}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_as_docker_reads_it() {
        let parsed = |text| EngineAddress::parse(Some(text), None).unwrap().to_string();
        assert_eq!(EngineAddress::parse(None, None).unwrap().to_string(), parsed(""));
        assert_eq!(parsed(""), "unix:///var/run/docker.sock");
        assert_eq!(
            parsed("unix:///run/user/1000/docker.sock"),
            "unix:///run/user/1000/docker.sock"
        );
        assert_eq!(parsed("tcp://build.example:4000/"), "tcp://build.example:4000");
        assert_eq!(parsed("tcp://build.example"), "tcp://build.example:2375");
        assert_eq!(parsed("tcp://[fd00::1]"), "tcp://[fd00::1]:2375");
        let with_tls = EngineAddress::parse(Some("tcp://build.example"), Some(Path::new("/certs")));
        assert_eq!(with_tls.unwrap().to_string(), "tcp://build.example:2376");
    }

    #[test]
    fn an_address_that_cannot_be_used_is_refused_with_those_that_can() {
        let refused = EngineAddress::parse(Some("ssh://me@build.example"), None).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "local could not use the Docker Engine at `ssh://me@build.example`: it does not support `ssh` in `DOCKER_HOST`"
        );
        assert_eq!(refused.hints, ["use `unix:///path/to/docker.sock` or `tcp://host:port`"]);
    }
}
