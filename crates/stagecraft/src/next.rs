//! The next command, spelled as this user has to type it.

use stagecraft_core::name::Scope;

use crate::args::{DEFAULT_CONFIG, Global};

/// Writes commands for the same file and environment as this one's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Next {
    options: String,
}

impl Next {
    /// For the file and the environment this run was given.
    pub(crate) fn new(global: &Global) -> Self {
        let mut options = String::new();
        if global.config != std::path::Path::new(DEFAULT_CONFIG) {
            options.push_str(" --config ");
            options.push_str(&word(&global.config.to_string_lossy()));
        }
        Self { options }
    }

    /// For one of several environments.
    pub(crate) fn in_scope(mut self, scope: &Scope, environments: usize) -> Self {
        if environments > 1 {
            self.options.push_str(" --env ");
            self.options.push_str(scope.environment.as_str());
        }
        self
    }

    /// `` `stagecraft infra up` ``, with what else is needed.
    pub(crate) fn command(&self, words: &str) -> String {
        format!("`stagecraft {words}{}`", self.options)
    }
}

/// A word as a shell needs it.
fn word(text: &str) -> String {
    let plain =
        !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "/._-+=:,@%".contains(c));
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::Args;

    #[test]
    fn the_next_command_names_what_this_one_named() {
        let scope =
            Scope { project: "shop".parse().unwrap(), environment: "staging".parse().unwrap() };
        let next = |line: &[&str], environments| {
            let words = ["stagecraft"].iter().chain(line);
            let args = Args::try_parse_from(words).unwrap();
            Next::new(&args.global).in_scope(&scope, environments).command("infra up")
        };
        assert_eq!(next(&["infra", "plan"], 1), "`stagecraft infra up`");
        assert_eq!(next(&["infra", "plan"], 2), "`stagecraft infra up --env staging`");
        assert_eq!(
            next(&["infra", "plan", "--config", "a b.yml"], 1),
            "`stagecraft infra up --config 'a b.yml'`"
        );
    }
}
