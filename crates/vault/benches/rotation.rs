//! How long changing the key of a store with 10,000 entries takes: `cargo bench -p stagecraft-vault`.
//! With `STAGECRAFT_TEST_POSTGRES` in PostgreSQL as well.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for a terminal")]

use std::time::Instant;

use stagecraft_core::Secret;
use stagecraft_core::credential::{Credential, Field, Issuer};
use stagecraft_core::name::CredentialName;
use stagecraft_vault::{
    Database, KeyFile, KeySource as _, Nonce, Postgres, Sqlite, Url, Value, Vault, seal,
};

const ENTRIES: usize = 10_000;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store.db");
    measure("SQLite", &|| Box::new(Sqlite::create(&store).unwrap()), &folder.path().join("a"));
    #[expect(clippy::disallowed_methods, reason = "what `./test` has started")]
    let server = std::env::var("STAGECRAFT_TEST_POSTGRES");
    let Ok(server) = server else {
        println!("skipped: PostgreSQL, because STAGECRAFT_TEST_POSTGRES is not set");
        return;
    };
    let schema = format!("bench_{}", std::process::id());
    let connect = |url: &str| Box::new(Postgres::connect(&Url::parse(url).unwrap(), None).unwrap());
    connect(&server).execute(&format!("CREATE SCHEMA {schema}"), &[]).unwrap();
    let join = if server.contains('?') { '&' } else { '?' };
    let url = format!("{server}{join}options=-csearch_path%3D{schema}");
    measure("PostgreSQL", &|| connect(&url), &folder.path().join("b"));
}

fn measure(what: &str, open: &dyn Fn() -> Box<dyn Database>, key: &std::path::Path) {
    let keys = || Box::new(KeyFile::new(key));
    let token = |number: usize| {
        let token = Secret::new(&format!("{number:064}"));
        Credential::new(Issuer::Hetzner, [(Field::Token, token)]).unwrap()
    };
    let name = |number: usize| -> CredentialName { format!("n{number}").parse().unwrap() };
    Vault::open(open(), keys()).unwrap().put(&name(0), &token(0), false).unwrap();
    let ring = keys().load().unwrap().unwrap();
    let mut database = open();
    database.begin().unwrap();
    for number in 1..ENTRIES {
        let nonce = Nonce::generate().unwrap();
        let sealed = seal(ring.newest(), nonce, &name(number), &token(number));
        let (name, sql) = (
            name(number),
            "INSERT INTO stagecraft_credential (name, issuer, sealed) VALUES ($1, 'hetzner', $2)",
        );
        database.execute(sql, &[Value::Text(name.as_str()), Value::Bytes(&sealed)]).unwrap();
    }
    database.commit().unwrap();
    let mut times: Vec<u128> = (0..5)
        .map(|_| {
            let began = Instant::now();
            let rotation = Vault::open(open(), keys()).unwrap().rotate().unwrap();
            assert_eq!(rotation.records, ENTRIES);
            began.elapsed().as_millis()
        })
        .collect();
    times.sort_unstable();
    println!("{what}: {ENTRIES} entries, 5 runs in ms: {times:?}");
}
