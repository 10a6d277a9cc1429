//! The scripts that run on hosts, run here: by a real shell with OpenSSH's own tools, on folders of their
//! own, with a `systemctl` that only writes down what it is asked. Skipped, visibly, without `ssh-keygen`.

#![expect(clippy::print_stdout, reason = "a test that is skipped says why")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command as Process;
use std::time::Duration;

use stagecraft_core::guard::{Armed, Confirmation, Guard};
use stagecraft_core::identity::{HostKey, made, make, switch};
use stagecraft_core::remote::{Command, Output};

#[test]
fn a_switch_that_is_confirmed_stays_and_leaves_nothing_behind() {
    let Some(host) = Host::new() else { return };
    let first = host.presents();
    let own = made(host.run(&make(&first))).unwrap();
    assert_ne!(own, first);
    assert_eq!(made(host.run(&make(&first))), Ok(own), "it is made once");
    assert_eq!(host.presents(), first, "and not in use yet");
    let (guard, change) = switch(&own);
    assert_eq!(Guard::armed(host.run(&guard.arm(&change))), Armed::Made);
    assert_eq!(host.presents(), own);
    assert_eq!(Guard::armed(host.run(&guard.arm(&change))), Armed::Made, "nothing to do");
    assert!(host.asked().contains("enable --quiet stagecraft-undo-host-key.timer"));
    let unit = host.read("units/stagecraft-undo-host-key.timer");
    assert!(unit.contains("OnActiveSec=90\nOnUnitInactiveSec=90\n"), "{unit}");
    assert_eq!(Guard::confirmation(host.run(&guard.confirm())), Confirmation::Kept);
    assert_eq!(Guard::confirmation(host.run(&guard.confirm())), Confirmation::Kept, "again");
    assert_eq!(host.files("ssh"), ["ssh_host_ed25519_key", "ssh_host_ed25519_key.pub"]);
    assert_eq!(host.files("state/guards"), ["lock"]);
    assert_eq!(host.files("units"), [""; 0]);
    assert_eq!(host.mode("ssh/ssh_host_ed25519_key"), 0o600);
    assert_eq!(host.read("ssh/ssh_host_ed25519_key.pub").trim_end(), own.to_openssh());
    // Whoever still believes the first key to be in use makes no other.
    assert_eq!(made(host.run(&make(&first))), Ok(own));
    assert_eq!(host.files("ssh").len(), 2);
}

#[test]
fn a_switch_that_nobody_confirms_is_undone_and_no_late_word_keeps_it() {
    let Some(host) = Host::new() else { return };
    let first = host.presents();
    let own = made(host.run(&make(&first))).unwrap();
    let (guard, change) = switch(&own);
    assert_eq!(Guard::armed(host.run(&guard.arm(&change))), Armed::Made);
    host.the_window_passes("host-key");
    assert_eq!(host.presents(), first);
    assert_eq!(host.files("units"), [""; 0]);
    // Two runs that were connected by the new key are both told.
    for _ in 0..2 {
        assert_eq!(Guard::confirmation(host.run(&guard.confirm())), Confirmation::Undone);
    }
    assert_eq!(host.presents(), first);
    assert_eq!(Guard::armed(host.run(&guard.arm(&change))), Armed::Made, "it can be made again");
    assert_eq!(Guard::confirmation(host.run(&guard.confirm())), Confirmation::Kept);
    assert_eq!(host.presents(), own);
}

#[test]
fn a_change_that_fails_is_undone_at_once_and_told_apart_from_others() {
    let Some(host) = Host::new() else { return };
    let file = host.shown("file");
    let (guard, _) = host.guard(&format!("rm -f {file}"));
    let broken = Command::script(format!("echo new >{file}; echo why >&2; exit 76"));
    let armed = Guard::armed(host.run(&guard.arm(&broken)));
    let Armed::Failed(output) = armed else { panic!("{armed:?}") };
    assert!(output.stderr.contains("why\nit ended with status 76"), "{output:?}");
    assert!(!host.path("file").exists());
    assert_eq!(
        (host.files("state/guards"), host.files("units")),
        (vec!["lock".to_owned()], vec![])
    );

    // One whose undoing fails stays armed, and is tried until it works.
    let undo = format!("[ -e {} ]", host.shown("mended"));
    let broken = Command::new("false");
    let (guard, _) = host.guard(&undo);
    let armed = Guard::armed(host.run(&guard.arm(&broken)));
    assert!(matches!(armed, Armed::Stuck(_)), "{armed:?}");
    host.write("active", "");
    assert_eq!(Guard::armed(host.run(&guard.arm(&broken))), Armed::Busy);
    assert!(!host.the_window_passes("test"), "it fails, and is tried again");
    assert_eq!(host.files("units").len(), 2);
    host.write("mended", "");
    assert!(host.the_window_passes("test"));
    assert_eq!(host.files("units"), [""; 0]);
}

