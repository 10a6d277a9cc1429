use super::*;

#[test]
fn a_host_that_is_right_costs_one_command() {
    let mut run = Convergence::new(vec![file("a"), file("b")]);
    assert!(matches!(run.poll(), Effect::Probe(_)));
    run.probed(&answers(&[0, 0]));
    assert_eq!(run.poll(), Effect::Finished);
    assert_eq!(results(&run), [StepResult::Satisfied, StepResult::Satisfied]);
    assert_eq!(run.last_seen(), [Output::default()], "of the last step alone");
}

#[test]
fn of_what_was_seen_the_last_satisfied_step_counts() {
    let mut run = Convergence::new(vec![file("a"), file("b")]);
    assert!(run.last_seen().is_empty(), "nothing was seen yet");
    let said = "::stagecraft-probe begin 0\nfirst\n::stagecraft-probe end 0 0\n\
                    ::stagecraft-probe begin 1\nlast\n::stagecraft-probe end 1 0\n";
    run.probed(&Output { stdout: said.to_owned(), ..Output::default() });
    assert_eq!(run.last_seen(), [Output { stdout: "last".to_owned(), ..Output::default() }]);
}

#[test]
fn a_step_is_verified_after_it_changed_something_and_later_steps_look_again() {
    let mut run = Convergence::new(vec![file("a"), file("b")]);
    run.probed(&answers(&[1, 0]));
    assert!(matches!(run.poll(), Effect::Change { step: "file", .. }));
    run.changed(&Output::default());
    assert!(matches!(run.poll(), Effect::Probe(_)), "changed, so look again");
    run.probed(&answers(&[0, 0]));
    assert_eq!(results(&run), [StepResult::Changed, StepResult::Satisfied]);
}

#[test]
fn a_change_that_does_not_help_is_an_error_that_names_the_step() {
    let mut run = Convergence::new(vec![file("a"), file("b")]);
    run.probed(&answers(&[1, 1]));
    run.changed(&Output::default());
    run.probed(&answers(&[1, 1]));
    assert_eq!(run.poll(), Effect::Finished);
    assert_eq!(
        run.failure().map(|failure| failure.message.as_str()),
        Some("`file` is still not right after it was changed")
    );
    assert_eq!(run.reports()[1].result, StepResult::Skipped);
}

#[test]
fn a_change_that_does_not_help_is_explained_by_what_was_seen_after_it() {
    let mut run = Convergence::new(vec![Box::new(Explained), file("b")]);
    run.probed(&answers(&[1, 0]));
    run.changed(&Output::default());
    assert_eq!(run.failure(), None, "what is said of the first look is not told");
    run.probed(&answers(&[2, 0]));
    assert_eq!(run.failure().map(|failure| failure.message.as_str()), Some("it ended with 2"));
}

#[test]
fn a_failed_change_keeps_the_last_lines_of_its_output() {
    let mut run = Convergence::new(vec![file("a")]);
    run.probed(&answers(&[1]));
    let output = Output {
        status: 100,
        stdout: String::new(),
        stderr: "E: You don't have enough free space\n".to_owned(),
    };
    run.changed(&output);
    let failure = run.failure().expect("it failed");
    assert_eq!(failure.message, "making a failed with status 100");
    assert_eq!(failure.output, ["E: You don't have enough free space"]);
}

#[test]
fn a_cut_answer_fails_the_first_open_step() {
    let mut run = Convergence::new(vec![file("a")]);
    run.probed(&Output { status: 255, ..Output::default() });
    assert!(run.failure().is_some());
}

#[test]
fn a_host_that_is_lost_meanwhile_fails_its_open_step_once() {
    let mut run = Convergence::new(vec![file("a"), file("b")]);
    run.probed(&answers(&[1, 1]));
    run.abandon(Failure::new(Code::SSH_FAILED, "the connection was lost"));
    assert_eq!(run.poll(), Effect::Finished);
    run.abandon(Failure::new(Code::SSH_FAILED, "told again"));
    let lost = StepResult::Failed(Failure::new(Code::SSH_FAILED, "the connection was lost"));
    assert_eq!(results(&run), [lost, StepResult::Skipped]);
}

#[test]
fn whoever_is_cut_off_knows_the_code_of_the_step_that_is_worked_on() {
    let mut run = Convergence::new(vec![file("a")]);
    assert_eq!(run.open_step_code(), Some(Code::HOSTNAME_FAILED));
    run.probed(&answers(&[0]));
    assert_eq!(run.open_step_code(), None);
}

#[test]
fn a_failed_change_gives_its_own_hint() {
    let mut run = Convergence::new(vec![Box::new(Explained)]);
    run.probed(&answers(&[1]));
    run.changed(&Output { status: 1, ..Output::default() });
    assert_eq!(
        run.failure().map(|failure| &failure.hints[..]),
        Some(&["look there".to_owned()][..])
    );
}

#[test]
fn a_step_that_knows_no_change_is_an_error_and_not_an_end() {
    let mut run = Convergence::new(vec![Box::new(Helpless), file("b")]);
    run.probed(&answers(&[1, 0]));
    assert_eq!(run.poll(), Effect::Finished);
    assert_eq!(
        run.failure().map(|failure| failure.message.as_str()),
        Some("`helpless` is not right, and no change is known")
    );
    assert_eq!(run.reports()[1].result, StepResult::Skipped);
}

#[derive(Debug)]
struct Helpless;

impl Step for Helpless {
    fn name(&self) -> &'static str {
        "helpless"
    }
    fn probe(&self) -> Vec<Command> {
        vec![Command::new("true")]
    }
    fn assess(&self, _: &[Output]) -> Assessment {
        Assessment::Needs(Vec::new())
    }
    fn failure_code(&self) -> Code {
        Code::HOSTNAME_FAILED
    }
}

#[derive(Debug)]
struct Explained;

impl Step for Explained {
    fn name(&self) -> &'static str {
        "explained"
    }
    fn probe(&self) -> Vec<Command> {
        vec![Command::new("true")]
    }
    fn assess(&self, seen: &[Output]) -> Assessment {
        let message = format!("it ended with {}", seen[0].status);
        let failure = Failure::new(self.failure_code(), message);
        let change = Change::new("trying", Command::new("true")).with_hint("look there");
        Assessment::Needs(vec![change.or_else(failure)])
    }
    fn failure_code(&self) -> Code {
        Code::HOSTNAME_FAILED
    }
}

#[derive(Debug)]
struct File(&'static str);

impl Step for File {
    fn name(&self) -> &'static str {
        "file"
    }
    fn probe(&self) -> Vec<Command> {
        vec![Command::new("test").arg("-e").arg(self.0)]
    }
    fn assess(&self, seen: &[Output]) -> Assessment {
        match seen {
            [output] if output.success() => Assessment::Satisfied,
            _ => Assessment::Needs(vec![Change::new(
                format!("making {}", self.0),
                Command::new("touch").arg(self.0),
            )]),
        }
    }
    fn failure_code(&self) -> Code {
        Code::HOSTNAME_FAILED
    }
}

fn file(name: &'static str) -> Box<dyn Step> {
    Box::new(File(name))
}

fn answers(statuses: &[i32]) -> Output {
    let stdout = statuses
        .iter()
        .enumerate()
        .map(|(i, status)| {
            format!("::stagecraft-probe begin {i}\n\n::stagecraft-probe end {i} {status}\n")
        })
        .collect();
    Output { stdout, ..Output::default() }
}

fn results(run: &Convergence) -> Vec<StepResult> {
    run.reports().iter().map(|report| report.result.clone()).collect()
}
