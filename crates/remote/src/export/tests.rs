use std::path::{Path, PathBuf};

use stagecraft_core::desired::ProviderId;
use stagecraft_core::inventory::Endpoint;

use super::*;
use crate::keys::tests::public_key;

#[test]
fn the_command_line_pins_the_instance_and_not_its_address() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    settings.private_key = Some(PathBuf::from("/keys/de ploy"));
    let words = export(&settings).unwrap().command_line(&[]);
    let own = dir.path().join("own").display().to_string();
    let expected = format!(
        "ssh -F none -o HostName=203.0.113.7 -o Port=2222 -o User=root -o HostKeyAlias=stagecraft-hetzner-4711 -o UserKnownHostsFile={own} -o StrictHostKeyChecking=accept-new -o HashKnownHosts=no -o IdentityFile=\"/keys/de ploy\" -o IdentitiesOnly=yes -- 203.0.113.7"
    );
    assert_eq!(words.join(" "), expected);
}

#[test]
fn a_command_arrives_as_it_was_given() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path());
    let last = |command: &[&str]| {
        let command: Vec<String> = command.iter().map(|&word| word.to_owned()).collect();
        export(&settings).unwrap().command_line(&command).pop().unwrap()
    };
    assert_eq!(last(&["ls -l | wc"]), "ls -l | wc");
    assert_eq!(last(&["echo", "a b", "$x"]), "echo 'a b' '$x'");
}

#[test]
fn where_the_users_files_speak_they_are_asked_strictly() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    let user = dir.path().join("user");
    let key = public_key().to_openssh().unwrap();
    std::fs::write(&user, format!("[203.0.113.7]:2222 {key}\n")).unwrap();
    settings.user_known_hosts = vec![user.clone()];
    let block = export(&settings).unwrap().config_block();
    let expected = format!(
        "Host db-1\n  HostName 203.0.113.7\n  Port 2222\n  User root\n  UserKnownHostsFile {}\n  StrictHostKeyChecking yes\n",
        user.display()
    );
    assert_eq!(block, expected);
}

#[test]
fn what_the_ssh_configuration_says_is_passed_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path()).with_openssh_files(dir.path());
    settings.provider_keys.insert(ProviderId::Local, PathBuf::from("/other"));
    let dot_ssh = dir.path().join(".ssh");
    std::fs::create_dir(&dot_ssh).unwrap();
    std::fs::write(
            dot_ssh.join("config"),
            "Host db-1\n User ada\n ProxyJump eve@bastion\n IdentityFile /k/100%%\n IdentityAgent /a.sock\n",
        )
        .unwrap();
    let words = export(&settings).unwrap().command_line(&[]).join(" ");
    for expected in [
        "ssh -o HostName",
        " -o User=ada ",
        " -o IdentityFile=/k/100%% ",
        " -o IdentityAgent=/a.sock ",
        " -o ProxyJump=eve@bastion ",
    ] {
        assert!(words.contains(expected), "{expected} in {words}");
    }
    assert!(!words.contains("IdentitiesOnly") && !words.contains("/other"), "{words}");
}

#[test]
fn a_folder_whose_name_goes_on_in_the_next_line_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let odd = dir.path().join("shop\n  ProxyCommand touch /tmp/x\n#");
    let error = export(&settings(&odd)).unwrap_err().to_string();
    assert!(error.starts_with("UserKnownHostsFile \"") && !error.contains('\n'), "{error}");
}

#[test]
fn what_has_tokens_or_a_tilde_is_the_file_that_was_meant() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    for (path, written) in [("/k/%d/100%", "/k/%%d/100%%"), ("~root/id", "./~root/id")] {
        settings.private_key = Some(PathBuf::from(path));
        let words = export(&settings).unwrap().command_line(&[]).join(" ");
        assert!(words.contains(&format!(" -o IdentityFile={written} -o ")), "{words}");
    }
}

#[test]
fn what_openssh_would_expand_and_cannot_be_written_otherwise_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |settings: &SshSettings| export(settings).unwrap_err().to_string();
    let mut key = settings(dir.path());
    key.private_key = Some(PathBuf::from("/k/${HOME}/id"));
    let why =
        "OpenSSH would put something else in the place of `${` in IdentityFile \"/k/${HOME}/id\"";
    assert!(refused(&key).starts_with(why), "{}", refused(&key));
    let own = settings(&dir.path().join("${X}"));
    assert!(refused(&own).contains("in UserKnownHostsFile"), "{}", refused(&own));
    let mut user = settings(dir.path());
    user.user = Some("a%h".to_owned());
    assert!(refused(&user).contains("`%` in User \"a%h\""), "{}", refused(&user));
    let hint = |settings: &SshSettings| export(settings).unwrap_err().hint().unwrap().to_owned();
    assert!(hint(&key).starts_with("give the file or folder another name"), "{}", hint(&key));
    assert!(hint(&user).starts_with("write it another way"), "{}", hint(&user));
    let mut dollar = settings(dir.path());
    dollar.private_key = Some(PathBuf::from("/k/$HOME/id"));
    export(&dollar).unwrap();
}

#[test]
fn all_logins_are_written_down_by_the_files_as_they_were_at_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path()).with_openssh_files(dir.path());
    settings.user_known_hosts = vec![dir.path().join("user")];
    let dot_ssh = dir.path().join(".ssh");
    std::fs::create_dir(&dot_ssh).unwrap();
    std::fs::write(dot_ssh.join("config"), "Host *\n User ada\n").unwrap();
    let exporter = Exporter::new(&settings).unwrap();
    let first = exporter.export(&target()).unwrap();
    std::fs::write(dot_ssh.join("config"), "Host *\n User eve\n").unwrap();
    let key = public_key().to_openssh().unwrap();
    std::fs::write(dir.path().join("user"), format!("[203.0.113.7]:2222 {key}\n")).unwrap();
    assert_eq!(exporter.export(&target()).unwrap(), first);
    assert_eq!(first.login.user, "ada");
    assert_ne!(export(&settings).unwrap(), first);
}

#[test]
fn address_port_and_user_are_given_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    settings.user = Some("ada b".to_owned());
    let export = export(&settings).unwrap();
    let Login { host, port, user, .. } = &export.login;
    assert_eq!((host.as_str(), *port, user.as_str()), ("203.0.113.7", 2222, "ada b"));
    assert!(export.options.iter().all(|(keyword, _)| *keyword != "User"));
    assert!(export.config_block().contains("  User \"ada b\"\n"));
}

fn export(settings: &SshSettings) -> Result<Export, ExportError> {
    Exporter::new(settings)?.export(&target())
}

fn settings(dir: &Path) -> SshSettings {
    SshSettings::new(dir.join("own"))
}

fn target() -> Target {
    Target {
        host: "db-1".parse().unwrap(),
        provider: ProviderId::Hetzner,
        instance: "4711".into(),
        endpoint: Endpoint { host: "203.0.113.7".to_owned(), port: Some(2222) },
        user: "root",
        pins: Pins::default(),
    }
}
