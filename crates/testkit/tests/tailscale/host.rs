use std::fs;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command as Process, Stdio};
use std::time::Duration;

use stagecraft_core::converge::{Convergence, Effect, Step, StepReport};
use stagecraft_core::error::{Code, Failure};
use stagecraft_core::guard::{Armed, Confirmation, Guard};
use stagecraft_core::remote::{Command, Output};
use stagecraft_testkit::tailscale::{CLIENT, DAEMON, Rules, Tailnet};

/// Writes down its words, so that a test sees what `ps` would have shown.
const WRAPPER: &str = "#!/bin/sh\n\
    echo \"tailscale $*\" >>\"$STAND_IN_ROOT/asked\"\n\
    exec perl \"$STAND_IN_ROOT/client.pl\" \"$@\"\n";

const SYSTEMCTL: &str = r#"#!/bin/sh
echo "systemctl $*" >>"$STAND_IN_ROOT/asked"
daemon=$STAND_IN_ROOT/run/tailscale/tailscaled.sock
case "$*" in
show*) [ -e "$daemon" ] && state=active || state=inactive
	[ -e "$STAND_IN_ROOT/bin/tailscaled" ] && load=loaded || load=not-found
	printf 'LoadState=%s\nActiveState=%s\nUnitFileState=enabled\n' "$load" "$state" ;;
'is-active'*) exit 1 ;;
# As of a unit that is not there.
'-q stop'*) exit 5 ;;
*'enable --now tailscaled.service')
	[ ! -e "$STAND_IN_ROOT/broken" ] || exit 1
	[ -e "$daemon" ] || {
		tailscaled </dev/null >/dev/null 2>&1 &
		echo $! >"$STAND_IN_ROOT/daemon.pid"
	} ;;
esac
exit 0
"#;

/// A machine: its folders, and a daemon that is ended with it.
pub(crate) struct Host {
    root: tempfile::TempDir,
}

impl Host {
    /// A machine with the stand-in's programs, whose daemon runs; `None` where they cannot.
    #[expect(clippy::print_stdout, reason = "a test that is skipped says why")]
    pub(crate) fn new(tailnet: &Tailnet) -> Option<Self> {
        if !Process::new("perl").arg("-v").output().is_ok_and(|output| output.status.success()) {
            println!("skipped: this machine has no perl");
            return None;
        }
        let host = Self::bare(tailnet);
        host.get_client();
        host.start();
        Some(host)
    }

    /// A machine without the client.
    pub(crate) fn bare(tailnet: &Tailnet) -> Self {
        let host = Self { root: tempfile::tempdir().unwrap() };
        for folder in ["bin", "etc", "var/lib/tailscale", "units"] {
            fs::create_dir_all(host.path(folder)).unwrap();
        }
        host.write("etc/stand-in", &format!("{}\n", tailnet.address()));
        host.write("bin/systemctl", SYSTEMCTL);
        host.write(
            "bin/systemd-run",
            "#!/bin/sh\necho \"systemd-run $*\" >>\"$STAND_IN_ROOT/asked\"\n",
        );
        host.write("bin/journalctl", "#!/bin/sh\necho 'what tailscaled logged'\n");
        host.write("bin/dpkg-query", "#!/bin/sh\nexit 1\n");
        host
    }

    pub(crate) fn get_client(&self) {
        self.write("client.pl", CLIENT);
        self.write("bin/tailscale", WRAPPER);
        self.write("bin/tailscaled", DAEMON);
    }

    pub(crate) fn start(&self) {
        let up = self.sh("systemctl -q enable --now tailscaled.service; until tailscale status --json >/dev/null; do sleep 0.1; done", b"");
        assert!(up.success(), "{up:?}");
    }

    pub(crate) fn stop(&self) {
        self.sh("kill $(cat $STAND_IN_ROOT/daemon.pid); while [ -e $STAND_IN_ROOT/run/tailscale/tailscaled.sock ]; do sleep 0.1; done", b"");
    }

