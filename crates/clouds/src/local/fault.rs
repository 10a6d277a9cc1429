//! What went wrong between us and the engine, in the words and classes every provider uses.

use std::error::Error as StdError;
use std::io::ErrorKind;
use std::path::Path;

use bollard::errors::Error;
use stagecraft_core::cloud::{CloudError, CloudErrorKind};

use super::address::{DEFAULT_SOCKET, EngineAddress};
use crate::Doing;

/// The ways a request to the engine fails, without the types of the HTTP client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// There is no such socket.
    NoSocket,
    /// The socket may not be opened.
    Denied,
    /// Nobody listens, or the machine is not there.
    NotConnected(String),
    /// The address or the certificates of the engine are wrong.
    Misconfigured(String),
    /// The connection ended before the answer.
    Lost(String),
    /// No answer within the limit.
    TimedOut,
    /// The engine answered that it failed.
    Answer { status: u16, message: String },
    /// The engine reported a failure while it worked on a long request.
    Reported(String),
    /// The answer was not what the API describes.
    Garbled(String),
}

impl From<Error> for Fault {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the client's other errors are all garbled answers"
    )]
    fn from(error: Error) -> Self {
        match error {
            Error::SocketNotFoundError(_) => Self::NoSocket,
            Error::CertPathError { .. }
            | Error::CertMultipleKeys { .. }
            | Error::CertParseError { .. }
            | Error::LoadNativeCertsErrors { .. }
            | Error::URLParseError { .. }
            | Error::InvalidURIError { .. } => Self::Misconfigured(error.to_string()),
            Error::HyperLegacyError { err } if err.is_connect() => match io_kind(&err) {
                Some(ErrorKind::NotFound) => Self::NoSocket,
                Some(ErrorKind::PermissionDenied) => Self::Denied,
                _ => Self::NotConnected(root_cause(&err)),
            },
            Error::HyperLegacyError { err } => Self::Lost(root_cause(&err)),
            Error::HyperResponseError { err } => Self::Lost(root_cause(&err)),
            Error::IOError { err } => Self::Lost(root_cause(&err)),
            Error::RequestTimeoutError => Self::TimedOut,
            Error::DockerResponseServerError { status_code, message } => {
                Self::Answer { status: status_code, message: message.trim().to_owned() }
            }
            Error::DockerStreamError { error } => Self::Reported(error.trim().to_owned()),
            other => Self::Garbled(other.to_string()),
        }
    }
}

impl Fault {
    /// The status and the words of an answer that refused.
    pub(super) fn answer(&self) -> Option<(u16, &str)> {
        match self {
            Self::Answer { status, message } => Some((*status, message)),
            Self::NoSocket
            | Self::Denied
            | Self::NotConnected(_)
            | Self::Misconfigured(_)
            | Self::Lost(_)
            | Self::TimedOut
            | Self::Reported(_)
            | Self::Garbled(_) => None,
        }
    }

    /// Whether the engine may not grant CAP_SYS_RESOURCE: the first capability runc asks for that
    /// the engine does not have itself makes the start fail with these words.
    pub(super) fn is_missing_capability(&self) -> bool {
        self.answer().is_some_and(|(_, message)| {
            message.contains("unable to apply caps") && message.contains("not permitted")
        })
    }

    /// The fault of one who never answered as a Docker Engine does: a page of some other server
    /// says nothing to a user.
    pub(super) fn of_a_stranger(self) -> Self {
        match self {
            Self::Answer { status, .. } if status != 401 && status != 403 && status < 500 => {
                Self::Misconfigured(format!(
                    "what answers there, with HTTP status {status}, is no Docker Engine"
                ))
            }
            Self::Garbled(_) => {
                Self::Misconfigured("what answers there is no Docker Engine".to_owned())
            }
            Self::Answer { .. }
            | Self::Reported(_)
            | Self::NoSocket
            | Self::Denied
            | Self::NotConnected(_)
            | Self::Misconfigured(_)
            | Self::Lost(_)
            | Self::TimedOut => self,
        }
    }

