//! Hosts and engines that do not do as they should.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::stage::{Ran, Stage};

const TWO: &str = "{ app-1: { role: app }, app-2: { role: app } }";

#[test]
fn a_host_without_ssh_fails_alone() {
    let Some(stage) = Stage::new(TWO) else { return };
    stage.run(&["infra", "up"]).assert_code(0);
    stage.inside(
        "app-1",
        "systemctl stop ssh.socket ssh.service; systemctl mask ssh.socket ssh.service",
    );

    let ran = stage.run(&["infra", "up", "--output", "json"]);
    ran.assert_code(10);
    assert_eq!(ran.host("app-1")["result"], "failed");
    assert_eq!(ran.host("app-1")["failure"]["code"], "ssh_failed");
    assert_eq!(ran.host("app-2")["result"], "ready");
}

#[test]
fn hosts_that_print_for_ever_or_hang_hold_the_table_for_a_minute_at_most() {
    let hosts = "{ app-1: { role: app }, app-2: { role: app }, app-3: { role: app } }";
    let Some(stage) = Stage::new(hosts) else { return };
    stage.run(&["infra", "up"]).assert_code(0);
    // What bash reads also when it runs a single command for SSH.
    stage.inside("app-1", "echo 'yes for ever' >/root/.bashrc");
    stage.inside("app-2", "rm /etc/os-release; mkfifo /etc/os-release");

    let began = Instant::now();
    let ran = stage.run(&["infra", "status", "--output", "json"]);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(75), "{took:?}");
    ran.assert_code(10);
    let told = ran.host("app-1").to_string();
    assert!(told.contains("`app-1` printed more than 4 MiB in answer to `look`"), "{told}");
    assert_eq!(ran.host("app-2")["state"], "not_ready", "{}", ran.host("app-2"));
    assert_eq!(ran.host("app-3")["state"], "ready");
}

#[test]
fn a_swapped_host_key_is_refused_and_nothing_is_run() {
    let Some(stage) = Stage::new(TWO) else { return };
    stage.run(&["infra", "up"]).assert_code(0);
    stage.inside(
        "app-1",
        "hostnamectl set-hostname elsewhere; rm /etc/ssh/ssh_host_*; ssh-keygen -A; systemctl restart ssh",
    );
    let ran = stage.run(&["infra", "up", "--output", "json"]);
    ran.assert_code(10);
    assert_eq!(ran.host("app-1")["failure"]["code"], "host_key_mismatch");
    assert_eq!(ran.host("app-2")["result"], "ready");
    assert_eq!(stage.inside("app-1", "hostname").trim(), "elsewhere", "nothing was run there");
}

#[test]
fn a_full_disk_fails_one_host_with_the_last_lines_of_its_output() {
    let Some(stage) = Stage::new(TWO) else { return };
    stage.run(&["infra", "up", "--no-bootstrap"]).assert_code(0);
    stage.inside("app-1", "mount -t tmpfs -o size=64k tmpfs /var/cache/apt");

    stage.configure(TWO, "{ enabled: true }");
    let ran = stage.run(&["infra", "up", "--output", "json"]);
    ran.assert_code(10);
    let failure = &ran.host("app-1")["failure"];
    assert_eq!(failure["code"], "docker_install_failed", "{failure:#}");
    let output = failure["output"].to_string().to_lowercase();
    assert!(output.contains("free") || output.contains("space"), "{output}");
    assert_eq!(ran.host("app-2")["result"], "ready");

    stage.inside("app-1", "umount /var/cache/apt");
    stage.run(&["infra", "up"]).assert_code(0);
}

#[test]
fn broken_package_sources_fail_one_host_and_mending_them_is_enough() {
    let Some(stage) = Stage::new("{ app-1: { role: app } }") else { return };
    stage.run(&["infra", "up", "--no-bootstrap"]).assert_code(0);
    let break_it = "for f in /etc/apt/sources.list /etc/apt/sources.list.d/*; do \
                    [ -f $f ] && mv $f $f.away; done; mkdir -p /root/lists; mv /var/lib/apt/lists/* /root/lists; true";
    stage.inside("app-1", break_it);

    stage.configure("{ app-1: { role: app } }", "{ enabled: true }");
    let ran = stage.run(&["infra", "up", "--output", "json"]);
    ran.assert_code(10);
    let failure = &ran.host("app-1")["failure"];
    assert_eq!(failure["code"], "docker_install_failed", "{failure:#}");
    assert!(!failure["output"].as_array().expect("lines").is_empty());
}

#[test]
fn an_engine_that_does_not_run_is_exit_2_and_the_command_that_helps() {
    let Some(stage) = Stage::new(TWO) else { return };
    let socket = format!("unix://{}/no.sock", stage.path().display());
    let ran = Ran::from(
        stage.command(&["infra", "plan"]).env("DOCKER_HOST", socket).output().expect("it runs"),
    );
    ran.assert_code(2);
    assert!(ran.stderr.contains("hint"), "{}", ran.stderr);
}

#[test]
fn an_engine_one_may_not_use_is_exit_2_and_the_command_that_helps() {
    let Some(stage) = Stage::new(TWO) else { return };
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    if !is_root {
        println!("skipped: only root can become another user");
        return;
    }
    std::fs::set_permissions(stage.path(), std::fs::Permissions::from_mode(0o777)).expect("chmod");
    // The build folder of root may be closed to others, so the binary goes along. It is not this process
    // that writes it: whatever is forked meanwhile would keep it open, and it could not be run.
    let binary = stage.path().join("stagecraft");
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_stagecraft")).arg(&binary).status();
    assert!(copied.is_ok_and(|status| status.success()));
    let ran = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&binary)
        .args(["infra", "plan"])
        .current_dir(stage.path())
        .env("HOME", stage.path().join("nobody"))
        .output()
        .map(Ran::from)
        .expect("setpriv is installed");
    ran.assert_code(2);
    assert!(ran.stderr.contains("usermod -aG docker"), "{}", ran.stderr);
}
