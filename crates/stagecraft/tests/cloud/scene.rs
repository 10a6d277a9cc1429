//! A file with hosts at one cloud, the binary, and that cloud.

use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use stagecraft_core::desired::ProviderId;
use stagecraft_testkit::emulators::faults::Effect;

use crate::account::{Account, Cloud, KEY_ID, SECRET, SESSION, TOKEN};
use crate::cli::{Stage, transcript};
use crate::leak;

pub(crate) const DIGITALOCEAN: Cloud = Cloud::DigitalOcean;
pub(crate) const HETZNER: Cloud = Cloud::Hetzner;
/// Both, for what is the same at both.
pub(crate) const BOTH: [Cloud; 2] = [DIGITALOCEAN, HETZNER];

/// What brings hosts into being without logging in to them.
pub(crate) const UP: &str = "infra up --no-bootstrap";

/// One small host.
pub(crate) const APP: &[&str] = &["app-1: { role: app }"];
/// Three hosts, one of them larger and with a tag.
pub(crate) const HOSTS: &[&str] =
    &["app: { role: app, count: 2 }", "db-1: { role: db, size: medium, tags: [blue] }"];

/// Where the first server at Hetzner is that has no IPv4 yet or no longer.
pub(crate) const WITHOUT_IPV4: &str = "2001:db8:0:3ea::1";

/// A file, the binary, and one cloud with an account.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) cloud: Account,
    stage: Stage,
}

impl Scene {
    /// A file with these lines under the hosts of `prod`.
    pub(crate) fn new(provider: Cloud, hosts: &[&str]) -> Self {
        let scene = Self { cloud: Account::at(provider), stage: Stage::new() };
        scene.write(hosts);
        scene
    }

    /// The same at AWS.
    pub(crate) fn aws(hosts: &[&str]) -> Self {
        let scene = Self { cloud: Account::aws(), stage: Stage::new() };
        scene.write(hosts);
        scene
    }

    /// The file anew, with other hosts.
    pub(crate) fn write(&self, hosts: &[&str]) {
        self.write_with("ssh_key_name: deploy", hosts);
    }

    /// The same with other settings of the provider.
    pub(crate) fn write_with(&self, settings: &str, hosts: &[&str]) {
        let provider = self.cloud.provider;
        let credentials = match provider {
            ProviderId::Aws => {
                "access_key_id_env: KEY_ID\n      secret_access_key_env: CLOUD_TOKEN\n      \
                 session_token_env: SESSION"
            }
            ProviderId::DigitalOcean | ProviderId::Hetzner | ProviderId::Local => {
                "token_env: CLOUD_TOKEN"
            }
        };
        let mut text = format!(
            "project:\n  name: shop\ncloud:\n  providers:\n    {provider}:\n      \
             api_url: {}\n      {credentials}\n      default_region: {}\n",
            self.cloud.url(),
            self.cloud.region(),
        );
        for line in settings.lines() {
            text.push_str("      ");
            text.push_str(line);
            text.push('\n');
        }
        text.push_str("      hosts:\n        prod:\n");
        for host in hosts {
            text.push_str("          ");
            text.push_str(host);
            text.push('\n');
        }
        self.stage.write("stagecraft.yml", text);
    }

    /// Puts a file into the working directory.
    pub(crate) fn keep(&self, name: &str, text: &str) {
        let path = self.stage.work().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Changes the file as an editor would.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let path = self.stage.work().join("stagecraft.yml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        std::fs::write(path, text.replace(from, to)).unwrap();
    }

    /// The command with a token in its environment, not run yet. At AWS the token is the secret of the
    /// access key.
    pub(crate) fn command(&self, token: &str, line: &str) -> Command {
        let mut command = self.stage.command(line.split_whitespace());
        command.env("CLOUD_TOKEN", token);
        if self.cloud.provider == ProviderId::Aws {
            command.env("KEY_ID", KEY_ID).env("SESSION", SESSION);
        }
        command
    }

    /// Standard output, standard error and exit status of `line` as one text.
    pub(crate) fn run(&self, line: &str) -> String {
        self.run_as(self.token(), line)
    }

    /// What may do everything.
    pub(crate) fn token(&self) -> &'static str {
        if self.cloud.provider == ProviderId::Aws { SECRET } else { TOKEN }
    }