    /// The failure as the user and the engine of this product see it.
    pub(super) fn explain(self, doing: &Doing, address: &EngineAddress) -> CloudError {
        let lost = |why: String| {
            let error = doing.failed(CloudErrorKind::Unreachable(why));
            if doing.changes { error.maybe_done() } else { error }
        };
        match self {
            Self::NoSocket => not_running(
                doing
                    .failed(CloudErrorKind::Unreachable(format!("no Docker Engine at {address}")))
                    .lasting(),
                address,
            ),
            Self::NotConnected(why) => not_running(
                doing.failed(CloudErrorKind::Unreachable(format!("{address}: {why}"))),
                address,
            ),
            Self::Denied => doing
                .failed(CloudErrorKind::Forbidden(format!("this user may not open {address}")))
                .with_hint("run `sudo usermod -aG docker $USER`, then log out and in again"),
            Self::Misconfigured(why) => doing
                .failed(CloudErrorKind::InvalidInput(format!("{address}: {why}")))
                .with_hint("check `DOCKER_HOST` and `DOCKER_CERT_PATH`"),
            Self::Lost(why) => {
                let error = lost(format!("the connection to {address} was lost: {why}"));
                match address {
                    EngineAddress::Tcp { certificates: None, .. } => error.with_hint(
                        "if the engine expects TLS, set `DOCKER_TLS_VERIFY=1` and `DOCKER_CERT_PATH`",
                    ),
                    EngineAddress::Tcp { .. } | EngineAddress::Unix(_) => error,
                }
            }
            Self::TimedOut => lost(format!("no answer from {address} in time")),
            Self::Answer { status, message } => from_answer(status, message, doing),
            Self::Reported(message) => from_answer(500, message, doing),
            Self::Garbled(why) => {
                let error =
                    doing.failed(CloudErrorKind::UnexpectedAnswer(format!("{address}: {why}")));
                if doing.changes { error.maybe_done() } else { error }
            }
        }
    }
}

fn from_answer(status: u16, message: String, doing: &Doing) -> CloudError {
    if message.contains("no space left on device") {
        return doing
            .failed(CloudErrorKind::QuotaExceeded(format!("the engine's disk is full: {message}")))
            .with_hint("see what uses it with `docker system df`; `docker system prune` removes what nothing uses");
    }
    if message.contains("available, non-overlapping IPv4 address pool") {
        return doing
            .failed(CloudErrorKind::QuotaExceeded(message))
            .with_hint("remove networks nothing uses with `docker network prune`");
    }
    let kind = match status {
        400 => CloudErrorKind::InvalidInput(message),
        401 | 403 => CloudErrorKind::Forbidden(message),
        404 => CloudErrorKind::NotFound(message),
        409 => CloudErrorKind::Conflict(message),
        429 => CloudErrorKind::RateLimited { after: None, message },
        501 => CloudErrorKind::Unsupported(message),
        _ => CloudErrorKind::ProviderFault(message),
    };
    doing.failed(kind)
}

/// Adds what starts, or else installs, an engine.
fn not_running(error: CloudError, address: &EngineAddress) -> CloudError {
    match address {
        EngineAddress::Unix(path) if path.as_os_str() != DEFAULT_SOCKET => {
            error.lasting().with_hint("check `DOCKER_HOST`, which names this socket")
        }
        // A socket of this machine that refuses has nobody behind it.
        EngineAddress::Unix(_) if is_installed() => {
            error.lasting().with_hint("start Docker with `sudo systemctl start docker`")
        }
        EngineAddress::Unix(_) => error.with_hint(
            "install Docker Engine: on Debian and Ubuntu `sudo apt-get install docker.io`, elsewhere see docs.docker.com/engine/install",
        ),
        EngineAddress::Tcp { .. } => {
            error.with_hint(format!("check `DOCKER_HOST`, and that the engine listens at {address}"))
        }
    }
}

fn is_installed() -> bool {
    ["/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd", "/usr/bin/docker"]
        .iter()
        .any(|path| Path::new(path).exists())
}

