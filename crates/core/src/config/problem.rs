//! What can be wrong with a file, in a form that can be shown with the offending line.

use std::fmt;
use std::ops::Range;

use super::source::Source;
use crate::desired::Position;
use crate::error::{Code, Failure};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The stable identifier.
    pub code: Code,
    /// What is wrong. Names from the file stand in backticks, with control characters escaped.
    pub message: String,
    /// The offending bytes of [`Problems::text`], on one line; `None` when it is no place in the
    /// file.
    pub span: Option<Range<usize>>,
    /// Where the span starts.
    pub position: Option<Position>,
    /// A few words for under the offending bytes.
    pub label: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// A second place of the file, and a few words about it.
    pub also: Option<(Range<usize>, String)>,
}

impl Problem {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            span: None,
            position: None,
            label: None,
            help: None,
            also: None,
        }
    }

    pub(super) fn at(mut self, span: Range<usize>) -> Self {
        self.span = Some(span);
        self
    }

    pub(super) fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn with_also(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.also = Some((span, label.into()));
        self
    }

    /// Cuts the spans to their first lines and finds the position.
    pub(super) fn placed(mut self, source: &Source) -> Self {
        self.span = self.span.map(|span| source.first_line(span));
        self.position = self.span.as_ref().map(|span| source.position(span.start));
        self.also = self.also.map(|(span, label)| (source.first_line(span), label));
        self
    }
}

/// `message (label)`, without the place.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.label {
            Some(label) => write!(f, " ({label})"),
            None => Ok(()),
        }
    }
}

impl From<&Problem> for Failure {
    fn from(problem: &Problem) -> Self {
        let failure = Self::new(problem.code, problem.to_string());
        match &problem.help {
            Some(help) => failure.with_hint(help),
            None => failure,
        }
    }
}

/// Everything that is wrong with a file, in the order of the file. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    /// The file, as the user named it.
    pub file: String,
    /// What the spans point into: the file's text without a byte order mark, safe to print.
    /// Characters that do not show are replaced, and so are values that look like secrets.
    pub text: String,
    /// The problems.
    pub problems: Vec<Problem>,
}

impl Problems {
    /// Sorts the problems, and leaves out those that an alias gave a second time.
    pub(super) fn new(
        file: &str,
        source: &Source,
        problems: Vec<Problem>,
        secrets: &[Range<usize>],
    ) -> Self {
        let mut problems: Vec<Problem> =
            problems.into_iter().map(|problem| problem.placed(source)).collect();
        problems
            .sort_by(|a, b| (a.position, a.code, &a.label).cmp(&(b.position, b.code, &b.label)));
        problems.dedup_by(|a, b| a.code == b.code && a.span == b.span && a.label == b.label);
        Self { file: file.to_owned(), text: source.shown(secrets), problems }
    }
}

/// One line per problem: `file:line:column: message (label)`.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.problems.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&self.file)?;
            if let Some(Position { line, column }) = problem.position {
                write!(f, ":{line}:{column}")?;
            }
            write!(f, ": {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_told_line_by_line_with_their_places() {
        let source = Source::new("a: 1\nb: 2\n".to_owned());
        let of = |message: &str| Problem::new(Code::CONFIG_INVALID_VALUE, message);
        let found = vec![of("b is wrong").at(5..6).with_label("here"), of("it is too large")];
        let problems = Problems::new("stagecraft.yml", &source, found, &[]);
        assert_eq!(
            problems.to_string(),
            "stagecraft.yml: it is too large\nstagecraft.yml:2:1: b is wrong (here)"
        );
    }

    #[test]
    fn a_problem_outside_of_a_file_is_a_failure_with_its_help() {
        let problem = Problem::new(Code::USAGE, "there is no `dev`").with_label("did you mean?");
        let told = Failure::new(Code::USAGE, "there is no `dev` (did you mean?)");
        assert_eq!(Failure::from(&problem), told);
        let failure = Failure::from(&problem.with_help("use `prod`"));
        assert_eq!(failure, told.with_hint("use `prod`"));
    }
}
