use std::fmt::Debug;

use async_trait::async_trait;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use stagecraft_core::cloud::{CloudError, CloudErrorKind};
use zeroize::Zeroizing;

use super::Token;
use crate::Doing;

/// A request that is about to be sent, as a signature has to cover it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sending<'a> {
    pub(crate) method: &'a str,
    pub(crate) url: &'a Url,
    /// Names are in lower case.
    pub(crate) headers: &'a [(&'static str, &'static str)],
    pub(crate) body: &'a [u8],
}

/// Headers that show whose a request is.
pub(crate) type Proof = Vec<(HeaderName, HeaderValue)>;

/// Who shows whose requests are, and knows the secrets by which it does.
#[async_trait]
pub(crate) trait Signer: Debug + Send + Sync {
    /// The headers that one request needs.
    ///
    /// # Errors
    /// Why there are no credentials; nothing was sent to the API then.
    async fn proof(&self, doing: &Doing, sending: &Sending<'_>) -> Result<Proof, CloudError>;

    /// `text` without any secret that was used so far, and without any recognisable part of one.
    fn redact(&self, text: &str) -> String;

    /// `text` without any such secret that stands in it as a whole; `None` where there is none. For what no
    /// part of a secret is looked for in: names that somebody chose may begin like one.
    fn hide(&self, text: &str) -> Option<String>;
}

#[async_trait]
impl Signer for Token {
    async fn proof(&self, doing: &Doing, _: &Sending<'_>) -> Result<Proof, CloudError> {
        let text = Zeroizing::new(format!("Bearer {}", self.reveal()));
        let mut value = HeaderValue::from_str(&text).map_err(|_| {
            let why = "the token has characters that cannot be sent".to_owned();
            doing.failed(CloudErrorKind::InvalidCredentials(why))
        })?;
        value.set_sensitive(true);
        Ok(vec![(AUTHORIZATION, value)])
    }

    fn redact(&self, text: &str) -> String {
        Self::redact(self, text)
    }

    fn hide(&self, text: &str) -> Option<String> {
        Self::hide(self, text)
    }
}
