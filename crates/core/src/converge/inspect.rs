use super::{Assessment, Step, batch};
use crate::remote::{Command, Output};

/// One read-only command that looks at everything `steps` need to see.
#[must_use]
pub fn look(steps: &[Box<dyn Step>]) -> Command {
    let probes: Vec<Command> = steps.iter().flat_map(|step| step.probe()).collect();
    batch::command(&probes)
}

/// The steps that are not satisfied, in order, and what would be done about each or why nothing
/// can be; `None` when the answer to [`look`] was cut short.
///
/// Only the first is certain: mending it changes what the later ones see, so of those it is only
/// said that they come after it.
#[must_use]
pub fn findings(steps: &[Box<dyn Step>], output: &Output) -> Option<Vec<(&'static str, String)>> {
    let count = steps.iter().map(|step| step.probe().len()).sum();
    let answers = batch::parse(count, output)?;
    let mut rest = answers.as_slice();
    let mut open: Vec<(&'static str, String)> = Vec::new();
    for step in steps {
        let (own, later) = rest.split_at(step.probe().len());
        rest = later;
        let assessment = step.assess(own);
        if let (Some((first, _)), false) = (open.first(), assessment == Assessment::Satisfied) {
            let why = format!("comes after `{first}`");
            open.push((step.name(), why));
            continue;
        }
        open.extend(finding(assessment).map(|why| (step.name(), why)));
    }
    Some(open)
}

/// Why a step is not satisfied: what would be done, or why nothing can be. `None` when it is.
#[must_use]
pub fn finding(assessment: Assessment) -> Option<String> {
    match assessment {
        Assessment::Satisfied => None,
        Assessment::Needs(changes) => {
            let doing: Vec<String> = changes.into_iter().map(|change| change.doing).collect();
            Some(format!("needs {}", doing.join(", ")))
        }
        Assessment::Blocked(failure) => Some(failure.message),
    }
}

/// What the last of `steps` saw, from the answer to [`look`]; `None` when that was cut short, or there
/// are no steps.
#[must_use]
pub fn last_seen(steps: &[Box<dyn Step>], output: &Output) -> Option<Vec<Output>> {
    let count = steps.iter().map(|step| step.probe().len()).sum();
    let mut answers = batch::parse(count, output)?;
    Some(answers.split_off(count - steps.last()?.probe().len()))
}
