//! The script that looks at a host, run here by a real shell with limits that pass soon.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::process::Command as Process;
use std::time::{Duration, Instant};

use stagecraft_core::converge::{Assessment, Convergence, Effect, Step, StepResult};
use stagecraft_core::converge::{findings, last_seen, look};
use stagecraft_core::error::Code;
use stagecraft_core::remote::{Command, Output};

#[test]
fn probes_answer_one_after_another_and_read_nothing() {
    let steps = [
        step("a", "echo \"it's $0\"; cat; exit 3"),
        step("b", "echo wrong >&2; printf no-newline"),
    ];
    let output = run(&steps, 20, 30);
    assert_eq!(
        output.stdout,
        "::stagecraft-probe begin 0\nit's sh\n\n::stagecraft-probe end 0 3\n\
         ::stagecraft-probe begin 1\nwrong\nno-newline\n::stagecraft-probe end 1 0\n"
    );
    assert_eq!(findings(&steps, &output), Some(vec![("a", "ended with 3".to_owned())]));
    assert_eq!(last_seen(&steps, &output).unwrap()[0].stdout, "wrong\nno-newline");
}

#[test]
fn a_host_that_hangs_is_looked_at_for_a_limited_time() {
    let began = Instant::now();
    let steps = [step("a", "sleep 60"), step("b", "sleep 60"), step("c", "true")];
    let output = run(&steps, 1, 2);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert!(output.stdout.ends_with("end 1 124\n::stagecraft-probe late 2\n"), "{output:?}");
    let first = |why: &str| Some(("a", why.to_owned()));
    assert_eq!(findings(&steps, &output).unwrap().first().cloned(), first("ended with 124"));
    assert_eq!(findings(&steps, &output).unwrap().len(), 3);
}

#[test]
fn what_is_right_and_slow_leaves_later_steps_unseen() {
    let steps = || [step("a", "sleep 2"), step("b", "true"), step("c", "true")];
    let output = run(&steps(), 5, 1);
    let why = "to look at what comes before it took the host more than 30 s";
    assert_eq!(
        findings(&steps(), &output),
        Some(vec![("b", format!("was not looked at: {why}")), ("c", "comes after `b`".to_owned())])
    );
    assert_eq!(last_seen(&steps(), &output), None);
    let mut convergence = Convergence::new(steps().into());
    convergence.probed(&output);
    assert_eq!(convergence.poll(), Effect::Finished);
    let results = convergence.reports().iter().map(|report| report.result.clone());
    let results: Vec<StepResult> = results.collect();
    let StepResult::Failed(failure) = &results[1] else { panic!("{results:?}") };
    assert_eq!(failure.message, format!("could not find out the state of `b`: {why}"));
    assert_eq!([&results[0], &results[2]], [&StepResult::Satisfied, &StepResult::Skipped]);
}

/// Looks with limits of `probe` and `budget` seconds.
fn run(steps: &[Box<dyn Step>], probe: u32, budget: u32) -> Output {
    let line = look(steps).to_shell();
    assert!(line.contains(" look 20 30 ::"), "{line}");
    let line = line.replace(" look 20 30 ::", &format!(" look {probe} {budget} ::"));
    let output = Process::new("sh").args(["-c", &line]).output().unwrap();
    Output {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn step(name: &'static str, probe: &'static str) -> Box<dyn Step> {
    Box::new(Succeeds(name, probe))
}

/// Is satisfied when its probe succeeds.
#[derive(Debug)]
struct Succeeds(&'static str, &'static str);

impl Step for Succeeds {
    fn name(&self) -> &'static str {
        self.0
    }

    fn probe(&self) -> Vec<Command> {
        vec![Command::script(self.1)]
    }

    fn assess(&self, seen: &[Output]) -> Assessment {
        if seen[0].success() {
            return Assessment::Satisfied;
        }
        let message = format!("ended with {}", seen[0].status);
        Assessment::Blocked(stagecraft_core::error::Failure::new(self.failure_code(), message))
    }

    fn failure_code(&self) -> Code {
        Code::HOSTNAME_FAILED
    }
}
