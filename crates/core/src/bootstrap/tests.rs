use super::*;
use crate::config::{DockerConfig, SshConfig};
use crate::converge::Assessment;
use crate::error::Failure;
use crate::network::WireGuard;
use crate::remote::Output;

#[test]
fn the_steps_come_in_the_order_they_depend_on_each_other() {
    assert_eq!(
        names(&BootstrapConfig::default()),
        ["boot", "os", "hostname", "docker-install", "docker-service", "docker-verify"]
    );
}

#[test]
fn a_user_other_than_root_gets_access_to_docker() {
    let ssh = SshConfig { user: Some("debian".to_owned()), ..SshConfig::default() };
    let config = BootstrapConfig { ssh, ..BootstrapConfig::default() };
    assert_eq!(names(&config).last(), Some(&"docker-group"));
}

#[test]
fn docker_can_be_left_out() {
    let docker = DockerConfig { enabled: false, ..DockerConfig::default() };
    let ssh = SshConfig { user: Some("debian".to_owned()), ..SshConfig::default() };
    assert_eq!(names(&BootstrapConfig { ssh, docker }), ["boot", "os", "hostname"]);
}

#[test]
fn emulation_comes_last_and_does_not_depend_on_docker() {
    for enabled in [true, false] {
        let docker = DockerConfig { enabled, ..DockerConfig::default() };
        let config = BootstrapConfig { docker, ..BootstrapConfig::default() };
        let found = steps(&name(), &config, Some(Arch::Arm64), None);
        assert_eq!(found.last().map(|step| step.name()), Some("emulation"));
    }
}

#[test]
fn what_a_network_requires_comes_before_anything_is_changed_and_its_steps_come_last() {
    let network = WireGuard {
        range: "10.66.0.0/16".parse().expect("a range"),
        port: 51820,
        domain: "shop.internal".to_owned(),
    };
    let member = Member {
        host: name(),
        role: "app".parse().expect("a role"),
        tags: [].into(),
        address: None,
    };
    let config = BootstrapConfig::default();
    let found = steps(&name(), &config, None, Some((&network, &member)));
    let found: Vec<&str> = found.iter().map(|step| step.name()).collect();
    assert_eq!(found[..4], ["boot", "os", "wireguard-range", "hostname"]);
    assert_eq!(found[found.len() - 2..], ["wireguard-install", "wireguard-key"]);
}

#[test]
fn every_step_has_a_code_of_its_subject() {
    let steps = steps(&name(), &BootstrapConfig::default(), Some(Arch::Arm64), None);
    let codes: Vec<&str> = steps.iter().map(|step| step.failure_code().as_str()).collect();
    assert_eq!(
        codes,
        [
            "boot_not_finished",
            "unsupported_os",
            "hostname_failed",
            "docker_install_failed",
            "docker_verify_failed",
            "docker_verify_failed",
            "emulation_failed",
        ]
    );
}

#[test]
fn the_probes_are_small() {
    let bytes: usize = all(&BootstrapConfig::default())
        .iter()
        .flat_map(|step| step.probe())
        .map(|probe| probe.to_shell().len())
        .sum();
    assert!(bytes < 4096, "{bytes} bytes travel to every host in every run");
}

fn all(config: &BootstrapConfig) -> Vec<Box<dyn Step>> {
    steps(&name(), config, None, None)
}

fn name() -> HostName {
    "app-1".parse().expect("a name")
}

fn names(config: &BootstrapConfig) -> Vec<&'static str> {
    all(config).iter().map(|step| step.name()).collect()
}

/// What a probe that ended with `status` printed.
pub(super) fn saw(status: i32, stdout: &str) -> Output {
    Output { status, stdout: stdout.to_owned(), stderr: String::new() }
}

/// The failure of an assessment that must be blocked.
pub(super) fn blocked(assessment: Assessment) -> Failure {
    match assessment {
        Assessment::Blocked(failure) => failure,
        Assessment::Satisfied | Assessment::Needs(_) => panic!("not blocked: {assessment:?}"),
    }
}

/// What the changes of an assessment do.
pub(super) fn doing(assessment: &Assessment) -> Vec<&str> {
    match assessment {
        Assessment::Needs(changes) => changes.iter().map(|change| change.doing.as_str()).collect(),
        Assessment::Satisfied | Assessment::Blocked(_) => panic!("no changes: {assessment:?}"),
    }
}

/// The commands of the changes of an assessment.
pub(super) fn commands(assessment: &Assessment) -> Vec<String> {
    match assessment {
        Assessment::Needs(changes) => {
            changes.iter().map(|change| change.command.to_shell()).collect()
        }
        Assessment::Satisfied | Assessment::Blocked(_) => panic!("no changes: {assessment:?}"),
    }
}
