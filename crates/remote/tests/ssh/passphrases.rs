//! Key files that have a passphrase: when somebody is asked, how often, and for which forms.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use russh::keys::key::safe_rng;
use russh::keys::{HashAlg, PrivateKey, PublicKey};
use stagecraft_core::error::{Diagnose as _, Retry};
use stagecraft_core::remote::{Connector as _, RemoteError};
use stagecraft_remote::{KeyError, Passphrases, SshConnector, SshSettings, UnlockedKey};
use zeroize::Zeroizing;

use crate::support::server::{Rules, Server};
use crate::support::{Home, new_key, program, target};

const PASSPHRASE: &str = "correct horse";

#[tokio::test]
async fn many_hosts_at_once_cost_one_question() {
    let (key, home) = (new_key(), Home::new());
    let server = Server::start(Rules::allow(&[&key])).await;
    let user = User::saying(&["wrong", PASSPHRASE]);
    let connector = Arc::new(asking(home.settings_with(&locked(&key)), &user));
    let port = server.port;
    let connections: Vec<_> = (0..6)
        .map(|_| {
            let connector = Arc::clone(&connector);
            tokio::spawn(async move { connector.connect(&target(port)).await.map(drop) })
        })
        .collect();
    for connection in connections {
        connection.await.unwrap().unwrap();
    }
    assert_eq!(user.heard(), [("~/id".to_owned(), false), ("~/id".to_owned(), true)]);
    connector.connect(&target(port)).await.unwrap();
    assert_eq!(user.heard().len(), 2, "the answer is kept");
}

#[tokio::test]
async fn nobody_is_asked_a_fourth_time_nor_again_later() {
    let (key, home) = (new_key(), Home::new());
    let server = Server::start(Rules::allow(&[&key])).await;
    let settings = home.settings_with(&locked(&key));
    let user = User::saying(&["a", "b", "c", PASSPHRASE]);
    let connector = asking(settings.clone(), &user);
    for _ in 0..2 {
        let error = connector.connect(&target(server.port)).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "could not prepare the connection to `app-1`: 3 passphrases for the private key `~/id` were wrong"
        );
        assert!(matches!(error, RemoteError::Locked { .. }));
        assert_eq!(error.retry(), Retry::Never);
    }
    assert_eq!(user.heard().len(), 3);

    let silent = User::saying(&[]);
    let error = asking(settings, &silent).connect(&target(server.port)).await.unwrap_err();
    let expected = "no passphrase was given for the private key `~/id`";
    assert!(error.to_string().ends_with(expected), "{error}");
}

#[tokio::test]
async fn only_a_key_the_server_would_take_is_asked_for() {
    let (plain, secret, home) = (new_key(), new_key(), Home::new());
    let mut settings = home.settings();
    settings.default_identities =
        vec![home.write_key("secret", &locked(&secret)), home.write_key("plain", &plain)];

    // Another key does.
    let user = User::saying(&[PASSPHRASE]);
    let both = Server::start(Rules::allow(&[&secret, &plain])).await;
    asking(settings.clone(), &user).connect(&target(both.port)).await.unwrap();
    // It would not help.
    settings.known_hosts = home.path("known_none");
    let none = Server::start(Rules::allow(&[])).await;
    let error = asking(settings.clone(), &user).connect(&target(none.port)).await.unwrap_err();
    let expected = "it accepts none of `~/plain`, `~/secret`";
    assert!(error.to_string().ends_with(expected), "{error}");
    assert_eq!(user.heard(), []);
    // Only it does.
    settings.known_hosts = home.path("known_one");
    let one = Server::start(Rules::allow(&[&secret])).await;
    asking(settings.clone(), &user).connect(&target(one.port)).await.unwrap();
    assert_eq!(user.heard(), [("~/secret".to_owned(), false)]);
    // Nobody answers, so the others are all there is.
    let error = asking(settings, &user).connect(&target(one.port)).await.unwrap_err();
    let expected = "it accepts none of `~/plain`; not offered: `~/secret` (it has a passphrase that was not given)";
    assert!(error.to_string().ends_with(expected), "{error}");
}

#[tokio::test]
async fn a_key_that_was_unlocked_before_needs_nobody() {
    let (key, home) = (new_key(), Home::new());
    let server = Server::start(Rules::allow(&[&key])).await;
    let mut settings = home.settings_with(&locked(&key));
    let path = home.path("id");
    let wrong = UnlockedKey::read(&path, "wrong").unwrap_err();
    assert!(matches!(wrong, KeyError::WrongPassphrase { .. }), "{wrong}");
    let unlocked = UnlockedKey::read(&path, PASSPHRASE).unwrap();
    assert_eq!(format!("{unlocked:?}"), "UnlockedKey(..)");
    settings.unlocked.insert(path, unlocked);
    SshConnector::new(settings).connect(&target(server.port)).await.unwrap();
}

