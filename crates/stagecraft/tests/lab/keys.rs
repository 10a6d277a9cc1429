//! Which keys log in: files of every kind, and those of an agent.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::stage::{Ran, Stage};

const ONE: &str = "{ app-1: { role: app } }";

#[test]
fn keys_of_every_kind_log_in() {
    let Some(stage) = Stage::new(ONE) else { return };
    for (name, bits) in [("ed25519", "256"), ("ecdsa", "256"), ("rsa", "3072")] {
        let public = stage.keygen(name, &["-t", name, "-b", bits, "-N", ""]);
        stage.configure_ssh(ONE, &format!("{{ private_key_path: {name} }}"));
        if stage.containers(None).is_empty() {
            stage.run(&["infra", "up"]).assert_code(0);
        }
        // Whatever let us in before does not any more.
        stage.inside("app-1", &format!("echo '{}' > /root/.ssh/authorized_keys", public.trim()));
        let ran = stage.run(&["infra", "up", "--output", "json"]);
        ran.assert_code(0);
        assert_eq!(ran.host("app-1")["result"], "ready");
        let login = stage.last_login("app-1");
        assert!(login.contains(&format!(": {} SHA256:", name.to_uppercase())), "{name}: {login}");
    }
}

#[test]
fn keys_of_an_agent_log_in() {
    let Some(stage) = Stage::new(ONE) else { return };
    stage.run(&["infra", "up"]).assert_code(0);
    let agent = Agent::start(&stage);
    let public = stage.keygen("mine", &["-t", "ecdsa", "-N", ""]);
    agent.add("mine");
    std::fs::remove_file(stage.path().join("mine")).expect("it is there");
    stage.inside("app-1", &format!("echo '{}' > /root/.ssh/authorized_keys", public.trim()));

    stage.run(&["exec", "--", "true"]).assert_code(10);
    agent.run(&["exec", "--", "true"]).assert_code(0);
    assert!(stage.last_login("app-1").contains(": ECDSA SHA256:"));
    agent.run(&["infra", "up"]).assert_code(0);

    // It stands in for a file that has a passphrase.
    let public = stage.keygen("locked", &["-t", "ed25519", "-N", ""]);
    agent.add("locked");
    let locked = ["-q", "-p", "-P", "", "-N", "secret", "-f", "locked"];
    let changed = Command::new("ssh-keygen").args(locked).current_dir(stage.path()).output();
    assert!(changed.expect("ssh-keygen runs").status.success());
    stage.inside("app-1", &format!("echo '{}' > /root/.ssh/authorized_keys", public.trim()));
    stage.configure_ssh(ONE, "{ private_key_path: locked }");
    stage.run(&["exec", "--", "true"]).assert_code(10);
    agent.run(&["exec", "--", "true"]).assert_code(0);
    assert!(stage.last_login("app-1").contains(": ED25519 SHA256:"));
    stage.run(&["infra", "up"]).assert_code(3);
    agent.run(&["infra", "up"]).assert_code(0);
}

/// OpenSSH's agent, for one stage; stops when dropped.
struct Agent<'a> {
    stage: &'a Stage,
    socket: PathBuf,
    process: Child,
}

impl<'a> Agent<'a> {
    fn start(stage: &'a Stage) -> Self {
        let socket = stage.path().join("agent.sock");
        let process = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .expect("ssh-agent runs");
        let agent = Self { stage, socket, process };
        for _ in 0..250 {
            if agent.socket.exists() {
                return agent;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the agent did not start");
    }

    fn add(&self, key: &str) {
        let mut adding = Command::new("ssh-add");
        adding.arg("-q").arg(self.stage.path().join(key)).env("SSH_AUTH_SOCK", &self.socket);
        assert!(adding.status().expect("ssh-add runs").success());
    }

    fn run(&self, words: &[&str]) -> Ran {
        let mut command = self.stage.command(words);
        Ran::from(command.env("SSH_AUTH_SOCK", &self.socket).output().expect("the binary runs"))
    }
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}
