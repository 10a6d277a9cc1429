//! Against the system's OpenSSH, server and client. Skipped, visibly, where it is missing.

use std::path::Path;

use russh::keys::key::safe_rng;
use russh::keys::{Algorithm, PrivateKey};
use stagecraft_core::config::HostKeys;
use stagecraft_core::identity::{HostKey, Pins};
use stagecraft_core::remote::{Command, Connector as _, RemoteError, Target};
use stagecraft_remote::{Export, Exporter, SshConnector, SshSettings};

use crate::support::sshd::Sshd;
use crate::support::{Home, connect, fingerprint, new_key, openssh, program, target};

#[tokio::test]
async fn commands_behave_as_with_the_library_server() {
    let (key, home) = (new_key(), Home::new());
    let Some(sshd) = start(&home, "commands", &key).await else { return };
    let remote = connect(home.settings_with(&key), sshd.port).await.unwrap();
    let script = Command::script("cat; echo err >&2; exit 7").with_stdin("in 'put'");
    let output = remote.run(&script).await.unwrap();
    assert_eq!(
        (output.status, output.stdout.as_str(), output.stderr.as_str()),
        (7, "in 'put'", "err\n")
    );
    let input: Vec<u8> = b"0123456789".repeat(400_000);
    let count = remote.run(&Command::new("wc").arg("-c").with_stdin(input)).await.unwrap();
    assert_eq!(count.stdout.trim(), "4000000");
    let flood = remote.run(&Command::script("seq 1000000; exit 4")).await.unwrap();
    let end = flood.stdout.split_once("left out]\n").unwrap().1;
    assert_eq!((flood.status, end.len()), (4, 1024 * 1024));
    assert!(flood.stdout.ends_with("\n999999\n1000000\n"));
    let unread = Command::new("true").with_stdin(vec![b'x'; 5_000_000]);
    assert!(remote.run(&unread).await.unwrap().success(), "nobody has to read the input");
    assert_eq!(remote.run(&Command::script("kill -9 $$")).await.unwrap().status, 137);
    let waits = Command::new("cat");
    assert_eq!(remote.run(&waits).await.unwrap().stdout, "", "input ends at once");
    remote.close().await;
}

#[tokio::test]
async fn a_command_given_up_leaves_a_connection_that_works() {
    let (key, home) = (new_key(), Home::new());
    let Some(sshd) = start(&home, "timeout", &key).await else { return };
    let remote = connect(home.settings_with(&key), sshd.port).await.unwrap();
    let deaf = Command::new("sleep").arg("5").with_stdin(vec![b'x'; 5_000_000]);
    for command in [Command::new("yes"), Command::new("sleep").arg("5"), deaf] {
        let limit = std::time::Duration::from_secs(1);
        let error = remote.run(&command.with_timeout(limit)).await.unwrap_err();
        assert!(matches!(error, RemoteError::TimedOut { .. }), "{error}");
        assert!(
            remote.run(&Command::new("true").with_timeout(limit * 20)).await.unwrap().success()
        );
    }
}

#[tokio::test]
async fn the_known_kind_of_host_key_is_asked_for() {
    let (key, home) = (new_key(), Home::new());
    let rsa = PrivateKey::random(&mut safe_rng(), Algorithm::Rsa { hash: None }).unwrap();
    let keys = [&new_key(), &rsa];
    let Some(sshd) = Sshd::start(&home, "kinds", &keys, key.public_key(), "").await else {
        return;
    };
    home.write(
        "known_hosts",
        &format!("[127.0.0.1]:{} {}\n", sshd.port, openssh(rsa.public_key())),
    );
    connect(home.settings_with(&key), sshd.port).await.unwrap().close().await;
    // Also a key of ours may be RSA, and is not offered with SHA-1.
    let Some(second) = Sshd::start(&home, "rsa", &keys, rsa.public_key(), "").await else {
        return;
    };
    connect(home.settings_with(&rsa), second.port).await.unwrap().close().await;
}