#[tokio::test]
async fn every_form_that_ssh_keygen_writes_is_unlocked_or_refused_by_name() {
    let home = Home::new();
    let tools = ["/usr/bin/ssh-keygen", "/usr/bin/openssl"];
    if tools.iter().any(|tool| program(tool, "forms").is_none()) {
        return;
    }
    for (kind, bits, form) in [
        ("ed25519", "256", "RFC4716"),
        ("ecdsa", "521", "RFC4716"),
        ("rsa", "2048", "RFC4716"),
        ("rsa", "2048", "PEM"),
        ("rsa", "2048", "PKCS8"),
        ("ecdsa", "256", "PKCS8"),
    ] {
        let path = keygen(&home, kind, bits, form).await;
        let public = std::fs::read_to_string(path.with_extension("pub")).unwrap();
        // Without its public half only the passphrase tells what key it is.
        std::fs::remove_file(path.with_extension("pub")).unwrap();
        let public = PublicKey::from_openssh(public.trim()).unwrap();
        let mut rules = Rules::allow(&[]);
        rules.authorized.push(public.clone());
        let server = Server::start(rules).await;
        let mut settings = home.settings();
        settings.private_key = Some(path.clone());
        settings.known_hosts = home.path(&format!("known-{kind}-{form}"));
        let user = User::saying(&["wrong", PASSPHRASE]);
        let connected = asking(settings, &user).connect(&target(server.port)).await;
        connected.unwrap_or_else(|error| panic!("{kind} {form}: {error}"));
        assert_eq!(user.heard().len(), 2, "{kind} {form}");
        let read = UnlockedKey::read(&path, PASSPHRASE).unwrap().public().unwrap();
        let read = PublicKey::from_openssh(&read).unwrap();
        assert_eq!(read.fingerprint(HashAlg::Sha256), public.fingerprint(HashAlg::Sha256));
    }

    for (from, words) in [
        ("ed25519-RFC4716", "ssh-keygen -q -p -Z 3des-cbc -a 1 -P 'correct horse' -N p -f $F"),
        (
            "rsa-PKCS8",
            "openssl pkcs8 -in $F -passin 'pass:correct horse' -out $F.1 && openssl pkcs8 -topk8 -in $F.1 -v1 PBE-SHA1-3DES -passout pass:p -out $F",
        ),
        (
            "rsa-PEM",
            "openssl rsa -in $F -passin 'pass:correct horse' -traditional -des3 -passout pass:p -out $F",
        ),
    ] {
        let path = home.path(from);
        let mut shell = tokio::process::Command::new("/bin/sh");
        shell.args(["-c", words]).env("F", &path);
        assert!(shell.output().await.unwrap().status.success(), "{words}");
        for passphrase in ["p", "wrong"] {
            let error = UnlockedKey::read(&path, passphrase).unwrap_err();
            assert!(matches!(error, KeyError::Cipher { .. }), "{from}: {error}");
        }
    }

    let path = keygen(&home, "ecdsa", "256", "PEM").await;
    let server = Server::start(Rules::allow(&[])).await;
    let mut settings = home.settings();
    settings.private_key = Some(path.clone());
    std::fs::remove_file(path.with_extension("pub")).unwrap();
    let user = User::saying(&[PASSPHRASE]);
    let error = asking(settings, &user).connect(&target(server.port)).await.unwrap_err();
    let path = path.display();
    assert_eq!(
        error.to_string(),
        format!(
            "could not prepare the connection to `app-1`: the private key `{path}` is encrypted in a way that is not supported: a PEM key other than RSA; `ssh-keygen -p -f {path}` with its passphrase writes it anew"
        )
    );
    assert_eq!(user.heard(), [], "no answer would help");
}

/// Somebody who gives these answers, one after the other, and then none.
#[derive(Debug)]
struct User {
    answers: Mutex<Vec<String>>,
    heard: Mutex<Vec<(String, bool)>>,
}

impl User {
    fn saying(answers: &[&str]) -> Arc<Self> {
        let answers = answers.iter().rev().map(|&answer| answer.to_owned()).collect();
        Arc::new(Self { answers: Mutex::new(answers), heard: Mutex::default() })
    }

    fn heard(&self) -> Vec<(String, bool)> {
        self.heard.lock().unwrap().clone()
    }
}

impl Passphrases for User {
    fn ask(&self, key: &str, again: bool) -> Option<Zeroizing<String>> {
        // Long enough for all the others to come to it.
        std::thread::sleep(std::time::Duration::from_millis(50));
        self.heard.lock().unwrap().push((key.to_owned(), again));
        self.answers.lock().unwrap().pop().map(Zeroizing::new)
    }
}

fn asking(settings: SshSettings, user: &Arc<User>) -> SshConnector {
    SshConnector::new(settings).asking(Arc::<User>::clone(user))
}

fn locked(key: &PrivateKey) -> PrivateKey {
    key.encrypt(&mut safe_rng(), PASSPHRASE).unwrap()
}

async fn keygen(home: &Home, kind: &str, bits: &str, form: &str) -> PathBuf {
    let path = home.path(&format!("{kind}-{form}"));
    let made = tokio::process::Command::new(Path::new("/usr/bin/ssh-keygen"))
        .args(["-q", "-t", kind, "-b", bits, "-m", form, "-a", "1", "-N", PASSPHRASE, "-f"])
        .arg(&path)
        .status()
        .await
        .unwrap();
    assert!(made.success(), "{kind} {form}");
    path
}
