use std::fmt;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use serde::de::DeserializeOwned;
use stagecraft_core::cloud::{CloudError, CloudErrorKind};
use tokio::sync::OnceCell;

use super::{Answer, BaseUrl, Dialect, Request, Token};
use crate::Doing;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(15);
/// How long a request may take with its answer; orders of busy providers take several seconds.
const WHOLE: Duration = Duration::from_secs(60);
/// The largest answer that is read; a page of 200 instances is a tenth of it.
const LARGEST: usize = 16 * 1024 * 1024;
/// Of a refusal no more is looked at.
const LARGEST_REFUSAL: usize = 64 * 1024;

/// An account at a provider that is reached by an HTTP API.
pub struct Api {
    dialect: Box<dyn Dialect>,
    base: BaseUrl,
    token: Token,
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
    pub(crate) fn new(dialect: impl Dialect + 'static, base: BaseUrl, token: Token) -> Self {
        Self { dialect: Box::new(dialect), base, token, client: OnceCell::new() }
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
        match answer.json() {
            Ok(body) => Ok((body, answer)),
            Err(error) => {
                let why = format!("{} at {}", self.clean(&what(&error)), self.base);
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
        super::refusal::words(&self.token.redact(text))
    }

    /// Makes a request; only answers of success come back.
    async fn send(&self, doing: &Doing, request: &Request) -> Result<Answer, Failed> {
        let client = self.client.get_or_try_init(|| async { client(doing, &self.base) }).await?;
        let url = self.base.below(&request.path, &request.query);
        let mut sending = client
            .request(request.method.clone(), url)
            .header(AUTHORIZATION, self.authorization(doing)?)
            .header(ACCEPT, "application/json");
        if let Some(body) = request.to_body() {
            sending = sending.header(CONTENT_TYPE, "application/json").body(body);
        }
        let mut answered = sending.send().await.map_err(|error| self.lost(doing, &error))?;
        let status = answered.status().as_u16();
        let headers = answered
            .headers()
            .iter()
            .filter_map(|(name, value)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            })
            .collect();
        let mut body = Vec::new();
        while let Some(chunk) = answered.chunk().await.map_err(|error| self.lost(doing, &error))? {
            if body.len() + chunk.len() > LARGEST {
                let why = format!("it is larger than {} MiB", LARGEST >> 20);
                return Err(doing.in_doubt(CloudErrorKind::UnexpectedAnswer(why)).into());
            }
            body.extend_from_slice(&chunk);
        }
        let answer = Answer { status, headers, body };
        match status {
            200..=299 => Ok(answer),
            400..=599 => Err(self.refused(doing, request, answer)),
            _ => {
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

    fn refused(&self, doing: &Doing, request: &Request, mut answer: Answer) -> Failed {
        answer.body.truncate(LARGEST_REFUSAL);
        let text = String::from_utf8_lossy(&answer.body);
        answer.body = request.redact(&self.token.redact(&text)).into_bytes();
        let mut refusal = self.dialect.refusal(&answer);
        // JSON can write the same word in many ways.
        for words in refusal.hints.iter_mut().chain([&mut refusal.message]) {
            *words = request.redact(&self.token.redact(words));
        }
        let refused = Some((answer.status, refusal.code.clone()));
        Failed { error: refusal.explain(doing, self.request_id(&answer)), refused }
    }

    fn request_id(&self, answer: &Answer) -> Option<String> {
        self.dialect.request_id(answer).map(|id| self.clean(&id))
    }

    /// A request without an answer. Only a connection that was never made leaves no doubt.
    fn lost(&self, doing: &Doing, error: &reqwest::Error) -> Failed {
        let why = if error.is_timeout() && !error.is_connect() {
            format!("no answer within {} s from {}", WHOLE.as_secs(), self.base)
        } else {
            format!("{} at {}", in_words(root_cause(error)), self.base)
        };
        let kind = CloudErrorKind::Unreachable(self.clean(&why));
        if !error.is_connect() {
            return doing.in_doubt(kind).into();
        }
        let failure = doing.failed(kind);
        let failure = if why.contains("certificate") {
            failure.lasting().with_hint(
                "check `api_url`; the certificate of whatever answers there must be one that this \
                 machine trusts, and verification cannot be switched off",
            )
        } else {
            failure.with_hint(
                "check `api_url` and the network of this machine, `HTTPS_PROXY` included",
            )
        };
        failure.into()
    }

    fn authorization(&self, doing: &Doing) -> Result<HeaderValue, CloudError> {
        let text = zeroize::Zeroizing::new(format!("Bearer {}", self.token.reveal()));
        let mut value = HeaderValue::from_str(&text).map_err(|_| {
            let why = "the token has characters that cannot be sent".to_owned();
            doing.failed(CloudErrorKind::InvalidCredentials(why))
        })?;
        value.set_sensitive(true);
        Ok(value)
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
        .connect_timeout(CONNECT)
        .timeout(WHOLE);
    if base.is_in_the_clear() {
        // A proxy of the environment may be another machine, and would read the token.
        building = building.no_proxy();
    }
    building.build().map_err(|error| {
        let why = format!("no HTTP client could be made: {}", root_cause(&error));
        doing.failed(CloudErrorKind::Unreachable(why)).lasting()
    })
}

/// What is wrong with a body, without showing it: it may hold a secret.
fn what(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Eof => "the answer was cut off".to_owned(),
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => {
            format!("it is not JSON (line {}, column {})", error.line(), error.column())
        }
        // Names fields and types; a value that is quoted is cut off.
        serde_json::error::Category::Data => {
            let text = error.to_string();
            match text.rsplit_once("expected ") {
                Some((before, expected)) if before.starts_with("invalid ") => {
                    format!("something else than {expected}")
                }
                _ => text,
            }
        }
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
