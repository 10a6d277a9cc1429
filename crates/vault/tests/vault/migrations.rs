use stagecraft_core::error::{Code, Diagnose as _};
use stagecraft_vault::{
    Column, Database, Key, KeyFile, KeyRing, KeySource as _, LATEST, Nonce, Value, Vault,
    migrations, seal,
};

use crate::stage::{Kind, Stage, name, on_each, token};

#[test]
fn a_store_of_every_version_becomes_one_of_the_latest_and_keeps_its_entries() {
    for from in 0..=usize::try_from(LATEST).unwrap() {
        on_each(|stage| {
            make(stage, from);
            let mut vault = stage.vault();
            let entries = usize::from(from > 0);
            assert_eq!(vault.list().unwrap().len(), entries);
            if from > 0 {
                assert_eq!(vault.get(&name("n0")).unwrap(), token("planted-0"));
            }
            let rows =
                stage.database().query("SELECT version FROM stagecraft_schema", &[]).unwrap();
            assert_eq!(rows, [[Column::Number(LATEST)]]);
            stage.vault().put(&name("n9"), &token("planted-9"), false).unwrap();
        });
    }
}

/// A store as that version made it, with an entry.
fn make(stage: &Stage, version: usize) {
    let mut database = stage.database();
    if version == 0 {
        return;
    }
    database.execute("CREATE TABLE stagecraft_schema (version BIGINT NOT NULL)", &[]).unwrap();
    let number = i64::try_from(version).unwrap();
    let sql = "INSERT INTO stagecraft_schema (version) VALUES ($1)";
    database.execute(sql, &[Value::Number(number)]).unwrap();
    for statement in migrations(database.bytes_type()).iter().take(version).flatten() {
        database.execute(statement, &[]).unwrap();
    }
    let key = Key::new(&[5; 32]);
    KeyFile::new(stage.key()).save(&KeyRing::new(key.clone())).unwrap();
    let sql = "INSERT INTO stagecraft_key (id) VALUES ($1)";
    database.execute(sql, &[Value::Text(&key.id().to_string())]).unwrap();
    let sealed = seal(&key, Nonce::new([1; 12]), &name("n0"), &token("planted-0"));
    let sql =
        "INSERT INTO stagecraft_credential (name, issuer, sealed) VALUES ('n0', 'hetzner', $1)";
    database.execute(sql, &[Value::Bytes(&sealed)]).unwrap();
}

#[test]
fn whoever_only_looks_makes_no_store_and_needs_no_right_to() {
    on_each(|stage| {
        let existing = |mut database: Box<dyn Database>| {
            if stage.kind() == Kind::Postgres {
                database.execute("SET default_transaction_read_only = on", &[]).unwrap();
            }
            Vault::existing(database, Box::new(KeyFile::new(stage.key()))).unwrap()
        };
        assert!(existing(stage.database()).is_none());
        assert!(!stage.database().has_table("stagecraft_schema").unwrap());

        stage.fill(1);
        let mut vault = existing(stage.database()).expect("it was made");
        assert_eq!(vault.list().unwrap().len(), 1);
        assert_eq!(vault.get(&name("n0")).unwrap(), token("planted-0"));
    });
}

#[test]
fn a_store_of_an_older_version_is_brought_up_by_whoever_looks() {
    for from in 1..=usize::try_from(LATEST).unwrap() {
        on_each(|stage| {
            make(stage, from);
            let keys = Box::new(KeyFile::new(stage.key()));
            let mut vault = Vault::existing(stage.database(), keys).unwrap().expect("it is there");
            assert_eq!(vault.get(&name("n0")).unwrap(), token("planted-0"));
        });
    }
}

#[test]
fn many_who_open_a_new_store_at_once_make_one() {
    on_each(|stage| {
        std::thread::scope(|scope| {
            for number in 0..4 {
                scope.spawn(move || {
                    let name = name(&format!("n{number}"));
                    let secret = token(&format!("planted-{number}"));
                    stage.vault().put(&name, &secret, false).unwrap();
                });
            }
        });
        stage.all_open(4);
        let rows = stage.database().query("SELECT version FROM stagecraft_schema", &[]).unwrap();
        assert_eq!(rows.len(), 1);
    });
}

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    on_each(|stage| {
        stage.fill(1);
        let newer = LATEST + 1;
        let sql = "UPDATE stagecraft_schema SET version = $1";
        stage.database().execute(sql, &[Value::Number(newer)]).unwrap();
        let opened = Vault::open(stage.database(), Box::new(KeyFile::new(stage.key())));
        assert_eq!(opened.unwrap_err().code(), Code::STORE_NEWER);
        let rows = stage.database().query("SELECT version FROM stagecraft_schema", &[]).unwrap();
        assert_eq!(rows, [[Column::Number(newer)]]);
    });
}