#[tokio::test]
async fn the_exported_command_line_judges_the_host_as_we_do() {
    let (key, home) = (new_key(), Home::new());
    let Some(sshd) = start(&home, "export", &key).await else { return };
    let Some(_) = program("/usr/bin/ssh", "export") else { return };
    let settings = home.settings_with(&key);
    let target = target(sshd.port);
    let words = |command: &[&str]| {
        let command: Vec<String> = command.iter().map(|&word| word.to_owned()).collect();
        export(&target, &settings).command_line(&command)
    };

    // First contact by OpenSSH, then by us; what the one accepted the other knows.
    let (status, stdout, stderr) = run(&words(&["printf", "%s|", "a b", "$HOME"])).await;
    assert_eq!((status, stdout.as_str()), (0, "a b|$HOME|"), "{stderr}");
    let known = home.read("state/known_hosts");
    assert!(known.starts_with("stagecraft-hetzner-4711 ssh-ed25519 "), "{known}");
    connect(settings.clone(), sshd.port).await.unwrap().close().await;
    assert_eq!(home.read("state/known_hosts"), known, "nothing new was learned");

    let config = home.write("exported", &export(&target, &settings).config_block());
    let config = config.display().to_string();
    let (status, stdout, _) =
        run(&["ssh", "-F", &config, "app-1", "id -u"].map(str::to_owned)).await;
    assert_eq!((status, stdout.as_str()), (0, "0\n"));

    // Another key on record: neither goes on.
    let other = new_key();
    let line = format!("stagecraft-hetzner-4711 {}\n", openssh(other.public_key()));
    home.write("state/known_hosts", &line);
    let (status, stdout, stderr) = run(&words(&["echo", "ran"])).await;
    assert_eq!((status, stdout.as_str()), (255, ""), "{stderr}");
    let error = connect(settings.clone(), sshd.port).await.unwrap_err();
    assert!(matches!(error, RemoteError::HostKeyMismatch { .. }), "{error}");

    // The same with the user's own file, and strict.
    home.write("state/known_hosts", "");
    let line = format!("[127.0.0.1]:{} {}\n", sshd.port, openssh(other.public_key()));
    home.write("known_hosts", &line);
    let (status, ..) = run(&words(&["true"])).await;
    assert_eq!(status, 255);
    assert!(connect(settings.clone(), sshd.port).await.is_err());
    assert_eq!(home.read("state/known_hosts"), "");
}

#[tokio::test]
async fn the_exported_command_line_pins_the_key_and_needs_no_file() {
    let (key, home) = (new_key(), Home::new());
    let host_key = new_key();
    let Some(sshd) = Sshd::start(&home, "pinned", &[&host_key], key.public_key(), "").await else {
        return;
    };
    let Some(_) = program("/usr/bin/ssh", "pinned") else { return };
    let mut settings = home.settings_with(&key);
    settings.host_keys = HostKeys::Pinned;
    let pin = |key: &PrivateKey| openssh(key.public_key()).parse::<HostKey>().unwrap();
    let [own, other] = [pin(&host_key), pin(&new_key())];
    // What files say of the address is no reason to believe or refuse anybody.
    let line = format!("[127.0.0.1]:{} {}\n", sshd.port, other.to_openssh());
    home.write("known_hosts", &line);
    for (pins, expected) in [
        (Pins::of_own(own), true),
        (Pins::of_order(own), true),
        (Pins { first: Some(own), own: Some(other) }, true),
        (Pins { first: Some(other), own: Some(own) }, true),
        (Pins::of_own(other), false),
        (Pins::of_order(other), false),
    ] {
        let target = Target { pins, ..target(sshd.port) };
        let words = export(&target, &settings).command_line(&["echo in".to_owned()]);
        let (status, stdout, stderr) = run(&words).await;
        assert_eq!(stdout == "in\n" && status == 0, expected, "{pins:?}: {stderr}");
        let block = export(&target, &settings).config_block();
        let config = home.write("exported", &block).display().to_string();
        let (status, ..) = run(&["ssh", "-F", &config, "app-1", "true"].map(str::to_owned)).await;
        assert_eq!(status == 0, expected, "{block}");
        let ours = SshConnector::new(settings.clone()).connect(&target).await;
        assert_eq!(ours.is_ok(), expected, "{pins:?}");
    }
    assert_eq!(home.read("known_hosts"), line, "nothing was learned");
    assert_eq!(home.read("state/known_hosts"), "");

    let connector = SshConnector::new(settings);
    let presented = connector.scan(&target(sshd.port)).await.unwrap();
    assert_eq!((presented.key, presented.algorithm.as_str()), (Some(own), "ssh-ed25519"));
    assert_eq!(presented.fingerprint, own.fingerprint());
    let log = home.read("pinned.log");
    let logins = log.matches("Accepted publickey").count();
    assert_eq!(logins, 4 * 3, "who only looks does not log in");
}

