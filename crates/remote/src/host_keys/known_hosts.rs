//! Reads OpenSSH's known-hosts format.

use hmac::{Hmac, KeyInit as _, Mac as _};
use russh::keys::PublicKey;
use russh::keys::ssh_key::known_hosts::{Entry, HostPatterns, Marker};
use sha1::Sha1;

use crate::ssh_config::pattern;

/// One line that names a key.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Its number, from 1.
    pub(super) number: usize,
    /// Whether the key must never be believed.
    pub(super) revoked: bool,
    pub(super) key: PublicKey,
    hosts: HostPatterns,
}

impl Line {
    /// Whether the line speaks of the host a known-hosts file calls `name`.
    pub(super) fn is_for(&self, name: &str) -> bool {
        match &self.hosts {
            HostPatterns::Patterns(patterns) => pattern::matches_list(patterns, &[name]),
            HostPatterns::HashedName { salt, hash } => Hmac::<Sha1>::new_from_slice(salt)
                .is_ok_and(|mac| mac.chain_update(name.to_lowercase()).verify_slice(hash).is_ok()),
        }
    }

    /// Whether the line speaks of `name` and of nothing else.
    pub(super) fn is_only_for(&self, name: &str) -> bool {
        match &self.hosts {
            HostPatterns::Patterns(patterns) => matches!(patterns.as_slice(), [one] if one == name),
            HostPatterns::HashedName { .. } => self.is_for(name),
        }
    }
}

/// The line of `text` as an entry of ours or `None`: blank, a comment, malformed, of a kind of key
/// not known here, or naming a certificate authority.
fn line(number: usize, text: &str) -> Option<Line> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() || text.starts_with('#') {
        return None;
    }
    let entry: Entry = text.parse().ok()?;
    let revoked = match entry.marker() {
        Some(Marker::CertAuthority) => return None,
        Some(Marker::Revoked) => true,
        None => false,
    };
    let hosts = entry.host_patterns().clone();
    Some(Line { number, revoked, key: entry.public_key().clone(), hosts })
}

/// All lines that name a key.
pub(super) fn parse(text: &str) -> Vec<Line> {
    text.lines().enumerate().filter_map(|(index, text)| line(index + 1, text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKP2Tg5a3PobaOnE8uUS8y/uhhBIW9nOvbpA8PabaSG8";

    #[test]
    fn names_patterns_and_ports_are_told_apart() {
        let line = one(&format!("web.example.com,203.0.113.7,[10.0.*]:2222,!10.9.9.9 {KEY} note"));
        for (name, expected) in [
            ("web.example.com", true),
            ("WEB.example.com", true),
            ("203.0.113.7", true),
            ("[203.0.113.7]:2222", false),
            ("[10.0.3.4]:2222", true),
            ("10.0.3.4", false),
            ("10.9.9.9", false),
        ] {
            assert_eq!(line.is_for(name), expected, "{name}");
        }
    }

    #[test]
    fn hashed_names_match() {
        // Written by `ssh-keygen -H` for `203.0.113.7` and `[db.Example.com]:2222`.
        let plain =
            one(&format!("|1|LaWZHzUp8+aEYTjqEEMpsYsjIo4=|8hyjwLyo4Itq+vrpCpDhr0JQF3E= {KEY}"));
        assert!(plain.is_for("203.0.113.7"));
        assert!(!plain.is_for("[203.0.113.7]:2222"));
        let with_port =
            one(&format!("|1|pbi67mqbjPsP46FfGJuLWsa3tNs=|6VVPuv/ojMw8noPC5YcFUbho7Do= {KEY}"));
        assert!(with_port.is_for("[DB.example.com]:2222"));
        assert!(!with_port.is_for("db.example.com"));
    }

    #[test]
    fn only_lines_with_a_key_of_a_host_count() {
        let text = format!(
            "# note\n\n@cert-authority * {KEY}\n@revoked bad {KEY}\nnonsense\nx ssh-unknown AAAA\n@odd h {KEY}\n\tgood\t{KEY}\r\n"
        );
        let lines = parse(&text);
        let found: Vec<_> = lines.iter().map(|line| (line.number, line.revoked)).collect();
        assert_eq!(found, [(4, true), (8, false)]);
        assert!(lines[1].is_for("good"));
    }

    fn one(text: &str) -> Line {
        parse(text).pop().unwrap()
    }
}
