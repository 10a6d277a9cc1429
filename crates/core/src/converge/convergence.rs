use serde::{Deserialize, Serialize};

use super::batch;
use super::inspect::too_slow;
use super::{Assessment, Change, Step};
use crate::error::{Code, Failure};
use crate::remote::{Command, OUTPUT_LINES, Output};

/// What the driver asks for next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Run this read-only command and pass its output to [`Convergence::probed`].
    Probe(Command),
    /// Make this change for this step and pass its output to [`Convergence::changed`].
    Change {
        /// The step's name.
        step: &'static str,
        /// What to do.
        change: Change,
    },
    /// Nothing more to do; [`Convergence::reports`] is complete.
    Finished,
}

/// How one step ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", tag = "result")]
pub enum StepResult {
    /// It was true already; nothing was run, nothing was changed.
    Satisfied,
    /// It is true now.
    Changed,
    /// It is not true.
    Failed(Failure),
    /// Not looked at, because an earlier step failed.
    Skipped,
}

/// A step and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct StepReport {
    /// The step's name.
    pub step: String,
    /// How it ended.
    #[serde(flatten)]
    pub result: StepResult,
}

/// Drives the steps of one host. Holds no connection and waits for nothing.
#[derive(Debug)]
pub struct Convergence {
    steps: Vec<Box<dyn Step>>,
    reports: Vec<StepReport>,
    last_seen: Vec<Output>,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// All steps from the first open one are to be probed. `verifying` when that first one has
    /// just been changed.
    Probing {
        verifying: bool,
    },
    /// The first open step is being changed.
    Changing {
        todo: std::vec::IntoIter<Change>,
    },
    Finished,
}

impl Convergence {
    /// Starts on a host of which nothing is known.
    #[must_use]
    pub fn new(steps: Vec<Box<dyn Step>>) -> Self {
        let phase =
            if steps.is_empty() { Phase::Finished } else { Phase::Probing { verifying: false } };
        Self { steps, reports: Vec::new(), last_seen: Vec::new(), phase }
    }

    /// What to do next. The same answer until the outcome was passed in.
    pub fn poll(&self) -> Effect {
        match &self.phase {
            Phase::Probing { .. } => Effect::Probe(batch::command(&self.open_probes())),
            Phase::Changing { todo } => match todo.as_slice().first() {
                Some(change) => {
                    Effect::Change { step: self.first_open().name(), change: change.clone() }
                }
                None => Effect::Finished,
            },
            Phase::Finished => Effect::Finished,
        }
    }

    /// Takes the output of the last [`Effect::Probe`].
    pub fn probed(&mut self, output: &Output) {
        let Phase::Probing { mut verifying } = self.phase else {
            return;
        };
        let Some(answers) = batch::parse(self.open_probes().len(), output) else {
            let step = self.first_open();
            let failure = Failure::new(
                step.failure_code(),
                format!(
                    "could not find out the state of `{}`: the host's answer was cut short (status {})",
                    step.name(),
                    output.status,
                ),
            )
            .with_output(output.tail(OUTPUT_LINES));
            return self.fail(failure);
        };
        let mut answers = answers.as_slice();
        while let Some(step) = self.steps.get(self.reports.len()) {
            let Some((own, rest)) = answers.split_at_checked(step.probe().len()) else {
                let why =
                    format!("could not find out the state of `{}`: {}", step.name(), too_slow());
                return self.fail(Failure::new(step.failure_code(), why));
            };
            answers = rest;
            match step.assess(own) {
                Assessment::Satisfied => {
                    self.last_seen = own.to_vec();
                    let result =
                        if verifying { StepResult::Changed } else { StepResult::Satisfied };
                    self.close(result);
                }
                Assessment::Blocked(failure) => return self.fail(failure),
                Assessment::Needs(changes) if verifying => {
                    let known = changes.into_iter().find_map(|change| change.in_vain);
                    let failure = known.map_or_else(
                        || {
                            let name = step.name();
                            let message =
                                format!("`{name}` is still not right after it was changed");
                            let output = own.iter().flat_map(|output| output.tail(OUTPUT_LINES));
                            Failure::new(step.failure_code(), message).with_output(output.collect())
                        },
                        |failure| *failure,
                    );
                    return self.fail(failure);
                }
                Assessment::Needs(changes) if changes.is_empty() => {
                    let message = format!("`{}` is not right, and no change is known", step.name());
                    return self.fail(Failure::new(step.failure_code(), message));
                }
                Assessment::Needs(changes) => {
                    self.phase = Phase::Changing { todo: changes.into_iter() };
                    return;
                }
            }
            verifying = false;
        }
        self.phase = Phase::Finished;
    }

    /// Takes the output of the last [`Effect::Change`].
    pub fn changed(&mut self, output: &Output) {
        let Phase::Changing { todo } = &mut self.phase else {
            return;
        };
        let Some(change) = todo.next() else { return };
        if !output.success() {
            let failure = Failure::new(
                self.first_open().failure_code(),
                format!("{} failed with status {}", change.doing, output.status),
            )
            .with_output(output.tail(OUTPUT_LINES));
            let hints = failure.hints.iter().cloned().chain(change.hint).collect();
            return self.fail(Failure { hints, ..failure });
        }
        if todo.as_slice().is_empty() {
            self.phase = Phase::Probing { verifying: true };
        }
    }

    /// Ends the run because the host cannot be worked on any more; the open step gets the blame.
    pub fn abandon(&mut self, failure: Failure) {
        if !matches!(self.phase, Phase::Finished) {
            self.fail(failure);
        }
    }

    /// The code of the step that is being worked on; `None` when none is.
    #[must_use]
    pub fn open_step_code(&self) -> Option<Code> {
        self.steps.get(self.reports.len()).map(|step| step.failure_code())
    }

    /// How the steps ended, in order; those still open are not in it.
    #[must_use]
    pub fn reports(&self) -> &[StepReport] {
        &self.reports
    }

    /// What the probes of the last satisfied step showed.
    #[must_use]
    pub fn last_seen(&self) -> &[Output] {
        &self.last_seen
    }

    /// What went wrong, if anything did.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.reports.iter().find_map(|report| match &report.result {
            StepResult::Failed(failure) => Some(failure),
            StepResult::Satisfied | StepResult::Changed | StepResult::Skipped => None,
        })
    }

    fn first_open(&self) -> &dyn Step {
        self.steps[self.reports.len()].as_ref()
    }

    fn open_probes(&self) -> Vec<Command> {
        self.steps[self.reports.len()..].iter().flat_map(|step| step.probe()).collect()
    }

    fn close(&mut self, result: StepResult) {
        let step = self.first_open().name().to_owned();
        self.reports.push(StepReport { step, result });
    }

    fn fail(&mut self, failure: Failure) {
        let secrets = self.steps.iter().filter_map(|step| step.secret());
        let failure = secrets.fold(failure, Failure::without);
        self.close(StepResult::Failed(failure));
        while self.reports.len() < self.steps.len() {
            self.close(StepResult::Skipped);
        }
        self.phase = Phase::Finished;
    }
}

#[cfg(test)]
mod tests;
