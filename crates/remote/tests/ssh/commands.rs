//! What becomes of a command.

use std::time::{Duration, Instant};

use stagecraft_core::error::Diagnose as _;
use stagecraft_core::remote::{Command, Remote, RemoteError};

use crate::support::server::{Rules, Server};
use crate::support::{Home, connect, new_key};

#[tokio::test]
async fn a_command_gives_its_status_and_both_outputs() {
    let (_server, _home, remote) = logged_in().await;
    let output = remote.run(&Command::new("both")).await.unwrap();
    assert_eq!(
        (output.status, output.stdout.as_str(), output.stderr.as_str()),
        (3, "out\n", "err\n")
    );
    assert!(remote.run(&Command::new("true")).await.unwrap().success());
}

#[tokio::test]
async fn input_is_sent_whole_and_then_ends() {
    let (server, _home, remote) = logged_in().await;
    let input: Vec<u8> = (0..3_000_000_u32).map(|n| b'a' + (n % 23) as u8).collect();
    let output = remote.run(&Command::new("cat").with_stdin(input.clone())).await.unwrap();
    assert!(server.seen().input == input, "every byte arrived, in order");
    let (note, end) = output.stdout.split_once('\n').unwrap();
    assert_eq!(note, "[the first 1951424 bytes are left out]");
    assert!(input.ends_with(end.as_bytes()) && end.len() == 1024 * 1024);
    let (server, _home, remote) = logged_in().await;
    let output = remote.run(&Command::new("cat").with_stdin("secret")).await.unwrap();
    assert_eq!(output.stdout, "secret");
    assert_eq!(server.seen().commands, ["cat"], "input is no part of the command");
}

#[tokio::test]
async fn without_input_a_command_reads_the_end_at_once() {
    let (_server, _home, remote) = logged_in().await;
    let output = remote.run(&Command::new("cat").with_timeout(SECOND * 10)).await.unwrap();
    assert_eq!(output.stdout, "");
}

#[tokio::test]
async fn of_a_large_output_the_end_is_kept() {
    let (_server, _home, remote) = logged_in().await;
    let output = remote.run(&Command::new("flood")).await.unwrap();
    let (note, end) = output.stdout.split_once('\n').unwrap();
    assert!(note.starts_with("[the first ") && note.ends_with(" bytes are left out]"), "{note}");
    assert_eq!(end.len(), 1024 * 1024);
    assert!(output.stdout.ends_with("xxthe end"));
}

#[tokio::test]
async fn where_all_of_an_output_matters_no_more_is_read_than_may_come() {
    let (server, _home, remote) = logged_in().await;
    let most = |name: &str, bytes| Command::new(name).with_most_output(bytes);
    let whole = remote.run(&most("flood", 6 << 20)).await.unwrap();
    assert_eq!(whole.stdout.len(), 160 * 32 * 1024 + "the end".len(), "none of it is left out");
    let error = remote.run(&most("endless", 2 << 20).with_timeout(SECOND * 60)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`app-1` printed more than 2 MiB in answer to `endless`, which was stopped"
    );
    assert!(error.hints()[0].contains("`stagecraft ssh app-1`"), "{:?}", error.hints());
    assert!(remote.run(&Command::new("true")).await.unwrap().success());
    assert_eq!(server.seen().signals, 1, "the command was told to stop");
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_given_up_and_the_connection_lives_on() {
    let (server, _home, remote) = logged_in().await;
    let started = Instant::now();
    let error = remote.run(&Command::new("hang").with_timeout(SECOND)).await.unwrap_err();
    assert_eq!(error.to_string(), "`hang` did not finish on `app-1` within 1 s");
    assert!(started.elapsed() < SECOND * 5);
    assert!(remote.run(&Command::new("true")).await.unwrap().success());
    assert_eq!(server.seen().signals, 1, "the command was told to stop");
}

#[tokio::test]
async fn what_a_command_printed_before_its_end_became_unknown_is_kept() {
    let (_server, _home, remote) = logged_in().await;
    let late = remote.run(&Command::new("half").with_timeout(SECOND)).await.unwrap_err();
    assert!(matches!(late, RemoteError::TimedOut { .. }), "{late}");
    assert_eq!(late.printed(), ["out", "err"]);
    let lost = remote.run(&Command::new("half").arg("mute")).await.unwrap_err();
    assert!(matches!(lost, RemoteError::Lost { .. }), "{lost}");
    assert_eq!(lost.printed(), ["out"]);
}

#[tokio::test]
async fn a_signal_gives_the_status_a_shell_would() {
    let (_server, _home, remote) = logged_in().await;
    assert_eq!(remote.run(&Command::new("killed")).await.unwrap().status, 137);
}

#[tokio::test]
async fn a_lost_connection_is_not_taken_for_an_end() {
    let (_server, _home, remote) = logged_in().await;
    let error = remote.run(&Command::new("mute")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the connection to `app-1` was lost while running `mute`: the server did not say how it ended"
    );
    let error = remote.run(&Command::new("drop")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the connection to `app-1` was lost while running `drop`: the server said `going down`"
    );
    let error = remote.run(&Command::new("true")).await.unwrap_err();
    assert!(matches!(error, RemoteError::Lost { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_runs_no_commands_is_an_error() {
    let (_server, _home, remote) = logged_in().await;
    let error = remote.run(&Command::new("refused")).await.unwrap_err();
    assert!(error.to_string().ends_with("the server refuses to run commands"), "{error}");
}

#[tokio::test]
async fn commands_run_side_by_side_on_one_connection() {
    let (server, _home, remote) = logged_in().await;
    let limit = Command::new("hang").with_timeout(SECOND);
    let both = Command::new("both");
    let (hang, ends) = tokio::join!(remote.run(&limit), remote.run(&both));
    assert!(matches!(hang, Err(RemoteError::TimedOut { .. })));
    assert_eq!(ends.unwrap().status, 3);
    assert_eq!(server.seen().connections, 1);
}

#[tokio::test]
async fn a_user_who_is_not_root_runs_commands_by_sudo() {
    let (key, home) = (new_key(), Home::new());
    let server = Server::start(Rules::allow(&[&key])).await;
    let mut settings = home.settings_with(&key);
    settings.user = Some("admin".to_owned());
    let remote = connect(settings, server.port).await.unwrap();
    assert!(remote.run(&Command::new("true")).await.unwrap().success());
    let output = remote.run(&Command::script("cat; echo 'a b'").with_stdin("x")).await.unwrap();
    assert_eq!(output.stdout, "x", "input goes through");
    let seen = server.seen();
    assert_eq!(seen.users, ["admin"]);
    assert_eq!(
        seen.commands,
        [
            "sudo -n -- sh -c true",
            r"sudo -n -- sh -c 'sh -c '\''cat; echo '\''\'\'''\''a b'\''\'\'''\'''\'''"
        ]
    );
}

#[tokio::test]
async fn a_closed_connection_runs_nothing_more() {
    let (server, _home, remote) = logged_in().await;
    remote.close().await;
    remote.close().await;
    let error = remote.run(&Command::new("true")).await.unwrap_err();
    assert!(error.to_string().ends_with("it was closed before"), "{error}");
    assert_eq!(server.seen().commands, Vec::<String>::new());
}

const SECOND: Duration = Duration::from_secs(1);

async fn logged_in() -> (Server, Home, Box<dyn Remote>) {
    let (key, home) = (new_key(), Home::new());
    let server = Server::start(Rules::allow(&[&key])).await;
    let remote = connect(home.settings_with(&key), server.port).await.unwrap();
    (server, home, remote)
}
