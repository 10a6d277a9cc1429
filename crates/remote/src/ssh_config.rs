//! The part of OpenSSH's client configuration that is honoured: `Host`, `Include`, `HostName`,
//! `User`, `Port`, `IdentityFile`, `IdentitiesOnly`, `IdentityAgent` and `ProxyJump`.
//!
//! As in OpenSSH the first value obtained wins, except that `IdentityFile` adds up. `Match` blocks
//! other than `Match all` depend on things that are not known here and are skipped whole; other
//! keywords are left to the system's `ssh`.

mod include;
mod lines;
pub(crate) mod pattern;

use std::io;
use std::path::Path;

use crate::files;

/// How deep `Include` may nest, as in OpenSSH.
const MAX_DEPTH: usize = 16;

/// More than any configuration takes.
const TOO_MUCH: u64 = 1024 * 1024;

/// A configuration file with everything it includes.
#[derive(Clone, Debug, Default)]
pub struct SshConfig {
    blocks: Vec<Block>,
}

/// Lines under one `Host` line, or before the first.
#[derive(Clone, Debug, Default)]
struct Block {
    /// Pattern lists that must all match: of the block itself, and of those it is included from.
    conditions: Vec<Vec<String>>,
    /// Under a `Match` line that cannot be judged.
    skipped: bool,
    values: Vec<Value>,
}

#[derive(Clone, Debug)]
enum Value {
    HostName(String),
    User(String),
    Port(u16),
    IdentityFile(String),
    IdentitiesOnly(bool),
    IdentityAgent(String),
    ProxyJump(String),
    ProxyCommand(String),
}

/// The values that apply to one host, tokens and `~` not expanded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) host_name: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) identity_files: Vec<String>,
    pub(crate) identities_only: Option<bool>,
    pub(crate) identity_agent: Option<String>,
    pub(crate) proxy_jump: Option<String>,
    pub(crate) proxy_command: Option<String>,
}

/// A configuration file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SshConfigError {
    /// It exists and cannot be read.
    #[error("the SSH configuration cannot be read: {0}")]
    Unreadable(io::Error),
    /// A line is wrong.
    #[error("{origin}:{line}: {why}")]
    Line {
        /// The file.
        origin: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
}

impl SshConfig {
    /// Reads a file and what it includes. A missing file is an empty configuration.
    ///
    /// # Errors
    /// When a file cannot be read, or a line that is honoured is malformed.
    pub fn load(path: &Path, home: Option<&Path>) -> Result<Self, SshConfigError> {
        let base = path.parent().unwrap_or_else(|| Path::new("/"));
        let mut config = Self::default();
        config.read(path, &Loader { base, home }, &[], false, 0)?;
        Ok(config)
    }

    /// The values for a host known by `name` and reached at `address`.
    ///
    /// A block applies when it matches either. `HostName` counts only in blocks that match the
    /// address by itself: a short name such as `db-1` may stand for another machine in the user's
    /// file, and must not lead there.
    pub(crate) fn options(&self, name: Option<&str>, address: &str) -> Options {
        let both: Vec<&str> = name.into_iter().chain([address]).collect();
        let mut options = Options::default();
        for block in &self.blocks {
            if block.applies(&both) {
                let by_address = block.applies(&[address]);
                for value in &block.values {
                    options.take(value, by_address);
                }
            }
        }
        options
    }

