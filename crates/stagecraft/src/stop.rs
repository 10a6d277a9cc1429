//! Why a command could not do its work, and how the process ends then.

use std::ops::Range;
use std::sync::Arc;

use stagecraft_core::cloud::CloudError;
use stagecraft_core::config::Problems;
use stagecraft_core::desired::Position;
use stagecraft_core::error::{Code, ExitCode, Failure};
use stagecraft_core::name::HostName;
use stagecraft_core::plan::PlanError;
use stagecraft_core::resolve::OrderProblem;
use stagecraft_core::words::listed;

use crate::documents::{ErrorDocument, ErrorItem};
use crate::next::Next;

/// A command that ends without a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    /// How the process exits.
    pub(crate) exit: ExitCode,
    /// Everything that is wrong; never empty.
    pub(crate) troubles: Vec<Trouble>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// What and why.
    pub(crate) failure: Failure,
    /// Where in the configuration file.
    pub(crate) place: Option<Place>,
    /// What helps with all that is wrong, where `failure` is about a place that may not be shown.
    pub(crate) hints: Vec<String>,
    /// What was kept or done all the same.
    pub(crate) notes: Vec<String>,
}

/// A place in the configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file, as the user named it.
    pub(crate) file: String,
    /// Its text, safe to print.
    pub(crate) text: Arc<str>,
    /// The bytes of `text` this is about.
    pub(crate) span: Range<usize>,
    /// Where the span starts.
    pub(crate) position: Position,
    /// A few words for under these bytes.
    pub(crate) label: Option<String>,
    /// A second place, and a few words about it.
    pub(crate) also: Option<(Range<usize>, String)>,
}

impl Stop {
    /// One failure.
    pub(crate) fn new(exit: ExitCode, failure: Failure) -> Self {
        Self { exit, troubles: vec![Trouble::from(failure)] }
    }

    /// A command line that cannot be followed.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Usage, Failure::new(Code::USAGE, message))
    }

    /// A failure before any host was touched.
    pub(crate) fn bootstrap(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Bootstrap, Failure::new(Code::CONFIG_INVALID, message))
    }

    /// Something this machine refused.
    pub(crate) fn machine(what: &str, error: &std::io::Error) -> Self {
        Self::usage(format!("this machine does not let stagecraft {what}: {error}"))
    }

    /// A result that could not be written.
    pub(crate) fn output(what: &str, error: &std::io::Error) -> Self {
        let message = format!("could not write {what}: {}", words_of(error));
        Self::new(ExitCode::Usage, Failure::new(Code::OUTPUT_FAILED, message))
    }

    /// The end of a run that the user interrupted before it changed anything.
    pub(crate) fn interrupted() -> Self {
        Self::new(
            ExitCode::Interrupted,
            Failure::new(Code::INTERRUPTED, "interrupted; nothing was changed"),
        )
    }

    /// Hosts that cannot be ordered, shown where the file declares them. `text` is what may be shown of it.
    pub(crate) fn order(file: &str, text: String, problems: Vec<OrderProblem>) -> Self {
        let text: Arc<str> = text.into();
        // One slip in the file is often the same problem of many hosts.
        let mut same: Vec<(OrderProblem, Vec<HostName>)> = Vec::new();
        for problem in problems {
            let host = problem.host.clone();
            let known = same
                .iter_mut()
                .find(|(of, _)| of.message == problem.message && of.hint == problem.hint);
            match known {
                Some((_, hosts)) => hosts.push(host),
                None => same.push((problem, vec![host])),
            }
        }
        let troubles = same.into_iter().map(|(problem, hosts)| {
            let message = format!("cannot order {}: {}", some_of(&hosts), problem.message);
            let mut failure = Failure::new(Code::ORDER_INVALID, message);
            failure.hints.extend(problem.hint);
            let span = word_at(&text, problem.at);
            let place = span.map(|span| Place {
                file: file.to_owned(),
                text: Arc::clone(&text),
                span,
                position: problem.at,
                label: None,
                also: None,
            });
            Trouble { place, ..failure.into() }
        });
        Self { exit: ExitCode::Usage, troubles: troubles.collect() }
    }

    /// Adds a command or edit that helps.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        if let Some(last) = self.troubles.last_mut() {
            let hints = match last.place {
                Some(_) => &mut last.hints,
                None => &mut last.failure.hints,
            };
            hints.push(hint.into());
        }
        self
    }

    /// Adds what was kept or done all the same.
    pub(crate) fn with_note(mut self, note: impl Into<String>) -> Self {
        if let Some(last) = self.troubles.last_mut() {
            last.notes.push(note.into());
        }
        self
    }

    /// The same for programs.
    pub(crate) fn document(&self) -> ErrorDocument {
        let errors = self.troubles.iter().map(|trouble| {
            let place = trouble.place.as_ref();
            let mut failure = trouble.failure.clone();
            failure.hints.extend(trouble.hints.iter().cloned());
            if let Some(label) = place.and_then(|place| place.label.as_ref()) {
                failure.message = format!("{} ({label})", failure.message);
            }
            ErrorItem {
                failure,
                file: place.map(|place| place.file.clone()),
                line: place.map(|place| place.position.line),
                column: place.map(|place| place.position.column),
                notes: trouble.notes.clone(),
            }
        });
        ErrorDocument { errors: errors.collect(), exit_code: self.exit as u8 }
    }
}

impl Trouble {
    /// With the commands it names spelled as this user has to type them.
    pub(crate) fn spelled(&self, next: &Next) -> Self {
        let mut trouble = self.clone();
        let Failure { message, hints, .. } = &mut trouble.failure;
        let asides = trouble.hints.iter_mut().chain(&mut trouble.notes);
        for text in hints.iter_mut().chain(asides).chain([message]) {
            *text = next.spelled(text);
        }
        trouble
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self { failure, place: None, hints: Vec::new(), notes: Vec::new() }
    }
}

