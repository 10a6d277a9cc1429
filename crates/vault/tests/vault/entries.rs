use std::os::unix::fs::MetadataExt as _;
use std::thread;

use stagecraft_core::credential::Issuer;
use stagecraft_core::error::Diagnose as _;
use stagecraft_vault::{
    Key, KeyFile, KeyRing, KeySource as _, KeyVariable, Put, Sqlite, Vault, VaultError,
};
use zeroize::Zeroizing;

use crate::stage::{Kind, Stage, name, on_each, on_each_and_a_keyring, token};

#[test]
fn what_is_put_is_there_for_the_next_run_until_it_is_removed() {
    on_each(|stage| {
        let mut vault = stage.vault();
        assert_eq!(vault.put(&name("b"), &token("planted-1"), false).unwrap(), Put::Added);
        assert_eq!(vault.put(&name("a"), &token("planted-2"), false).unwrap(), Put::Added);
        let error = stage.vault().put(&name("b"), &token("planted-3"), false).unwrap_err();
        assert!(matches!(error, VaultError::Exists { issuer: Issuer::Hetzner, .. }), "{error:?}");
        assert_eq!(stage.vault().get(&name("b")).unwrap(), token("planted-1"), "it is kept");
        let put = stage.vault().put(&name("b"), &token("planted-4"), true).unwrap();
        assert_eq!(put, Put::Replaced);
        let mut vault = stage.vault();
        let names: Vec<String> =
            vault.list().unwrap().into_iter().map(|entry| entry.name.to_string()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(vault.get(&name("b")).unwrap(), token("planted-4"));
        assert_eq!(vault.remove(&name("b")).unwrap(), Issuer::Hetzner);
        for error in [vault.remove(&name("b")).unwrap_err(), vault.get(&name("b")).unwrap_err()] {
            let VaultError::NotFound { known, .. } = error else { panic!("{error:?}") };
            assert_eq!(known, [name("a")]);
        }
    });
}

#[test]
fn a_list_opens_nothing_and_needs_no_key() {
    on_each(|stage| {
        stage.fill(2);
        let mut vault = stage.vault();
        let with_way_out = |error: VaultError| {
            let (hints, anew) = (error.hints(), stage.database().anew());
            assert!(hints[0].starts_with("bring the key file"), "{hints:?}");
            assert!(hints[1].contains(&anew) && !hints[1].contains("openssl"), "{hints:?}");
        };
        std::fs::write(stage.key(), "cut").unwrap();
        let error = vault.get(&name("n0")).unwrap_err();
        assert!(matches!(error, VaultError::InvalidKey { .. }), "{error:?}");
        with_way_out(error);
        std::fs::remove_file(stage.key()).unwrap();
        assert_eq!(vault.list().unwrap().len(), 2);
        let error = vault.get(&name("n0")).unwrap_err();
        assert!(matches!(error, VaultError::NoKey { .. }), "{error:?}");
        with_way_out(error);
        let error = vault.put(&name("n2"), &token("planted"), false).unwrap_err();
        assert!(matches!(error, VaultError::NoKey { .. }), "{error:?}");
        assert!(!stage.key().exists(), "a new key would open nothing that is there");
    });
}

#[test]
fn writers_at_once_lose_nothing() {
    const WRITERS: usize = 4;
    const EACH: usize = 6;
    on_each_and_a_keyring(|stage| {
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                scope.spawn(move || {
                    let mut vault = stage.vault();
                    for number in 0..EACH {
                        let name = name(&format!("n{}", writer * EACH + number));
                        let secret = format!("planted-{}", writer * EACH + number);
                        vault.put(&name, &token(&secret), false).unwrap();
                    }
                });
            }
            scope.spawn(|| {
                // Whether there is anything yet is chance.
                for _ in 0..3 {
                    let rotated = stage.vault().rotate();
                    assert!(matches!(rotated, Ok(_) | Err(VaultError::Empty)), "{rotated:?}");
                }
            });
        });
        stage.all_open(WRITERS * EACH);
    });
}