    /// Runs a command of ours as the host would, with its folders in the place of the machine's, and
    /// without the patience that is meant for real servers.
    pub(crate) fn run(&self, command: &Command) -> Output {
        self.sh(&self.line(command), command.stdin().unwrap_or_default())
    }

    pub(crate) fn line(&self, command: &Command) -> String {
        let root = self.root.path().display();
        command
            .to_shell()
            .replace("/run/stagecraft-tailscale", &format!("{root}/run/stagecraft-tailscale"))
            .replace("/var/lib/stagecraft", &format!("{root}/state"))
            .replace("/etc/systemd/system", &format!("{root}/units"))
            .replace("/etc/apt/sources.list", &format!("{root}/etc/apt/sources.list"))
            .replace("/etc/os-release", &format!("{root}/etc/os-release"))
            .replace("/etc/ssl/certs", &format!("{root}/etc"))
            .replace("/usr/share/keyrings", &format!("{root}/keyrings"))
            .replace("/usr/lib/apt/apt-helper", &format!("{root}/bin/apt-helper"))
            .replace("--timeout=60s", "--timeout=2s")
    }

    /// What the client prints and ends with.
    pub(crate) fn tailscale(&self, words: &str) -> Output {
        self.sh(&format!("tailscale {words}"), b"")
    }

    pub(crate) fn sh(&self, line: &str, stdin: &[u8]) -> Output {
        let mut process = self.process(line).stdin(Stdio::piped()).spawn().unwrap();
        // One that reads nothing may have ended by now.
        drop(process.stdin.take().unwrap().write_all(stdin));
        let output = process.wait_with_output().unwrap();
        Output {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    pub(crate) fn process(&self, line: &str) -> Process {
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", self.path("bin").display());
        let mut process = Process::new("sh");
        process.args(["-c", line]).env("PATH", path).env("STAND_IN_ROOT", self.root.path());
        process.stdout(Stdio::piped()).stderr(Stdio::piped());
        process
    }

    /// Makes the steps true as the engine does, guards included.
    pub(crate) fn converge(&self, steps: Vec<Box<dyn Step>>) -> Result<Vec<StepReport>, Failure> {
        let mut run = Convergence::new(steps);
        loop {
            match run.poll() {
                Effect::Finished => break,
                Effect::Probe(command) => run.probed(&self.run(&command)),
                Effect::Change { change, .. } => match &change.guard {
                    None => run.changed(&self.run(&change.command)),
                    Some(guard) => match Guard::armed(self.run(&guard.arm(&change.command))) {
                        Armed::Made => {
                            let confirmed = self.run(&guard.confirm());
                            assert_eq!(confirmed.stderr, "", "it is cleaned up");
                            let confirmed = Guard::confirmation(confirmed);
                            assert_eq!(confirmed, Confirmation::Kept);
                            run.changed(&Output::default());
                        }
                        armed @ (Armed::Busy
                        | Armed::Failed(_)
                        | Armed::Stuck(_)
                        | Armed::NotBegun(_)) => {
                            let code = run.open_step_code().unwrap_or(Code::CHANGE_UNDONE);
                            run.abandon(Failure::new(code, format!("{armed:?}")));
                        }
                    },
                },
            }
        }
        run.failure().map_or_else(|| Ok(run.reports().to_vec()), |failure| Err(failure.clone()))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Every command that was run by name, with its words.
    pub(crate) fn asked(&self) -> String {
        self.read("asked")
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if self.path("daemon.pid").exists() {
            self.sh("kill $(cat $STAND_IN_ROOT/daemon.pid)", b"");
        }
    }
}

pub(crate) fn start(rules: Rules) -> Tailnet {
    Tailnet::start(IpAddr::V4(Ipv4Addr::LOCALHOST), rules).unwrap()
}

/// Waits for something that happens by itself.
pub(crate) fn eventually(mut happens: impl FnMut() -> bool) {
    for _ in 0..150 {
        if happens() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("it did not happen within 15 s");
}
