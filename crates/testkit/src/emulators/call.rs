//! What the server and a provider's front end say to each other.

use std::fmt::Debug;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::limits::{Over, Rule, Usage};
use crate::world::{Kill, RequestKind};

/// A provider's API: routes, bodies, errors, and what of the account the world does not know.
///
/// It does no I/O and does not wait; sockets, faults, limits and the record are the server's.
pub trait Front: Send + Sync + Debug {
    /// What every path begins with, e.g. `/v2`.
    fn prefix(&self) -> &'static str;

    /// Answers a request, whatever is in it.
    fn answer(&self, call: &Call) -> Outcome;

    /// The provider's way of saying that a request is one too many.
    fn limited(&self, call: &Call, over: &Over) -> Answer;

    /// The provider's own words for a status that an injected fault asks for.
    fn failing(&self, call: &Call, status: u16) -> Answer;

    /// How many requests one token may make.
    fn limits(&self) -> Vec<Rule>;

    /// The headers of every answer that say how much of the limits is used; `usage` has one entry
    /// for each of [`Front::limits`] that counts requests of this kind, in that order. `now` is the
    /// world's, in milliseconds since 1970, and so is every time in `usage`.
    fn usage_headers(&self, usage: &[Usage], now: u64) -> Vec<(String, String)>;

    /// What a request asks of the world, if it is one of those that tests count or let go astray.
    fn kind(&self, _call: &Call) -> Option<RequestKind> {
        None
    }

    /// The header that carries [`Call::request_id`], if the provider has one.
    fn request_id_header(&self) -> Option<&'static str> {
        None
    }

    /// Who a request says it comes from, by its header `Authorization`: what [`Call::token`] holds.
    fn credential<'a>(&self, authorization: &'a str) -> Option<&'a str> {
        let (scheme, token) = authorization.split_once(' ')?;
        let token = token.trim();
        (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
    }

    /// The path by which faults and the record know a request, after the prefix, where the API has
    /// one path for everything.
    fn known_as(&self, _call: &Call) -> Option<String> {
        None
    }

    /// Whose limits a request of a known token uses up.
    fn payer(&self, call: &Call) -> Option<String> {
        call.token.clone()
    }

    /// The path by which the limits know a request that faults know by `path`.
    fn limited_as(&self, _call: &Call, path: &str) -> String {
        path.to_owned()
    }

    /// What to call the API with, for whoever comes by.
    fn credentials_wanted(&self) -> &'static str {
        "any bearer token"
    }
}

/// What a token may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// There is no token.
    #[default]
    Missing,
    /// There is one, and nobody knows it.
    Unknown,
    /// Everything.
    Full,
    /// Reading.
    ReadOnly,
    /// Nothing: it is known and has no permission.
    Nothing,
    /// Everything but seeing tags, where the provider has such a permission; else everything.
    WithoutTags,
}

/// A request.
#[derive(Clone, Default)]
pub struct Call {
    /// In capitals.
    pub method: String,
    /// The segments of the path after the version prefix, decoded.
    pub path: Vec<String>,
    /// The query in order, decoded.
    pub query: Vec<(String, String)>,
    /// Who asks: the token of `Authorization: Bearer`, or what else [`Front::credential`] finds.
    /// Never shown by `Debug`.
    pub token: Option<String>,
    /// The header `Authorization` as it came. Never shown by `Debug`.
    pub authorization: Option<String>,
    /// What that token may do.
    pub access: Access,
    /// The headers besides the authorization, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
    /// The number of this request, as the provider would show it.
    pub request_id: String,
}

impl Call {
    /// The path as words to match on.
    #[must_use]
    pub fn segments(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// The first value of a query parameter.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values(name).first().copied()
    }

    /// All values of a query parameter.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<&str> {
        let named = self.query.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// It is none.
    pub fn json(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

impl Debug for Call {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Call")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &self.query)
            .field("access", &self.access)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers besides those of the limits, the request id and the content type.
    pub headers: Vec<(String, String)>,
    /// The body; `None` for an empty one.
    pub body: Option<Value>,
    /// How the body is written.
    pub media: Media,
}

/// How the body of an answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Media {
    /// As JSON.
    #[default]
    Json,
    /// As JSON, in the version of it that Amazon's services speak.
    AmazonJson,
    /// As XML: the body is a string and sent as it stands.
    Xml,
}

impl Media {
    /// The content type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::AmazonJson => "application/x-amz-json-1.1",
            Self::Xml => "text/xml;charset=UTF-8",
        }
    }
}

impl Answer {
    /// An answer with a body.
    #[must_use]
    pub fn new(status: u16, body: Value) -> Self {
        Self { status, body: Some(body), ..Self::default() }
    }

    /// An answer without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// Writes the body another way.
    #[must_use]
    pub fn written_as(self, media: Media) -> Self {
        Self { media, ..self }
    }

    /// The body as it is sent.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        self.body.as_ref().map(|body| match (self.media, body) {
            (Media::Xml, Value::String(text)) => text.clone(),
            (Media::Xml | Media::Json | Media::AmazonJson, body) => body.to_string(),
        })
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds `Retry-After` in whole seconds, rounded up, if a time is known.
    #[must_use]
    pub fn retry_after(self, after: Option<Duration>) -> Self {
        match after {
            Some(after) => self.with_header("retry-after", after.as_millis().div_ceil(1000)),
            None => self,
        }
    }
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The answer; `None` when it is lost and the connection is cut.
    pub answer: Option<Answer>,
    /// Whether the process that asked is to be killed.
    pub kill: Option<Kill>,
}

impl Outcome {
    /// The connection is cut, whatever happened before.
    #[must_use]
    pub fn cut() -> Self {
        Self { answer: None, kill: None }
    }

    /// Kills the process that asked, too.
    #[must_use]
    pub fn killing(self, kill: Option<Kill>) -> Self {
        Self { kill: self.kill.or(kill), ..self }
    }
}

impl From<Answer> for Outcome {
    fn from(answer: Answer) -> Self {
        Self { answer: Some(answer), kill: None }
    }
}
