//! PostgreSQL by TLS, where `STAGECRAFT_TEST_POSTGRES_TLS` names a server with a certificate of an
//! authority of its own, in `STAGECRAFT_TEST_POSTGRES_CA`.

use stagecraft_vault::{Authorities, Postgres, Url};

use crate::stage::variable;

#[test]
fn a_server_is_believed_by_its_authority_only() {
    let (url, ca) =
        (variable("STAGECRAFT_TEST_POSTGRES_TLS"), variable("STAGECRAFT_TEST_POSTGRES_CA"));
    let (Some(url), Some(ca)) = (url, ca) else {
        eprintln!("skipped: by TLS, because STAGECRAFT_TEST_POSTGRES_TLS and _CA are not set");
        return;
    };
    let url = Url::parse(&url).unwrap();
    let certificates = std::fs::read(&ca).unwrap();
    let authorities = Authorities { file: ca.into(), certificates };
    let mut postgres = Postgres::connect(&url, Some(&authorities)).unwrap();
    let sql = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl";
    let rows = stagecraft_vault::Database::query(&mut postgres, sql, &[]).unwrap();
    assert_eq!(rows.len(), 1, "it is encrypted");
    let error = Postgres::connect(&url, None).unwrap_err();
    assert!(error.message.contains("certificate"), "{error}");
}
