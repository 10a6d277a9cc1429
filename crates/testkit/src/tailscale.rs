//! A stand-in for Tailscale: the two programs a host runs, and the control server they ask.
//!
//! ```text
//!   host:  tailscale (words, statuses, documents) --> tailscaled (is there)     test:  Tailnet
//!             +------------------------------ lines over TCP --------------------------> Control
//! ```
//!
//! The programs say what is recorded of the real ones and nothing else; what is recorded nowhere they do
//! not do. They run wherever there is Debian's `perl-base`, so on every host of the lab.

mod control;
mod server;

pub use control::{AuthKey, Control, Node, REFUSALS, Rules};
pub use server::Tailnet;

use std::net::SocketAddr;

/// The program `tailscale`.
pub const CLIENT: &str = include_str!("tailscale/client.pl");
/// The program `tailscaled`.
pub const DAEMON: &str = include_str!("tailscale/daemon.pl");
/// The unit that runs it.
const SERVICE: &str = include_str!("tailscale/tailscaled.service");

/// A script that puts the stand-ins on a host and starts them, to be run there as root; they ask the
/// control server at `control`.
#[must_use]
pub fn install_script(control: SocketAddr) -> String {
    let file = |path: &str, mode: &str, text: &str| {
        format!("cat >{path} <<'END OF FILE'\n{text}END OF FILE\nchmod {mode} {path}\n")
    };
    [
        "set -eu\n".to_owned(),
        file("/etc/stand-in", "644", &format!("{control}\n")),
        file("/usr/bin/tailscale", "755", CLIENT),
        file("/usr/sbin/tailscaled", "755", DAEMON),
        file("/etc/systemd/system/tailscaled.service", "644", SERVICE),
        "systemctl daemon-reload\nsystemctl -q enable --now tailscaled.service\n".to_owned(),
    ]
    .concat()
}
