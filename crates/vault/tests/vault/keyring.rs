use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use data_encoding::BASE64;
use secret_service::EncryptionType;
use secret_service::blocking::SecretService;
use stagecraft_core::error::{Code, Diagnose as _};
use stagecraft_vault::{Key, KeyRing, KeySource as _, KeyringError, SessionBus, Vault, VaultError};

use crate::session::Session;
use crate::stage::{Stage, item, name, token};

fn why(error: VaultError) -> KeyringError {
    assert_eq!(error.code(), Code::KEY_UNREACHABLE);
    let hints = error.hints();
    assert!(hints.iter().any(|hint| hint.contains("key_file")), "{hints:?}");
    let shown = stagecraft_core::error::chain(&error);
    assert!(shown.contains("the item `team` of the keyring"), "{shown}");
    let VaultError::Keyring { why, .. } = error else { panic!("{error:?}") };
    why
}

#[test]
fn a_key_in_a_keyring_outlives_it_and_is_changed_like_one_in_a_file() {
    let Some(mut stage) = Stage::keyring() else { return };
    stage.fill(3);
    let before = stage.ring();
    assert!(!stage.key().exists());
    stage.session().restart(true);
    stage.all_open(3);
    assert_eq!(stage.vault().rotate().unwrap().records, 3);
    let after = stage.ring();
    assert_eq!(after.ids().len(), 1);
    assert_ne!(after, before);
    stage.session().restart(true);
    stage.all_open(3);
    assert_eq!(stage.ring(), after);

    // Nothing that was written anywhere shows a key or a secret.
    let folders = [stage.session().data(), stage.store().parent().unwrap().to_owned()];
    let holds = |what: &[u8]| folders.iter().any(|folder| is_somewhere(what, folder));
    // How the files of this keyring begin, and what stands open in the store.
    assert!(holds(b"GnomeKeyring") && holds(b"hetzner"), "the search finds what is there");
    for ring in [&before, &after] {
        let text = ring.to_text();
        let bytes = BASE64.decode(text.trim().as_bytes()).unwrap();
        assert!(!holds(&text.as_bytes()[..16]) && !holds(&bytes[..8]), "a key shows");
    }
    assert!(!holds(b"planted"));
}

/// Whether any file below a folder holds these bytes.
fn is_somewhere(what: &[u8], folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        let kind = std::fs::symlink_metadata(&path).unwrap().file_type();
        kind.is_dir() && is_somewhere(what, &path)
            || kind.is_file()
                && std::fs::read(&path).unwrap().windows(what.len()).any(|at| at == what)
    })
}

#[test]
fn of_those_who_make_a_first_key_at_once_one_wins() {
    let Some(session) = Session::begin() else { return };
    let folder = tempfile::tempdir().unwrap();
    let item = item(&session, folder.path(), "one store");
    assert_eq!(item.load().unwrap(), None);
    let rings = std::thread::scope(|scope| {
        let make = || item.create(Key::generate().unwrap()).unwrap();
        let made: Vec<_> = (0..4).map(|_| scope.spawn(make)).collect();
        made.into_iter().map(|made| made.join().unwrap()).collect::<Vec<KeyRing>>()
    });
    let kept = item.load().unwrap().unwrap();
    assert!(rings.iter().all(|ring| *ring == kept));
}

#[test]
fn an_item_gives_no_key_to_a_second_store() {
    let Some(session) = Session::begin() else { return };
    let (first, second) = (Stage::sqlite(), Stage::sqlite());
    let folder = tempfile::tempdir().unwrap();
    let vault = |stage: &Stage, store: &str| {
        Vault::open(stage.database(), Box::new(item(&session, folder.path(), store))).unwrap()
    };
    vault(&first, "first").put(&name("n"), &token("planted"), false).unwrap();
    let error = vault(&second, "second").put(&name("n"), &token("planted"), false).unwrap_err();
    assert_eq!(error.code(), Code::KEY_INVALID);
    let told = "the item `team` of the keyring holds the key of another credential store: first";
    assert_eq!(error.to_string(), told);
    // The store itself may move, and takes its key along.
    let mut moved = vault(&first, "moved");
    assert_eq!(moved.get(&name("n")).unwrap(), token("planted"));
    moved.rotate().unwrap();
    let error = vault(&second, "first").put(&name("n"), &token("planted"), false).unwrap_err();
    assert!(error.to_string().ends_with("store: moved"), "{error}");
}

#[test]
fn a_copy_of_a_store_does_not_take_its_key_away_and_a_moved_one_keeps_it() {
    let Some(session) = Session::begin() else { return };
    let (original, copy) = (Stage::sqlite(), Stage::sqlite());
    let folder = tempfile::tempdir().unwrap();
    let vault = |stage: &Stage| {
        let item = item(&session, folder.path(), stage.store().to_str().unwrap());
        Vault::open(stage.database(), Box::new(item)).unwrap()
    };
    vault(&original).put(&name("n"), &token("planted"), false).unwrap();
    std::fs::copy(original.store(), copy.store()).unwrap();
    let error = vault(&copy).rotate().unwrap_err();
    assert_eq!(error.code(), Code::KEY_INVALID);
    assert!(error.to_string().ends_with(original.store().to_str().unwrap()), "{error}");
    for stage in [&original, &copy] {
        assert_eq!(vault(stage).get(&name("n")).unwrap(), token("planted"));
    }
    assert_eq!(vault(&original).rotate().unwrap().records, 1);
    // Moved there in truth, it takes the key along.
    std::fs::rename(original.store(), copy.store()).unwrap();
    assert_eq!(vault(&copy).rotate().unwrap().records, 1);
    assert_eq!(vault(&copy).get(&name("n")).unwrap(), token("planted"));
}

