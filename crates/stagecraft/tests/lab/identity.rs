//! Who a host is, on real hosts: verified on first contact, by everybody, without a file to share.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use stagecraft_core::identity::HostKey;

use crate::stage::{Ran, Stage, docker};
use crate::terminal::{Answer, talk};

const ONE: &str = "{ app-1: { role: app } }";
const KEY: &str = "/etc/ssh/ssh_host_ed25519_key";

#[test]
fn a_new_host_makes_its_own_key_and_the_one_it_was_ordered_with_is_worthless() {
    let Some(stage) = Stage::new(ONE) else { return };
    let up = stage.run(&["infra", "up", "--output", "json"]);
    up.assert_code(0);
    let steps = up.host("app-1")["steps"].clone();
    assert_eq!(steps[0]["step"], "host-identity", "{steps:#}");
    assert_eq!(steps[0]["result"], "changed", "{steps:#}");
    assert!(!stage.path().join(".stagecraft").exists(), "no file is kept");
    assert!(!stage.path().join("home/.ssh").exists(), "nor a file of the user's touched");

    // What the first boot was told is not in use any more, and nowhere left on the disk.
    let container = stage.containers(Some("app-1")).remove(0);
    let told =
        docker(&["inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", &container]);
    let private = told.lines().map(str::trim).filter(|line| line.len() == 70).nth(2);
    let private = private.expect("lines of a private key");
    assert_eq!(
        stage.inside("app-1", &format!("grep -rlF '{private}' /etc /root /var /home || true")),
        ""
    );
    let own = stage.inside("app-1", &format!("ssh-keygen -y -f {KEY} | cut -d' ' -f1,2"));
    assert!(!told.contains(own.trim()), "the host made its key itself");
    // Whoever still believes the first key to be in use is told which one is, and makes no other.
    let first = HostKey::new([7; 32]);
    let told_again = stage.inside("app-1", &stagecraft_core::identity::make(&first).to_shell());
    assert_eq!(told_again, own);
    let left = stage.inside("app-1", "ls -A /var/lib/stagecraft/guards /etc/ssh");
    assert!(!left.contains("stagecraft-undo") && !left.contains(".next"), "{left}");
    assert_eq!(stage.inside("app-1", &format!("stat -c %a {KEY}")).trim(), "600");

    // A machine that is set up anew from what it was told first presents that key again.
    stage.inside("app-1", &format!("rm -f /var/lib/stagecraft/booted {KEY}*"));
    docker(&["restart", "--time", "5", &container]);
    let ran = stage.run(&["infra", "up", "--output", "json"]);
    ran.assert_code(10);
    let failure = ran.host("app-1")["failure"].clone();
    assert_eq!(failure["code"], "host_key_mismatch", "{failure:#}");
    let presented = fingerprint(&stage, "app-1");
    let message = failure["message"].as_str().unwrap_or_default();
    assert!(message.contains(&presented), "{message} names {presented}");

    // Its owner knows why, and says so.
    let asked = stage.run(&["infra", "trust", "app-1"]);
    asked.assert_code(1);
    assert!(asked.stderr.contains(&presented), "{}", asked.stderr);
    let wrong = format!("SHA256:{}", "A".repeat(43));
    let refused = stage.run(&["infra", "trust", "app-1", "--fingerprint", &wrong]);
    assert!(refused.assert_code(10).stderr.contains("nothing was pinned"), "{}", refused.stderr);
    stage.run(&["infra", "up"]).assert_code(10);
    let trusted =
        stage.run(&["infra", "trust", "app-1", "--fingerprint", &presented, "--output", "json"]);
    assert_eq!(trusted.assert_code(0).json()["fingerprint"], presented.as_str());
    assert_eq!(trusted.json()["changed"], true);
    stage.run(&["infra", "up"]).assert_code(0);
    assert_eq!(
        stage.run(&["infra", "trust", "app-1", "--output", "json"]).json()["changed"],
        false
    );
}