#[test]
fn who_reads_while_the_key_is_changed_reads_all_the_same() {
    on_each_and_a_keyring(|stage| {
        stage.fill(2);
        let over = std::sync::atomic::AtomicBool::new(false);
        thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let (mut vault, mut reads) = (stage.vault(), 0);
                while !over.load(std::sync::atomic::Ordering::Relaxed) {
                    assert_eq!(vault.get(&name("n1")).unwrap(), token("planted-1"));
                    reads += 1;
                }
                reads
            });
            let mut vault = stage.vault();
            for _ in 0..20 {
                vault.rotate().unwrap();
            }
            over.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(reader.join().unwrap() > 0);
        });
    });
}

#[test]
fn of_two_who_add_the_same_name_one_is_told() {
    on_each(|stage| {
        let added = thread::scope(|scope| {
            let add = |text: &'static str| {
                move || stage.vault().put(&name("n"), &token(text), false).is_ok()
            };
            let both = [scope.spawn(add("planted-1")), scope.spawn(add("planted-2"))];
            both.map(|thread| thread.join().unwrap())
        });
        assert_eq!(added.iter().filter(|added| **added).count(), 1);
        let kept = stage.vault().get(&name("n")).unwrap();
        assert_eq!(kept, token(if added[0] { "planted-1" } else { "planted-2" }));
    });
}

#[test]
fn a_key_may_be_in_a_variable_and_is_changed_there() {
    on_each(|stage| {
        let (old, new) = (Key::generate().unwrap(), Key::generate().unwrap());
        let vault = |ring: Option<&KeyRing>| {
            let value = ring.map(|ring| Zeroizing::new(ring.to_text().replace('\n', " ")));
            Vault::open(stage.database(), Box::new(KeyVariable::new("KEY", value))).unwrap()
        };
        let (old, both) = (KeyRing::new(old.clone()), KeyRing::new(old).with_newest(new.clone()));
        let error = vault(None).put(&name("n0"), &token("planted-0"), false).unwrap_err();
        assert!(matches!(error, VaultError::NoKey { .. }), "{error:?}");
        vault(Some(&old)).put(&name("n0"), &token("planted-0"), false).unwrap();
        let error = vault(Some(&old)).rotate().unwrap_err();
        assert!(matches!(error, VaultError::NoNewKey { .. }), "{error:?}");
        assert_eq!(vault(Some(&both)).rotate().unwrap().records, 1);
        let error = vault(Some(&both)).rotate().unwrap_err();
        assert!(matches!(error, VaultError::NoNewKey { .. }), "{error:?}");
        let only = KeyRing::new(new);
        assert_eq!(vault(Some(&only)).get(&name("n0")).unwrap(), token("planted-0"));
        let error = vault(Some(&old)).get(&name("n0")).unwrap_err();
        assert!(matches!(error, VaultError::Sealed { .. }), "{error:?}");
        let error = vault(Some(&old)).put(&name("n1"), &token("planted-1"), false).unwrap_err();
        assert!(matches!(error, VaultError::WrongKey { .. }), "{error:?}");
    });
}

#[test]
fn a_store_in_a_file_is_its_owners_alone_and_holds_no_secret() {
    let stage = Stage::sqlite();
    assert!(Sqlite::open(&stage.store()).unwrap().is_none(), "looking makes nothing");
    stage.fill(3);
    assert_eq!(std::fs::metadata(stage.store()).unwrap().mode() & 0o777, 0o600);
    let bytes = std::fs::read(stage.store()).unwrap();
    let holds = |what: &[u8]| bytes.windows(what.len()).any(|at| at == what);
    assert!(holds(b"hetzner") && holds(b"n1"), "the search finds what is there");
    assert!(!holds(b"planted"));
}

#[test]
fn what_was_removed_or_replaced_is_not_left_in_the_file() {
    let stage = Stage::sqlite();
    stage.fill(1);
    let sealed = |stage: &Stage| {
        let rows = stage.database().query("SELECT sealed FROM stagecraft_credential", &[]).unwrap();
        let stagecraft_vault::Column::Bytes(sealed) = &rows[0][0] else { panic!("{rows:?}") };
        sealed.clone()
    };
    let first = sealed(&stage);
    let holds = || {
        let bytes = std::fs::read(stage.store()).unwrap();
        bytes.windows(24).any(|at| at == &first[first.len() - 24..])
    };
    assert!(holds(), "the search finds what is there");
    stage.vault().rotate().unwrap();
    assert!(!holds());
    assert_eq!(stage.kind(), Kind::Sqlite);
    assert!(KeyFile::new(stage.key()).load().unwrap().is_some());
}
