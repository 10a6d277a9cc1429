//! Records against an implementation that is not ours.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use data_encoding::HEXLOWER;
use stagecraft_core::Secret;
use stagecraft_core::credential::{Credential, Field, Issuer};
use stagecraft_vault::{Key, KeyRing, Nonce, open, seal};

use crate::stage::{name, variable};

/// Made by `vectors.py`: name, issuer, key, nonce, fields, record.
const VECTORS: &str = include_str!("vectors.txt");

struct Vector {
    name: String,
    key: Key,
    nonce: Nonce,
    credential: Credential,
    record: Vec<u8>,
}

fn vectors(text: &str) -> Vec<Vector> {
    let hex = |text: &str| HEXLOWER.decode(text.as_bytes()).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let [name, issuer, key, nonce, fields, record] =
                line.split('\t').collect::<Vec<_>>().try_into().unwrap();
            let fields = fields.split(',').map(|field| {
                let (name, secret) = field.split_once('=').unwrap();
                (Field::named(name).unwrap(), Secret::new(secret))
            });
            let issuer: Issuer = issuer.parse().unwrap();
            Vector {
                name: name.to_owned(),
                key: Key::new(&hex(key).try_into().unwrap()),
                nonce: Nonce::new(hex(nonce).try_into().unwrap()),
                credential: Credential::new(issuer, fields).unwrap(),
                record: hex(record),
            }
        })
        .collect()
}

fn agree(text: &str) {
    let vectors = vectors(text);
    assert!(vectors.len() >= 4);
    for vector in vectors {
        let name = name(&vector.name);
        let sealed = seal(&vector.key, vector.nonce, &name, &vector.credential);
        assert_eq!(sealed, vector.record, "{name}");
        let ring = KeyRing::new(vector.key);
        let opened = open(&ring, &name, vector.credential.issuer(), &vector.record);
        assert_eq!(opened, Ok(vector.credential));
    }
}

#[test]
fn records_are_as_another_implementation_made_them() {
    agree(VECTORS);
}

#[test]
fn another_implementation_makes_and_opens_the_same_now() {
    let Some(python) = variable("STAGECRAFT_TEST_MOTO") else {
        eprintln!("skipped: no Python with `cryptography` (STAGECRAFT_TEST_MOTO)");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vault/vectors.py");
    let run = |words: &[&str], input: &str| {
        let mut child = Command::new(&python)
            .arg(&script)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let made = run(&["make"], "");
    assert_eq!(made, VECTORS, "the committed ones are these");
    // One of ours, with a nonce that nobody chose.
    let key = Key::new(&[9; 32]);
    let secret = Secret::new("planted-by-rust");
    let credential = Credential::new(Issuer::Tailscale, [(Field::AuthKey, secret)]).unwrap();
    let sealed = seal(&key, Nonce::generate().unwrap(), &name("ours"), &credential);
    let opened = run(&["open", &"09".repeat(32)], &HEXLOWER.encode(&sealed));
    assert_eq!(opened, "ours tailscale auth_key=planted-by-rust\n");
}
