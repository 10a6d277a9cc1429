use stagecraft_core::error::{Code, Diagnose as _};
use stagecraft_vault::{Column, KeyFile, Sqlite, Value, Vault, VaultError};

use crate::stage::{Stage, name, on_each, token};

fn sealed(stage: &Stage, of: &str) -> Vec<u8> {
    let sql = "SELECT sealed FROM stagecraft_credential WHERE name = $1";
    let rows = stage.database().query(sql, &[Value::Text(of)]).unwrap();
    let Column::Bytes(sealed) = &rows[0][0] else { panic!("{rows:?}") };
    sealed.clone()
}

fn write(stage: &Stage, of: &str, sealed: &[u8]) {
    let sql = "UPDATE stagecraft_credential SET sealed = $1 WHERE name = $2";
    let values = [Value::Bytes(sealed), Value::Text(of)];
    assert_eq!(stage.database().execute(sql, &values).unwrap(), 1);
}

#[test]
fn each_way_to_harm_a_store_has_an_error_of_its_own_and_opens_nothing() {
    on_each(|stage| {
        stage.fill(2);
        let (good, other) = (sealed(stage, "n0"), sealed(stage, "n1"));
        let mut codes = std::collections::BTreeSet::new();
        let mut expect = |record: &[u8], code: Code| {
            write(stage, "n0", record);
            let error = stage.vault().get(&name("n0")).unwrap_err();
            assert_eq!(error.code(), code, "{error:?}");
            let shown = stagecraft_core::error::chain(&error);
            assert!(!shown.contains("planted"), "{shown}");
            assert!(!error.hints().is_empty());
            codes.insert(code);
        };
        let changed = |at: usize, to: u8| {
            let mut record = good.clone();
            record[at] = to;
            record
        };
        expect(&other, Code::CREDENTIAL_MISPLACED);
        expect(&good[..good.len() - 1], Code::CREDENTIAL_CUT);
        expect(&changed(good.len() - 1, !good[good.len() - 1]), Code::CREDENTIAL_TAMPERED);
        expect(&changed(3, 0), Code::CREDENTIAL_DOWNGRADED);
        expect(&changed(3, 9), Code::STORE_NEWER);
        expect(&changed(4, !good[4]), Code::CREDENTIAL_WRONG_KEY);
        assert_eq!(codes.len(), 6);
        write(stage, "n0", &good);
        assert_eq!(stage.vault().get(&name("n0")).unwrap(), token("planted-0"));
        // The column says another provider than the record.
        let sql = "UPDATE stagecraft_credential SET issuer = 'digitalocean' WHERE name = 'n0'";
        stage.database().execute(sql, &[]).unwrap();
        let error = stage.vault().get(&name("n0")).unwrap_err();
        assert_eq!(error.code(), Code::CREDENTIAL_MISPLACED);
    });
}

#[test]
fn a_store_file_that_is_cut_or_is_none_is_damaged() {
    let stage = Stage::sqlite();
    stage.fill(20);
    let whole = std::fs::read(stage.store()).unwrap();
    for length in [whole.len() - 4096, 5000, 100] {
        std::fs::write(stage.store(), &whole[..length]).unwrap();
        assert_eq!(read_all(&stage).unwrap_err().code(), Code::STORE_DAMAGED, "{length} are left");
    }
    std::fs::write(stage.store(), [&whole[..4096], &[0x55; 8192]].concat()).unwrap();
    assert_eq!(read_all(&stage).unwrap_err().code(), Code::STORE_DAMAGED, "it is overwritten");
    std::fs::write(stage.store(), &whole).unwrap();
    read_all(&stage).unwrap();
}

/// Opens all of a store in a file.
fn read_all(stage: &Stage) -> Result<(), VaultError> {
    let database = Sqlite::open(&stage.store());
    let database = database.map_err(|why| VaultError::Database { doing: "open", why })?;
    let mut vault = Vault::open(Box::new(database.unwrap()), Box::new(KeyFile::new(stage.key())))?;
    for number in 0..20 {
        vault.get(&name(&format!("n{number}")))?;
    }
    Ok(())
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let error = Sqlite::create(std::path::Path::new("/proc/nowhere/store.db")).unwrap_err();
    assert!(error.message.contains("/proc/nowhere"), "{error}");
}
