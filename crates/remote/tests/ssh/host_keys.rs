//! Who is believed to be the host. The server says what reached it.

use stagecraft_core::config::HostKeys;
use stagecraft_core::error::{Code, Diagnose as _};
use stagecraft_core::remote::{Command, Connector as _, KeySource, RemoteError};
use stagecraft_remote::{HostKeyStore, SshConnector, alias_of};

use crate::support::server::{Rules, Seen, Server};
use crate::support::{Home, connect, fingerprint, new_key, openssh, target};

#[tokio::test]
async fn a_key_accepted_on_first_contact_is_remembered_by_instance() {
    let (key, home) = (new_key(), Home::new());
    let server = Server::start(Rules::allow(&[&key])).await;
    for _ in 0..2 {
        let remote = connect(home.settings_with(&key), server.port).await.unwrap();
        remote.run(&Command::new("true")).await.unwrap();
        remote.close().await;
    }
    let expected = format!("stagecraft-hetzner-4711 {}\n", openssh(&server.host_key));
    assert_eq!(home.read("state/known_hosts"), expected);
}

#[tokio::test]
async fn a_changed_host_key_ends_it_before_anything_is_sent() {
    let (key, home) = (new_key(), Home::new());
    let first = Server::start(Rules::allow(&[&key])).await;
    connect(home.settings_with(&key), first.port).await.unwrap().close().await;
    let known = fingerprint(&first.host_key);
    let second = first.replaced(Rules::allow(&[&key])).await;
    let error = connect(home.settings_with(&key), second.port).await.unwrap_err();
    assert_eq!(error.code(), Code::HOST_KEY_MISMATCH);
    assert_eq!(
        error.to_string(),
        format!(
            "`app-1` at 127.0.0.1:{} presented the host key {}, but {known} is known",
            second.port,
            fingerprint(&second.host_key)
        )
    );
    let RemoteError::HostKeyMismatch { known_in, .. } = error else { panic!("{error}") };
    assert_eq!(known_in, KeySource::File("~/state/known_hosts:1".to_owned()));
    assert_untouched(&second.seen());

    // The test would see it: once the old key is forgotten, the same server gets everything.
    let store = HostKeyStore::new(home.path("state/known_hosts"));
    let gone = target(second.port);
    assert_eq!(store.forget(&[alias_of(gone.provider, &gone.instance)]).unwrap(), 1);
    let remote = connect(home.settings_with(&key), second.port).await.unwrap();
    remote.run(&Command::new("true")).await.unwrap();
    assert_eq!((second.seen().offers > 0, second.seen().commands.len()), (true, 1));
}

#[tokio::test]
async fn keys_in_a_folder_that_everybody_may_write_to_are_not_believed() {
    use std::os::unix::fs::PermissionsExt as _;
    let (key, home) = (new_key(), Home::new());
    let server = Server::start(Rules::allow(&[&key])).await;
    connect(home.settings_with(&key), server.port).await.unwrap().close().await;
    let open = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(home.path("state"), open).unwrap();
    let before = server.seen();
    let error = connect(home.settings_with(&key), server.port).await.unwrap_err();
    assert_eq!(error.code(), Code::KNOWN_HOSTS_UNSAFE);
    assert!(
        error.to_string().ends_with("may be changed by everybody (its mode is 0777)"),
        "{error}"
    );
    assert!(error.hints()[0].starts_with("run `chmod o-w "), "{:?}", error.hints());
    assert_eq!(server.seen().offers, before.offers, "no key was offered");
}

#[tokio::test]
async fn a_key_the_user_knows_for_the_address_stands_against_another() {
    let (key, home) = (new_key(), Home::new());
    let server = Server::start(Rules::allow(&[&key])).await;
    let other = new_key().public_key().clone();
    let line = format!("# mine\n[127.0.0.1]:{} {}\n", server.port, openssh(&other));
    home.write("known_hosts", &line);
    let error = connect(home.settings_with(&key), server.port).await.unwrap_err();
    let RemoteError::HostKeyMismatch { known_in, expected, .. } = error else { panic!("{error}") };
    assert_eq!(known_in, KeySource::File("~/known_hosts:2".to_owned()));
    assert_eq!(expected, fingerprint(&other));
    assert_untouched(&server.seen());
    assert_eq!(home.read("state/known_hosts"), "");
}

#[tokio::test]
async fn strict_checking_refuses_an_unknown_host_and_takes_a_known_one() {
    let (key, home) = (new_key(), Home::new());
    let server = Server::start(Rules::allow(&[&key])).await;
    let mut settings = home.settings_with(&key);
    settings.host_keys = HostKeys::KnownHosts;
    let error = connect(settings.clone(), server.port).await.unwrap_err();
    let RemoteError::HostKeyUnknown { presented, .. } = error else { panic!("{error}") };
    assert_eq!(presented, fingerprint(&server.host_key));
    assert_untouched(&server.seen());
    assert_eq!(home.read("state/known_hosts"), "");
    let line = format!("[127.0.0.1]:{} {}\n", server.port, openssh(&server.host_key));
    home.write("known_hosts", &line);
    connect(settings, server.port).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_hosts_met_at_once_are_all_remembered() {
    let (key, home) = (new_key(), Home::new());
    let server = Server::start(Rules::allow(&[&key])).await;
    let connector = std::sync::Arc::new(SshConnector::new(home.settings_with(&key)));
    let mut connections = tokio::task::JoinSet::new();
    for index in 0..20 {
        let (connector, mut target) = (connector.clone(), target(server.port));
        target.instance = format!("i-{index}").as_str().into();
        connections.spawn(async move { connector.connect(&target).await.map(drop) });
    }
    while let Some(done) = connections.join_next().await {
        done.unwrap().unwrap();
    }
    let text = home.read("state/known_hosts");
    let mut names: Vec<_> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!((text.lines().count(), names.len()), (20, 20));
}

/// The server was spoken to, and was told nothing.
fn assert_untouched(seen: &Seen) {
    assert_eq!(*seen, Seen { connections: 1, ..Seen::default() });
}
