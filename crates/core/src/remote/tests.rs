//! Whom a host lets in, and what is told of a connection that was not made.

use super::*;
use crate::samples::{host, running};

#[test]
fn a_host_can_be_logged_in_to_once_its_instance_has_an_address() {
    let mut instance = running("app-1", 1);
    assert_eq!(Target::of(&instance), None);
    instance.address = Some([10, 0, 0, 7].into());
    instance.pins = Pins::of_own(HostKey::new([7; 32]));
    let target = Target {
        host: host("app-1"),
        provider: ProviderId::Local,
        instance: InstanceId::from("i-1"),
        endpoint: Endpoint { host: "10.0.0.7".to_owned(), port: None },
        user: "root",
        pins: instance.pins,
    };
    assert_eq!(Target::of(&instance), Some(target));
}

#[test]
fn images_of_aws_let_in_their_own_user_and_all_others_root() {
    for (provider, image, user) in [
        (ProviderId::Aws, "debian-12", "admin"),
        (ProviderId::Aws, "ubuntu-24.04", "ubuntu"),
        (ProviderId::DigitalOcean, "debian-12", "root"),
        (ProviderId::Hetzner, "ubuntu-24.04", "root"),
        (ProviderId::Local, "debian-12", "root"),
    ] {
        assert_eq!(login_user(provider, &Image::from(image)), user, "{provider} {image}");
    }
}

#[test]
fn the_tail_of_an_output_is_its_last_lines_that_say_something() {
    let output =
        Output { status: 1, stdout: "one\n\ntwo  \n".to_owned(), stderr: "\nthree\n".to_owned() };
    assert_eq!(output.tail(2), ["two", "three"]);
    assert_eq!(output.tail(9), ["one", "two", "three"]);
}

#[test]
fn every_way_to_be_kept_out_says_what_was_tried_and_what_helps() {
    for (error, message, hints) in [
        (
            mismatch(KeySource::File("~/.ssh/known_hosts:12".to_owned())),
            "`app-1` at 10.0.0.7:22 presented the host key SHA256:new, but SHA256:old is known",
            &["remove the known key at ~/.ssh/known_hosts:12; if not, somebody may be in between"]
                [..],
        ),
        (
            mismatch(KeySource::Instance),
            "`app-1` at 10.0.0.7:22 presented the host key SHA256:new, but SHA256:old is pinned",
            &["`stagecraft infra trust app-1` shows its new key", "nothing was sent there"],
        ),
        (
            unknown(true),
            "no host key is pinned for `app-1` at 10.0.0.7:22, which presented SHA256:new",
            &["`stagecraft infra trust app-1` shows its key and pins it"],
        ),
        (
            unknown(false),
            "no host key is known for `app-1` at 10.0.0.7:22, which presented SHA256:new",
            &["add its key to your known_hosts"],
        ),
        (
            RemoteError::Refused {
                host: host("app-1"),
                address: address(),
                user: "root".to_owned(),
                why: "no key fits".to_owned(),
            },
            "`app-1` at 10.0.0.7:22 refused to log in `root`: no key fits",
            &["set `infra.bootstrap.ssh.private_key_path`"],
        ),
        (
            RemoteError::Locked {
                host: host("app-1"),
                key: "~/.ssh/id_ed25519".to_owned(),
                why: "it has a passphrase".to_owned(),
            },
            "could not prepare the connection to `app-1`: it has a passphrase",
            &["`ssh-add ~/.ssh/id_ed25519`"],
        ),
        (
            unreachable(true),
            "could not reach `app-1` at 10.0.0.7:22: no route",
            &["the host itself was not tried"],
        ),
        (unreachable(false), "could not reach `app-1` at 10.0.0.7:22: no route", &[]),
    ] {
        assert_eq!(error.to_string(), message);
        assert_eq!(error.host(), &host("app-1"));
        let told = error.hints();
        assert_eq!(told.len(), hints.len(), "{told:?}");
        for (told, part) in told.iter().zip(hints) {
            assert!(told.contains(part), "{told} is without {part}");
        }
    }
}

#[test]
fn a_command_whose_end_is_not_known_is_not_simply_run_again() {
    let (host, command) = (host("app-1"), "apt-get".to_owned());
    let printed = Vec::new();
    let lost = RemoteError::Lost {
        host: host.clone(),
        command: command.clone(),
        why: "".into(),
        printed: printed.clone(),
    };
    let late = RemoteError::TimedOut { host, command, limit: Duration::from_secs(60), printed };
    for error in [lost, late] {
        assert_eq!((error.code(), error.retry()), (Code::SSH_FAILED, Retry::Observe), "{error}");
    }
    assert_eq!(unreachable(false).retry(), Retry::After(Duration::ZERO), "it may be booting");
    assert_eq!(unknown(true).retry(), Retry::Never);
}

fn mismatch(known_in: KeySource) -> RemoteError {
    RemoteError::HostKeyMismatch {
        host: host("app-1"),
        address: address(),
        presented: "SHA256:new".to_owned(),
        expected: "SHA256:old".to_owned(),
        known_in,
    }
}

#[test]
fn who_is_refused_under_a_name_of_the_file_is_told_of_it() {
    let hints = |user: &str| {
        let error = RemoteError::Refused {
            host: "a".parse().expect("a name"),
            address: "10.0.0.1:22".to_owned(),
            user: user.to_owned(),
            why: "no key".to_owned(),
        };
        error.hints()
    };
    assert_eq!(hints("root").len(), 1);
    assert!(hints("bob")[1].contains("does not know `bob`"), "{:?}", hints("bob"));
    let image = Image::from("debian-12");
    for provider in ProviderId::ALL {
        assert_eq!(hints(login_user(provider, &image)).len(), 1, "{provider}");
    }
}

fn unknown(may_be_pinned: bool) -> RemoteError {
    RemoteError::HostKeyUnknown {
        host: host("app-1"),
        address: address(),
        presented: "SHA256:new".to_owned(),
        may_be_pinned,
    }
}

fn unreachable(on_the_way: bool) -> RemoteError {
    let (host, why) = (host("app-1"), "no route".to_owned());
    RemoteError::Unreachable { host, address: address(), why, on_the_way }
}

fn address() -> String {
    "10.0.0.7:22".to_owned()
}