#[test]
fn what_a_run_left_that_was_killed_while_it_armed_is_in_nobodys_way() {
    let Some(host) = Host::new() else { return };
    let (guard, change) = host.guard(&format!("rm -f {}", host.shown("file")));
    assert_eq!(Guard::armed(host.run(&guard.arm(&change))), Armed::Made);
    // The timer is gone, by whatever means: nobody would undo it.
    fs::remove_file(host.path("file")).unwrap();
    assert_eq!(Guard::armed(host.run(&guard.arm(&change))), Armed::Made);
    // The timer is there and the undo is not, as before the change is made.
    fs::remove_file(host.path("state/guards/test/undo")).unwrap();
    assert!(host.the_window_passes("test"));
    assert_eq!(host.files("units"), [""; 0]);

    // Where nothing can be armed nothing is changed.
    fs::remove_file(host.path("file")).unwrap();
    host.write("bin/systemctl", "#!/bin/sh\nexit 1\n");
    let armed = Guard::armed(host.run(&guard.arm(&change)));
    assert!(matches!(armed, Armed::NotBegun(_)), "{armed:?}");
    assert!(!host.path("file").exists());
}

/// The folders of a host.
struct Host {
    root: tempfile::TempDir,
}

impl Host {
    fn new() -> Option<Self> {
        let there =
            |tool: &str| Process::new("sh").args(["-c", &format!("command -v {tool}")]).output();
        if !["ssh-keygen", "flock"]
            .iter()
            .all(|tool| there(tool).is_ok_and(|out| out.status.success()))
        {
            println!("skipped: this machine has no ssh-keygen or no flock");
            return None;
        }
        let host = Self { root: tempfile::tempdir().unwrap() };
        for folder in ["ssh", "units", "bin"] {
            fs::create_dir(host.path(folder)).unwrap();
        }
        let systemctl = format!(
            "#!/bin/sh\necho \"$*\" >>{0}/asked\n[ \"$1\" != is-active ] || [ -e {0}/active ]\n",
            host.path("").display()
        );
        host.write("bin/systemctl", &systemctl);
        host.write("bin/sshd", "#!/bin/sh\n");
        let mut keygen = Process::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "root@image", "-f"]);
        keygen.arg(host.path("ssh/ssh_host_ed25519_key"));
        assert!(keygen.status().unwrap().success());
        Some(host)
    }

    /// Runs a command as the host would, with its folders in the place of the machine's.
    fn run(&self, command: &Command) -> Output {
        self.sh(&command.to_shell())
    }

    fn sh(&self, line: &str) -> Output {
        let line = line
            .replace("/var/lib/stagecraft", &self.shown("state"))
            .replace("/etc/systemd/system", &self.shown("units"))
            .replace("/etc/ssh", &self.shown("ssh"));
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", self.shown("bin"));
        let output = Process::new("sh").args(["-c", &line]).env("PATH", path).output().unwrap();
        Output {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// A guard of a change that makes a file, and the change.
    fn guard(&self, undo: &str) -> (Guard, Command) {
        let file = self.shown("file");
        let done = Command::new("test").arg("-e").arg(&file);
        let guard = Guard::new("test", Duration::from_secs(60), done, Command::script(undo));
        (guard, Command::new("touch").arg(file))
    }

    /// What systemd does then; whether it worked.
    fn the_window_passes(&self, name: &str) -> bool {
        self.sh(&format!("sh /var/lib/stagecraft/guards/{name}/fire")).success()
    }

    fn presents(&self) -> HostKey {
        let key = self.path("ssh/ssh_host_ed25519_key");
        let shown = Process::new("ssh-keygen").arg("-y").arg("-f").arg(key).output().unwrap();
        String::from_utf8(shown.stdout).unwrap().parse().unwrap()
    }

    /// What systemd was asked.
    fn asked(&self) -> String {
        self.read("asked")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn shown(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn files(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        let mut names: Vec<String> = entries.map(|entry| name(entry.unwrap())).collect();
        names.sort();
        names
    }

    fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o777
    }
}