    fn read(
        &mut self,
        path: &Path,
        loader: &Loader<'_>,
        outer: &[Vec<String>],
        skipped: bool,
        depth: usize,
    ) -> Result<(), SshConfigError> {
        match files::read_text(path, TOO_MUCH) {
            Ok(text) => {
                let origin = path.display().to_string();
                self.add(&text, &origin, loader, outer, skipped, depth)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(SshConfigError::Unreadable(error)),
        }
    }

    fn add(
        &mut self,
        text: &str,
        origin: &str,
        loader: &Loader<'_>,
        outer: &[Vec<String>],
        skipped: bool,
        depth: usize,
    ) -> Result<(), SshConfigError> {
        let mut block = Block { conditions: outer.to_vec(), skipped, values: Vec::new() };
        for (index, line) in text.lines().enumerate() {
            let Some((keyword, words)) = lines::split(line) else {
                continue;
            };
            let wrong = |why: String| SshConfigError::Line {
                origin: origin.to_owned(),
                line: index + 1,
                why,
            };
            match keyword.as_str() {
                "host" | "match" => {
                    self.blocks.push(block);
                    let judged = keyword == "host" || is_all(&words);
                    let patterns = if keyword == "host" { words } else { vec!["*".to_owned()] };
                    block = Block {
                        conditions: [outer, &[patterns]].concat(),
                        skipped: skipped || !judged,
                        values: Vec::new(),
                    };
                }
                "include" => {
                    if depth >= MAX_DEPTH {
                        return Err(wrong("`Include` nests too deep".to_owned()));
                    }
                    let (conditions, skipped) = (block.conditions.clone(), block.skipped);
                    let next = Block { conditions: conditions.clone(), skipped, values: vec![] };
                    self.blocks.push(std::mem::replace(&mut block, next));
                    for word in &words {
                        for path in include::files(word, loader.base, loader.home) {
                            self.read(&path, loader, &conditions, skipped, depth + 1)?;
                        }
                    }
                }
                _ => block.values.extend(value(&keyword, &words).map_err(wrong)?),
            }
        }
        self.blocks.push(block);
        Ok(())
    }
}

/// Where included files are looked for.
struct Loader<'a> {
    base: &'a Path,
    home: Option<&'a Path>,
}

impl Block {
    fn applies(&self, names: &[&str]) -> bool {
        !self.skipped && self.conditions.iter().all(|list| pattern::matches_list(list, names))
    }
}

impl Options {
    fn take(&mut self, value: &Value, by_address: bool) {
        fn first<T: Clone>(slot: &mut Option<T>, value: &T) {
            if slot.is_none() {
                *slot = Some(value.clone());
            }
        }
        match value {
            Value::HostName(name) if by_address => first(&mut self.host_name, name),
            Value::HostName(_) => {}
            Value::User(user) => first(&mut self.user, user),
            Value::Port(port) => first(&mut self.port, port),
            Value::IdentityFile(path) => self.identity_files.push(path.clone()),
            Value::IdentitiesOnly(only) => first(&mut self.identities_only, only),
            Value::IdentityAgent(agent) => first(&mut self.identity_agent, agent),
            // The first of the two that is said rules the other out.
            Value::ProxyJump(hops) if self.proxy_command.is_none() => {
                first(&mut self.proxy_jump, hops);
            }
            Value::ProxyCommand(command) if self.proxy_jump.is_none() => {
                first(&mut self.proxy_command, command);
            }
            Value::ProxyJump(_) | Value::ProxyCommand(_) => {}
        }
    }
}

fn is_all(words: &[String]) -> bool {
    matches!(words, [all] if all.eq_ignore_ascii_case("all"))
}

