//! The next command, spelled as this user has to type it.

use std::path::Path;

use stagecraft_core::remote::quote;

use crate::args::{DEFAULT_CONFIG, Global};

/// How a command begins, in the backticks that all commands stand in.
const BEGINNING: &str = "`stagecraft ";

/// Writes commands for the same file and environment as this one's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Next {
    config: Option<String>,
    environment: Option<String>,
}

impl Next {
    /// For the file and the environment that the command line of this run names. What it does not name
    /// has not to be typed next time either.
    pub(crate) fn new(global: &Global) -> Self {
        let named = global.config != Path::new(DEFAULT_CONFIG);
        // What begins with `-` would be read as an option.
        let dashed = global.config.to_string_lossy().starts_with('-');
        let config =
            if dashed { Path::new(".").join(&global.config) } else { global.config.clone() };
        Self {
            config: named.then(|| quote(&config.to_string_lossy())),
            environment: global.env.as_ref().map(ToString::to_string),
        }
    }

    /// `` `stagecraft infra up` ``, with what else is needed.
    pub(crate) fn command(&self, words: &str) -> String {
        self.spelled(&format!("{BEGINNING}{words}`"))
    }

    /// A text in which every command of ours has the options it needs. Those it has already stay as they
    /// are.
    pub(crate) fn spelled(&self, text: &str) -> String {
        let mut spelled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, found)) = rest.split_once(BEGINNING) {
            let Some((words, after)) = found.split_once('`') else { break };
            spelled.push_str(before);
            spelled.push_str(BEGINNING);
            spelled.push_str(&self.with_options(words));
            spelled.push('`');
            rest = after;
        }
        spelled.push_str(rest);
        spelled
    }

    /// The words of one command, and the options behind them: what stands behind `--` is whatever the user
    /// wants.
    fn with_options(&self, words: &str) -> String {
        let (own, open) = words.split_at(words.find(" -- ").unwrap_or(words.len()));
        let (of_file, of_environment) = match own.split(' ').next().unwrap_or_default() {
            "infra" | "ssh" | "exec" | "validate" => (true, true),
            "init" | "credentials" => (true, false),
            _ => (false, false),
        };
        let options = [
            ("--config", self.config.as_ref().filter(|_| of_file)),
            ("--env", self.environment.as_ref().filter(|_| of_environment)),
        ];
        let mut spelled = own.to_owned();
        for (option, value) in options {
            if let Some(value) = value.filter(|_| !own.split(' ').any(|word| word == option)) {
                spelled.extend([" ", option, " ", value]);
            }
        }
        spelled.push_str(open);
        spelled
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::Args;

    #[test]
    fn the_next_command_names_what_this_one_named() {
        let up = |line: &[&str]| next(line).command("infra up");
        assert_eq!(up(&[]), "`stagecraft infra up`");
        assert_eq!(up(&["--env", "staging"]), "`stagecraft infra up --env staging`");
        assert_eq!(up(&["--config", "a b.yml"]), "`stagecraft infra up --config 'a b.yml'`");
        let dashed = up(&["--config=-x.yml"]);
        assert_eq!(dashed, "`stagecraft infra up --config ./-x.yml`");
        let again = Args::try_parse_from(dashed.trim_matches('`').split(' ')).unwrap();
        assert_eq!(Next::new(&again.global).command("infra up"), dashed);
    }

    #[test]
    fn commands_in_a_text_get_the_options_once() {
        let next = next(&["--config", "x.yml", "--env", "dev"]);
        let hint = "`stagecraft infra trust a` shows it; `stagecraft infra up --replace a` makes a new one";
        let spelled = next.spelled(hint);
        assert_eq!(
            spelled,
            "`stagecraft infra trust a --config x.yml --env dev` shows it; \
             `stagecraft infra up --replace a --config x.yml --env dev` makes a new one"
        );
        assert_eq!(next.spelled(&spelled), spelled);
        assert_eq!(
            next.spelled("`stagecraft infra up --env other`"),
            "`stagecraft infra up --env other --config x.yml`"
        );
    }

    #[test]
    fn a_command_gets_only_options_that_mean_something_to_it() {
        let next = next(&["--config", "x.yml", "--env", "dev"]);
        for (words, with_options) in [
            ("credentials list", "credentials list --config x.yml"),
            ("credentials add a --replace", "credentials add a --replace --config x.yml"),
            ("exec -- df -h", "exec --config x.yml --env dev -- df -h"),
            ("schema", "schema"),
        ] {
            assert_eq!(next.command(words), format!("`stagecraft {with_options}`"));
        }
    }

    #[test]
    fn what_is_no_command_stays_as_it_is() {
        let next = next(&["--env", "dev"]);
        for text in [
            "",
            "run `apt-get update`",
            "a `stagecraft infra up",
            "stagecraft infra up",
            "`stagecraft.yml`",
        ] {
            assert_eq!(next.spelled(text), text);
        }
        assert_eq!(Next::default().spelled("`stagecraft infra up`"), "`stagecraft infra up`");
    }

    fn next(options: &[&str]) -> Next {
        let words = ["stagecraft", "infra", "plan"].iter().chain(options);
        Next::new(&Args::try_parse_from(words).unwrap().global)
    }
}
