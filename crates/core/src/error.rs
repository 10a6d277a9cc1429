//! What every failure that can reach a user has in common: a code, a retry policy, hints, an exit
//! code.

mod code;
mod exit;

pub use code::{ALL as ALL_CODES, Code, CodeDoc};
pub use exit::ExitCode;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Secret;

/// What a caller may do about a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Trying again cannot help.
    Never,
    /// Nothing was changed; the same call may be made again, not before this long has passed.
    After(Duration),
    /// The call may or may not have taken effect: look again before any further change.
    Observe,
}

/// Implemented by every error that can reach the user.
pub trait Diagnose: std::error::Error {
    /// The stable identifier of the failure.
    fn code(&self) -> Code;

    /// Whether trying again can help.
    fn retry(&self) -> Retry;

    /// Commands or edits that help; each stands alone.
    fn hints(&self) -> Vec<String>;
}

/// A failure as the report keeps it: everything a user needs, nothing that needs the error's type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Failure {
    /// Stable identifier, see the error reference.
    pub code: Code,
    /// What was tried and why it failed, outermost first, as one line.
    pub message: String,
    /// The last lines a failed command printed, oldest first; empty when no command was involved.
    pub output: Vec<String>,
    /// Commands or edits that help.
    pub hints: Vec<String>,
}

impl Failure {
    /// A failure without output or hints.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), output: Vec::new(), hints: Vec::new() }
    }

    /// The same where `***` stands for every `secret` in it.
    #[must_use]
    pub fn without(mut self, secret: &Secret) -> Self {
        let texts =
            std::iter::once(&mut self.message).chain(&mut self.output).chain(&mut self.hints);
        for text in texts.filter(|text| !secret.is_empty() && text.contains(secret.reveal())) {
            *text = text.replace(secret.reveal(), "***");
        }
        self
    }

    /// Adds the tail of a command's output.
    #[must_use]
    pub fn with_output(mut self, lines: Vec<String>) -> Self {
        self.output = lines;
        self
    }

    /// Adds a command or edit that helps.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl<E: Diagnose> From<&E> for Failure {
    fn from(error: &E) -> Self {
        Self { code: error.code(), message: chain(error), output: Vec::new(), hints: error.hints() }
    }
}

/// An error and its causes on one line, `outer: cause: root`.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not list")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("connection refused")]
    struct Inner;

    impl Diagnose for Outer {
        fn code(&self) -> Code {
            Code::CLOUD_UNREACHABLE
        }
        fn retry(&self) -> Retry {
            Retry::Never
        }
        fn hints(&self) -> Vec<String> {
            vec!["run it again".to_owned()]
        }
    }

    #[test]
    fn a_secret_is_taken_out_of_all_of_a_failure() {
        let failure = Failure::new(Code::COMMAND_FAILED, "up k3y failed, k3y")
            .with_output(vec!["--auth-key=k3y".to_owned(), "nothing".to_owned()])
            .with_hint("do not show k3y");
        let told = Failure::new(Code::COMMAND_FAILED, "up *** failed, ***")
            .with_output(vec!["--auth-key=***".to_owned(), "nothing".to_owned()])
            .with_hint("do not show ***");
        assert_eq!(failure.clone().without(&Secret::new("k3y")), told);
        assert_eq!(failure.clone().without(&Secret::new("")), failure);
    }

    #[test]
    fn a_failure_tells_an_error_with_its_causes_and_hints() {
        let failure = Failure::from(&Outer(Inner));
        let told = Failure::new(Code::CLOUD_UNREACHABLE, "could not list: connection refused");
        assert_eq!(failure, told.with_hint("run it again"));
    }
}