/// The value a line gives; `None` for keywords that are not ours.
fn value(keyword: &str, words: &[String]) -> Result<Option<Value>, String> {
    let make: fn(String) -> Result<Value, String> = match keyword {
        "hostname" => |word| Ok(Value::HostName(word)),
        "user" => |word| Ok(Value::User(word)),
        "port" => |word| match word.parse() {
            Ok(port) if port > 0 => Ok(Value::Port(port)),
            Ok(_) | Err(_) => Err(format!("`{word}` is not a port")),
        },
        "identityfile" => |word| Ok(Value::IdentityFile(word)),
        "identitiesonly" => |word| Ok(Value::IdentitiesOnly(word.eq_ignore_ascii_case("yes"))),
        "identityagent" => |word| Ok(Value::IdentityAgent(word)),
        "proxyjump" => |word| Ok(Value::ProxyJump(word)),
        "proxycommand" => |word| Ok(Value::ProxyCommand(word)),
        _ => return Ok(None),
    };
    match words.first() {
        Some(word) => make(word.clone()).map(Some),
        None => Err(format!("`{keyword}` needs a value")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_wins_and_identity_files_add_up() {
        let options = parse(
            "Host app-*\n User ada\n IdentityFile ~/.ssh/a\nHost *\n User root\n Port 2222\n IdentityFile ~/.ssh/b\n",
        )
        .options(Some("app-1"), "203.0.113.7");
        assert_eq!(options.user.as_deref(), Some("ada"));
        assert_eq!(options.port, Some(2222));
        assert_eq!(options.identity_files, ["~/.ssh/a", "~/.ssh/b"]);
    }

    #[test]
    fn lines_before_the_first_host_apply_to_all() {
        let options = parse("User early\nHost x\nUser late\n").options(None, "x");
        assert_eq!(options.user.as_deref(), Some("early"));
    }

    #[test]
    fn a_short_name_never_leads_to_another_machine() {
        let config = parse("Host db-1\n HostName legacy.example.com\n ProxyJump bastion\n");
        let options = config.options(Some("db-1"), "203.0.113.7");
        assert_eq!((options.host_name, options.proxy_jump.as_deref()), (None, Some("bastion")));
        let by_address = parse("Host 203.0.113.*\n HostName 10.0.0.7\n");
        let options = by_address.options(Some("db-1"), "203.0.113.7");
        assert_eq!(options.host_name.as_deref(), Some("10.0.0.7"));
    }

    #[test]
    fn match_blocks_are_skipped_whole_and_match_all_is_not() {
        let config = parse("Match user x\n User wrong\nMatch all\n User right\n");
        assert_eq!(config.options(None, "h").user.as_deref(), Some("right"));
    }

    #[test]
    fn what_a_match_block_includes_is_skipped_with_it() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("more"), "Host *\n User wrong\n").unwrap();
        let path = dir.path().join("config");
        std::fs::write(&path, "Match host x\n Include more\n").unwrap();
        let config = SshConfig::load(&path, None).unwrap();
        assert_eq!(config.options(None, "h").user, None);
    }

    #[test]
    fn proxy_jump_and_proxy_command_rule_each_other_out() {
        let options = parse("ProxyCommand nc %h %p\nProxyJump b\n").options(None, "h");
        assert_eq!((options.proxy_jump, options.proxy_command.is_some()), (None, true));
        let options = parse("ProxyJump none\nProxyCommand nc %h %p\n").options(None, "h");
        assert_eq!((options.proxy_jump.as_deref(), options.proxy_command), (Some("none"), None));
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let error = try_parse("Host *\n\n  Port 0\n").unwrap_err();
        assert_eq!(error.to_string(), "config:3: `0` is not a port");
        let error = try_parse("User\n").unwrap_err();
        assert_eq!(error.to_string(), "config:1: `user` needs a value");
    }

    #[test]
    fn included_files_apply_where_they_are_included() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join(".ssh");
        std::fs::create_dir_all(dir.join("conf.d")).unwrap();
        std::fs::write(dir.join("conf.d/2.conf"), "User second\n").unwrap();
        std::fs::write(dir.join("conf.d/1.conf"), "User first\nHost *\n Port 7\n").unwrap();
        std::fs::write(dir.join("more"), "IdentityFile k\n").unwrap();
        let path = dir.join("config");
        std::fs::write(
            &path,
            "Host a*\n Include conf.d/*.conf\n Port 9\nInclude ~/.ssh/more none\n",
        )
        .unwrap();
        let config = SshConfig::load(&path, Some(home.path())).unwrap();
        let options = config.options(None, "a1");
        assert_eq!((options.user.as_deref(), options.port), (Some("first"), Some(7)));
        assert_eq!(options.identity_files, ["k"]);
        assert_eq!(config.options(None, "b"), Options::default());
    }

    #[test]
    fn a_file_that_includes_itself_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        std::fs::write(&path, "Include config\n").unwrap();
        let error = SshConfig::load(&path, None).unwrap_err();
        assert!(error.to_string().ends_with(":1: `Include` nests too deep"), "{error}");
    }

    #[test]
    fn a_pipe_keeps_nobody_waiting_and_a_file_that_does_not_end_has_a_limit() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = files::tests::pipe(dir.path());
        let error = SshConfig::load(&pipe, None).unwrap_err().to_string();
        assert!(error.ends_with("it is not an ordinary file"), "{error}");
        files::tests::hollow(dir.path(), TOO_MUCH + 1);
        let path = dir.path().join("config");
        std::fs::write(&path, "Include pipe hollow\n").unwrap();
        let error = SshConfig::load(&path, None).unwrap_err().to_string();
        assert!(error.ends_with("hollow`: it is larger than 1 MiB"), "{error}");
    }

    #[test]
    fn a_missing_file_is_empty() {
        let config = SshConfig::load(Path::new("/nonexistent/config"), None).unwrap();
        assert_eq!(config.options(None, "x"), Options::default());
    }

    fn parse(text: &str) -> SshConfig {
        try_parse(text).unwrap()
    }

    fn try_parse(text: &str) -> Result<SshConfig, SshConfigError> {
        let mut config = SshConfig::default();
        let loader = Loader { base: Path::new("/nonexistent"), home: None };
        config.add(text, "config", &loader, &[], false, 0)?;
        Ok(config)
    }
}
