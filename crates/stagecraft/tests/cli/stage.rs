//! A place to run the built binary in: its own home and working directory, nothing inherited.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// Two hosts on `local`, one protected.
pub(crate) const SMALL: &str = "\
project:
  name: shop
cloud:
  providers:
    local:
      hosts:
        dev:
          app-1: { role: app }
          db-1: { role: db, protected: true }
";

/// A directory of its own.
#[derive(Debug)]
pub(crate) struct Stage {
    dir: TempDir,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let stage = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::create_dir(stage.path("home")).unwrap();
        std::fs::create_dir(stage.path("work")).unwrap();
        stage
    }

    /// With this `stagecraft.yml`.
    pub(crate) fn with(config: &str) -> Self {
        let stage = Self::new();
        stage.write("stagecraft.yml", config);
        stage
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.work().join(name), text).unwrap();
    }

    pub(crate) fn work(&self) -> std::path::PathBuf {
        self.path("work")
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// The command, not run yet.
    pub(crate) fn command<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_stagecraft")));
        command
            .args(words)
            .current_dir(self.work())
            .env_clear()
            .env("HOME", self.path("home"))
            // No engine is there, whatever this machine has.
            .env("DOCKER_HOST", "npipe:////./pipe/docker_engine")
            .stdin(Stdio::null());
        command
    }

    /// The command as a user who is not root, and may read only what all may.
    pub(crate) fn command_of_nobody<'a>(
        &self,
        words: impl IntoIterator<Item = &'a str>,
    ) -> Command {
        // The build folder may be closed to others, so the binary goes along. It is not this process that
        // writes it: whatever is forked meanwhile would keep it open, and it could not be run.
        let binary = self.path("stagecraft");
        let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_stagecraft")).arg(&binary).status();
        assert!(copied.is_ok_and(|status| status.success()));
        std::fs::set_permissions(self.dir.path(), Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new(binary);
        command.args(words).current_dir(self.work()).env_clear().stdin(Stdio::null());
        if rustix::process::geteuid().is_root() {
            command.uid(65_534).gid(65_534);
        }
        command
    }

    /// Runs the words of `line`.
    pub(crate) fn output(&self, line: &str) -> Output {
        self.command(line.split_whitespace()).output().unwrap()
    }

    /// Standard output, standard error and exit status of `line` as one text.
    pub(crate) fn run(&self, line: &str) -> String {
        transcript(&self.output(line))
    }

    /// The document `line` prints.
    pub(crate) fn json(&self, line: &str) -> (serde_json::Value, Option<i32>) {
        let output = self.output(line);
        let value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("{error} in the output of {line}: {}", transcript(&output))
        });
        (value, output.status.code())
    }
}

pub(crate) fn transcript(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut transcript = text(&output.stdout);
    if !output.stderr.is_empty() {
        transcript.push_str("------- stderr -------\n");
        transcript.push_str(&text(&output.stderr));
    }
    match output.status.code() {
        Some(code) => format!("{transcript}[exit status: {code}]"),
        None => format!("{transcript}[killed]"),
    }
}
