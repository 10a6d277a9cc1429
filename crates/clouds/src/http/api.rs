use std::fmt;
use std::time::Duration;

use reqwest::header::ACCEPT;
use reqwest::redirect::Policy;
use serde::de::DeserializeOwned;
use stagecraft_core::cloud::{CloudError, CloudErrorKind};
use tokio::sync::OnceCell;

use super::signer::{Sending, Signer};
use super::{Answer, BaseUrl, Dialect, Request};
use crate::Doing;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(15);
/// How long a request may take with its answer; orders of busy providers take several seconds.
const WHOLE: Duration = Duration::from_secs(60);
/// The same for one that only reads: it is asked again, and whoever waits learns of it.
const READ: Duration = Duration::from_secs(20);
/// The largest answer that is read; a page of 200 instances is a tenth of it.
const LARGEST: usize = 16 * 1024 * 1024;
/// Of a refusal no more is looked at.
const LARGEST_REFUSAL: usize = 64 * 1024;

/// An account at a provider that is reached by an HTTP API.
pub struct Api {
    dialect: Box<dyn Dialect>,
    base: BaseUrl,
    signer: Box<dyn Signer>,
    client: OnceCell<reqwest::Client>,
}

/// A request that failed, and what the API said if it was the API that said no.
#[derive(Debug)]
pub(crate) struct Failed {
    /// The whole failure.
    pub(crate) error: CloudError,
    /// The status and the code of the API's answer.
    pub(crate) refused: Option<(u16, String)>,
}

impl Failed {
    /// Whether the API answered with this status.
    pub(crate) fn is_status(&self, status: u16) -> bool {
        self.refused.as_ref().is_some_and(|(of, _)| *of == status)
    }

    /// Whether the API answered with this error code.
    pub(crate) fn is_code(&self, code: &str) -> bool {
        self.refused.as_ref().is_some_and(|(_, of)| of == code)
    }
}

impl From<Failed> for CloudError {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

impl From<CloudError> for Failed {
    fn from(error: CloudError) -> Self {
        Self { error, refused: None }
    }
}

impl Api {
    /// An API that is connected to with the first request.
    pub(crate) fn new(
        dialect: impl Dialect + 'static,
        base: BaseUrl,
        signer: impl Signer + 'static,
    ) -> Self {
        Self { dialect: Box::new(dialect), base, signer: Box::new(signer), client: OnceCell::new() }
    }

    /// Makes a request and reads its answer as `T`.
    ///
    /// # Errors
    /// Why there is no such answer; of a change, whether it may have been made all the same.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        doing: &Doing,
        request: &Request,
    ) -> Result<T, Failed> {
        Ok(self.ask_with_answer(doing, request).await?.0)
    }

    /// The same with the whole answer, for those who need its headers.
    pub(crate) async fn ask_with_answer<T: DeserializeOwned>(
        &self,
        doing: &Doing,
        request: &Request,
    ) -> Result<(T, Answer), Failed> {
        let answer = self.send(doing, request).await?;
        match answer.read(request.format()) {
            Ok(body) => Ok((body, answer)),
            Err(why) => {
                let why = format!("{} at {}", self.clean(&why), self.base);
                let kind = CloudErrorKind::UnexpectedAnswer(why);
                let request_id = self.request_id(&answer);
                Err(CloudError { request_id, ..doing.in_doubt(kind) }.into())
            }
        }
    }