    /// The same with another token.
    pub(crate) fn run_as(&self, token: &str, line: &str) -> String {
        self.told(&self.output(&mut self.command(token, line)))
    }

    /// The same, and that the run ended well.
    pub(crate) fn succeed(&self, line: &str) -> String {
        let told = self.run(line);
        assert!(told.ends_with("[exit status: 0]"), "{line}: {told}");
        told
    }

    /// What is told in plain words, after seeing that with all details and for programs the same
    /// happens: for runs that can be repeated.
    pub(crate) fn in_all_forms(&self, token: &str, line: &str) -> String {
        let told = self.run_as(token, line);
        let (_, code) = told.rsplit_once('\n').unwrap();
        let verbose = self.run_as(token, &format!("{line} --verbose"));
        assert!(verbose.ends_with(code), "{verbose}");
        let (document, exit) = self.json_as(token, line);
        assert_eq!(code, format!("[exit status: {}]", exit.unwrap()), "{document}");
        let told_for_programs = codes(&document);
        for error in told.split("error[").skip(1) {
            let (error, _) = error.split_once(']').unwrap();
            assert!(told_for_programs.contains(&error), "{error} is not in {document}");
        }
        told
    }

    /// The document that `line` prints, and the exit status.
    pub(crate) fn json_as(&self, token: &str, line: &str) -> (Value, Option<i32>) {
        let output = self.output(&mut self.command(token, &format!("{line} --output json")));
        let value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error} in {}", transcript(&output)));
        (value, output.status.code())
    }

    /// Begins a run that is not waited for.
    pub(crate) fn begin(&self, line: &str) -> Child {
        let mut command = self.command(self.token(), line);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// What a run that was begun has told when it ended.
    pub(crate) fn end(&self, run: Child) -> String {
        self.told(&self.searched(run.wait_with_output().unwrap()))
    }

    /// Runs a command and looks for tokens in all that it wrote.
    pub(crate) fn output(&self, command: &mut Command) -> Output {
        self.searched(command.output().unwrap())
    }

    /// Where the file is.
    pub(crate) fn work(&self) -> std::path::PathBuf {
        self.stage.work()
    }

    /// The user's home directory.
    pub(crate) fn home(&self) -> std::path::PathBuf {
        self.stage.work().with_file_name("home")
    }

    fn searched(&self, output: Output) -> Output {
        self.search(&output);
        output
    }

    /// Looks for tokens in all that a run wrote.
    pub(crate) fn search(&self, output: &Output) {
        for bytes in [&output.stdout, &output.stderr] {
            let leaked = leak::found(bytes);
            assert_eq!(leaked, None, "a token shows: {}", transcript(output));
        }
        let root = self.stage.work().parent().unwrap().to_owned();
        assert_eq!(leak::files_with(&root), [""; 0], "a token is in a file");
    }

    /// The outcome as a test can compare it: whose port and request it was is left out, and lines of
    /// several hosts, which come as they come, are in the order of hosts.
    pub(crate) fn told(&self, output: &Output) -> String {
        let told = transcript(output).replace(&self.cloud.address(), "[address]");
        let told = between(&told, "(request ", ")", "[id]");
        let (results, messages) =
            told.split_once("------- stderr -------\n").unwrap_or((&told, ""));
        if messages.is_empty() {
            return told;
        }
        format!("{results}------- stderr -------\n{}", by_host(messages))
    }

    /// What came of `line`: without the plan, which other tests show, and without what differs
    /// between the clouds where they say the same.
    pub(crate) fn outcome(&self, line: &str) -> String {
        self.alike(&self.run(line))
    }

    /// See [`Self::outcome`].
    pub(crate) fn alike(&self, told: &str) -> String {
        let outcome = match told.split_once("HOST ") {
            Some((_, table)) => format!("HOST {table}"),
            None => told.to_owned(),
        };
        let outcome = outcome
            .replace(self.cloud.provider.as_str(), "[cloud]")
            .replace("[address]/v1", "[address]/[version]")
            .replace("[address]/v2", "[address]/[version]");
        let columns = outcome.lines().map(|line| {
            let indent = line.len() - line.trim_start().len();
            let words: Vec<&str> =
                line.split("  ").map(str::trim).filter(|w| !w.is_empty()).collect();
            format!("{}{}", &line[..indent], words.join("  "))
        });
        columns.collect::<Vec<_>>().join("\n")
    }

    /// Ends the trouble, and sees two more runs: one that brings about what the file wants, and one
    /// that has nothing left to do.
    pub(crate) fn converges_to(&self, names: &[&str]) {
        self.cloud.heal();
        self.succeed(UP);
        assert_eq!(self.cloud.names(), names, "one machine for each host");
        self.rests();
        assert_eq!(self.cloud.names(), names);
    }

    /// Another run changes nothing.
    pub(crate) fn rests(&self) {
        let before = self.cloud.effects();
        let (plan, exit) = self.json_as(self.token(), "infra plan --detailed-exitcode");
        assert_eq!((plan["finds_changes"].as_bool(), exit), (Some(false), Some(0)), "{plan}");
        self.succeed("infra up --no-bootstrap --verbose");
        assert_eq!(self.cloud.effects(), before, "the second time nothing is left to do");
    }
}

