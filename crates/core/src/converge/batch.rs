//! Many probes as one remote command, because a round trip costs more than a probe.
//!
//! Whoever looks is kept waiting by one host for [`LIMIT`] at most: on the host each probe has a limit, and
//! after a while no further one is begun; for a host that does not keep to that, here. More than
//! [`MOST_OUTPUT`] is no answer either.

use std::time::Duration;

use crate::remote::{Command, Output};
use crate::script::script;

/// Separates the answers. Not a secret: a host that forges it lies about itself only.
const MARK: &str = "::stagecraft-probe";

/// How long one probe may take on the host.
const PROBE_SECONDS: u64 = 20;

/// For how long probes are begun on the host.
pub(super) const BUDGET_SECONDS: u64 = 30;

/// How long all of it may take: the last probe may be begun at the end of the budget, and the way there
/// and back takes its time too.
const LIMIT: Duration = Duration::from_secs(BUDGET_SECONDS + PROBE_SECONDS + 10);

/// How much the probes of a host may print; a tailnet of a thousand machines is a fourth of it.
const MOST_OUTPUT: usize = 4 * 1024 * 1024;

/// One command that runs all probes one after another.
pub(super) fn command(probes: &[Command]) -> Command {
    let limits = [PROBE_SECONDS.to_string(), BUDGET_SECONDS.to_string(), MARK.to_owned()];
    let lines = probes.iter().map(Command::to_shell);
    script("look", include_str!("scripts/look.sh"), limits.into_iter().chain(lines))
        .with_timeout(LIMIT)
        .with_most_output(MOST_OUTPUT)
}

/// The answers in probe order, fewer than `count` when the host was too slow for the rest; `None` when
/// they are not all there for any other reason.
pub(super) fn parse(count: usize, output: &Output) -> Option<Vec<Output>> {
    let mut rest = output.stdout.as_str();
    let mut answers = Vec::with_capacity(count);
    for index in 0..count {
        let begin = format!("{MARK} begin {index}\n");
        let Some(found) = rest.find(&begin) else {
            return rest.ends_with(&format!("{MARK} late {index}\n")).then_some(answers);
        };
        rest = &rest[found + begin.len()..];
        let end = format!("\n{MARK} end {index} ");
        let (stdout, after) = rest.split_once(&end)?;
        let (status, after) = after.split_once('\n')?;
        answers.push(Output {
            status: status.parse().ok()?,
            stdout: stdout.to_owned(),
            stderr: String::new(),
        });
        rest = after;
    }
    Some(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_back_in_probe_order() {
        let script = command(&[Command::new("true"), Command::new("cat").arg("/a b")]);
        assert_eq!(script.timeout(), Duration::from_secs(60), "however many they are");
        assert_eq!(script.display(), "look");
        assert!(script.to_shell().ends_with("20 30 ::stagecraft-probe true 'cat '\\''/a b'\\'''"));

        let stdout = "motd\n::stagecraft-probe begin 0\n\n::stagecraft-probe end 0 0\n\
                      ::stagecraft-probe begin 1\ntwo\nlines\n\n::stagecraft-probe end 1 127\n";
        let output = Output { stdout: stdout.to_owned(), ..Output::default() };
        let answers = parse(2, &output).expect("two answers");
        assert_eq!((answers[0].status, answers[0].stdout.as_str()), (0, ""));
        assert_eq!((answers[1].status, answers[1].stdout.as_str()), (127, "two\nlines\n"));
    }

    #[test]
    fn a_cut_answer_is_no_answer() {
        let output =
            Output { stdout: "::stagecraft-probe begin 0\nhalf".to_owned(), ..Output::default() };
        assert_eq!(parse(1, &output), None);
    }

    #[test]
    fn what_the_host_was_too_slow_for_is_missing_at_the_end() {
        let first = "::stagecraft-probe begin 0\nup\n::stagecraft-probe end 0 0\n";
        let after =
            |end: &str| parse(3, &Output { stdout: format!("{first}{end}"), ..Output::default() });
        let answers = after("::stagecraft-probe late 1\n").expect("an answer");
        assert_eq!(answers.len(), 1);
        assert_eq!(answers[0].stdout, "up");
        assert_eq!(after("::stagecraft-probe late 2\n"), None, "that was not its turn");
        assert_eq!(after(""), None);
    }
}
