//! Many probes as one remote command, because a round trip costs more than a probe.

use std::time::Duration;

use crate::remote::{Command, Output};

/// Separates the answers. Not a secret: a host that forges it lies about itself only.
const MARK: &str = "::stagecraft-probe";

/// How long one probe may take on the host.
const PROBE_SECONDS: u64 = 30;

/// One command that runs all probes one after another.
pub(super) fn command(probes: &[Command]) -> Command {
    let script: String = probes
        .iter()
        .enumerate()
        .map(|(index, probe)| {
            format!(
                "printf '{MARK} begin {index}\\n'\n\
                 timeout {PROBE_SECONDS} {} </dev/null 2>&1\n\
                 printf '\\n{MARK} end {index} %d\\n' $?\n",
                probe.to_shell(),
            )
        })
        .collect();
    let limit = PROBE_SECONDS * (probes.len() as u64 + 1);
    Command::script(script).with_timeout(Duration::from_secs(limit))
}

/// The answers in probe order; `None` when they are not all there.
pub(super) fn parse(count: usize, output: &Output) -> Option<Vec<Output>> {
    let mut rest = output.stdout.as_str();
    let mut answers = Vec::with_capacity(count);
    for index in 0..count {
        let begin = format!("{MARK} begin {index}\n");
        rest = &rest[rest.find(&begin)? + begin.len()..];
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
        assert_eq!(script.timeout(), Duration::from_secs(90), "30 s each, and as long for all");
        assert!(script.to_shell().contains("timeout 30 cat '\\''/a b'\\''"), "{script:?}");

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
}