/// Answers with a status instead of doing anything.
pub(crate) fn status(code: u16) -> Effect {
    Effect::Status { code, with_effect: false }
}

/// Does the same with each of several things, all at once: they wait more than they work.
pub(crate) fn at_once<T: Sync>(things: &[T], act: impl Fn(&T) + Sync) {
    thread::scope(|scope| {
        let acts: Vec<_> = things.iter().map(|thing| scope.spawn(|| act(thing))).collect();
        for done in acts {
            if let Err(panic) = done.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

/// Waits for something that comes within seconds.
pub(crate) fn soon<T>(look: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "it does not come");
        thread::sleep(Duration::from_millis(10));
    }
}

/// All error codes of a document.
fn codes(document: &Value) -> Vec<&str> {
    match document {
        Value::Object(fields) => {
            let own = fields.get("code").and_then(Value::as_str);
            own.into_iter().chain(fields.values().flat_map(codes)).collect()
        }
        Value::Array(items) => items.iter().flat_map(codes).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// Puts `word` for what is between two texts, everywhere.
pub(crate) fn between(text: &str, before: &str, after: &str, word: &str) -> String {
    let mut told = String::new();
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once(before) {
        let end = tail.find(after).unwrap();
        assert!(end > 0, "{text}");
        told.push_str(head);
        told.push_str(before);
        told.push_str(word);
        rest = &tail[end..];
    }
    told + rest
}

/// One line for all that say that something is tried again: how often and when is chance.
pub(crate) fn calm(told: &str) -> String {
    let mut calm: Vec<String> = Vec::new();
    for line in told.lines() {
        let line = match line.split_once(", trying again in ") {
            Some((what, _)) => format!("{what}, trying again in [n] s"),
            None => line.to_owned(),
        };
        if calm.last() != Some(&line) {
            calm.push(line);
        }
    }
    calm.join("\n")
}

/// Sorts runs of lines that say what a host does by the host, each host's in the order they came.
fn by_host(messages: &str) -> String {
    let mut lines: Vec<&str> = messages.lines().collect();
    let host = |line: &str| {
        let (host, _) = line.split_once(": ")?;
        let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        (host != "note" && host.chars().all(name)).then(|| host.to_owned())
    };
    for group in lines.chunk_by_mut(|one, next| host(one).is_some() && host(next).is_some()) {
        group.sort_by_key(|line| host(line));
    }
    lines.join("\n")
}
