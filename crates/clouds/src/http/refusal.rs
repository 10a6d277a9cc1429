use std::fmt::Debug;
use std::time::Duration;

use stagecraft_core::cloud::{CloudError, CloudErrorKind};

use super::Answer;
use crate::Doing;

/// No message of a provider is shown beyond this many characters.
const LONGEST_MESSAGE: usize = 400;

/// How one API says no.
pub(crate) trait Dialect: Debug + Send + Sync {
    /// What an answer with a status of 400 or more means. The body holds no token any more.
    fn refusal(&self, answer: &Answer) -> Refusal;

    /// The provider's id of the request, of any answer that carries one.
    fn request_id(&self, answer: &Answer) -> Option<String>;

    /// What of the file, besides `api_url`, says where the API is.
    fn about_its_place(&self) -> Option<String> {
        None
    }
}

/// A request that was refused, as an API said it.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// The class, from the words.
    pub(crate) class: fn(String) -> CloudErrorKind,
    /// The provider's own words.
    pub(crate) message: String,
    /// The provider's code of the error, in lower case; empty when it gives none.
    pub(crate) code: String,
    /// How long to wait at least before trying again.
    pub(crate) retry_after: Duration,
    /// Whether the request may have taken effect all the same.
    pub(crate) maybe_done: bool,
    /// Commands or edits that help, where more is known than the class says.
    pub(crate) hints: Vec<String>,
}

impl Refusal {
    /// A refusal of this class.
    pub(crate) fn new(class: fn(String) -> CloudErrorKind, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            code: String::new(),
            retry_after: Duration::ZERO,
            maybe_done: false,
            hints: Vec::new(),
        }
    }

    /// Asks to wait at least this long.
    pub(crate) fn after(self, pause: Duration) -> Self {
        Self { retry_after: pause, ..self }
    }

    /// Adds a command or edit that helps.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The refusal of what was tried.
    pub(super) fn explain(self, doing: &Doing, request_id: Option<String>) -> CloudError {
        let mut kind = (self.class)(words(&self.message));
        if let CloudErrorKind::RateLimited { after, .. } = &mut kind
            && !self.retry_after.is_zero()
        {
            *after = Some(self.retry_after);
        }
        let error = if self.maybe_done { doing.in_doubt(kind) } else { doing.failed(kind) };
        let error = CloudError { request_id, ..error.retry_after(self.retry_after) };
        self.hints.into_iter().fold(error, CloudError::with_hint)
    }
}

/// A provider's words on one line, without control characters, not longer than a user reads.
pub(crate) fn words(text: &str) -> String {
    let mut clean = String::new();
    for (count, word) in text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .enumerate()
    {
        if count > 0 {
            clean.push(' ');
        }
        clean.push_str(word);
    }
    if clean.chars().count() > LONGEST_MESSAGE {
        clean = clean.chars().take(LONGEST_MESSAGE).collect();
        clean.push('…');
    }
    clean.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_one_harmless_line() {
        assert_eq!(words("a\u{1b}[31m\r\n  b\tc.\u{7}"), "a [31m b c");
        assert_eq!(words(&"x".repeat(1000)).chars().count(), LONGEST_MESSAGE + 1);
    }
}
