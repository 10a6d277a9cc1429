//! Key files that have a passphrase, and where it comes from.

use std::process::Command;

use crate::stage::{Ran, Stage};
use crate::terminal::{Answer, talk};

const TWO: &str = "{ app-1: { role: app }, app-2: { role: app } }";
const PASSPHRASE: &str = "korrekt-horse-battery";
const QUESTION: &str = "key`: ";
const BY_HAND: &str = "{ private_key_path: key }";
const BY_VARIABLE: &str = "{ private_key_path: key, private_key_passphrase_env: KEY_PASSPHRASE }";

#[test]
fn the_passphrase_of_a_key_file_comes_from_the_variable_the_file_names() {
    let Some(stage) = Stage::new("{}") else { return };
    // OpenSSL's format, so that the public half for new hosts is behind the passphrase too.
    stage.keygen("key", &["-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", PASSPHRASE]);
    std::fs::remove_file(stage.path().join("key.pub")).expect("it is there");
    stage.configure_ssh("{ app-1: { role: app } }", BY_VARIABLE);

    let ran = stage.run(&["infra", "up"]);
    ran.assert_code(3);
    assert_eq!(
        ran.stderr,
        "error[config_invalid]: the private key `key` has a passphrase, and there is no `key.pub` with its public half for new hosts\n  \
         hint: run `ssh-keygen -y -f key > key.pub`, which asks for it\n  \
         hint: or set `KEY_PASSPHRASE`, which `private_key_passphrase_env` names, to the passphrase\n"
    );
    let ran = with_variable(&stage, "battery-staple");
    ran.assert_code(3);
    let expected = "the private key `key` needs its passphrase, and the environment variable `KEY_PASSPHRASE` holds another";
    assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    assert!(!ran.stderr.contains("staple"), "{}", ran.stderr);
    assert_eq!(stage.containers(None), [""; 0], "nothing was made");

    let ran = with_variable(&stage, PASSPHRASE);
    ran.assert_code(0);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(PASSPHRASE));
    assert!(stage.last_login("app-1").contains(": RSA SHA256:"));

    stage.configure_ssh("{ app-1: { role: app } }", BY_HAND);
    let ran = stage.run(&["infra", "up"]);
    ran.assert_code(3);
    assert!(ran.stderr.contains("hint: run `ssh-keygen -y -f key > key.pub`"), "{}", ran.stderr);
}

#[test]
fn the_passphrase_of_a_key_file_is_asked_for_once_on_a_terminal() {
    let Some(stage) = Stage::new("{}") else { return };
    stage.keygen("key", &["-t", "ed25519", "-N", PASSPHRASE]);
    stage.configure_ssh(TWO, BY_HAND);

    let ran = at_terminal(&stage, &["infra", "up", "--yes"], &["wrong-one", PASSPHRASE]);
    ran.assert_code(0);
    assert_eq!(ran.stdout.matches(QUESTION).count(), 2, "{}", ran.stdout);
    assert!(ran.stdout.contains("that is not the passphrase of `"), "{}", ran.stdout);
    for secret in ["wrong-one", PASSPHRASE] {
        assert!(!ran.stdout.contains(secret), "it is not shown while it is typed:\n{}", ran.stdout);
    }
    for host in ["app-1", "app-2"] {
        assert!(stage.last_login(host).contains(": ED25519 SHA256:"), "{host}");
    }

    let ran = at_terminal(&stage, &["exec", "--", "echo in-$((40 + 2))"], &["a", "b", "c"]);
    ran.assert_code(10);
    assert_eq!(ran.stdout.matches(QUESTION).count(), 3, "{}", ran.stdout);
    assert!(ran.stdout.contains("3 passphrases for the private key `"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("in-42"), "{}", ran.stdout);

    // After the end of input, what is said next does not stand behind the question.
    let ended = at_terminal(&stage, &["exec", "--", "true"], &["\u{4}"]);
    ended.assert_code(10);
    let behind = ended.stdout.split(QUESTION).nth(1).and_then(|rest| rest.lines().next());
    assert_eq!(behind, Some(""), "{}", ended.stdout);

    // The terminal is as it was also after a question without an answer.
    let interrupted = at_terminal(&stage, &["exec", "--", "true"], &["half\u{3}"]);
    let ended = talk(&stage.command(&["exec", "--", "true"]), &[(QUESTION, Answer::Terminate)]);
    interrupted.assert_code(10);
    assert!(interrupted.stdout.contains("no passphrase was given for"), "{}", interrupted.stdout);
    ended.assert_code(130);
    for ran in [interrupted, ended] {
        assert_eq!(ran.stdout.matches(QUESTION).count(), 1, "{}", ran.stdout);
    }
}

#[test]
fn without_agent_variable_and_terminal_a_passphrase_is_an_error_that_names_them() {
    let Some(stage) = Stage::new("{}") else { return };
    stage.keygen("key", &["-t", "ed25519", "-N", PASSPHRASE]);
    stage.configure_ssh("{ app-1: { role: app } }", BY_VARIABLE);
    let ran = stage.run(&["infra", "up"]);
    ran.assert_code(3);
    assert_eq!(stage.containers(None), [""; 0], "nothing was made");
    for words in [
        "or set `KEY_PASSPHRASE`, which",
        "has a passphrase and is not in an SSH agent",
        "hint: add it to your SSH agent with `ssh-add ",
        "`infra.bootstrap.ssh.private_key_passphrase_env`, or run this on a terminal",
    ] {
        assert!(ran.stderr.contains(words), "no `{words}` in:\n{}", ran.stderr);
    }
}

fn with_variable(stage: &Stage, passphrase: &str) -> Ran {
    let mut command: Command = stage.command(&["infra", "up"]);
    Ran::from(command.env("KEY_PASSPHRASE", passphrase).output().expect("the binary runs"))
}

fn at_terminal(stage: &Stage, words: &[&str], answers: &[&str]) -> Ran {
    let answers: Vec<_> = answers.iter().map(|&answer| (QUESTION, Answer::Type(answer))).collect();
    talk(&stage.command(words), &answers)
}