#[test]
fn a_keyring_that_stays_locked_is_told_and_nothing_is_changed() {
    let Some(mut stage) = Stage::keyring() else { return };
    stage.fill(1);
    stage.session().restart(false);
    let mut vault = stage.vault();
    assert_eq!(why(vault.get(&name("n0")).unwrap_err()), KeyringError::Locked);
    assert_eq!(why(vault.rotate().unwrap_err()), KeyringError::Locked);
    let error = vault.put(&name("n1"), &token("planted"), false).unwrap_err();
    assert_eq!(why(error), KeyringError::Locked);
    assert_eq!(vault.list().unwrap().len(), 1, "a list needs no key");
    stage.session().restart(true);
    stage.all_open(1);
}

#[test]
fn who_is_asked_to_unlock_and_does_not_answer_is_waited_for_until_a_limit() {
    let Some(mut session) = Session::begin() else { return };
    let folder = tempfile::tempdir().unwrap();
    item(&session, folder.path(), "s").create(Key::generate().unwrap()).unwrap();
    session.restart(false);
    // Takes the place of the program that asks, and never does.
    let silent = connected(&session);
    silent.request_name("org.gnome.keyring.SystemPrompter").unwrap();
    let (answer, person) = (Duration::from_secs(10), Duration::from_millis(300));
    let item = item(&session, folder.path(), "s").with_patience(answer, person);
    assert_eq!(why(item.load().unwrap_err()), KeyringError::Silent(person));
}

#[test]
fn a_session_in_which_nobody_keeps_secrets_is_told() {
    let Some(session) = Session::without_keyring() else { return };
    let stage = Stage::sqlite();
    let item = item(&session, stage.store().parent().unwrap(), "s");
    let mut vault = Vault::open(stage.database(), Box::new(item)).unwrap();
    let error = vault.put(&name("n"), &token("planted"), false).unwrap_err();
    assert_eq!(why(error), KeyringError::NoService);
    assert_eq!(vault.list().unwrap(), []);
}

#[test]
fn items_that_others_made_are_taken_if_it_is_clear_which_is_meant() {
    let Some(session) = Session::begin() else { return };
    let folder = tempfile::tempdir().unwrap();
    let item = item(&session, folder.path(), "s");
    let service =
        SecretService::connect_with_existing(EncryptionType::Dh, connected(&session)).unwrap();
    let collection = service.get_default_collection().unwrap();
    let put = |secret: &[u8], more: &str| {
        let attributes =
            HashMap::from([("application", "stagecraft"), ("name", "team"), ("more", more)]);
        collection.create_item("by hand", attributes, secret, false, "text/plain").unwrap();
    };
    let ring = KeyRing::new(Key::generate().unwrap());
    put(ring.to_text().as_bytes(), "1");
    assert_eq!(item.create(Key::generate().unwrap()).unwrap(), ring);
    put(b"no key at all: \xff", "2");
    assert_eq!(why(item.load().unwrap_err()), KeyringError::Ambiguous(2));
    assert_eq!(why(item.save(&ring).unwrap_err()), KeyringError::Ambiguous(2));

    let other = stagecraft_vault::KeyItem::new(
        "other".parse().unwrap(),
        Some(SessionBus::Address(session.address())),
        folder.path().join("other"),
        "s",
    );
    let attributes = HashMap::from([("application", "stagecraft"), ("name", "other")]);
    collection.create_item("by hand", attributes, b"\xff", false, "text/plain").unwrap();
    assert_eq!(other.load().unwrap_err().code(), Code::KEY_INVALID);
}

#[test]
fn a_keyring_that_nobody_ever_set_up_is_told() {
    let Some(mut session) = Session::without_keyring() else { return };
    // Its collection would be made by whoever logs in.
    session.restart(false);
    let folder = tempfile::tempdir().unwrap();
    let item = item(&session, folder.path(), "s");
    assert_eq!(item.load().unwrap(), None);
    let error = item.create(Key::generate().unwrap()).unwrap_err();
    assert_eq!(why(error), KeyringError::NoCollection);
}

#[test]
fn no_key_is_put_where_it_would_be_forgotten() {
    let Some(session) = Session::begin() else { return };
    let folder = tempfile::tempdir().unwrap();
    let bus = connected(&session);
    let volatile =
        zbus::zvariant::ObjectPath::try_from("/org/freedesktop/secrets/collection/session");
    let (service, interface) = ("org.freedesktop.secrets", "org.freedesktop.Secret.Service");
    let alias = ("default", volatile.unwrap());
    bus.call_method(Some(service), "/org/freedesktop/secrets", Some(interface), "SetAlias", &alias)
        .unwrap();
    let item = item(&session, folder.path(), "s");
    let error = item.create(Key::generate().unwrap()).unwrap_err();
    assert_eq!(why(error), KeyringError::Volatile);
    assert_eq!(item.load().unwrap(), None);
}

fn connected(session: &Session) -> zbus::blocking::Connection {
    let builder = zbus::blocking::connection::Builder::address(session.address().as_str());
    builder.unwrap().method_timeout(Duration::from_secs(30)).build().unwrap()
}
