//! A session with a keyring of its own: a D-Bus and `gnome-keyring-daemon`, in a folder that goes with
//! it. Nothing of the session this runs in is seen.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

const BUS: &str = "dbus-daemon";
const KEYRING: &str = "gnome-keyring-daemon";
/// What the keyring is unlocked with.
const PASSWORD: &[u8] = b"password of the keyring";

#[derive(Debug)]
pub(crate) struct Session {
    folder: TempDir,
    bus: Child,
    keyring: Option<Child>,
}

impl Session {
    /// One whose keyring is unlocked; `None` where there is no such program.
    pub(crate) fn begin() -> Option<Self> {
        let mut session = Self::without_keyring()?;
        session.start(true);
        Some(session)
    }

    /// One in which nobody keeps secrets. No service is started by being asked for.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says why")]
    pub(crate) fn without_keyring() -> Option<Self> {
        for program in [BUS, KEYRING] {
            let version = Command::new(program).arg("--version").output();
            if !version.is_ok_and(|output| output.status.success()) {
                eprintln!("skipped: with a keyring, because `{program}` cannot be run");
                return None;
            }
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        let socket = folder.path().join("bus");
        let rules = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen>\
             <policy context='default'><allow own='*'/><allow eavesdrop='true'/>\
             <allow send_destination='*' eavesdrop='true'/></policy>\
             </busconfig>",
            socket.display()
        );
        let file = folder.path().join("bus.conf");
        std::fs::write(&file, rules).unwrap();
        let mut command = Command::new(BUS);
        command.arg("--nofork").arg("--nopidfile").arg("--config-file").arg(file);
        let bus = quietly(command.env_clear()).spawn().unwrap();
        until(|| UnixStream::connect(&socket).is_ok());
        Some(Self { folder, bus, keyring: None })
    }

    /// Kills the keyring, and starts it again.
    pub(crate) fn restart(&mut self, unlocked: bool) {
        self.stop();
        self.start(unlocked);
    }

    /// Where its D-Bus is.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("bus")
    }

    /// The same as programs are told.
    pub(crate) fn address(&self) -> String {
        format!("unix:path={}", self.socket().display())
    }

    /// Where the keyring keeps what it is told.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn start(&mut self, unlocked: bool) {
        let folder = self.folder.path();
        let mut command = Command::new(KEYRING);
        command.args(["--foreground", "--components=secrets"]);
        if unlocked {
            command.arg("--unlock");
        }
        command.env_clear().env("HOME", folder).env("XDG_DATA_HOME", self.data());
        command.env("XDG_RUNTIME_DIR", folder);
        command.env("DBUS_SESSION_BUS_ADDRESS", self.address());
        let mut keyring = quietly(&mut command).stdin(Stdio::piped()).spawn().unwrap();
        let mut input = keyring.stdin.take().unwrap();
        if unlocked {
            input.write_all(PASSWORD).unwrap();
        }
        drop(input);
        self.keyring = Some(keyring);
        self.until_kept(true);
    }

    fn stop(&mut self) {
        if let Some(mut keyring) = self.keyring.take() {
            end(&mut keyring);
            self.until_kept(false);
        }
    }

    /// Waits until somebody keeps secrets, or nobody does any more.
    fn until_kept(&self, kept: bool) {
        let bus = zbus::blocking::connection::Builder::address(self.address().as_str());
        let bus = bus.unwrap().method_timeout(Duration::from_secs(30)).build().unwrap();
        let names = zbus::blocking::fdo::DBusProxy::new(&bus).unwrap();
        let service = zbus::names::BusName::try_from("org.freedesktop.secrets").unwrap();
        until(|| names.name_has_owner(service.clone()).unwrap() == kept);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(keyring) = &mut self.keyring {
            end(keyring);
        }
        end(&mut self.bus);
    }
}

fn quietly(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

fn end(child: &mut Child) {
    // One that ended by itself is waited for all the same.
    let _ended = child.kill();
    let _status = child.wait();
}

fn until(mut there: impl FnMut() -> bool) {
    let began = Instant::now();
    while !there() {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not come");
        sleep(Duration::from_millis(10));
    }
}
