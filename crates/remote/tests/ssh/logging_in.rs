//! Which keys are offered, and what is said when none is taken or nobody answers.

use std::time::Duration;

use russh::keys::key::safe_rng;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Diagnose as _, Retry};
use stagecraft_core::remote::{Connector as _, RemoteError};
use stagecraft_remote::SshConnector;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::support::server::{Rules, Server};
use crate::support::{Home, connect, new_key, target};

#[tokio::test]
async fn a_refused_key_is_named_and_not_shown() {
    let (key, home) = (new_key(), Home::new());
    let server = Server::start(Rules::allow(&[])).await;
    let error = connect(home.settings_with(&key), server.port).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "`app-1` at 127.0.0.1:{} refused to log in `root`: it accepts none of `~/id`",
            server.port
        )
    );
    assert_eq!(error.retry(), Retry::After(Duration::ZERO));
}

#[tokio::test]
async fn keys_are_tried_in_order_and_the_one_that_worked_comes_first_from_then_on() {
    let (right, home) = (new_key(), Home::new());
    let server = Server::start(Rules::allow(&[&right])).await;
    let mut settings = home.settings();
    settings.default_identities = vec![
        home.path("absent"),
        home.write_key("wrong", &new_key()),
        home.write_key("right", &right),
    ];
    let connector = SshConnector::new(settings);
    connector.connect(&target(server.port)).await.unwrap();
    assert_eq!(server.seen().offers, 2);
    connector.connect(&target(server.port)).await.unwrap();
    assert_eq!(server.seen().offers, 3);
}

#[tokio::test]
async fn a_providers_key_is_offered_first_and_to_no_other() {
    let (generated, home) = (new_key(), Home::new());
    let server = Server::start(Rules::allow(&[&generated])).await;
    let mut settings = home.settings_with(&new_key());
    let path = home.write_key("generated", &generated);
    settings.provider_keys.insert(ProviderId::Local, path);
    let connector = SshConnector::new(settings);
    let mut local = target(server.port);
    local.provider = ProviderId::Local;
    connector.connect(&local).await.unwrap();
    assert_eq!(server.seen().offers, 1);
    let error = connector.connect(&target(server.port)).await.unwrap_err();
    assert!(error.to_string().ends_with("it accepts none of `~/id`"), "{error}");
}

#[tokio::test]
async fn a_key_with_a_passphrase_and_no_agent_is_an_error_that_names_the_file() {
    let (key, home) = (new_key(), Home::new());
    let server = Server::start(Rules::allow(&[&key])).await;
    let locked = key.encrypt(&mut safe_rng(), "passphrase").unwrap();
    let error = connect(home.settings_with(&locked), server.port).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not prepare the connection to `app-1`: the private key `~/id` has a passphrase and is not in an SSH agent"
    );
    assert_eq!(
        error.hints(),
        [
            "add it to your SSH agent with `ssh-add ~/id`, name a variable that holds its passphrase with `infra.bootstrap.ssh.private_key_passphrase_env`, or run this on a terminal, where you are asked"
        ]
    );
    assert_eq!(error.retry(), Retry::Never);
    let mut settings = home.settings();
    settings.default_identities = vec![home.path("id"), home.write("odd", "no key")];
    let error = connect(settings, server.port).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not prepare the connection to `app-1`: there is no private key to log in with; not offered: `~/id` (it has a passphrase and is not in the agent), `~/odd` (it is not a private key)"
    );
    assert_eq!(error.retry(), Retry::Never);
    assert_eq!(server.seen().offers, 0);
}

#[tokio::test]
async fn a_key_file_that_is_not_there_is_an_error_that_names_it() {
    let (key, home) = (new_key(), Home::new());
    let server = Server::start(Rules::allow(&[&key])).await;
    let mut settings = home.settings();
    settings.private_key = Some(home.path("gone"));
    let error = connect(settings, server.port).await.unwrap_err();
    assert!(matches!(error, RemoteError::Local { .. }), "{error}");
    assert!(error.to_string().contains(&home.path("gone").display().to_string()), "{error}");
}

#[tokio::test]
async fn a_second_factor_is_not_taken_for_a_wrong_key() {
    let (key, home) = (new_key(), Home::new());
    let rules = Rules { second_factor: true, ..Rules::allow(&[&key]) };
    let server = Server::start(rules).await;
    let error = connect(home.settings_with(&key), server.port).await.unwrap_err();
    let expected = "it accepts `~/id` but wants password besides, which is not supported";
    assert!(error.to_string().ends_with(expected), "{error}");
}

#[tokio::test]
async fn a_server_that_has_enough_of_wrong_keys_is_a_refusal() {
    let home = Home::new();
    let server = Server::start(Rules { max_attempts: 2, ..Rules::allow(&[]) }).await;
    let mut settings = home.settings();
    settings.default_identities =
        ["a", "b", "c", "d"].map(|name| home.write_key(name, &new_key())).into();
    let error = connect(settings, server.port).await.unwrap_err();
    let RemoteError::Refused { why, .. } = &error else { panic!("{error}") };
    assert!(why.starts_with("it ended the connection after `~/a`, `~/b`"), "{why}");
}

#[tokio::test]
async fn a_port_nobody_listens_at_is_unreachable() {
    let home = Home::new();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = connect(home.settings(), port).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("could not reach `app-1` at 127.0.0.1:{port}: connection refused")
    );
    assert_eq!(error.retry(), Retry::After(Duration::ZERO));
}

#[tokio::test]
async fn a_server_that_closes_at_the_banner_is_unreachable() {
    for (greeting, expected) in [
        ("", "the connection was closed"),
        ("Exceeded MaxStartups\r\n", "the connection was closed"),
        ("SSH-1.5-old\r\n", "the connection was closed"),
    ] {
        let (home, port) = (Home::new(), greeter(greeting).await);
        let error = connect(home.settings(), port).await.unwrap_err();
        let RemoteError::Unreachable { why, .. } = &error else { panic!("{error}") };
        assert_eq!(why, expected, "after {greeting:?}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let home = Home::new();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut settings = home.settings();
    settings.login_timeout = Duration::from_secs(1);
    let error = connect(settings, port).await.unwrap_err();
    assert!(error.to_string().ends_with("no SSH login within 1 s"), "{error}");
    drop(listener);
}

#[tokio::test]
async fn a_broken_ssh_configuration_is_reported_with_its_place() {
    let home = Home::new();
    let mut settings = home.settings();
    settings.ssh_config = Some(home.write("config", "Host *\nPort many\n"));
    let error = connect(settings, 1).await.unwrap_err();
    assert!(error.to_string().ends_with("/config:2: `many` is not a port"), "{error}");
    assert_eq!(error.retry(), Retry::Never);
}

#[tokio::test]
async fn a_proxy_command_that_is_not_run_is_mentioned() {
    let (home, port) = (Home::new(), greeter("").await);
    let mut settings = home.settings();
    settings.ssh_config = Some(home.write("config", "ProxyCommand nc %h %p\n"));
    let error = connect(settings, port).await.unwrap_err();
    assert!(error.to_string().contains("`ProxyCommand`"), "{error}");
}

/// A port that says something to each visitor and closes.
async fn greeter(greeting: &'static str) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(greeting.as_bytes()).await.unwrap();
        }
    });
    port
}