    /// Makes a request whose answer says nothing but that it was done.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub(crate) async fn tell(&self, doing: &Doing, request: &Request) -> Result<(), Failed> {
        self.send(doing, request).await.map(drop)
    }

    /// Words of an answer of success as they may be shown: one line, without the token.
    pub(crate) fn clean(&self, text: &str) -> String {
        super::refusal::words(&self.signer.redact(text))
    }

    /// Makes a request; only answers of success come back.
    async fn send(&self, doing: &Doing, request: &Request) -> Result<Answer, Failed> {
        let answer = self.exchange(doing, request).await?;
        match answer.status {
            200..=299 => Ok(self.without_secrets(request, answer)),
            400..=599 => Err(self.refused(doing, request, answer)),
            status => {
                let mut why = format!("status {status} at {}", self.base);
                if let Some(elsewhere) = answer.header("location") {
                    why = format!("{why}, which points to {}", self.clean(elsewhere));
                }
                let kind = CloudErrorKind::UnexpectedAnswer(why);
                Err(doing
                    .failed(kind)
                    .with_hint("check `api_url`; redirects are not followed")
                    .into())
            }
        }
    }

    /// Sends a request and reads its answer to the end.
    async fn exchange(&self, doing: &Doing, request: &Request) -> Result<Answer, Failed> {
        let url = self.base.below(&request.path, &request.query);
        let body = request.to_body();
        let mut headers = request.headers.clone();
        headers.extend(body.iter().map(|(kind, _)| ("content-type", *kind)));
        let said = body.as_ref().map(|(_, text)| text.as_bytes()).unwrap_or_default();
        let method = request.method.as_str();
        let unsigned = Sending { method, url: &url, headers: &headers, body: said };
        let proof = self.signer.proof(doing, &unsigned).await?;
        #[cfg(any(fuzzing, test))]
        if let Some(answer) = super::scripted::next() {
            return answer.ok_or_else(|| {
                doing.in_doubt(CloudErrorKind::Unreachable("nothing".to_owned())).into()
            });
        }
        let client = self.client.get_or_try_init(|| async { client(doing, &self.base) }).await?;
        let said = said.to_vec();
        let mut sending =
            client.request(request.method.clone(), url).header(ACCEPT, request.format().accept());
        let limit = if request.only_reads() { READ } else { WHOLE };
        sending = sending.timeout(limit);
        for (name, value) in headers {
            sending = sending.header(name, value);
        }
        for (name, value) in proof {
            sending = sending.header(name, value);
        }
        if body.is_some() {
            sending = sending.body(said);
        }
        let mut answered = sending.send().await.map_err(|error| self.lost(doing, limit, &error))?;
        let status = answered.status().as_u16();
        let headers = answered
            .headers()
            .iter()
            .filter_map(|(name, value)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            })
            .collect();
        let mut body = Vec::new();
        while let Some(chunk) =
            answered.chunk().await.map_err(|error| self.lost(doing, limit, &error))?
        {
            if body.len() + chunk.len() > LARGEST {
                let why = format!("it is larger than {} MiB", LARGEST >> 20);
                return Err(doing.in_doubt(CloudErrorKind::UnexpectedAnswer(why)).into());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body })
    }

    /// An answer of success as it may go on: whoever gives the token back as the name of something would have
    /// it shown.
    fn without_secrets(&self, request: &Request, mut answer: Answer) -> Answer {
        if let Some(body) = answer.hidden(request.format(), |text| self.signer.hide(text)) {
            answer.body = body;
        }
        answer
    }

    fn refused(&self, doing: &Doing, request: &Request, mut answer: Answer) -> Failed {
        answer.body.truncate(LARGEST_REFUSAL);
        let text = String::from_utf8_lossy(&answer.body);
        answer.body = request.redact(&self.signer.redact(&text)).into_bytes();
        let mut refusal = self.dialect.refusal(&answer);
        // JSON can write the same word in many ways.
        for words in refusal.hints.iter_mut().chain([&mut refusal.message]) {
            *words = request.redact(&self.signer.redact(words));
        }
        let refused = Some((answer.status, refusal.code.clone()));
        Failed { error: refusal.explain(doing, self.request_id(&answer)), refused }
    }

    fn request_id(&self, answer: &Answer) -> Option<String> {
        self.dialect.request_id(answer).map(|id| self.clean(&id))
    }

    /// A request without an answer. Only a connection that was never made leaves no doubt.
    fn lost(&self, doing: &Doing, limit: Duration, error: &reqwest::Error) -> Failed {
        let why = if error.is_timeout() && !error.is_connect() {
            format!("no answer within {} s from {}", limit.as_secs(), self.base)
        } else {
            format!("{} at {}", in_words(root_cause(error)), self.base)
        };
        let kind = CloudErrorKind::Unreachable(self.clean(&why));
        if !error.is_connect() {
            return doing.in_doubt(kind).into();
        }
        let failure = doing.failed(kind);
        if why.contains("certificate") {
            return failure.lasting().with_hint(about_certificate(&why)).into();
        }
        let failure = failure
            .with_hint("check `api_url` and the network of this machine, `HTTPS_PROXY` included");
        self.dialect.about_its_place().into_iter().fold(failure, CloudError::with_hint).into()
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dialect, base, .. } = self;
        f.debug_struct("Api").field("dialect", dialect).field("base", base).finish_non_exhaustive()
    }
}

fn client(doing: &Doing, base: &BaseUrl) -> Result<reqwest::Client, CloudError> {
    // Whoever was first has set the same provider.
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut building = reqwest::Client::builder()
        .user_agent(concat!("stagecraft/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .connect_timeout(CONNECT);
    if base.is_in_the_clear() {
        // A proxy of the environment may be another machine, and would read the token. No certificate
        // is ever looked at, so reading all those that this machine trusts would be for nothing.
        building = building.no_proxy().tls_certs_only([]);
    }
    building.build().map_err(|error| {
        let why = format!("no HTTP client could be made: {}", root_cause(&error));
        doing.failed(CloudErrorKind::Unreachable(why)).lasting()
    })
}

/// What helps when a certificate is not believed, by what TLS says of it.
fn about_certificate(why: &str) -> &'static str {
    let why = why.to_ascii_lowercase().replace(' ', "");
    if why.contains("expired") || why.contains("notvalidyet") {
        "check the clock of this machine: by it, the certificate of whatever answers there is not \
         valid now"
    } else {
        "check `api_url`; the certificate of whatever answers there must be one that this machine \
         trusts, and verification cannot be switched off"
    }
}

/// What the first bytes of an answer that is not TLS are to a TLS library says nothing to users.
fn in_words(cause: String) -> String {
    let not_tls = cause.contains("InvalidContentType");
    if not_tls { "what answers does not speak TLS".to_owned() } else { cause }
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(below) = cause.source() {
        cause = below;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use rustls::CertificateError;
    use rustls::pki_types::UnixTime;

    use super::*;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    #[test]
    fn a_certificate_of_another_time_is_a_matter_of_the_clock() {
        let hint = |of: CertificateError| {
            about_certificate(&rustls::Error::InvalidCertificate(of).to_string())
        };
        let (time, other) = (at(1_700_000_000), at(1_800_000_000));
        for of in [
            CertificateError::Expired,
            CertificateError::ExpiredContext { time: other, not_after: time },
            CertificateError::NotValidYet,
            CertificateError::NotValidYetContext { time, not_before: other },
        ] {
            assert!(hint(of.clone()).contains("clock"), "{of:?}");
        }
        assert!(hint(CertificateError::UnknownIssuer).contains("api_url"));
    }
}