impl From<Problems> for Stop {
    fn from(problems: Problems) -> Self {
        let text: Arc<str> = problems.text.into();
        let file = problems.file;
        let troubles = problems.problems.into_iter().map(|problem| {
            let message = match problem.span {
                Some(_) => problem.message.clone(),
                None => format!("{file}: {problem}"),
            };
            let place = match (problem.span, problem.position) {
                (Some(span), Some(position)) => Some(Place {
                    file: file.clone(),
                    text: Arc::clone(&text),
                    span,
                    position,
                    label: problem.label,
                    also: problem.also,
                }),
                (Some(_), None) | (None, Some(_) | None) => None,
            };
            let mut failure = Failure::new(problem.code, message);
            failure.hints.extend(problem.help);
            Trouble { place, ..failure.into() }
        });
        Self { exit: ExitCode::Usage, troubles: troubles.collect() }
    }
}

impl From<&CloudError> for Stop {
    fn from(error: &CloudError) -> Self {
        Self::new(ExitCode::Cloud, Failure::from(error))
    }
}

impl From<&PlanError> for Stop {
    fn from(error: &PlanError) -> Self {
        let mut failure = Failure::from(error);
        let exit = if let PlanError::Blind { why, .. } = error {
            // The cause says already which provider could not be listed.
            failure.message = format!(
                "{}; without that, what exists is unknown and nothing is done",
                why.message
            );
            ExitCode::Cloud
        } else {
            ExitCode::Usage
        };
        Self::new(exit, failure)
    }
}

/// What the system says, without its number for it.
fn words_of(error: &std::io::Error) -> String {
    let words = error.to_string();
    let number = error.raw_os_error().map(|number| format!(" (os error {number})"));
    match number.and_then(|number| words.strip_suffix(&number)) {
        Some(words) => words.to_owned(),
        None => words,
    }
}

/// Hosts by name, as many as a reader takes in at once.
pub(crate) fn some_of(hosts: &[impl std::fmt::Display]) -> String {
    const SHOWN: usize = 4;
    let Some((shown, more)) = hosts.split_at_checked(SHOWN) else { return listed(hosts, "and") };
    let shown = shown.iter().map(|host| format!("`{host}`")).collect::<Vec<_>>().join(", ");
    match more.len() {
        0 => listed(hosts, "and"),
        1 => format!("{shown} and 1 more host"),
        more => format!("{shown} and {more} more hosts"),
    }
}

/// The bytes of the key or value at a place.
fn word_at(text: &str, at: Position) -> Option<Range<usize>> {
    let line_start = match at.line.checked_sub(1)? {
        0 => 0,
        before => text.match_indices('\n').nth(before - 1)?.0 + 1,
    };
    let line = text[line_start..].split('\n').next()?;
    let (start, _) = line.char_indices().nth(at.column.checked_sub(1)?)?;
    let rest = &line[start..];
    let length = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map(|length| length + 2),
        Some(_) | None => rest.find([' ', ':', ',', '}', '\r']).map(|length| length.max(1)),
    };
    let end = length.map_or(line.len(), |length| start + length);
    Some(line_start + start..line_start + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_could_not_be_listed_is_named_once() {
        let why = Failure::new(Code::CLOUD_UNREACHABLE, "local could not list `a/b`: no answer");
        let provider = stagecraft_core::desired::ProviderId::Local;
        let stop = Stop::from(&PlanError::Blind { provider, why });
        assert_eq!(stop.exit, ExitCode::Cloud);
        assert_eq!(
            stop.troubles[0].failure.message,
            "local could not list `a/b`: no answer; without that, what exists is unknown and \
             nothing is done"
        );
    }

    #[test]
    fn one_problem_of_many_hosts_is_told_once() {
        let problem = |host: &str, message: &str| OrderProblem {
            host: host.parse().expect("a name"),
            at: Position { line: 1, column: 1 },
            message: message.to_owned(),
            hint: None,
        };
        let told = |hosts: &[&str]| {
            let same = hosts.iter().map(|host| problem(host, "no such region"));
            let problems = same.chain([problem("z", "no such size")]).collect();
            let stop = Stop::order("f.yml", "a: b".to_owned(), problems);
            stop.troubles.into_iter().map(|of| of.failure.message).collect::<Vec<_>>()
        };
        let other = "cannot order `z`: no such size";
        assert_eq!(told(&["a"]), ["cannot order `a`: no such region", other]);
        assert_eq!(told(&["a", "b"]), ["cannot order `a` and `b`: no such region", other]);
        let many = "cannot order `a`, `b`, `c`, `d` and 2 more hosts: no such region";
        assert_eq!(told(&["a", "b", "c", "d", "e", "f"]), [many, other]);
    }

    #[test]
    fn the_word_at_a_place_is_found() {
        let text = "a: b\n  größe-1: { x: 1 }\nc: 'd e'\nf: \"g";
        let find = |line, column| word_at(text, Position { line, column }).map(|span| &text[span]);
        assert_eq!(find(2, 3), Some("größe-1"));
        assert_eq!(find(2, 14), Some("x"));
        assert_eq!(find(1, 1), Some("a"));
        assert_eq!(find(3, 4), Some("'d e'"));
        assert_eq!(find(4, 4), Some("\"g"));
        assert_eq!(find(9, 1), None);
        assert_eq!(find(2, 99), None);
        assert_eq!(find(0, 0), None);
    }
}
