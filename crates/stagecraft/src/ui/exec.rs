//! What a command prints on many hosts: a block per host, in the order in which they are done.

use std::collections::BTreeMap;

use stagecraft_core::error::{Code, Failure};
use stagecraft_core::name::HostName;
use stagecraft_core::remote::Output;

use super::alike;
use super::natural::by_name;
use super::text::{BAD, FAINT, Text, count, names};
use crate::stop::Trouble;

/// What is said of a host where the user cut the command off.
pub(crate) const CUT_OFF: &str = "interrupted; the command may still run";
/// What is said of a host whose turn had not come by then.
pub(crate) const NOT_BEGUN: &str = "interrupted before the command was begun";

/// What came of a command on one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It ran to its end.
    Ended(Output),
    /// It did not run, or how it ended is unknown.
    Failed(Failure),
    /// The user cut it off; it may still run.
    CutOff,
    /// The user stopped the run before its turn came.
    NotBegun,
}

impl Outcome {
    /// Whether it ran and went well.
    pub(crate) fn success(&self) -> bool {
        match self {
            Self::Ended(output) => output.success(),
            Self::Failed(_) | Self::CutOff | Self::NotBegun => false,
        }
    }

    /// Whether the user ended it.
    pub(crate) fn is_interrupted(&self) -> bool {
        match self {
            Self::CutOff | Self::NotBegun => true,
            Self::Ended(_) | Self::Failed(_) => false,
        }
    }

    /// What it printed and how it ended, or why that is not known.
    pub(crate) fn into_result(self) -> Result<Output, Failure> {
        let interrupted = |words| Err(Failure::new(Code::INTERRUPTED, words));
        match self {
            Self::Ended(output) => Ok(output),
            Self::Failed(failure) => Err(failure),
            Self::CutOff => interrupted(CUT_OFF),
            Self::NotBegun => interrupted(NOT_BEGUN),
        }
    }
}

/// Prefixes lines with the host they come from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExecScreen {
    width: usize,
}

impl ExecScreen {
    /// For these hosts; their names are padded to one width.
    pub(crate) fn new<'a>(hosts: impl IntoIterator<Item = &'a HostName>) -> Self {
        let width = hosts.into_iter().map(|host| host.as_str().len()).max().unwrap_or_default();
        Self { width }
    }

    /// The block of a command that ended, standard error after standard output.
    pub(crate) fn block(self, host: &HostName, output: &Output) -> Text {
        let mut text = self.printed(host, output.stdout.lines().chain(output.stderr.lines()));
        if !output.success() {
            let ended = format!("ended with status {}", output.status);
            self.prefix(&mut text, host).styled(BAD, &ended).end_line();
        }
        text
    }

    /// The lines that a command printed.
    pub(crate) fn printed<'l>(
        self,
        host: &HostName,
        lines: impl IntoIterator<Item = &'l str>,
    ) -> Text {
        let mut text = Text::new();
        for line in lines {
            self.prefix(&mut text, host).put_whole(line).end_line();
        }
        text
    }

    /// The line on a command that did not run, or whose end is unknown.
    pub(crate) fn verdict(self, host: &HostName, words: &str) -> Text {
        let mut text = Text::new();
        self.prefix(&mut text, host).styled(BAD, words).end_line();
        text
    }

    fn prefix<'t>(self, text: &'t mut Text, host: &HostName) -> &'t mut Text {
        text.styled(FAINT, &format!("{host:width$} |", width = self.width)).put(" ")
    }
}

/// Where the command failed: how it ended where it ran, where it was cut off, then why it did not run on
/// the others, or how it ended is unknown.
pub(crate) fn troubles(outcomes: &BTreeMap<HostName, Outcome>) -> Vec<Trouble> {
    let mut ended: Vec<String> = Vec::new();
    let mut failed: Vec<(&HostName, &Failure)> = Vec::new();
    let (mut cut, mut waiting): (Vec<&HostName>, Vec<&HostName>) = Default::default();
    for (host, outcome) in by_name(outcomes, |(host, _)| host) {
        match outcome {
            Outcome::Ended(output) if output.success() => {}
            Outcome::Ended(output) => ended.push(format!("`{host}` with status {}", output.status)),
            Outcome::Failed(failure) => failed.push((host, failure)),
            Outcome::CutOff => cut.push(host),
            Outcome::NotBegun => waiting.push(host),
        }
    }
    let mut troubles: Vec<Trouble> = Vec::new();
    if !ended.is_empty() {
        let hosts = count(outcomes.len(), "host");
        let message =
            format!("the command failed on {} of {hosts}: {}", ended.len(), ended.join(", "));
        troubles.push(Failure::new(Code::COMMAND_FAILED, message).into());
    }
    if !cut.is_empty() {
        let message = format!("interrupted on {}; the command may still run there", names(&cut));
        troubles.push(Failure::new(Code::INTERRUPTED, message).into());
    }
    if !waiting.is_empty() {
        let message = format!("interrupted before the command was begun on {}", names(&waiting));
        troubles.push(Failure::new(Code::INTERRUPTED, message).into());
    }
    troubles.extend(alike::told(failed));
    troubles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_failed_is_told_from_one_that_did_not_run() {
        let ran = |status| Outcome::Ended(Output { status, ..Output::default() });
        let missing = Failure::new(Code::HOST_MISSING, "`c` does not exist").with_hint("run up");
        let outcomes: BTreeMap<HostName, Outcome> = [
            ("a", ran(0)),
            ("b", ran(3)),
            ("c", Outcome::Failed(missing)),
            ("d", Outcome::CutOff),
            ("e", Outcome::CutOff),
            ("f", Outcome::NotBegun),
        ]
        .map(|(host, outcome)| (host.parse().unwrap(), outcome))
        .into();
        let shown = crate::ui::error::render(&troubles(&outcomes), false, 80).plain();
        insta::assert_snapshot!(shown, @"
        error[command_failed]: the command failed on 1 of 6 hosts: `b` with status 3

        error[interrupted]: interrupted on `d` and `e`; the command may still run there

        error[interrupted]: interrupted before the command was begun on `f`

        error[host.missing]: `c` does not exist
          hint: run up
        ");
    }

    #[test]
    fn what_failed_alike_on_many_hosts_is_told_once() {
        let outcomes: BTreeMap<HostName, Outcome> = (1..=9)
            .map(|number| {
                let host: HostName = format!("app-{number}").parse().unwrap();
                let late = format!("`sleep 9` did not finish on `{host}` within 3 s");
                (host, Outcome::Failed(Failure::new(Code::SSH_FAILED, late).with_hint("wait")))
            })
            .collect();
        let shown = crate::ui::error::render(&troubles(&outcomes), false, 80).plain();
        insta::assert_snapshot!(shown, @"
        error[ssh_failed]: `sleep 9` did not finish on `app-1`, `app-2`, `app-3`,
          `app-4` and 5 more hosts within 3 s
          hint: wait
        ");
    }

    #[test]
    fn every_line_says_where_it_comes_from() {
        let hosts: Vec<HostName> = vec!["app-1".parse().unwrap(), "gateway".parse().unwrap()];
        let screen = ExecScreen::new(&hosts);
        let output = Output {
            status: 3,
            stdout: "one\r\ntwo \x1b[2J\n\n".to_owned(),
            stderr: "oops".to_owned(),
        };
        insta::assert_snapshot!(screen.block(&hosts[0], &output).plain(), @r"
        app-1   | one
        app-1   | two ␛[2J
        app-1   |
        app-1   | oops
        app-1   | ended with status 3
        ");
    }
}
