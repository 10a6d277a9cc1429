//! What a command prints on many hosts: a block per host, in the order in which they are done.

use std::collections::BTreeMap;

use stagecraft_core::error::{Code, Failure};
use stagecraft_core::name::HostName;
use stagecraft_core::remote::Output;

use super::text::{BAD, FAINT, Text, count, names};
use crate::stop::Trouble;

/// What a failure says of a command that did not end in time.
const UNFINISHED: &str = "did not finish on";
/// What is said of a host where the user cut the command off.
pub(crate) const MAY_STILL_RUN: &str = "interrupted; the command may still run";
/// What is said of a host whose turn had not come by then.
pub(crate) const NOT_BEGUN: &str = "interrupted before the command was begun";

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
        let mut text = Text::new();
        for line in output.stdout.lines().chain(output.stderr.lines()) {
            self.prefix(&mut text, host).put_whole(line).end_line();
        }
        if !output.success() {
            let ended = format!("ended with status {}", output.status);
            self.prefix(&mut text, host).styled(BAD, &ended).end_line();
        }
        text
    }

    /// The line of a command that did not run, or whose end is unknown.
    pub(crate) fn failure(self, host: &HostName, failure: &Failure) -> Text {
        let mut text = Text::new();
        let words = match failure.code {
            Code::INTERRUPTED => failure.message.clone(),
            code => format!("{code}: {}", failure.message),
        };
        self.prefix(&mut text, host).styled(BAD, &words).end_line();
        text
    }

    fn prefix<'t>(self, text: &'t mut Text, host: &HostName) -> &'t mut Text {
        text.styled(FAINT, &format!("{host:width$} |", width = self.width)).put(" ")
    }
}

/// Where the command failed: how it ended where it ran, where it was cut off, then each host where it
/// did not run, or where how it ended is unknown.
pub(crate) fn troubles(outcomes: &BTreeMap<HostName, Result<Output, Failure>>) -> Vec<Trouble> {
    let ended: Vec<String> = outcomes
        .iter()
        .filter_map(|(host, outcome)| {
            let output = outcome.as_ref().ok().filter(|output| !output.success())?;
            Some(format!("`{host}` with status {}", output.status))
        })
        .collect();
    let mut troubles: Vec<Trouble> = Vec::new();
    if !ended.is_empty() {
        let hosts = count(outcomes.len(), "host");
        let message =
            format!("the command failed on {} of {hosts}: {}", ended.len(), ended.join(", "));
        troubles.push(Failure::new(Code::COMMAND_FAILED, message).into());
    }
    let interrupted = outcomes.iter().filter_map(|(host, outcome)| {
        let failure = outcome.as_ref().err().filter(|failure| failure.code == Code::INTERRUPTED)?;
        Some((host, failure.message == NOT_BEGUN))
    });
    let (waiting, cut): (Vec<_>, Vec<_>) = interrupted.partition(|(_, not_begun)| *not_begun);
    let hosts = |of: &[(&HostName, bool)]| names(of.iter().map(|(host, _)| *host));
    if !cut.is_empty() {
        let message = format!("interrupted on {}; the command may still run there", hosts(&cut));
        troubles.push(Failure::new(Code::INTERRUPTED, message).into());
    }
    if !waiting.is_empty() {
        let message = format!("interrupted before the command was begun on {}", hosts(&waiting));
        troubles.push(Failure::new(Code::INTERRUPTED, message).into());
    }
    for (host, outcome) in outcomes {
        if let Err(failure) = outcome
            && failure.code != Code::INTERRUPTED
        {
            let mut failure = super::table::of_hosts(failure, &[host]);
            if failure.message.contains(UNFINISHED) {
                failure.hints.push("it may still run there; `--timeout` waits longer".to_owned());
            }
            troubles.push(failure.into());
        }
    }
    troubles
}

#[cfg(test)]
mod tests {
    use stagecraft_core::remote::RemoteError;

    use super::*;

    #[test]
    fn a_command_that_failed_is_told_from_one_that_did_not_run() {
        let ran = |status| Ok(Output { status, stdout: String::new(), stderr: String::new() });
        let missing = Failure::new(Code::HOST_MISSING, "`c` does not exist").with_hint("run up");
        let cut = Failure::new(Code::INTERRUPTED, MAY_STILL_RUN);
        let waiting = Failure::new(Code::INTERRUPTED, NOT_BEGUN);
        let outcomes: BTreeMap<HostName, Result<Output, Failure>> = [
            ("a", ran(0)),
            ("b", ran(3)),
            ("c", Err(missing)),
            ("d", Err(cut.clone())),
            ("e", Err(cut)),
            ("f", Err(waiting)),
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
    fn a_command_that_did_not_end_in_time_may_still_run() {
        let late = RemoteError::TimedOut {
            host: "a".parse().unwrap(),
            command: "sleep 9".to_owned(),
            limit: std::time::Duration::from_secs(1),
        };
        let outcomes = [("a".parse().unwrap(), Err(Failure::from(&late)))].into();
        let shown = crate::ui::error::render(&troubles(&outcomes), false, 80).plain();
        assert!(shown.contains("it may still run there"), "{shown}");
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