#[test]
fn a_colleagues_machine_verifies_as_strictly_without_a_file_to_share() {
    let Some(stage) = Stage::new(ONE) else { return };
    let key = stage.path().join("id");
    stage.keygen("id", &["-t", "ed25519", "-N", ""]);
    stage.configure_ssh(ONE, &format!("{{ private_key_path: {} }}", key.display()));
    // Ordered here, and first logged in to there.
    stage.run(&["infra", "up", "--no-bootstrap"]).assert_code(0);
    let other = tempfile::tempdir().expect("a folder");
    std::fs::copy(stage.path().join("stagecraft.yml"), other.path().join("stagecraft.yml"))
        .expect("a copy");
    let there = |words: &[&str]| {
        let mut command = stage.command(words);
        command.current_dir(other.path()).env("HOME", other.path().join("home"));
        Ran::from(command.output().expect("the binary runs"))
    };
    // Not bootstrapped yet: the key of the first boot is what it is verified by.
    assert_eq!(there(&["exec", "--", "true"]).code, 0);
    let status = there(&["infra", "status", "--output", "json"]);
    let open = status.host("app-1")["open"].to_string();
    assert!(open.contains("needs a host key of its own"), "{open}");
    assert!(openssh(other.path(), &there, "hostname").assert_code(0).stdout.contains("app-1"));
    there(&["infra", "bootstrap"]).assert_code(0);
    assert_eq!(there(&["infra", "status", "--output", "json"]).host("app-1")["state"], "ready");

    // And here again, where nobody has ever seen the host's own key.
    let here = |words: &[&str]| stage.run(words);
    for check in [&here as &dyn Fn(&[&str]) -> Ran, &there] {
        check(&["infra", "up"]).assert_code(0);
        assert_eq!(
            check(&["ssh", "app-1", "--", "hostname"]).assert_code(0).stdout.trim(),
            "app-1"
        );
    }
    assert_eq!(openssh(other.path(), &there, "hostname").assert_code(0).stdout.trim(), "app-1");

    let ansible = there(&["infra", "inventory", "--format", "ansible"]);
    assert_eq!(by_ansible(&ansible.assert_code(0).stdout).assert_code(0).stdout.trim(), "app-1");

    // Another key, and neither we nor OpenSSH by what we exported go on.
    stage.inside(
        "app-1",
        &format!("rm {KEY}*; ssh-keygen -q -t ed25519 -N '' -f {KEY}; systemctl restart ssh"),
    );
    there(&["exec", "--", "touch", "/tmp/ran"]).assert_code(10);
    there(&["ssh", "app-1", "--", "touch /tmp/ran"]).assert_code(255);
    openssh(other.path(), &there, "touch /tmp/ran").assert_code(255);
    by_ansible(&ansible.stdout).assert_code(255);
    assert_eq!(stage.inside("app-1", "ls /tmp/ran 2>/dev/null || echo none").trim(), "none");
    let files: Vec<String> =
        [stage.path(), other.path()].iter().flat_map(|at| known_hosts(at)).collect();
    assert_eq!(files, Vec::<String>::new(), "no known_hosts anywhere");
}

#[test]
fn a_host_from_before_keys_were_pinned_gets_in_by_its_owners_word() {
    let Some(stage) = Stage::new(ONE) else { return };
    let with = |host_keys: &str| stage.configure_ssh(ONE, &format!("{{ host_keys: {host_keys} }}"));
    with("accept-new");
    stage.run(&["infra", "up"]).assert_code(0);
    let known = std::fs::read_to_string(stage.path().join(".stagecraft/known_hosts"));
    assert!(known.is_ok_and(|known| known.contains("ssh-ed25519")), "remembered as OpenSSH would");

    with("known-hosts");
    let strict = stage.run(&["infra", "up", "--output", "json"]);
    strict.assert_code(10);
    assert_eq!(strict.host("app-1")["failure"]["code"], "host_key_unknown");

    with("pinned");
    let ran = stage.run(&["infra", "up", "--output", "json"]);
    ran.assert_code(10);
    let failure = ran.host("app-1")["failure"].clone();
    assert_eq!(failure["code"], "host_key_unknown");
    assert!(failure["hints"].to_string().contains("infra trust app-1"), "{failure:#}");
    // So is, to whoever decides, whether it is the key that was seen before.
    let file = stage.path().join(".stagecraft/known_hosts");
    let seen = std::fs::read_to_string(&file).expect("it is there");
    stage.keygen("other", &["-t", "ed25519", "-N", ""]);
    let other = std::fs::read_to_string(stage.path().join("other.pub")).expect("a key");
    let key = |line: &str| line.split(' ').find(|word| word.starts_with("AAAA")).map(str::to_owned);
    let (seen_key, other_key) = (key(&seen).expect("a key"), key(&other).expect("a key"));
    std::fs::write(&file, seen.replace(&seen_key, &other_key)).expect("it can be written");
    let command = stage.command(&["infra", "trust", "app-1"]);
    let warned = talk(&command, &[(" to go on: ", Answer::Say("no"))]);
    let warning = "It is not the key that was remembered on first contact.";
    assert!(warned.assert_code(130).stdout.contains(warning), "{}", warned.stdout);
    std::fs::write(&file, seen).expect("it can be written");
    let trusted = stage.run(&["infra", "trust", "app-1", "--yes"]);
    let said = &trusted.assert_code(0).stderr;
    assert!(said.contains(".stagecraft/known_hosts:1"), "{said}");
    assert!(said.contains(&fingerprint(&stage, "app-1")), "{said}");
    stage.run(&["infra", "up"]).assert_code(0);
}

