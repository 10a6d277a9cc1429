//! One test's own project: a folder, a home, a configuration file, and the hosts that come of it.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use tempfile::TempDir;

/// A project of its own on the engine of this machine; its hosts go when it is dropped.
#[derive(Debug)]
pub(crate) struct Stage {
    folder: TempDir,
    project: String,
}

/// How a run of the binary ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Stage {
    /// A stage with this environment `dev` on the local provider, as YAML flow mapping of hosts;
    /// `None`, and a word about it, where the lab is off.
    pub(crate) fn new(hosts: &str) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if std::env::var("STAGECRAFT_TEST_LAB").as_deref() != Ok("on") {
            println!(
                "skipped: real hosts are used only when STAGECRAFT_TEST_LAB=on, as ./test sets it"
            );
            return None;
        }
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let stage = Self {
            folder: TempDir::new().expect("a folder"),
            project: format!("lab-{}-{number}", std::process::id()),
        };
        stage.configure(hosts, "{ enabled: false }");
        Some(stage)
    }

    /// Writes the configuration anew.
    pub(crate) fn configure(&self, hosts: &str, docker: &str) {
        self.bootstrap(hosts, &format!("docker: {docker}"));
    }

    /// Writes the configuration anew, without Docker and with these settings of SSH.
    pub(crate) fn configure_ssh(&self, hosts: &str, ssh: &str) {
        self.bootstrap(hosts, &format!("docker: {{ enabled: false }}, ssh: {ssh}"));
    }

    fn bootstrap(&self, hosts: &str, settings: &str) {
        self.write(
            "stagecraft.yml",
            &format!(
                "project: {{ name: {} }}\n\
                 cloud: {{ providers: {{ local: {{ hosts: {{ dev: {hosts} }} }} }} }}\n\
                 infra: {{ bootstrap: {{ {settings} }} }}\n",
                self.project
            ),
        );
    }

    /// Makes a key pair of OpenSSH's in the stage's folder, with these further words for
    /// `ssh-keygen`, and gives its public half.
    pub(crate) fn keygen(&self, name: &str, words: &[&str]) -> String {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-a", "1", "-f"])
            .arg(self.path().join(name))
            .args(words)
            .status();
        assert!(made.expect("ssh-keygen runs").success(), "{words:?}");
        std::fs::read_to_string(self.path().join(format!("{name}.pub"))).expect("a public half")
    }

    /// Whom a host let in last, and with which key, as its `sshd` tells.
    pub(crate) fn last_login(&self, host: &str) -> String {
        let log =
            self.inside(host, "journalctl -t sshd -t sshd-session --output=cat | grep ^Accepted");
        log.lines().last().unwrap_or_default().to_owned()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).expect("the stage's folder is writable");
    }

    /// The project's name, which no other stage has.
    pub(crate) fn project(&self) -> &str {
        &self.project
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The binary in a hermetic environment. The cache is shared, so that the image is built once.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stagecraft"));
        command
            .args(words)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path().join("home"))
            .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        Ran::from(self.command(words).output().expect("the binary runs"))
    }

    /// Starts the binary with its output thrown away.
    pub(crate) fn start(&self, words: &[&str]) -> Child {
        self.command(words)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts")
    }

    /// Container ids of a host, as Docker's own client tells; all of the project's for `None`.
    pub(crate) fn containers(&self, host: Option<&str>) -> Vec<String> {
        let mut words = vec!["ps".to_owned(), "--all".to_owned(), "--quiet".to_owned()];
        words.extend(["--filter".to_owned(), format!("label=stagecraft.project={}", self.project)]);
        if let Some(host) = host {
            words.extend(["--filter".to_owned(), format!("label=stagecraft.host={host}")]);
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        docker(&words).split_whitespace().map(str::to_owned).collect()
    }

    /// Runs a script as root inside a host, past SSH.
    pub(crate) fn inside(&self, host: &str, script: &str) -> String {
        let containers = self.containers(Some(host));
        assert_eq!(containers.len(), 1, "one container for `{host}`");
        docker(&["exec", &containers[0], "sh", "-c", script])
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for container in self.containers(None) {
            docker(&["rm", "--force", "--volumes", &container]);
        }
        let of_project = format!("label=stagecraft.project={}", self.project);
        for volume in
            docker(&["volume", "ls", "--quiet", "--filter", &of_project]).split_whitespace()
        {
            docker(&["volume", "rm", "--force", volume]);
        }
    }
}

impl Ran {
    /// Fails unless it ended so.
    #[track_caller]
    pub(crate) fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The one JSON document on standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("{error}\nstdout:\n{}\nstderr:\n{}", self.stdout, self.stderr)
        })
    }

    /// The result of one host in a report.
    #[track_caller]
    pub(crate) fn host(&self, name: &str) -> Value {
        let document = self.json();
        let hosts = document["hosts"].as_array().cloned().unwrap_or_default();
        hosts
            .into_iter()
            .find(|host| host["host"] == name)
            .unwrap_or_else(|| panic!("no host `{name}` in {document:#}"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Runs Docker's own client, and gives what it printed.
pub(crate) fn docker(words: &[&str]) -> String {
    let output = Command::new("docker").args(words).output().expect("docker's client runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
