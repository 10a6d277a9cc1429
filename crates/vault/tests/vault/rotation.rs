use stagecraft_vault::{KeyFile, Vault, VaultError};

use crate::stage::{
    Fuse, FusedDatabase, FusedKeys, Stage, name, on_each, on_each_and_a_keyring, token,
};

/// More than one statement writes.
const MANY: usize = 501;

#[test]
fn a_new_key_opens_everything_and_the_old_one_nothing() {
    on_each(|stage| {
        stage.fill(3);
        let old = stage.key().with_extension("old");
        std::fs::copy(stage.key(), &old).unwrap();
        let before = stage.ring();
        let rotation = stage.vault().rotate().unwrap();
        assert_eq!((rotation.records, rotation.finished_earlier), (3, false));
        assert_eq!(stage.ring().ids().len(), 1);
        assert_ne!(stage.ring().newest().id(), before.newest().id());
        stage.all_open(3);
        let mut vault = stage.vault_with(&old);
        let error = vault.get(&name("n0")).unwrap_err();
        assert!(matches!(error, VaultError::Sealed { .. }), "{error:?}");
        let error = vault.put(&name("n9"), &token("planted"), false).unwrap_err();
        assert!(matches!(error, VaultError::WrongKey { .. }), "{error:?}");
        let error = vault.rotate().unwrap_err();
        assert!(matches!(error, VaultError::WrongKey { .. }), "{error:?}");
    });
}

#[test]
fn wherever_a_change_of_the_key_ends_early_everything_opens_and_the_next_one_finishes() {
    on_each_and_a_keyring(|stage| {
        stage.fill(3);
        let mut burnt = 0;
        for late in [false, true] {
            for at in 0.. {
                let fuse = Fuse::at(at, late);
                let database = FusedDatabase(stage.database(), fuse.clone());
                let keys = FusedKeys(stage.keys(), fuse.clone());
                let rotated =
                    Vault::open(Box::new(database), Box::new(keys)).and_then(|mut vault| {
                        let rotated = vault.rotate();
                        drop(vault);
                        rotated
                    });
                if !fuse.has_burnt() {
                    rotated.unwrap();
                    break;
                }
                rotated.unwrap_err();
                burnt += 1;
                with_exactly_one_key(stage);
                stage.all_open(3);
                stage.vault().rotate().unwrap();
                assert_eq!(stage.ring().ids().len(), 1, "burnt at {at}");
                stage.all_open(3);
            }
        }
        assert!(burnt >= 20, "only {burnt} places were tried");
    });
}

/// Every record opens with one key of the ring, and it is the same for all.
fn with_exactly_one_key(stage: &Stage) {
    let ring = stage.ring();
    let opens_all = ring.ids().filter(|id| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let only = stagecraft_vault::KeyRing::new(ring.key(*id).unwrap().clone());
        stagecraft_vault::KeySource::save(&KeyFile::new(&path), &only).unwrap();
        let mut vault = stage.vault_with(&path);
        let names: Vec<_> = vault.list().unwrap().into_iter().map(|entry| entry.name).collect();
        let opened = names.iter().filter(|name| vault.get(name).is_ok()).count();
        assert!(opened == 0 || opened == names.len(), "a mix of keys");
        opened == names.len()
    });
    assert_eq!(opens_all.count(), 1);
}

#[test]
fn many_records_change_in_several_statements_of_one_transaction() {
    on_each(|stage| {
        stage.fill(1);
        // The same record under many names: what does not open stops everything.
        let mut database = stage.database();
        let (ring, before) = (stage.ring(), stage.ring().newest().id());
        database.begin().unwrap();
        for number in 1..MANY {
            let name = name(&format!("n{number}"));
            let nonce = stagecraft_vault::Nonce::generate().unwrap();
            let secret = token(&format!("planted-{number}"));
            let sealed = stagecraft_vault::seal(ring.newest(), nonce, &name, &secret);
            let values = [
                stagecraft_vault::Value::Text(name.as_str()),
                stagecraft_vault::Value::Text("hetzner"),
                stagecraft_vault::Value::Bytes(&sealed),
            ];
            let sql =
                "INSERT INTO stagecraft_credential (name, issuer, sealed) VALUES ($1, $2, $3)";
            database.execute(sql, &values).unwrap();
        }
        database.commit().unwrap();
        assert_eq!(stage.vault().rotate().unwrap().records, MANY);
        assert_ne!(stage.ring().newest().id(), before);
        stage.all_open(MANY);
    });
}

#[test]
fn a_record_that_does_not_open_keeps_all_as_they_were() {
    on_each(|stage| {
        stage.fill(2);
        let spoil = "UPDATE stagecraft_credential SET sealed = $1 WHERE name = 'n1'";
        let spoilt = [stagecraft_vault::Value::Bytes(b"SCV")];
        stage.database().execute(spoil, &spoilt).unwrap();
        let error = stage.vault().rotate().unwrap_err();
        assert!(matches!(error, VaultError::Sealed { .. }), "{error:?}");
        assert_eq!(stage.vault().get(&name("n0")).unwrap(), token("planted-0"));
        stage.vault().remove(&name("n1")).unwrap();
        assert!(stage.vault().rotate().unwrap().finished_earlier);
        stage.all_open(1);
        let error = Stage::sqlite().vault().rotate().unwrap_err();
        assert!(matches!(error, VaultError::Empty), "{error:?}");
    });
}
