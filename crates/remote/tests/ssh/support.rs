//! What the tests share: targets, settings in a temporary folder, keys.

pub(crate) mod server;
pub(crate) mod sshd;

use std::path::{Path, PathBuf};
use std::time::Duration;

use russh::keys::key::safe_rng;
use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, HashAlg, PrivateKey, PublicKey};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::inventory::Endpoint;
use stagecraft_core::remote::{Connector as _, Remote, RemoteError, Target};
use stagecraft_remote::{SshConnector, SshSettings};

/// A user's files in a temporary folder.
pub(crate) struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Settings that know no key yet.
    pub(crate) fn settings(&self) -> SshSettings {
        let mut settings = SshSettings::new(self.path("state/known_hosts"));
        settings.home = Some(self.dir.path().to_owned());
        settings.user_known_hosts = vec![self.path("known_hosts")];
        settings.connect_timeout = Duration::from_secs(5);
        settings
    }

    /// Settings with one key the user named.
    pub(crate) fn settings_with(&self, key: &PrivateKey) -> SshSettings {
        let mut settings = self.settings();
        settings.private_key = Some(self.write_key("id", key));
        settings
    }

    pub(crate) fn write_key(&self, name: &str, key: &PrivateKey) -> PathBuf {
        self.write(name, &key.to_openssh(LineEnding::LF).unwrap())
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        let path = self.path(name);
        let mut options = std::fs::OpenOptions::new();
        let mut file =
            options.write(true).create(true).truncate(true).mode(0o600).open(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }
}

/// The host `app-1` of the provider `hetzner` at a port of this machine.
pub(crate) fn target(port: u16) -> Target {
    Target {
        host: "app-1".parse().unwrap(),
        provider: ProviderId::Hetzner,
        instance: "4711".into(),
        pins: stagecraft_core::identity::Pins::default(),
        endpoint: Endpoint { host: "127.0.0.1".to_owned(), port: Some(port) },
        user: "root",
    }
}

/// Makes one connection to [`target`].
pub(crate) async fn connect(
    settings: SshSettings,
    port: u16,
) -> Result<Box<dyn Remote>, RemoteError> {
    SshConnector::new(settings).connect(&target(port)).await
}

pub(crate) fn new_key() -> PrivateKey {
    PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap()
}

pub(crate) fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

pub(crate) fn openssh(key: &PublicKey) -> String {
    key.to_openssh().unwrap().trim_end().to_owned()
}

/// Finds a program where Debian puts it; says on standard error when a test has to do without.
pub(crate) fn program(path: &'static str, test: &str) -> Option<&'static Path> {
    let path = Path::new(path);
    if path.exists() {
        return Some(path);
    }
    say(&format!("skipped `{test}`: there is no {}", path.display()));
    None
}

#[expect(clippy::print_stderr, reason = "a skipped test must be visible")]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}
