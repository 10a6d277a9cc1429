//! How steps write scripts for hosts, and read what their probes print.
//!
//! Scripts are POSIX shell in files of their own. Values reach them as arguments, never as part of
//! their text. All are safe to be killed half-way and run again.

use std::time::Duration;

use crate::remote::{Command, Output};

/// A script by its name and with its arguments.
pub(crate) fn script<W: Into<String>>(
    name: &str,
    text: &str,
    arguments: impl IntoIterator<Item = W>,
) -> Command {
    Command::script(text).arg(name).args(arguments)
}

/// A script that limits itself to `limit` and is cut off only when that fails.
pub(crate) fn waiting(name: &str, text: &str, limit: Duration) -> Command {
    script(name, text, [limit.as_secs().to_string()]).with_timeout(limit + Duration::from_secs(60))
}

/// The values of the `key=value` lines of a probe, in order.
pub(crate) fn values<'a>(output: &'a Output, key: &str) -> impl Iterator<Item = &'a str> {
    output.stdout.lines().filter_map(move |line| line.strip_prefix(key)?.strip_prefix('='))
}

/// The first value of `key`, empty when there is none.
pub(crate) fn value<'a>(output: &'a Output, key: &str) -> &'a str {
    values(output, key).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_limits_itself_is_cut_off_only_when_that_fails() {
        let command = waiting("wait", "sleep $1", Duration::from_secs(90));
        assert_eq!(command.to_shell(), "sh -c 'sleep $1' wait 90");
        assert_eq!(command.timeout(), Duration::from_secs(150));
    }

    #[test]
    fn the_values_of_a_key_are_those_of_its_own_lines() {
        let stdout = "key=one\nkeys=other\n key=indented\nkey=two=2\n".to_owned();
        let output = Output { stdout, ..Output::default() };
        assert_eq!(values(&output, "key").collect::<Vec<_>>(), ["one", "two=2"]);
        assert_eq!((value(&output, "key"), value(&output, "none")), ("one", ""));
    }
}
