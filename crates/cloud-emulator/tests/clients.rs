//! The clouds' own clients for Python use the emulators as if they were the clouds.
//!
//! Needs an interpreter with the packages of `clients/requirements.txt`, named by
//! `STAGECRAFT_TEST_PYTHON`, as `./test` sets it.

#![expect(clippy::print_stdout, reason = "a test that is skipped says why")]
#![expect(clippy::unwrap_used, reason = "a helper that fails fails the test")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A key nobody has the private part of.
const PUBLIC_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5Mmj0yWQzEvMXWwcwz9jmf9jXBKr3jE5mGJKYyqHTe client";

#[test]
fn the_python_client_of_aws_is_content() {
    is_content("aws");
}

#[test]
fn the_python_client_of_hetzner_is_content() {
    is_content("hetzner");
}

#[test]
fn the_python_client_of_digitalocean_is_content() {
    is_content("digitalocean");
}

fn is_content(provider: &str) {
    let Some(python) = python() else {
        println!(
            "skipped: clients in Python need STAGECRAFT_TEST_PYTHON, an interpreter with the packages \
             of tests/clients/requirements.txt; ./test makes one"
        );
        return;
    };
    let emulator = Emulator::start(provider);
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/clients")
        .join(provider)
        .with_extension("py");
    let done = Command::new(python).arg(script).args([&emulator.url, PUBLIC_KEY]).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success() && said.trim_end() == format!("ok: {provider}"),
        "{said}\n{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

#[expect(clippy::disallowed_methods, reason = "what ./test has prepared")]
fn python() -> Option<String> {
    std::env::var("STAGECRAFT_TEST_PYTHON").ok().filter(|python| !python.is_empty())
}

/// The binary, until it is dropped.
struct Emulator {
    process: Child,
    url: String,
}

impl Emulator {
    fn start(provider: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_cloud-emulator"))
            .args(["--provider", provider, "--boot", "0", "--quiet"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        let output = process.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut url).unwrap();
        Self { process, url: url.trim_end().to_owned() }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
