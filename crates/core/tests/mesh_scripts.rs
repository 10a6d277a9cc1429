//! The script that changes the mesh of a host, run here by a real shell on folders of its own, with
//! programs in the place of WireGuard's and systemd's that only keep to what the script is promised.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

const SCRIPT: &str = concat!(
    include_str!("../src/network/wireguard/scripts/mesh.sh"),
    include_str!("../src/network/wireguard/scripts/change.sh")
);
const OURS: &str = "127.0.0.1 localhost\n192.0.2.9 somebody\n";

#[test]
fn a_change_takes_effect_and_can_be_taken_back() {
    let host = Host::new();
    host.change(&conf("10.66.0.9", "a")).assert(0);
    assert_eq!(
        host.read("hosts"),
        format!("{OURS}# begin stagecraft0\n10.66.0.7 me.x\n10.66.0.9 a.x\n# end stagecraft0\n")
    );
    host.run(&["back", ""]).assert(0);
    assert_eq!(host.read("hosts"), OURS, "there was none before");
    assert!(!host.path("wireguard/stagecraft0.conf").exists());
}

#[test]
fn taking_back_that_fails_is_tried_again_until_it_works() {
    let host = Host::new();
    let before = conf("10.66.0.9", "a");
    host.change(&before).assert(0);
    host.run(&["forget", &hash(&before)]).assert(0);
    host.change(&conf("10.66.0.8", "b")).assert(0);
    fs::remove_file(host.path("up")).unwrap();
    host.write("broken", "");
    assert_ne!(host.run(&["back", ""]).0, 0);
    assert_ne!(host.run(&["back", ""]).0, 0, "it is not forgotten that it has to be done");
    fs::remove_file(host.path("broken")).unwrap();
    host.run(&["back", ""]).assert(0);
    assert_eq!(host.read("wireguard/stagecraft0.conf"), before);
    assert_eq!(host.read("effect"), before);
}

#[test]
fn what_a_run_left_that_was_cut_short_is_no_way_back_from_another_change() {
    let host = Host::new();
    let now = conf("10.66.0.9", "a");
    host.change(&now).assert(0);
    host.write("wireguard/stagecraft0.conf.old", &conf("10.66.0.1", "old"));
    fs::remove_file(host.path("up")).unwrap();
    host.run(&["to", &hash(&now)]).assert(0);
    host.run(&["back", ""]).assert(0);
    assert_eq!(host.read("wireguard/stagecraft0.conf"), now);
}

#[test]
fn a_configuration_that_is_gone_is_told_as_such_and_changes_nothing() {
    let host = Host::new();
    let Ended(status, said) = host.run(&["to", &hash("never prepared")]);
    assert_eq!(
        (status, said.as_str()),
        (1, "the prepared configuration is gone: another run is at work\n")
    );
    assert_eq!(host.read("hosts"), OURS);
}

#[test]
fn one_run_does_not_throw_away_what_another_has_prepared() {
    let host = Host::new();
    let (mine, other) = (conf("10.66.0.9", "a"), conf("10.66.0.8", "b"));
    host.prepare(&other);
    host.change(&mine).assert(0);
    host.run(&["forget", &hash(&mine)]).assert(0);
    host.run(&["to", &hash(&other)]).assert(0);
}

#[test]
fn names_of_others_stay_where_the_end_of_ours_is_lost() {
    let host = Host::new();
    host.write("hosts", &format!("{OURS}# begin stagecraft0\n192.0.2.10 another\n"));
    host.change(&conf("10.66.0.9", "a")).assert(0);
    let hosts = host.read("hosts");
    assert!(hosts.starts_with(&format!("{OURS}192.0.2.10 another\n# begin")), "{hosts}");
    host.run(&["is", &hash(&conf("10.66.0.9", "a"))]).assert(0);
}

/// What a configuration with one peer looks like.
fn conf(peer: &str, name: &str) -> String {
    format!(
        "# Written for a test.\n[Interface]\n# me.x\nAddress = 10.66.0.7/16\nListenPort = 51820\n\n\
         [Peer]\n# {name}.x\nPublicKey = key-of-{name}\nAllowedIPs = {peer}/32\n"
    )
}

fn hash(text: &str) -> String {
    use sha2::Digest as _;
    data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(text))
}

/// How the script ended, and what it said.
struct Ended(i32, String);

impl Ended {
    #[track_caller]
    fn assert(&self, status: i32) {
        assert_eq!(self.0, status, "{}", self.1);
    }
}

struct Host {
    root: tempfile::TempDir,
}

impl Host {
    fn new() -> Self {
        let host = Self { root: tempfile::tempdir().unwrap() };
        for folder in ["wireguard", "bin"] {
            fs::create_dir(host.path(folder)).unwrap();
        }
        host.write("hosts", OURS);
        host.write("wireguard/stagecraft0.key", "private\n");
        let root = host.root.path().display();
        for (program, text) in [
            (
                "systemctl",
                format!(
                    "case \"$*\" in\n\
                     *is-active*) [ -e {root}/up ] ;;\n\
                     start*) [ ! -e {root}/broken ] && touch {root}/up && \
                     cp {root}/wireguard/stagecraft0.conf {root}/effect ;;\n\
                     stop* | disable*) rm -f {root}/up ;;\nesac\n"
                ),
            ),
            (
                "ip",
                format!(
                    "[ -e {root}/up ] && echo '9: stagecraft0 inet 10.66.0.7/16 scope global'\n"
                ),
            ),
            ("wg-quick", format!("cat {root}/wireguard/stagecraft0.conf\n")),
            ("journalctl", "echo it does not start\n".to_owned()),
            (
                "wg",
                format!(
                    "case \"$*\" in\n\
                     syncconf*) cat >/dev/null; cp {root}/wireguard/stagecraft0.conf {root}/effect ;;\n\
                     *listen-port) echo 51820 ;;\n\
                     pubkey | *public-key) echo public ;;\n\
                     *allowed-ips) awk '/^PublicKey/ {{ k = $3 }} /^AllowedIPs/ {{ print k \"\\t\" $3 }}' {root}/effect ;;\n\
                     esac\n"
                ),
            ),
        ] {
            host.write(&format!("bin/{program}"), &format!("#!/bin/sh\n{text}"));
        }
        host
    }

    /// Puts a configuration beside the one in use.
    fn prepare(&self, text: &str) {
        self.write(&format!("wireguard/stagecraft0.conf.{}", hash(text)), text);
    }

    fn change(&self, text: &str) -> Ended {
        self.prepare(text);
        self.run(&["to", &hash(text)])
    }

    fn run(&self, words: &[&str]) -> Ended {
        let script = SCRIPT
            .replace("/etc/wireguard", &self.path("wireguard").display().to_string())
            .replace("/etc/hosts", &self.path("hosts").display().to_string());
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let mut command = Command::new("sh");
        command.args(["-c", &script, "wireguard-change", "stagecraft0"]).args(words);
        let output = command.env("PATH", path).output().unwrap();
        Ended(
            output.status.code().unwrap_or(-1),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
}
