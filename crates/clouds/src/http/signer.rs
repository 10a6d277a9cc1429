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
}

/// Shows a token in a header of its own, or nothing at all.
#[derive(Debug)]
pub(crate) struct Carried(pub(crate) Option<(HeaderName, Token)>);

#[async_trait]
impl Signer for Carried {
    async fn proof(&self, doing: &Doing, _: &Sending<'_>) -> Result<Proof, CloudError> {
        let Some((name, token)) = &self.0 else { return Ok(Vec::new()) };
        Ok(vec![(name.clone(), sensitive(doing, token.reveal())?)])
    }

    fn redact(&self, text: &str) -> String {
        self.0.as_ref().map_or_else(|| text.to_owned(), |(_, token)| token.redact(text))
    }
}

#[async_trait]
impl Signer for Token {
    async fn proof(&self, doing: &Doing, _: &Sending<'_>) -> Result<Proof, CloudError> {
        let text = Zeroizing::new(format!("Bearer {}", self.reveal()));
        Ok(vec![(AUTHORIZATION, sensitive(doing, &text)?)])
    }

    fn redact(&self, text: &str) -> String {
        Self::redact(self, text)
    }
}

fn sensitive(doing: &Doing, text: &str) -> Result<HeaderValue, CloudError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        let why = "the token has characters that cannot be sent".to_owned();
        doing.failed(CloudErrorKind::InvalidCredentials(why))
    })?;
    value.set_sensitive(true);
    Ok(value)
}
