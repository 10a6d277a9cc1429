//! What the first boot of a machine leaves on its disk.

use stagecraft_core::identity::HostKey;

use super::Disk;

/// Where a machine keeps the host key it presents; here its public half, as OpenSSH writes it.
pub const HOST_KEY: &str = "/etc/ssh/ssh_host_ed25519_key";

/// The line of user data that gives a host key.
const GIVEN: &str = "ed25519_public:";

/// The disk of a machine that has just been made, the so-manieth of its world.
pub(super) fn disk(number: u64, user_data: Option<&str>) -> Disk {
    let given = user_data.iter().flat_map(|data| data.lines()).find_map(|line| {
        let key = line.trim().strip_prefix(GIVEN)?;
        Some(key.trim().to_owned())
    });
    let mut own = [0xaa; 32];
    own[..8].copy_from_slice(&number.to_be_bytes());
    let key = given.unwrap_or_else(|| HostKey::new(own).to_openssh());
    Disk { files: [(HOST_KEY.to_owned(), key)].into(), full: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_key_is_used_and_otherwise_every_machine_has_its_own() {
        let key = |number, data| disk(number, data).files[HOST_KEY].clone();
        let data = "#cloud-config\nssh_keys:\n  ed25519_public: ssh-ed25519 AAAA\n";
        assert_eq!(key(1, Some(data)), "ssh-ed25519 AAAA");
        assert_ne!(key(1, None), key(2, Some("#!/bin/sh\n")));
        assert!(key(3, None).parse::<HostKey>().is_ok());
    }
}
