//! Runs that are killed, stopped, or not alone.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::stage::Stage;

const THREE: &str = "{ app: { role: app, count: 3 } }";

#[test]
fn killed_at_any_moment_the_next_run_ends_with_one_instance_per_host() {
    let Some(stage) = Stage::new(THREE) else { return };
    stage.run(&["infra", "up"]).assert_code(0);
    stage.run(&["infra", "down", "--yes"]).assert_code(0);
    for milliseconds in [20, 60, 100, 150, 200, 300, 450, 700, 1000, 1500] {
        let mut run = stage.start(&["infra", "up"]);
        std::thread::sleep(Duration::from_millis(milliseconds));
        run.kill().expect("it can be killed");
        run.wait().expect("it ends");
        if milliseconds % 100 == 50 {
            // Some rounds go on from what the kill left, some start from nothing.
            continue;
        }
        stage.run(&["infra", "up"]).assert_code(0);
        for host in ["app-1", "app-2", "app-3"] {
            assert_eq!(stage.containers(Some(host)).len(), 1, "killed after {milliseconds} ms");
        }
        stage.run(&["infra", "plan", "--detailed-exitcode"]).assert_code(0);
        let mut down = stage.start(&["infra", "down", "--yes"]);
        std::thread::sleep(Duration::from_millis(milliseconds / 4));
        down.kill().expect("it can be killed");
        down.wait().expect("it ends");
        stage.run(&["infra", "down", "--yes"]).assert_code(0);
        assert!(all_gone(&stage), "killed after {milliseconds} ms");
    }
}

/// Whether all containers go. What a killed run asked to be removed may still be on its way out.
fn all_gone(stage: &Stage) -> bool {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(30) {
        if stage.containers(None).is_empty() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    false
}

#[test]
fn two_runs_at_once_end_with_one_instance_per_host() {
    let Some(stage) = Stage::new(THREE) else { return };
    let mut runs = [stage.start(&["infra", "up"]), stage.start(&["infra", "up"])];
    for run in &mut runs {
        let status = run.wait().expect("it ends");
        assert!(status.success(), "both succeed: {status}");
    }
    for host in ["app-1", "app-2", "app-3"] {
        assert_eq!(stage.containers(Some(host)).len(), 1);
    }
    stage.run(&["infra", "plan", "--detailed-exitcode"]).assert_code(0);
}

#[test]
fn the_first_interrupt_reports_what_was_done_and_the_next_run_goes_on() {
    let Some(stage) = Stage::new(THREE) else { return };
    stage.configure(THREE, "{ enabled: true }");
    let run = stage
        .command(&["infra", "up", "--output", "json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    // Long enough for the hosts to exist, too short for Docker to be on them.
    while stage.containers(None).len() < 3 {
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_secs(1));
    let interrupt = Command::new("kill").args(["-INT", &run.id().to_string()]).status();
    assert!(interrupt.is_ok_and(|status| status.success()));
    let ran = crate::stage::Ran::from(run.wait_with_output().expect("it ends"));
    ran.assert_code(130);
    assert_eq!(ran.json()["interrupted"], true);
    assert_eq!(stage.containers(None).len(), 3, "what exists is kept");
    stage.configure(THREE, "{ enabled: false }");
    stage.run(&["infra", "up"]).assert_code(0);
}
