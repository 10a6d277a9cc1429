//! Keys held by the system's SSH agent. Skipped, visibly, where there is none.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use russh::keys::PrivateKey;
use russh::keys::key::safe_rng;
use stagecraft_core::error::Diagnose as _;
use stagecraft_core::remote::Command;
use tokio::process::Child;

use crate::support::server::{Rules, Server};
use crate::support::{Home, connect, new_key, openssh, program};

#[tokio::test]
async fn keys_of_the_agent_log_in() {
    let (right, wrong, home) = (new_key(), new_key(), Home::new());
    let Some(agent) = Agent::start(&home, "agent").await else { return };
    agent.add(&home, "ada@laptop", &wrong).await;
    agent.add(&home, "deploy", &right).await;
    let server = Server::start(Rules::allow(&[&right])).await;
    let mut settings = home.settings();
    settings.agent_socket = Some(agent.socket.clone());
    let remote = connect(settings.clone(), server.port).await.unwrap();
    assert!(remote.run(&Command::new("true")).await.unwrap().success());
    assert_eq!(server.seen().offers, 2);

    let strict = Server::start(Rules::allow(&[])).await;
    settings.known_hosts = home.path("known_strict");
    let error = connect(settings.clone(), strict.port).await.unwrap_err();
    let expected = "it accepts none of `agent: ada@laptop`, `agent: deploy`";
    assert!(error.to_string().ends_with(expected), "{error}");

    // A key the configuration names goes before the others, or alone.
    home.write("named.pub", &openssh(right.public_key()));
    let named = home.path("named").display().to_string();
    let fresh = Server::start(Rules::allow(&[&right])).await;
    settings.known_hosts = home.path("known_fresh");
    settings.ssh_config = Some(home.write("config", &format!("IdentityFile {named}.pub\n")));
    connect(settings.clone(), fresh.port).await.unwrap();
    assert_eq!(fresh.seen().offers, 1);
    let text = format!("IdentityFile {named}.pub\nIdentitiesOnly yes\n");
    settings.ssh_config = Some(home.write("config", &text));
    settings.known_hosts = home.path("known_strict");
    let error = connect(settings, strict.port).await.unwrap_err();
    assert!(error.to_string().contains("it accepts none of `agent: deploy`"), "{error}");
    assert!(!error.to_string().contains("not offered"), "{error}");
}

#[tokio::test]
async fn the_agent_stands_in_for_a_named_key_with_a_passphrase() {
    let (key, home) = (new_key(), Home::new());
    let Some(agent) = Agent::start(&home, "passphrase").await else { return };
    agent.add(&home, "other", &new_key()).await;
    let server = Server::start(Rules::allow(&[&key])).await;
    let locked = key.encrypt(&mut safe_rng(), "passphrase").unwrap();
    let mut settings = home.settings_with(&locked);
    settings.agent_socket = Some(agent.socket.clone());
    let error = connect(settings.clone(), server.port).await.unwrap_err();
    assert!(error.hints()[0].contains("`ssh-add ~/id`"), "{error}");
    agent.add(&home, "deploy", &key).await;
    connect(settings, server.port).await.unwrap();
    assert_eq!(server.seen().offers, 1, "only the named key was offered");
}

#[tokio::test]
async fn an_agent_that_does_not_answer_is_passed_over() {
    let (key, home) = (new_key(), Home::new());
    let server = Server::start(Rules::allow(&[&key])).await;
    let mut settings = home.settings();
    settings.agent_socket = Some(home.path("no.sock"));
    settings.default_identities = vec![home.write_key("id", &key)];
    connect(settings.clone(), server.port).await.unwrap();
    settings.default_identities.clear();
    let error = connect(settings, server.port).await.unwrap_err();
    assert!(error.to_string().contains("agent at `~/no.sock` (it does not answer)"), "{error}");
}

/// An agent of its own; stops when dropped.
struct Agent {
    socket: PathBuf,
    ssh_add: &'static Path,
    _process: Child,
}

impl Agent {
    async fn start(home: &Home, test: &str) -> Option<Self> {
        let (ssh_agent, ssh_add) =
            (program("/usr/bin/ssh-agent", test)?, program("/usr/bin/ssh-add", test)?);
        let socket = home.path("agent.sock");
        let process = tokio::process::Command::new(ssh_agent)
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        for _ in 0..250 {
            if socket.exists() {
                return Some(Self { socket, ssh_add, _process: process });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the agent did not start");
    }

    async fn add(&self, home: &Home, comment: &str, key: &PrivateKey) {
        let mut key = key.clone();
        key.set_comment(comment);
        let added = tokio::process::Command::new(self.ssh_add)
            .arg("-q")
            .arg(home.write_key("adding", &key))
            .env("SSH_AUTH_SOCK", &self.socket)
            .status()
            .await
            .unwrap();
        assert!(added.success());
    }
}
