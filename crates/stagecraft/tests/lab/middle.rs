//! Somebody between us and a host: a real sshd, which real packets reach instead of the host's.

use std::process::Command;

use crate::identity::fingerprint;
use crate::stage::{Ran, Stage};

/// What sshd says, by its name: who has ended before the journal looks is of no unit any more.
const LOG: &str = "journalctl -t sshd -t sshd-session --no-pager";
const HOSTS: &str = "{ app-1: { role: app }, app-2: { role: app }, mallory: { role: app } }";

#[test]
fn a_man_in_the_middle_is_refused_on_first_contact_and_ever_after() {
    let Some(stage) = Stage::new(HOSTS) else { return };
    let up = stage.run(&["infra", "up", "--no-bootstrap", "--output", "json"]);
    up.assert_code(0);
    let [app, mallory] = ["app-1", "mallory"]
        .map(|host| up.host(host)["address"].as_str().expect("an address").to_owned());
    stage.run(&["infra", "bootstrap", "--host", "mallory"]).assert_code(0);
    let Some(diversion) = Diversion::of(&app, &mallory) else { return };
    let before = logins(&stage);

    // The other one would let us in: without a pin nobody notices.
    let key = stage.path().join("home/.local/share/stagecraft/local/id_ed25519");
    let fooled = Command::new("ssh")
        .args(["-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new"])
        .args(["-o", "UserKnownHostsFile=/dev/null", "-i"])
        .arg(&key)
        .args([&format!("root@{app}"), "hostname"])
        .output()
        .map(Ran::from)
        .expect("ssh is installed");
    assert_eq!(fooled.assert_code(0).stdout.trim(), "mallory", "the diversion works");
    assert_eq!(logins(&stage), before + 1);

    // First contact ...
    let ran = stage.run(&["infra", "up", "--output", "json"]);
    ran.assert_code(10);
    let failure = ran.host("app-1")["failure"].clone();
    assert_eq!(failure["code"], "host_key_mismatch", "{failure:#}");
    assert_eq!(ran.host("app-2")["result"], "ready", "others go on");
    drop(diversion);
    stage.run(&["infra", "up"]).assert_code(0);
    let own = fingerprint(&stage, "app-1");

    // ... and ever after, in every command.
    let diversion = Diversion::of(&app, &mallory);
    let mallory = fingerprint(&stage, "mallory");
    let met = logins(&stage);
    for words in [
        &["infra", "up", "--host", "app-1"][..],
        &["infra", "bootstrap", "--host", "app-1"],
        &["exec", "--host", "app-1", "--", "touch", "/tmp/ran"],
        &["infra", "status"],
    ] {
        let ran = stage.run(words);
        ran.assert_code(10);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains("host_key_mismatch"), "{words:?}: {said}");
        assert!(said.contains(&own) && said.contains(&mallory), "both fingerprints: {said}");
    }
    stage.run(&["ssh", "app-1", "--", "touch /tmp/ran"]).assert_code(255);
    drop(diversion);

    // Nothing was sent: whoever was in the middle saw no name and no key, only a key exchange that ended.
    assert_eq!(logins(&stage), met + 1, "but for the status of `mallory` itself");
    let log = stage.inside("mallory", LOG);
    let ended: Vec<&str> = log.lines().filter(|line| line.contains("[preauth]")).collect();
    assert!(!ended.is_empty(), "it was met: {log}");
    for line in ended {
        assert!(!line.contains("user") && !line.contains("root"), "{line}");
    }
    assert_eq!(stage.inside("mallory", "ls /tmp/ran 2>/dev/null || echo none").trim(), "none");
    assert_eq!(stage.inside("mallory", "hostname").trim(), "mallory", "nothing was run there");
    stage.run(&["infra", "up"]).assert_code(0);
}

/// How many have logged in to the one in the middle.
fn logins(stage: &Stage) -> usize {
    stage.inside("mallory", LOG).matches("Accepted publickey").count()
}

/// Packets to port 22 of one address reach another, until it is dropped.
struct Diversion {
    rule: Vec<String>,
}

impl Diversion {
    /// `None`, with a word about it, where that is not possible.
    fn of(from: &str, to: &str) -> Option<Self> {
        let rule =
            ["OUTPUT", "-p", "tcp", "-d", from, "--dport", "22", "-j", "DNAT", "--to-destination"];
        let rule: Vec<String> =
            rule.iter().map(|&word| word.to_owned()).chain([format!("{to}:22")]).collect();
        if !iptables("-I", &rule) {
            println!("skipped: packets can be diverted by root with iptables only");
            return None;
        }
        Some(Self { rule })
    }
}

impl Drop for Diversion {
    fn drop(&mut self) {
        iptables("-D", &self.rule);
    }
}

fn iptables(act: &str, rule: &[String]) -> bool {
    let mut command = Command::new("iptables");
    command.env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin").args(["-t", "nat", act]).args(rule);
    command.output().is_ok_and(|output| output.status.success())
}
