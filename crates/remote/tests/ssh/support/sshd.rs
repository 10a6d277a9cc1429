//! The system's `sshd`, started for one test on a port of its own with keys of its own.

use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use russh::keys::{PrivateKey, PublicKey};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use super::{Home, openssh, program, say};

/// A running `sshd` that lets one key in as root; stops when dropped.
pub(crate) struct Sshd {
    pub(crate) port: u16,
    _process: Child,
}

impl Sshd {
    /// Starts one with these host keys and further configuration lines; `None`, with a word on
    /// standard error, where that is not possible.
    pub(crate) async fn start(
        home: &Home,
        name: &str,
        host_keys: &[&PrivateKey],
        key: &PublicKey,
        lines: &str,
    ) -> Option<Self> {
        let sshd = program("/usr/sbin/sshd", name)?;
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        if !is_root || std::fs::create_dir_all("/run/sshd").is_err() {
            say(&format!("skipped `{name}`: sshd needs to be started as root"));
            return None;
        }
        let authorized = home.write(&format!("{name}.authorized"), &openssh(key));
        let port = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
        let mut config = format!(
            "ListenAddress 127.0.0.1:{port}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nPermitRootLogin yes\n{lines}\n",
            authorized.display()
        );
        for (index, host_key) in host_keys.iter().enumerate() {
            let path = home.write_key(&format!("{name}.host{index}"), host_key);
            writeln!(config, "HostKey {}", path.display()).unwrap();
        }
        let config: PathBuf = home.write(&format!("{name}.conf"), &config);
        let log = std::fs::File::create(home.path(&format!("{name}.log"))).unwrap();
        let process = Command::new(sshd)
            .args(["-D", "-e", "-f"])
            .arg(config)
            .stdin(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        for _ in 0..250 {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Some(Self { port, _process: process });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("sshd did not start:\n{}", home.read(&format!("{name}.log")));
    }
}
