use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use super::*;

/// Longer than what answers on this machine takes, and not as long as people wait.
const SOON: Duration = Duration::from_secs(3);

/// It lets everybody in, and is ready.
const WELCOME: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";

/// A server that takes one connection, says `words` to whatever it hears first, and nothing after that.
fn server(words: Vec<u8>) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut heard = [0; 1024];
        let mut words = Some(words);
        // Until the other end hangs up.
        while stream.read(&mut heard).is_ok_and(|length| length > 0) {
            stream.write_all(&words.take().unwrap_or_default()).unwrap();
        }
    });
    Url::parse(&format!("postgres://ada:PLANTED@127.0.0.1:{port}/creds?connect_timeout=1")).unwrap()
}

#[test]
fn a_server_that_accepts_and_says_nothing_is_not_waited_for() {
    let error = Postgres::connect_within(&server(Vec::new()), None, SOON).unwrap_err();
    assert_eq!(error.kind, DatabaseErrorKind::Unreachable);
    let expected = "PostgreSQL `creds` at 127.0.0.1: it did not answer within 3 s";
    assert_eq!(error.message, expected);
}

#[test]
fn a_server_that_falls_silent_later_is_not_waited_for_and_not_asked_again() {
    let mut postgres = Postgres::connect_within(&server(WELCOME.to_vec()), None, SOON).unwrap();
    let error = postgres.query("SELECT $1", &[Value::Text("a")]).unwrap_err();
    assert_eq!(error.kind, DatabaseErrorKind::Unreachable);
    assert!(error.message.ends_with("it did not answer within 3 s"), "{error}");
    postgres.rollback();
    let error = postgres.commit().unwrap_err();
    assert!(error.message.ends_with("the connection was given up"), "{error}");
}

#[test]
fn what_a_server_says_is_cut_and_without_the_password() {
    let said = format!("no\n  PLANTED{}", "x".repeat(5000));
    let fields = format!("SFATAL\0C28P01\0M{said}\0\0");
    let length = u32::try_from(fields.len() + 4).unwrap();
    let words = [&b"E"[..], &length.to_be_bytes(), fields.as_bytes()].concat();
    let error = Postgres::connect_within(&server(words), None, SOON).unwrap_err();
    let told = error.message.strip_prefix("PostgreSQL `creds` at 127.0.0.1: ").unwrap();
    assert!(told.starts_with("no [hidden]xxx") && told.ends_with('…'), "{told}");
    assert_eq!(told.chars().count(), LONGEST + 1);
}
