use std::path::Path;

use stagecraft_core::desired::ProviderId;
use stagecraft_core::inventory::Endpoint;

use super::*;

#[test]
fn without_any_configuration_root_logs_in_at_port_22() {
    let login = resolve(&target(None), &settings(), &SshConfig::default()).unwrap();
    assert_eq!((login.host.as_str(), login.port), ("203.0.113.7", 22));
    assert_eq!(login.user, "root");
    assert_eq!(login.identities.usual.len(), 3);
}

#[test]
fn settings_win_over_the_ssh_configuration_and_that_over_defaults() {
    let config = config("Host app-1\n User ada\n Port 2222\n");
    let login = resolve(&target(None), &settings(), &config).unwrap();
    assert_eq!((login.user.as_str(), login.port), ("ada", 2222));
    let mut explicit = settings();
    explicit.user = Some("root".to_owned());
    explicit.port = Some(22);
    let login = resolve(&target(None), &explicit, &config).unwrap();
    assert_eq!((login.user.as_str(), login.port), ("root", 22));
    let login = resolve(&target(Some(49_153)), &explicit, &config).unwrap();
    assert_eq!(login.port, 49_153, "the provider knows the port of its instance");
}

#[test]
fn the_configuration_of_other_hosts_is_not_meant_for_those_of_a_providers_own_key() {
    let mut settings = settings();
    settings.provider_keys.insert(ProviderId::Local, PathBuf::from("/k"));
    let mut target = target(None);
    target.provider = ProviderId::Local;
    let login = resolve(&target, &settings, &config("Host *\n User ada\n Port 2222\n")).unwrap();
    assert_eq!((login.user.as_str(), login.port), ("root", 22));
}

#[test]
fn a_providers_key_goes_to_its_own_hosts_only() {
    let mut settings = settings();
    settings.provider_keys.insert(ProviderId::Local, PathBuf::from("/k"));
    let mut target = target(None);
    let login = resolve(&target, &settings, &SshConfig::default()).unwrap();
    assert_eq!(login.identities.provider_key, None);
    target.provider = ProviderId::Local;
    let login = resolve(&target, &settings, &SshConfig::default()).unwrap();
    assert_eq!(login.identities.provider_key.as_deref(), Some(Path::new("/k")));
}

#[test]
fn identities_are_expanded_as_in_openssh() {
    let config = config(
        "IdentityFile ~/.ssh/%r@%h\nIdentityFile ${X}/k\nIdentityFile %C\nIdentityAgent ~/a.sock\nIdentitiesOnly yes\n",
    );
    let login = resolve(&target(None), &settings(), &config).unwrap();
    assert_eq!(login.identities.configured, [Path::new("/home/ada/.ssh/root@203.0.113.7")]);
    assert_eq!(login.identities.agent.as_deref(), Some(Path::new("/home/ada/a.sock")));
    assert_eq!(login.identities.agent_use, AgentUse::Listed);
    assert!(login.identities.usual.is_empty());
}

#[test]
fn the_agent_can_be_switched_off_or_named_by_its_variable() {
    for (line, expected) in
        [("IdentityAgent none\n", None), ("IdentityAgent SSH_AUTH_SOCK\n", Some("/agent"))]
    {
        let login = resolve(&target(None), &settings(), &config(line)).unwrap();
        assert_eq!(login.identities.agent.as_deref(), expected.map(Path::new), "{line}");
    }
}

#[test]
fn jump_hosts_are_resolved_by_the_configuration_too() {
    let config = config(
        "Host app-*\n ProxyJump inner,eve@[2001:db8::1]:2022\nHost inner\n HostName 10.0.0.1\n Port 2022\n IdentityFile ~/b\n ProxyJump outer\nHost outer\n User out\n",
    );
    let login = resolve(&target(None), &settings(), &config).unwrap();
    let chain: Vec<_> = login
        .jumps
        .iter()
        .map(|jump| (jump.user.as_str(), jump.host.as_str(), jump.port))
        .collect();
    assert_eq!(
        chain,
        [("out", "outer", 22), ("ada", "10.0.0.1", 2022), ("eve", "2001:db8::1", 2022)]
    );
    assert_eq!(login.jumps[1].identities.configured, [Path::new("/home/ada/b")]);
    assert_eq!(login.proxy_jump.as_deref(), Some("inner,eve@[2001:db8::1]:2022"));
}

#[test]
fn a_jump_host_that_matches_its_own_rule_does_not_wait_for_itself() {
    for text in ["Host *\n ProxyJump bastion\n", "Host a\n ProxyJump b\nHost *\n ProxyJump a\n"] {
        let login = resolve(&target(None), &settings(), &config(text)).unwrap();
        let names: Vec<_> = login.jumps.iter().map(|jump| jump.name.as_str()).collect();
        assert!(names == ["bastion"] || names == ["b", "a"], "{names:?}");
    }
}

#[test]
fn a_jump_that_is_not_understood_is_an_error() {
    for bad in ["a:0", "@b", "[::1", "a,,b", "[::1]22"] {
        let config = config(&format!("ProxyJump {bad}\n"));
        assert_eq!(
            resolve(&target(None), &settings(), &config),
            Err(LoginError::ProxyJump(bad.to_owned())),
        );
    }
    let none = config("ProxyJump none\n");
    assert_eq!(resolve(&target(None), &settings(), &none).unwrap().jumps, []);
}

fn settings() -> SshSettings {
    let mut settings =
        SshSettings::new("/x/known_hosts").with_openssh_files(Path::new("/home/ada"));
    settings.local_user = Some("ada".to_owned());
    settings.agent_socket = Some(PathBuf::from("/agent"));
    settings
}

fn target(port: Option<u16>) -> Target {
    Target {
        host: "app-1".parse().unwrap(),
        provider: ProviderId::Hetzner,
        instance: "4711".into(),
        pins: stagecraft_core::identity::Pins::default(),
        endpoint: Endpoint { host: "203.0.113.7".to_owned(), port },
        user: "root",
    }
}

fn config(text: &str) -> SshConfig {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config");
    std::fs::write(&path, text).unwrap();
    SshConfig::load(&path, None).unwrap()
}
