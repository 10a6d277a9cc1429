use std::path::Path;

use super::*;
use crate::keys::tests::public_key;

const HOST: &str = "203.0.113.7";
const ALIAS: &str = "stagecraft-hetzner-1";

#[test]
fn a_new_key_is_accepted_once_and_remembered() {
    let files = Files::new();
    let (key, other) = (public_key(), public_key());
    files.gate(22).admit(&key).unwrap();
    files.gate(22).admit(&key).unwrap();
    let Denial::Mismatch { presented, expected, file, line } =
        files.gate(22).admit(&other).unwrap_err()
    else {
        panic!("another key must not pass");
    };
    assert_eq!((presented, expected), (fingerprint(&other), fingerprint(&key)));
    assert_eq!((file.as_path(), line), (files.own().as_path(), 1));
}

#[test]
fn the_same_address_with_another_instance_is_a_new_host() {
    let files = Files::new();
    files.gate(22).admit(&public_key()).unwrap();
    let next =
        Gate::open(&files.settings, HOST, 22, "stagecraft-hetzner-2", Pins::default()).unwrap();
    next.admit(&public_key()).unwrap();
}

#[test]
fn of_two_that_meet_a_new_host_at_once_only_one_key_wins() {
    let files = Files::new();
    let (one, two) = (files.gate(22), files.gate(22));
    let key = public_key();
    one.admit(&key).unwrap();
    two.admit(&key).unwrap();
    let late = Gate { own: Vec::new(), ..files.gate(22) };
    assert!(matches!(late.admit(&public_key()), Err(Denial::Mismatch { line: 1, .. })));
}

#[test]
fn the_users_files_come_first() {
    let files = Files::new();
    let (key, other) = (public_key(), public_key());
    files.user_knows(HOST, &key);
    files.gate(22).admit(&key).unwrap();
    assert!(!files.own().exists(), "a key the user knows is not ours to keep");
    let Denial::Mismatch { file, line, .. } = files.gate(22).admit(&other).unwrap_err() else {
        panic!("another key must not pass");
    };
    assert_eq!((file, line), (files.user(), 2));
    assert!(files.gate(22).is_the_users());
}

#[test]
fn an_entry_without_port_speaks_for_other_ports_but_not_against() {
    let files = Files::new();
    let (key, other) = (public_key(), public_key());
    files.user_knows(HOST, &key);
    files.gate(2222).admit(&key).unwrap();
    files.gate(2222).admit(&other).unwrap();
    files.user_knows(&format!("[{HOST}]:2200"), &key);
    assert!(files.gate(2200).admit(&other).is_err());
}

#[test]
fn a_revoked_key_never_passes() {
    let files = Files::new();
    let key = public_key();
    files.user_knows(HOST, &key);
    files.user_knows(&format!("@revoked {HOST}"), &key);
    let Denial::Mismatch { expected, line, .. } = files.gate(22).admit(&key).unwrap_err() else {
        panic!("a revoked key must not pass");
    };
    assert_eq!((expected.as_str(), line), ("its revocation", 3));
    files.gate(2222).admit(&public_key()).unwrap();
    assert!(files.gate(2222).admit(&key).is_err(), "nor at another port");
}

#[test]
fn strict_checking_believes_only_the_users_files() {
    let mut files = Files::new();
    let key = public_key();
    files.gate(22).admit(&key).unwrap();
    files.settings.host_keys = HostKeys::KnownHosts;
    let Denial::Unknown { presented, policy: HostKeys::KnownHosts } =
        files.gate(22).admit(&key).unwrap_err()
    else {
        panic!("what was accepted on first contact must not pass");
    };
    assert_eq!(presented, fingerprint(&key));
    files.user_knows(HOST, &key);
    files.gate(22).admit(&key).unwrap();
}

#[test]
fn the_kind_of_a_known_key_is_asked_for_first() {
    let files = Files::new();
    assert_eq!(files.gate(22).algorithms(), ALGORITHMS);
    files.user_knows_text(HOST, RSA);
    let algorithms = files.gate(22).algorithms();
    assert_eq!(algorithms[..2], ALGORITHMS[4..]);
    assert_eq!(algorithms[2..], ALGORITHMS[..4]);
}

#[test]
fn a_key_of_another_kind_than_the_known_one_does_not_pass() {
    let files = Files::new();
    files.user_knows_text(HOST, RSA);
    assert!(matches!(files.gate(22).admit(&public_key()), Err(Denial::Mismatch { line: 2, .. })));
}