#[test]
fn the_owner_of_a_rebuilt_host_is_shown_its_key_and_asked() {
    let Some(stage) = Stage::new(ONE) else { return };
    stage.run(&["infra", "up"]).assert_code(0);
    let old = fingerprint(&stage, "app-1");
    stage.inside(
        "app-1",
        &format!("rm {KEY}*; ssh-keygen -q -t ed25519 -N '' -f {KEY}; systemctl restart ssh"),
    );
    let new = fingerprint(&stage, "app-1");
    let command = stage.command(&["infra", "trust", "app-1"]);
    let no = talk(&command, &[(" to go on: ", Answer::Say("y"))]);
    assert!(no.assert_code(130).stdout.contains("nothing was changed"), "{}", no.stdout);
    assert!(no.stdout.contains(&old) && no.stdout.contains(&new), "{}", no.stdout);
    stage.run(&["infra", "up"]).assert_code(10);
    let yes = talk(&command, &[(" to go on: ", Answer::Say("yes"))]);
    let said = format!("Pinned {new} for `app-1`.");
    assert!(yes.assert_code(0).stdout.contains(&said), "{}", yes.stdout);
    stage.run(&["infra", "up"]).assert_code(0);
}

/// Runs a command by the system's `ssh`, with nothing but what is exported.
fn openssh(folder: &Path, run: &dyn Fn(&[&str]) -> Ran, command: &str) -> Ran {
    let exported = run(&["infra", "inventory", "--format", "ssh-config"]);
    std::fs::write(folder.join("exported"), &exported.assert_code(0).stdout).expect("a file");
    let output = Command::new("ssh")
        .args(["-F", "exported", "-o", "BatchMode=yes", "app-1", command])
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", folder.join("nobody"))
        .output();
    output.map(Ran::from).expect("ssh is installed")
}

/// Runs `hostname` by `ssh` with the words of an inventory for Ansible, which splits them as a shell.
fn by_ansible(inventory: &str) -> Ran {
    let value = |key: &str| -> String {
        let line = inventory.lines().find_map(|line| line.trim().strip_prefix(key));
        serde_json::from_str(line.expect("a line").trim()).expect("a quoted text")
    };
    let script = format!(
        "set -- {}; exec ssh -F none -o BatchMode=yes \"$@\" root@{} hostname",
        value("ansible_ssh_common_args:"),
        value("ansible_host:"),
    );
    Command::new("sh").args(["-c", &script]).output().map(Ran::from).expect("a shell")
}

/// The fingerprint of the key a host presents, as the host itself shows it.
pub(crate) fn fingerprint(stage: &Stage, host: &str) -> String {
    let shown = stage.inside(host, &format!("ssh-keygen -lf {KEY}"));
    shown.split_whitespace().nth(1).expect("a fingerprint").to_owned()
}

/// Files below a folder that may hold host keys.
fn known_hosts(folder: &Path) -> Vec<String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().contains("known_hosts") {
                found.insert(path.display().to_string(), ());
            }
        }
    }
    found.into_keys().collect()
}
