//! What a command prints on many hosts: a block per host, in the order in which they are done.

use stagecraft_core::error::Failure;
use stagecraft_core::name::HostName;
use stagecraft_core::remote::Output;

use super::text::{BAD, FAINT, Text};

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
            self.prefix(&mut text, host).put(line).end_line();
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
        let words = format!("{}: {}", failure.code, failure.message);
        self.prefix(&mut text, host).styled(BAD, &words).end_line();
        text
    }

    fn prefix<'t>(self, text: &'t mut Text, host: &HostName) -> &'t mut Text {
        text.styled(FAINT, &format!("{host:width$} |", width = self.width)).put(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