#[test]
fn with_a_pinned_key_nothing_else_counts_and_nothing_is_learned() {
    let mut files = Files::new();
    let (own, first, other) = (public_key(), public_key(), public_key());
    let pins = Pins { first: host_key(&first), own: host_key(&own) };
    // What files know of an address, or of the instance, is no reason to believe another key.
    files.user_knows(HOST, &other);
    files.gate(2222).admit(&other).unwrap();
    for policy in [HostKeys::Pinned, HostKeys::AcceptNew] {
        files.settings.host_keys = policy;
        for good in [&own, &first] {
            files.gate_with(22, pins).admit(good).unwrap();
        }
        let Denial::NotPinned { presented, expected } =
            files.gate_with(22, pins).admit(&other).unwrap_err()
        else {
            panic!("another key must not pass");
        };
        assert_eq!((presented, Some(expected)), (fingerprint(&other), host_key(&own)));
        let rsa: PublicKey = RSA.parse().unwrap();
        assert!(files.gate_with(22, pins).admit(&rsa).is_err(), "one that could not be pinned");
        assert_eq!(files.gate_with(22, pins).algorithms()[0], Algorithm::Ed25519);
    }
    assert!(!files.own().exists(), "nothing is learned");
    files.user_knows(&format!("@revoked {HOST}"), &own);
    assert!(files.gate_with(22, pins).admit(&own).is_err(), "revoked by the user");
}

#[test]
fn without_a_pinned_key_nobody_is_believed_on_first_contact() {
    let mut files = Files::new();
    let key = public_key();
    files.gate(22).admit(&key).unwrap();
    files.settings.host_keys = HostKeys::Pinned;
    let denial = files.gate(22).admit(&key).unwrap_err();
    assert!(matches!(denial, Denial::Unknown { policy: HostKeys::Pinned, .. }), "{denial:?}");
    let places = files.gate(22).places_of(&key).unwrap();
    assert_eq!(places, [(files.own(), 1)], "but where it was seen before can be told");
    files.user_knows(HOST, &key);
    files.gate(22).admit(&key).unwrap();
}

#[test]
fn where_only_files_shall_count_a_pin_does_not() {
    let mut files = Files::new();
    let key = public_key();
    let pins = Pins { first: None, own: host_key(&key) };
    files.settings.host_keys = HostKeys::KnownHosts;
    assert!(matches!(files.gate_with(22, pins).admit(&key), Err(Denial::Unknown { .. })));
}

/// A public key made for these tests; its private half was thrown away.
const RSA: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDCbBqCKYV1YGHvGvBsxblgoBVX3JnOZtkBHoCXatuSsQb5Jr6b+tYpjzmqbTBRmjAKAy+sMFVE0KCL/bAL52wXMNrToJj3EARH8TXLqF2/NVz2HgWGKp/lUt1zubg81suZD2eHu0bwpcUfxiFK/lHV2LQ2/Xi8ycEETSL5dRLFewA35RBRf6qAbJAhhjMuO7ufPL0t51S7XmrbT6HZrJBHer6ZRMC4PfV39zWVZzRZkI6y6WzbNlKUl9/qzAYO5igzqdqYR35yAJMQ4XHhfMmCVbJN2wfa5REGzptP1X5ae8yP74pEbPN/5V5hIkDPDUlSgxJ6nrCsVhAZu3xpFGGX";

struct Files {
    dir: tempfile::TempDir,
    settings: SshSettings,
}

impl Files {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = SshSettings::new(dir.path().join("own"));
        settings.user_known_hosts = vec![dir.path().join("absent"), dir.path().join("user")];
        std::fs::write(dir.path().join("user"), "# first line\n").unwrap();
        Self { dir, settings }
    }

    fn gate(&self, port: u16) -> Gate {
        self.gate_with(port, Pins::default())
    }

    fn gate_with(&self, port: u16, pins: Pins) -> Gate {
        Gate::open(&self.settings, HOST, port, ALIAS, pins).unwrap()
    }

    fn own(&self) -> PathBuf {
        self.dir.path().join("own")
    }

    fn user(&self) -> PathBuf {
        self.dir.path().join("user")
    }

    fn user_knows(&self, names: &str, key: &PublicKey) {
        self.user_knows_text(names, &key.to_openssh().unwrap());
    }

    fn user_knows_text(&self, names: &str, key: &str) {
        let path: &Path = &self.user();
        let text = std::fs::read_to_string(path).unwrap();
        std::fs::write(path, format!("{text}{names} {key}\n")).unwrap();
    }
}