fn io_kind(error: &(dyn StdError + 'static)) -> Option<ErrorKind> {
    causes(error).find_map(|cause| cause.downcast_ref::<std::io::Error>()).map(std::io::Error::kind)
}

fn root_cause(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

fn causes<'e>(
    error: &'e (dyn StdError + 'static),
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use stagecraft_core::error::{Diagnose as _, Retry};

    use stagecraft_core::desired::ProviderId;

    use super::*;

    #[test]
    fn an_engine_that_does_not_run_comes_with_the_command_that_starts_or_installs_it() {
        let error =
            Fault::NoSocket.explain(&Doing::reading(ProviderId::Local, "list hosts"), &socket());
        assert_eq!(
            error.to_string(),
            "local could not list hosts: it did not answer: no Docker Engine at unix:///var/run/docker.sock"
        );
        let hint = &error.hints[0];
        assert!(hint.contains("systemctl start docker") || hint.contains("install docker.io"));
    }

    #[test]
    fn a_socket_that_may_not_be_opened_comes_with_the_group() {
        let error =
            Fault::Denied.explain(&Doing::reading(ProviderId::Local, "list hosts"), &socket());
        assert!(matches!(error.kind, CloudErrorKind::Forbidden(_)));
        assert_eq!(error.hints, ["run `sudo usermod -aG docker $USER`, then log out and in again"]);
        assert_eq!(error.retry(), Retry::Never);
    }

    #[test]
    fn a_lost_answer_leaves_a_doubt_only_about_a_change() {
        for fault in
            [Fault::Lost("reset".to_owned()), Fault::TimedOut, Fault::Garbled("{".to_owned())]
        {
            let change = fault
                .clone()
                .explain(&Doing::changing(ProviderId::Local, "create host `db-1`"), &socket());
            assert_eq!(change.retry(), Retry::Observe, "{fault:?}");
            let read =
                fault.clone().explain(&Doing::reading(ProviderId::Local, "list hosts"), &socket());
            assert!(!read.maybe_done, "{fault:?}");
        }
    }

    #[test]
    fn certificates_that_cannot_be_read_are_no_fault_of_the_engine() {
        let error = Error::CertPathError { path: "/certs/ca.pem".into() };
        let error = Fault::from(error)
            .explain(&Doing::changing(ProviderId::Local, "create host `db-1`"), &socket());
        assert!(
            matches!(&error.kind, CloudErrorKind::InvalidInput(why) if why.contains("/certs/ca.pem"))
        );
        assert_eq!(error.retry(), Retry::Never);
    }

    #[test]
    fn a_request_that_never_left_changed_nothing() {
        for fault in [Fault::NoSocket, Fault::Denied, Fault::NotConnected("refused".to_owned())] {
            let error =
                fault.explain(&Doing::changing(ProviderId::Local, "create host `db-1`"), &socket());
            assert!(!error.maybe_done);
        }
    }

    #[test]
    fn answers_are_classified_by_status_and_by_what_they_say() {
        let kind = |status, message: &str| {
            let fault = Fault::Answer { status, message: message.to_owned() };
            fault.explain(&Doing::changing(ProviderId::Local, "create host `db-1`"), &socket()).kind
        };
        let text = "x".to_owned();
        assert_eq!(kind(400, "x"), CloudErrorKind::InvalidInput(text.clone()));
        assert_eq!(kind(404, "x"), CloudErrorKind::NotFound(text.clone()));
        assert_eq!(kind(409, "x"), CloudErrorKind::Conflict(text.clone()));
        assert_eq!(kind(500, "x"), CloudErrorKind::ProviderFault(text));
        for full in [
            "write /var/lib/docker/tmp/x: no space left on device",
            "could not find an available, non-overlapping IPv4 address pool among the defaults",
        ] {
            assert!(matches!(kind(500, full), CloudErrorKind::QuotaExceeded(_)), "{full}");
        }
    }

    #[test]
    fn a_capability_the_engine_lacks_is_recognised() {
        let message = "failed to create shim: OCI runtime create failed: unable to apply caps: operation not permitted: unknown";
        assert!(Fault::Answer { status: 500, message: message.to_owned() }.is_missing_capability());
        let other = "OCI runtime create failed: permission denied";
        assert!(!Fault::Answer { status: 500, message: other.to_owned() }.is_missing_capability());
    }

    fn socket() -> EngineAddress {
        EngineAddress::Unix("/var/run/docker.sock".into())
    }
}
