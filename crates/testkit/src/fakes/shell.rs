//! The shell of a fake host: words, quotes, `$?`, `;`, `&&`, `||`, and a dozen programs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use stagecraft_core::remote::Output;

use crate::world::Disk;

/// What a command that nobody knows ends with.
const UNKNOWN: i32 = 127;

/// What a named script or program does to a disk, given its arguments and standard input.
pub type Script = Arc<dyn Fn(&mut Disk, &[&str], &str) -> Output + Send + Sync>;

/// Scripts by name, as in `sh -c TEXT NAME ARGUMENTS`, and programs by name.
pub(super) type Scripts = BTreeMap<String, Script>;

/// One command line being run.
pub(super) struct Shell<'a> {
    pub(super) disk: &'a mut Disk,
    pub(super) scripts: &'a Scripts,
    pub(super) stdin: &'a str,
    /// The time of the world.
    pub(super) now: Duration,
    /// What was asked for and is not known here.
    pub(super) unknown: Vec<String>,
}

/// One command of a line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Simple {
    words: Vec<Vec<Piece>>,
    runs: When,
    stderr_too: bool,
}

/// On what the one before leaves, a command runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum When {
    #[default]
    Always,
    OnSuccess,
    OnFailure,
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Status,
}

impl<'a> Shell<'a> {
    /// A shell on a host whose guarded changes have been undone as far as it is time.
    pub(super) fn new(
        disk: &'a mut Disk,
        scripts: &'a Scripts,
        stdin: &'a str,
        now: Duration,
    ) -> Self {
        let mut shell = Self { disk, scripts, stdin, now, unknown: Vec::new() };
        shell.expire_guards();
        shell
    }

    /// Runs a line to its end.
    pub(super) fn run(&mut self, line: &str) -> Output {
        let commands = match parse(line) {
            Ok(commands) => commands,
            Err(what) => return self.does_not_know(&what),
        };
        let mut all = Output::default();
        for command in commands {
            let runs = match command.runs {
                When::Always => true,
                When::OnSuccess => all.success(),
                When::OnFailure => !all.success(),
            };
            if !runs {
                continue;
            }
            let words: Vec<String> =
                command.words.iter().map(|word| expand(word, all.status)).collect();
            let Output { status, stdout, stderr } = self.program(&words);
            all.status = status;
            all.stdout.push_str(&stdout);
            let errors = if command.stderr_too { &mut all.stdout } else { &mut all.stderr };
            errors.push_str(&stderr);
        }
        all
    }

    fn program(&mut self, words: &[String]) -> Output {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if let [name, arguments @ ..] = words.as_slice()
            && let Some(script) = self.scripts.get(*name)
        {
            return script(self.disk, arguments, self.stdin);
        }
        match words.as_slice() {
            ["true"] => Output::default(),
            ["false"] => status(1),
            ["test", "-e", path] => status(i32::from(!self.disk.files.contains_key(*path))),
            ["touch", path] => self.write(path, None),
            ["tee", path] => self.write(path, Some(self.stdin)),
            ["rm", "-f", path] => {
                self.disk.files.remove(*path);
                Output::default()
            }
            ["cat", path] => match self.disk.files.get(*path) {
                Some(text) => says(text.clone()),
                None => fails(1, format!("cat: {path}: No such file or directory\n")),
            },
            ["echo", rest @ ..] => says(format!("{}\n", rest.join(" "))),
            ["printf", format, rest @ ..] => says(printf(format, rest)),
            ["timeout", _, rest @ ..] => {
                let rest: Vec<String> = rest.iter().map(|&word| word.to_owned()).collect();
                self.program(&rest)
            }
            ["sh", "-c", text] => self.run(text),
            ["sh", "-c", _, "look", _, _, mark, probes @ ..] => self.look(mark, probes),
            ["sh", "-c", _, name, arguments @ ..] => match self.scripts.get(*name) {
                Some(script) => script(self.disk, arguments, self.stdin),
                None => match self.identity_script(name, arguments) {
                    Some(output) => output,
                    None => self.does_not_know(name),
                },
            },
            other => self.does_not_know(&other.join(" ")),
        }
    }