#[tokio::test]
async fn the_way_leads_through_jump_hosts() {
    let (key, home) = (new_key(), Home::new());
    let inner_key = new_key();
    let Some(end) = start(&home, "end", &key).await else { return };
    let only = format!("PermitOpen 127.0.0.1:{}", end.port);
    let inner_host = new_key();
    let inner =
        Sshd::start(&home, "inner", &[&inner_host], inner_key.public_key(), &only).await.unwrap();
    let only = format!("PermitOpen 127.0.0.1:{}", inner.port);
    let outer_key = new_key();
    let outer =
        Sshd::start(&home, "outer", &[&new_key()], outer_key.public_key(), &only).await.unwrap();
    let config = format!(
        "Host app-*\n ProxyJump inner\nHost inner\n HostName 127.0.0.1\n Port {}\n User root\n IdentityFile {}\n ProxyJump root@outer:{}\nHost outer\n HostName 127.0.0.1\n IdentityFile {}\n",
        inner.port,
        home.write_key("inner_id", &inner_key).display(),
        outer.port,
        home.write_key("outer_id", &outer_key).display(),
    );
    let mut settings = home.settings_with(&key);
    settings.ssh_config = Some(home.write("config", &config));
    let remote = connect(settings.clone(), end.port).await.unwrap();
    // The connection comes from the server before, two down.
    let output = remote.run(&Command::script("echo $SSH_CONNECTION")).await.unwrap();
    let from: u16 = output.stdout.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(output.stdout.trim().ends_with(&format!(" {}", end.port)));
    let flood = remote.run(&Command::script("seq 300000")).await.unwrap();
    assert!(flood.stdout.ends_with("\n300000\n"));
    let holder = Command::script(format!("ss -tnpH sport = :{from} || true"));
    let holder = remote.run(&holder).await.unwrap().stdout;
    assert!(holder.is_empty() || holder.contains("sshd"), "{holder}");
    remote.close().await;
    for name in ["inner", "outer"] {
        let log = home.read(&format!("{name}.log"));
        assert!(log.contains("Accepted publickey for root"), "{name}:\n{log}");
    }
    let names: Vec<String> = known_names(&home);
    let expected = [format!("[127.0.0.1]:{}", outer.port), format!("[127.0.0.1]:{}", inner.port)];
    assert_eq!(names, [&expected[..], &["stagecraft-hetzner-4711".to_owned()]].concat());

    // A jump host that may not go there.
    let other = start(&home, "other", &key).await.unwrap();
    let error = connect(settings.clone(), other.port).await.unwrap_err();
    let expected = "the jump host before it could not connect: ";
    assert!(matches!(error, RemoteError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains(expected), "{error}");
    assert!(!home.read("other.log").contains("Accepted"));

    // A jump host that is another one.
    let line = format!("[127.0.0.1]:{} {}\n", inner.port, openssh(new_key().public_key()));
    home.write("known_hosts", &line);
    let error = connect(settings, end.port).await.unwrap_err();
    let RemoteError::HostKeyMismatch { address, presented, .. } = &error else { panic!("{error}") };
    assert_eq!(*address, format!("127.0.0.1:{} (jump host `inner`)", inner.port));
    assert_eq!(*presented, fingerprint(inner_host.public_key()));
    let logins = home.read("end.log").matches("Accepted").count();
    assert_eq!(logins, 1, "the end was not reached again");
}

async fn start(home: &Home, name: &str, key: &PrivateKey) -> Option<Sshd> {
    Sshd::start(home, name, &[&new_key()], key.public_key(), "").await
}

/// Runs an exported command line without ever asking anybody.
async fn run(words: &[String]) -> (i32, String, String) {
    let (program, arguments) = words.split_first().unwrap();
    let output = tokio::process::Command::new(Path::new("/usr/bin").join(program))
        .args(["-o", "BatchMode=yes"])
        .args(arguments)
        .stdin(std::process::Stdio::null())
        .env_remove("SSH_AUTH_SOCK")
        .output()
        .await
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

fn known_names(home: &Home) -> Vec<String> {
    let text = home.read("state/known_hosts");
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn export(target: &Target, settings: &SshSettings) -> Export {
    Exporter::new(settings).unwrap().export(target).unwrap()
}
