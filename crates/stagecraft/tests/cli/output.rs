use std::fs::OpenOptions;
use std::process::Stdio;

use crate::stage::{SMALL, Stage, transcript};

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let stage = Stage::new();
    let mut child = stage.command(["schema"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_full_disk_is_an_error() {
    let Ok(full) = OpenOptions::new().write(true).open("/dev/full") else {
        eprintln!("skipped: this machine has no /dev/full");
        return;
    };
    let stage = Stage::with(SMALL);
    let output = stage.command(["validate"]).stdout(full).output().unwrap();
    insta::assert_snapshot!(transcript(&output), @"
    ------- stderr -------
    error[output.failed]: could not write to standard output: No space left on device
    [exit status: 1]
    ");
}

#[test]
fn colours_are_for_terminals_unless_asked_for() {
    let stage = Stage::with(SMALL);
    let colored = |words: &[&str], variables: &[(&str, &str)]| {
        let mut command = stage.command(words.iter().copied());
        let output = command.envs(variables.iter().copied()).output().unwrap();
        output.stdout.contains(&0x1b)
    };
    assert!(!colored(&["validate"], &[]));
    assert!(!colored(&["validate"], &[("CLICOLOR_FORCE", "1")]));
    assert!(colored(&["validate", "--color", "always"], &[]));
    assert!(colored(&["validate", "--color", "always"], &[("NO_COLOR", "1")]));
    assert!(!colored(&["validate", "--color", "never"], &[]));
}

#[test]
fn the_same_run_prints_the_same() {
    let stage = Stage::with(SMALL);
    for line in ["validate --output json", "providers", "schema", "-h", "infra plan"] {
        assert_eq!(stage.run(line), stage.run(line), "{line}");
    }
}