    /// What the product's script for looking does, without its limits.
    fn look(&mut self, mark: &str, probes: &[&str]) -> Output {
        let mut all = Output::default();
        for (index, probe) in probes.iter().enumerate() {
            let Output { status, stdout, stderr } = self.run(probe);
            let answer =
                format!("{mark} begin {index}\n{stdout}{stderr}\n{mark} end {index} {status}\n");
            all.stdout.push_str(&answer);
        }
        all
    }

    fn write(&mut self, path: &str, text: Option<&str>) -> Output {
        if self.disk.full {
            return fails(1, format!("cannot write '{path}': No space left on device\n"));
        }
        let file = self.disk.files.entry(path.to_owned()).or_default();
        if let Some(text) = text {
            text.clone_into(file);
        }
        Output::default()
    }

    fn does_not_know(&mut self, what: &str) -> Output {
        self.unknown.push(what.to_owned());
        fails(UNKNOWN, format!("sh: 1: {what}: not found\n"))
    }
}

pub(super) fn status(status: i32) -> Output {
    Output { status, ..Output::default() }
}

pub(super) fn says(stdout: String) -> Output {
    Output { stdout, ..Output::default() }
}

pub(super) fn fails(status: i32, stderr: String) -> Output {
    Output { status, stderr, ..Output::default() }
}

fn expand(word: &[Piece], status: i32) -> String {
    word.iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Status => status.to_string(),
        })
        .collect()
}

fn printf(format: &str, arguments: &[&str]) -> String {
    let mut arguments = arguments.iter();
    let mut text = String::new();
    let mut rest = format.chars();
    while let Some(char) = rest.next() {
        match char {
            '\\' => match rest.next() {
                Some('n') => text.push('\n'),
                other => text.extend(other),
            },
            '%' => match rest.next() {
                Some('s' | 'd') => text.push_str(arguments.next().unwrap_or(&"")),
                other => text.extend(other),
            },
            other => text.push(other),
        }
    }
    text
}

/// Takes a line apart; what this shell cannot do is the error.
fn parse(line: &str) -> Result<Vec<Simple>, String> {
    let mut commands = Vec::new();
    let mut open = Simple::default();
    let mut word: Option<Vec<Piece>> = None;
    let mut skip_next_word = false;
    let mut rest = line.chars().peekable();
    while let Some(char) = rest.next() {
        if "\n; \t&|<>".contains(char)
            && let Some(done) = word.take()
            && !std::mem::take(&mut skip_next_word)
        {
            open.words.push(done);
        }
        match char {
            ' ' | '\t' => {}
            '\n' | ';' => finish(&mut open, &mut commands, When::Always),
            '&' if rest.next_if_eq(&'&').is_some() => {
                finish(&mut open, &mut commands, When::OnSuccess);
            }
            '|' if rest.next_if_eq(&'|').is_some() => {
                finish(&mut open, &mut commands, When::OnFailure);
            }
            '<' => skip_next_word = true,
            '>' => {
                let from_stderr = open.words.pop_if(|word| *word == [Piece::Text("2".to_owned())]);
                if from_stderr.is_none() || rest.next() != Some('&') || rest.next() != Some('1') {
                    return Err(format!("redirection in `{line}`"));
                }
                open.stderr_too = true;
            }
            '\'' => push(&mut word, &quoted(&mut rest)?),
            '"' => {
                push(&mut word, "");
                while let Some(inner) = rest.next().filter(|inner| *inner != '"') {
                    match inner {
                        '$' if rest.next_if_eq(&'?').is_some() => push_status(&mut word),
                        '\\' => push(&mut word, &rest.next().map(String::from).unwrap_or_default()),
                        '$' | '`' => return Err(format!("expansion in `{line}`")),
                        other => push(&mut word, &other.to_string()),
                    }
                }
            }
            '\\' => push(&mut word, &rest.next().map(String::from).unwrap_or_default()),
            '$' if rest.next_if_eq(&'?').is_some() => push_status(&mut word),
            '$' | '`' | '(' | ')' | '{' | '}' | '&' | '|' => {
                return Err(format!("`{char}` in `{line}`"));
            }
            other => push(&mut word, &other.to_string()),
        }
    }
    if !skip_next_word {
        open.words.extend(word);
    }
    finish(&mut open, &mut commands, When::Always);
    Ok(commands)
}

