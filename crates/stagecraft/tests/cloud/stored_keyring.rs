//! The key of the credential store in the keyring of a session, through the binary.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use stagecraft_vault::{KeyItem, KeySource as _, SessionBus};

use crate::account::TOKEN;
use crate::cli::transcript;
use crate::leak;
use crate::scene::{APP, DIGITALOCEAN, Scene};
use crate::session::Session;

const ADD: &str = "credentials add prod --provider digitalocean";

fn scene() -> Scene {
    let scene = Scene::new(DIGITALOCEAN, APP);
    scene.edit("token_env: CLOUD_TOKEN", "credentials: prod");
    scene.edit("project:", "credentials: { key_keyring: shop }\nproject:");
    scene
}

/// What is told in a session, or without one, with everything searched for tokens.
fn told(scene: &Scene, session: Option<&Session>, input: &str, line: &str) -> String {
    let mut command = scene.command("", line);
    command.env_remove("CLOUD_TOKEN");
    if let Some(session) = session {
        command.env("DBUS_SESSION_BUS_ADDRESS", session.address());
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that stops early does not read it.
    let _unread = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    scene.search(&output);
    if let Some(session) = session {
        assert_eq!(leak::files_with(&session.data()), [""; 0], "a token is in a keyring");
    }
    transcript(&output)
}

#[test]
fn a_credential_is_used_and_sealed_anew_with_a_key_in_the_keyring() {
    let Some(mut session) = Session::begin() else { return };
    let scene = scene();
    let added = told(&scene, Some(&session), TOKEN, ADD);
    assert!(added.starts_with("`prod` is added."), "{added}");
    assert!(!scene.home().join(".config").exists(), "there is no key in a file");
    for is_first in [true, false] {
        // The second time by a keyring that was started anew.
        let plan = told(&scene, Some(&session), "", "infra plan");
        assert!(plan.contains("1 to create"), "{plan}");
        let rotated = told(&scene, Some(&session), "", "credentials rotate-key");
        assert!(rotated.contains("1 entry is sealed anew"), "{rotated}");
        session.restart(true);
        let bus = SessionBus::Socket(session.socket());
        let item = KeyItem::new("shop".parse().unwrap(), Some(bus), scene.work(), "read only");
        let ring = item.load().unwrap().unwrap();
        assert_eq!(ring.ids().len(), 1);
        let key = ring.to_text();
        for folder in [scene.home().parent().unwrap(), &session.data()] {
            assert!(!holds(folder, &key.as_bytes()[..8]), "the key is in a file");
        }
        if is_first {
            std::fs::write(scene.work().join("planted"), &key).unwrap();
            assert!(holds(&scene.work(), &key.as_bytes()[..8]), "the search finds what is there");
            std::fs::remove_file(scene.work().join("planted")).unwrap();
        }
    }

    // Another store with the same item is refused, before its key is used.
    let other = self::scene();
    let refused = told(&other, Some(&session), TOKEN, ADD);
    assert!(refused.contains("error[key.invalid]"), "{refused}");
    let own = scene.home().join(".local/share/stagecraft/credentials.db");
    assert!(refused.contains(own.to_str().unwrap()), "{refused}");

    session.restart(false);
    let locked = told(&scene, Some(&session), "", "infra plan");
    assert!(locked.contains("error[key.unreachable]"), "{locked}");
    assert!(locked.contains("the keyring is locked, and nobody unlocked it"), "{locked}");
    assert!(locked.contains("`key_file`"), "{locked}");
    let list = told(&scene, Some(&session), "", "credentials list");
    assert!(list.contains("prod") && list.ends_with("[exit status: 0]"), "{list}");
}

#[test]
fn without_a_session_it_is_said_what_works_everywhere() {
    let scene = scene();
    let none = told(&scene, None, TOKEN, ADD);
    assert!(none.ends_with("[exit status: 1]"), "{none}");
    for part in [
        "error[key.unreachable]: could not read the item `shop` of the keyring",
        "neither `DBUS_SESSION_BUS_ADDRESS` nor `XDG_RUNTIME_DIR` is set",
        "`key_file`",
    ] {
        assert!(none.contains(part), "{part}: {none}");
    }
    let own = scene.home().join(".local/share/stagecraft/credentials.db");
    assert!(!own.exists(), "there is no store without a key");
    let list = told(&scene, None, "", "credentials list");
    assert!(list.contains("has no entries"), "{list}");
}

/// Whether any file below a folder holds these bytes.
fn holds(folder: &Path, what: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        path.is_dir() && holds(&path, what)
            || path.is_file()
                && std::fs::read(&path).unwrap().windows(what.len()).any(|at| at == what)
    })
}
