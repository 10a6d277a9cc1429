use std::collections::{BTreeMap, BTreeSet};

use stagecraft_core::converge::{Step, StepResult};
use stagecraft_core::error::{Code, Failure};
use stagecraft_core::network::{Member, NetworkProvider as _};
use stagecraft_core::network::{Tailscale, TailscaleConfig};
use stagecraft_testkit::tailscale::{Rules, Tailnet};

use crate::host::{Host, start};

/// Fetches what a test has put into the folder `origin`.
const APT_HELPER: &str = r#"#!/bin/sh
for word; do from=$to; to=$word; done
echo "download $from" >>"$STAND_IN_ROOT/asked"
cat "$STAND_IN_ROOT/origin/$(basename "$from")" >"$to" 2>/dev/null || { echo "E: Failed to fetch $from"; exit 100; }
"#;

/// Installs the stand-in where the package source is known.
const APT_GET: &str = r#"#!/bin/sh
echo "apt-get $*" >>"$STAND_IN_ROOT/asked"
case "$*" in *update*) exit 0 ;; esac
grep -qs '^deb ' "$STAND_IN_ROOT/etc/apt/sources.list.d/tailscale.list" || { echo 'E: Unable to locate package tailscale'; exit 100; }
cp "$STAND_IN_ROOT"/package/* "$STAND_IN_ROOT/bin/"
cp "$STAND_IN_ROOT/newest" "$STAND_IN_ROOT/installed"
"#;

const DPKG_QUERY: &str = r#"#!/bin/sh
[ -e "$STAND_IN_ROOT/installed" ] || exit 1
printf 'package=ii  tailscale\nversion=%s\n' "$(cat "$STAND_IN_ROOT/installed")"
"#;

#[test]
fn a_host_without_the_client_gets_it_by_the_official_way_and_once() {
    let tailnet = start(Rules::tailscale("example.ts.net"));
    let Some(host) = bare(&tailnet) else { return };
    assert_eq!(converge(&host, true, "1.78.0"), Ok(StepResult::Changed));
    let asked = host.asked();
    let origin = "https://pkgs.tailscale.com/stable/debian/bookworm";
    assert!(asked.contains(&format!("download {origin}.noarmor.gpg\n")), "{asked}");
    assert!(asked.contains(&format!("download {origin}.tailscale-keyring.list\n")), "{asked}");
    assert!(asked.contains("install tailscale tailscale-archive-keyring\n"), "{asked}");
    assert!(asked.find("apt-get -qq update") < asked.find("install tailscale"), "{asked}");
    assert_eq!(host.read("keyrings/tailscale-archive-keyring.gpg"), "a key");
    assert_eq!(host.sh("stat -c %a $STAND_IN_ROOT/keyrings/*.gpg", b"").stdout, "644\n");
    assert_eq!(converge(&host, true, "1.78.0"), Ok(StepResult::Satisfied));
    assert_eq!(host.asked().matches("apt-get -qq update").count(), 1);
}

#[test]
fn a_client_that_is_too_old_is_upgraded_if_there_is_a_newer_one() {
    let tailnet = start(Rules::tailscale("example.ts.net"));
    let Some(host) = bare(&tailnet) else { return };
    host.write("newest", "1.66.4");
    let failure = converge(&host, true, "1.78.0").unwrap_err();
    assert_eq!(failure.code, Code::NETWORK_INSTALL_FAILED);
    assert!(
        failure.message.contains("tailscale 1.66.4, and at least 1.78.0 is wanted"),
        "{failure:?}"
    );
    assert!(converge(&host, false, "1.78.0").unwrap_err().message.contains("`skip`"));
    host.write("newest", "1.82.0");
    assert_eq!(converge(&host, true, "1.78.0"), Ok(StepResult::Changed));
}

#[test]
fn an_origin_that_answers_something_else_changes_nothing() {
    let tailnet = start(Rules::tailscale("example.ts.net"));
    let Some(host) = bare(&tailnet) else { return };
    host.write("origin/bookworm.tailscale-keyring.list", "<html>\n");
    let failure = converge(&host, true, "1.78.0").unwrap_err();
    assert!(
        failure.output.iter().any(|line| line.contains("is not a key and a package source")),
        "{failure:?}"
    );
    std::fs::remove_file(host.path("origin/bookworm.noarmor.gpg")).unwrap();
    let failure = converge(&host, true, "1.78.0").unwrap_err();
    assert_eq!(failure.message, "adding Tailscale's package source failed with status 100");
    let left = host.sh("cd $STAND_IN_ROOT; ls keyrings etc/apt/sources.list.d", b"").stdout;
    assert!(!left.contains("tailscale"), "{left}");
}

#[test]
fn a_source_that_somebody_has_written_elsewhere_is_left_alone() {
    let tailnet = start(Rules::tailscale("example.ts.net"));
    let Some(host) = bare(&tailnet) else { return };
    host.write(
        "etc/apt/sources.list.d/mine.list",
        "deb https://pkgs.tailscale.com/stable/debian bookworm main\n",
    );
    let failure = converge(&host, true, "1.78.0").unwrap_err();
    assert!(!host.asked().contains("download"), "{failure:?}");
}

#[test]
fn a_daemon_that_does_not_run_is_started_or_named() {
    let tailnet = start(Rules::tailscale("example.ts.net"));
    let Some(host) = Host::new(&tailnet) else { return };
    host.stop();
    assert_eq!(converge(&host, false, "1.78.0"), Ok(StepResult::Changed));
    assert_eq!(
        converge(&host, false, "1.82.0"),
        Ok(StepResult::Satisfied),
        "by the daemon's own word"
    );
    assert!(converge(&host, false, "1.83.0").unwrap_err().message.contains("1.82.0"));
    host.stop();
    host.write("broken", "");
    let failure = converge(&host, false, "1.78.0").unwrap_err();
    assert_eq!(failure.code, Code::NETWORK_INSTALL_FAILED);
    assert!(
        failure
            .output
            .join("\n")
            .contains("what tailscaled logged\ntailscaled.service did not start"),
        "{failure:?}"
    );
}

fn bare(tailnet: &Tailnet) -> Option<Host> {
    // For what it says when it cannot.
    drop(Host::new(tailnet)?);
    let host = Host::bare(tailnet);
    host.get_client();
    for folder in ["package", "origin", "keyrings", "etc/apt/sources.list.d"] {
        std::fs::create_dir_all(host.path(folder)).unwrap();
    }
    host.sh("cd $STAND_IN_ROOT; mv bin/tailscale bin/tailscaled package/", b"");
    host.write("bin/apt-helper", APT_HELPER);
    host.write("bin/apt-get", APT_GET);
    host.write("bin/apt-cache", "#!/bin/sh\nexit 0\n");
    host.write("bin/dpkg-query", DPKG_QUERY);
    host.write("newest", "1.82.0");
    host.write("etc/os-release", "ID=debian\nVERSION_CODENAME=bookworm\n");
    host.write("etc/ca-certificates.crt", "");
    host.write("origin/bookworm.noarmor.gpg", "a key");
    host.write(
        "origin/bookworm.tailscale-keyring.list",
        "# Tailscale\ndeb [signed-by=a] https://b c main\n",
    );
    Some(host)
}

fn converge(host: &Host, install: bool, min_version: &str) -> Result<StepResult, Failure> {
    let config = TailscaleConfig {
        tailnet_domain: "example.ts.net".to_owned(),
        login_server: None,
        default_tags: BTreeSet::new(),
        role_tags: BTreeMap::new(),
        install,
        min_version: Some(min_version.parse().unwrap()),
    };
    let member = Member {
        host: "web-1".parse().unwrap(),
        role: "web".parse().unwrap(),
        tags: BTreeSet::new(),
        address: None,
    };
    let mut steps: Vec<Box<dyn Step>> = Tailscale::new(config, None)?.steps(&member);
    steps.truncate(1);
    host.converge(steps).map(|reports| reports[0].result.clone())
}