fn finish(open: &mut Simple, commands: &mut Vec<Simple>, next: When) {
    let done = std::mem::take(open);
    open.runs = if done.words.is_empty() { done.runs } else { next };
    if !done.words.is_empty() {
        commands.push(done);
    }
}

fn quoted(rest: &mut impl Iterator<Item = char>) -> Result<String, String> {
    let mut text = String::new();
    for char in rest {
        if char == '\'' {
            return Ok(text);
        }
        text.push(char);
    }
    Err(format!("an open quote before `{text}`"))
}

fn push(word: &mut Option<Vec<Piece>>, text: &str) {
    let pieces = word.get_or_insert_default();
    match pieces.last_mut() {
        Some(Piece::Text(before)) => before.push_str(text),
        Some(Piece::Status) | None => pieces.push(Piece::Text(text.to_owned())),
    }
}

fn push_status(word: &mut Option<Vec<Piece>>) {
    word.get_or_insert_default().push(Piece::Status);
}

#[cfg(test)]
mod tests {
    use stagecraft_core::remote::Command;

    use super::*;

    #[test]
    fn a_line_runs_as_a_real_shell_would_run_it() {
        for line in [
            "echo 'it'\\''s' \"a  b\" c\\ d",
            "false; echo $?; true && echo yes || echo no",
            "false && echo yes || echo \"no $?\"",
            "test -e /does/not/exist 2>&1; printf '%s-%d\\n' a $?",
            "cat /does/not/exist </dev/null 2>&1\nprintf '\\nend %d\\n' $?",
            "timeout 5 sh -c 'echo in; false'\necho \"$?\"",
        ] {
            let real = std::process::Command::new("sh").args(["-c", line]).output();
            let real = real.expect("this machine has a shell");
            let (fake, unknown) = run(line);
            assert_eq!(fake.stdout, String::from_utf8_lossy(&real.stdout), "{line}");
            assert_eq!(Some(fake.status), real.status.code(), "{line}");
            assert_eq!(unknown, Vec::<String>::new());
        }
    }

    #[test]
    fn what_it_cannot_do_is_an_error_and_remembered() {
        for line in ["apt-get update", "echo $HOME", "echo a | cat", "echo a >/x", "a &"] {
            let (output, unknown) = run(line);
            assert_eq!((output.status, unknown.len()), (127, 1), "{line}");
        }
    }

    #[test]
    fn files_stay_on_the_disk_unless_it_is_full() {
        let mut disk = Disk::default();
        let at = |line: &str, disk: &mut Disk| {
            let scripts = Scripts::new();
            Shell::new(disk, &scripts, "text", Duration::ZERO).run(line)
        };
        assert!(at("touch /a; tee /b", &mut disk).success());
        assert_eq!(at("cat /b", &mut disk).stdout, "text");
        disk.full = true;
        assert!(at("touch /c", &mut disk).stderr.contains("No space left"));
        assert_eq!(disk.files.len(), 2);
    }

    #[test]
    fn a_script_is_known_by_its_name() {
        let scripts: Scripts = [(
            "greet".to_owned(),
            Arc::new(|_: &mut Disk, words: &[&str], _: &str| says(words.join("+"))) as Script,
        )]
        .into();
        let mut disk = Disk::default();
        let mut shell = Shell::new(&mut disk, &scripts, "", Duration::ZERO);
        let command = Command::script("anything | at all").arg("greet").arg("a").arg("b c");
        assert_eq!(shell.run(&command.to_shell()).stdout, "a+b c");
    }

    fn run(line: &str) -> (Output, Vec<String>) {
        let (mut disk, scripts) = (Disk::default(), Scripts::new());
        let mut shell = Shell::new(&mut disk, &scripts, "", Duration::ZERO);
        (shell.run(line), shell.unknown)
    }
}
