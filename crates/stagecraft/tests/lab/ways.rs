//! Ways to a host that are not its address at port 22.

use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use stagecraft_core::identity::Pins;
use stagecraft_core::inventory::Endpoint;
use stagecraft_core::remote::{self, Connector as _, Target};
use stagecraft_remote::{SshConnector, SshSettings};

use crate::stage::{Stage, docker};

const ONE: &str = "{ app-1: { role: app } }";
const CONNECTION: [&str; 3] = ["exec", "--", "echo $SSH_CONNECTION"];

#[test]
fn a_port_other_than_22() {
    let Some(stage) = Stage::new(ONE) else { return };
    stage.run(&["infra", "up"]).assert_code(0);
    stage.inside(
        "app-1",
        "echo 'Port 2222' > /etc/ssh/sshd_config.d/port.conf; systemctl restart ssh",
    );
    stage.configure_ssh(ONE, "{ port: 2222 }");
    let ran = stage.run(&["infra", "up", "--output", "json"]);
    ran.assert_code(0);
    assert_eq!(ran.host("app-1")["result"], "ready");
    for words in [&CONNECTION[..], &["ssh", "app-1", "--", "echo $SSH_CONNECTION"]] {
        let ran = stage.run(words);
        assert!(ran.assert_code(0).stdout.ends_with(" 2222\n"), "{}", ran.stdout);
    }
}

#[test]
fn through_another_host() {
    let hosts = "{ app-1: { role: app }, jump-1: { role: jump } }";
    let Some(stage) = Stage::new(hosts) else { return };
    stage.keygen("key", &["-t", "ed25519", "-N", ""]);
    stage.configure_ssh(hosts, "{ private_key_path: key }");
    stage.run(&["infra", "up"]).assert_code(0);
    let (app, jump) = (address(&stage, "app-1"), address(&stage, "jump-1"));
    let only = format!(
        "table inet way {{ chain input {{ type filter hook input priority 0; \
         tcp dport 22 ip saddr != {jump} reject with tcp reset; }}; }}"
    );
    stage.inside("app-1", &format!("nft '{only}'"));
    let straight: SocketAddr = format!("{app}:22").parse().expect("an address");
    TcpStream::connect_timeout(&straight, Duration::from_secs(5)).expect_err("the way is closed");

    let dot_ssh = stage.path().join("home/.ssh");
    std::fs::create_dir_all(&dot_ssh).expect("a folder");
    let config = format!(
        "Host app-1\n  ProxyJump root@jumphost\nHost jumphost\n  HostName {jump}\n  IdentityFile {}\n",
        stage.path().join("key").display()
    );
    std::fs::write(dot_ssh.join("config"), config).expect("it can be written");
    // Nothing is pinned for what is only on the way.
    let ran = stage.run(&["exec", "--host", "app-1", "--", "true"]);
    ran.assert_code(10);
    assert!(ran.stderr.contains("host_key_unknown"), "{}", ran.stderr);
    assert!(ran.stderr.contains("(jump host `jumphost`)"), "{}", ran.stderr);
    let key = stage.inside("jump-1", "cat /etc/ssh/ssh_host_ed25519_key.pub");
    std::fs::write(dot_ssh.join("known_hosts"), format!("{jump} {key}"))
        .expect("it can be written");

    let ran = stage.run(&["infra", "up", "--output", "json"]);
    ran.assert_code(0);
    assert_eq!(ran.host("app-1")["result"], "ready");
    let login = stage.last_login("app-1");
    assert!(login.contains(&format!(" from {jump} port ")), "{login}");
}

#[test]
fn by_ipv6() {
    let Some(stage) = Stage::new(ONE) else { return };
    stage.keygen("key", &["-t", "ed25519", "-N", ""]);
    stage.configure_ssh(ONE, "{ private_key_path: key }");
    stage.run(&["infra", "up"]).assert_code(0);
    let Some(prefix) = Prefix::give(&stage) else {
        println!("skipped: this machine or this user cannot give IPv6 addresses");
        return;
    };
    let (here, there) = (prefix.address(1), prefix.address(2));

    // As the address of a target.
    let mut settings = SshSettings::new(stage.path().join("known_hosts"));
    settings.private_key = Some(stage.path().join("key"));
    let mut target = Target {
        host: "app-1".parse().expect("a name"),
        provider: stagecraft_core::desired::ProviderId::Local,
        instance: "4711".into(),
        endpoint: Endpoint { host: there.clone(), port: None },
        user: "root",
        pins: Pins::default(),
    };
    let script = remote::Command::script("echo $SSH_CONNECTION");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (runtime, connector) = (runtime.expect("a runtime"), SshConnector::new(settings));
    let from = runtime.block_on(async {
        let remote = connector.connect(&target).await.expect("a connection");
        remote.run(&script).await.expect("its output").stdout
    });
    assert!(from.starts_with(&format!("{here} ")), "{from}");
    target.endpoint.port = Some(1);
    let refused = runtime.block_on(connector.connect(&target)).expect_err("nobody listens there");
    let expected = format!("could not reach `app-1` at [{there}]:1: connection refused");
    assert_eq!(refused.to_string(), expected);

    // Where the user's file leads there, also with the system's `ssh`.
    let dot_ssh = stage.path().join("home/.ssh");
    std::fs::create_dir_all(&dot_ssh).expect("a folder");
    let config = format!("Host {}\n  HostName {there}\n", address(&stage, "app-1"));
    std::fs::write(dot_ssh.join("config"), config).expect("it can be written");
    for words in [&CONNECTION[..], &["ssh", "app-1", "--", "echo $SSH_CONNECTION"]] {
        let ran = stage.run(words);
        let expected = format!("{here} ");
        assert!(ran.assert_code(0).stdout.contains(&expected), "{}", ran.stdout);
        assert!(ran.stdout.ends_with(&format!(" {there} 22\n")), "{}", ran.stdout);
    }
}

fn address(stage: &Stage, host: &str) -> String {
    stage.inside(host, "hostname -I").split_whitespace().next().expect("an address").to_owned()
}

/// Addresses of the hosts' bridge and of one host; the bridge loses its own when this is dropped.
struct Prefix {
    bridge: String,
    number: u32,
}

impl Prefix {
    fn give(stage: &Stage) -> Option<Self> {
        let format = "{{index .Options \"com.docker.network.bridge.name\"}}";
        let bridge = docker(&["network", "inspect", "stagecraft", "--format", format]);
        let number = std::process::id() & 0xffff;
        let prefix = Self { bridge: bridge.trim().to_owned(), number };
        let there = prefix.address(2);
        let inside = stage.inside(
            "app-1",
            &format!(
                "sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0 && \
                 ip address add {there}/64 dev eth0 nodad && echo given"
            ),
        );
        (inside.trim() == "given" && prefix.change("add")).then_some(prefix)
    }

    fn address(&self, last: u32) -> String {
        format!("fd00:5747:{:x}::{last}", self.number)
    }

    fn change(&self, verb: &str) -> bool {
        let mut ip = Command::new("ip");
        ip.args(["address", verb, &format!("{}/64", self.address(1)), "dev", &self.bridge]);
        if verb == "add" {
            ip.arg("nodad");
        }
        ip.output().is_ok_and(|output| output.status.success())
    }
}

impl Drop for Prefix {
    fn drop(&mut self) {
        self.change("delete");
    }
}
