use std::fmt;
use std::time::Duration;

/// Limit of a command that names none.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// A command as words, not as a shell string; quoting happens in one place.
///
/// Secrets go to standard input, never into a word: words are visible in the host's process list.
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    words: Vec<String>,
    stdin: Option<Vec<u8>>,
    timeout: Duration,
    most_output: Option<usize>,
}

impl Command {
    /// A command without arguments.
    #[must_use]
    pub fn new(program: impl Into<String>) -> Self {
        Self {
            words: vec![program.into()],
            stdin: None,
            timeout: DEFAULT_TIMEOUT,
            most_output: None,
        }
    }

    /// A POSIX shell script, run by `sh -c`.
    #[must_use]
    pub fn script(text: impl Into<String>) -> Self {
        Self::new("sh").arg("-c").arg(text)
    }

    /// Adds one word.
    #[must_use]
    pub fn arg(mut self, word: impl Into<String>) -> Self {
        self.words.push(word.into());
        self
    }

    /// Adds several words.
    #[must_use]
    pub fn args<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.words.extend(words.into_iter().map(Into::into));
        self
    }

    /// Gives the command standard input, the only way for a secret to travel.
    #[must_use]
    pub fn with_stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Sets how long it may run.
    #[must_use]
    pub fn with_timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Sets how many bytes it may print. Whoever prints more has not answered; without this the end counts.
    #[must_use]
    pub fn with_most_output(mut self, limit: usize) -> Self {
        self.most_output = Some(limit);
        self
    }

    /// What goes to standard input; without it the command reads end of file at once.
    #[must_use]
    pub fn stdin(&self) -> Option<&[u8]> {
        self.stdin.as_deref()
    }

    /// How long it may run.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How many bytes it may print to each of its outputs, if it matters that all of it is there.
    #[must_use]
    pub fn most_output(&self) -> Option<usize> {
        self.most_output
    }

    /// The command quoted for a POSIX shell.
    #[must_use]
    pub fn to_shell(&self) -> String {
        self.words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
    }

    /// A short form for messages: the name of a named script, else the first line, at most 60
    /// characters, no input.
    #[must_use]
    pub fn display(&self) -> String {
        let text = match self.words.as_slice() {
            [sh, dash_c, script] if sh == "sh" && dash_c == "-c" => script.clone(),
            [sh, dash_c, _, name, ..] if sh == "sh" && dash_c == "-c" => name.clone(),
            _ => self.to_shell(),
        };
        let first = text.trim().lines().next().unwrap_or_default();
        if first.chars().count() > 60 || text.trim().lines().count() > 1 {
            format!("{}…", first.chars().take(60).collect::<String>().trim_end())
        } else {
            first.to_owned()
        }
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Command({})", self.to_shell())?;
        if self.stdin.is_some() {
            f.write_str(" <…")?;
        }
        Ok(())
    }
}

/// Quotes one word for a POSIX shell. What is quoted anywhere is quoted by this.
#[must_use]
pub fn quote(word: &str) -> String {
    let plain = !word.is_empty()
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./=:@%+,".contains(&byte));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Quotes a path for somebody who types it into a shell, which still has to know what `~/` is.
#[must_use]
pub fn quote_path(path: &str) -> String {
    match path.strip_prefix("~/") {
        Some(below) if !below.is_empty() => format!("~/{}", quote(below)),
        Some(_) | None => quote(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_the_shell() {
        let command = Command::new("echo").arg("it's").arg("").arg("$HOME").arg("a=b");
        assert_eq!(command.to_shell(), r"echo 'it'\''s' '' '$HOME' a=b");
    }

    #[test]
    fn a_path_is_quoted_but_for_the_home_it_is_in() {
        assert_eq!(quote_path("~/.ssh/id"), "~/.ssh/id");
        assert_eq!(quote_path("~/a b"), "~/'a b'");
        assert_eq!(quote_path("~/"), "'~/'");
        assert_eq!(quote_path("/k/$(reboot)"), "'/k/$(reboot)'");
        assert_eq!(quote_path("~root/id"), "'~root/id'");
    }

    #[test]
    fn input_is_never_shown() {
        let command = Command::new("login").with_stdin("tskey-secret");
        assert_eq!(format!("{command:?}"), "Command(login) <…");
        assert_eq!(command.display(), "login");
    }

    #[test]
    fn a_script_with_a_name_is_shown_by_it() {
        let command = Command::script("set -eu\necho $1").arg("greet").arg("x");
        assert_eq!(command.display(), "greet");
    }

    #[test]
    fn a_command_that_only_looks_like_a_script_is_shown_with_all_its_words() {
        for words in [
            &["sh", "-e", "x y"][..],
            &["cat", "-c", "x y"],
            &["sh", "-e", "x y", "z"],
            &["cat", "-c", "x y", "z"],
        ] {
            let command = Command::new(words[0]).args(words[1..].iter().copied());
            assert_eq!(command.display(), words.join(" ").replace("x y", "'x y'"));
        }
    }

    #[test]
    fn a_long_script_is_shown_by_its_first_line() {
        assert_eq!(Command::script("set -eu\nrm -rf /tmp/x").display(), "set -eu…");
    }

    #[test]
    fn sixty_characters_are_shown_and_of_more_the_first_sixty() {
        let sixty = "é".repeat(60);
        assert_eq!(Command::script(sixty.clone()).display(), sixty);
        assert_eq!(Command::script(format!("{sixty}é")).display(), format!("{sixty}…"));
    }
}
