use super::{Assessment, Step, batch};
use crate::remote::{Command, Output};

/// Why a step was not looked at.
pub(super) fn too_slow() -> String {
    let limit = batch::BUDGET_SECONDS;
    format!("to look at what comes before it took the host more than {limit} s")
}

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
        let why = match rest.split_at_checked(step.probe().len()) {
            Some((own, later)) => {
                rest = later;
                finding(step.assess(own))
            }
            None => {
                rest = &[];
                Some(format!("was not looked at: {}", too_slow()))
            }
        };
        let Some(why) = why else { continue };
        let why = match open.first() {
            Some((first, _)) => format!("comes after `{first}`"),
            None => why,
        };
        open.push((step.name(), why));
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

/// What the last of `steps` saw, from the answer to [`look`]; `None` when that was cut short, or the host
/// was too slow for it, or there are no steps.
#[must_use]
pub fn last_seen(steps: &[Box<dyn Step>], output: &Output) -> Option<Vec<Output>> {
    let count = steps.iter().map(|step| step.probe().len()).sum();
    let mut answers = batch::parse(count, output).filter(|answers| answers.len() == count)?;
    Some(answers.split_off(count - steps.last()?.probe().len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::converge::Change;
    use crate::error::{Code, Failure};

    /// Satisfied by 0; 1 needs two changes, and for anything else no change is known.
    #[derive(Debug)]
    struct Told(&'static str);

    impl Step for Told {
        fn name(&self) -> &'static str {
            self.0
        }
        fn probe(&self) -> Vec<Command> {
            vec![Command::new("true")]
        }
        fn assess(&self, seen: &[Output]) -> Assessment {
            let change = |what: &str| Change::new(format!("{what} {}", self.0), Command::new("x"));
            match seen[0].status {
                0 => Assessment::Satisfied,
                1 => Assessment::Needs(vec![change("getting"), change("starting")]),
                _ => Assessment::Blocked(Failure::new(Code::HOSTNAME_FAILED, "no way")),
            }
        }
        fn failure_code(&self) -> Code {
            Code::HOSTNAME_FAILED
        }
    }

    #[test]
    fn the_first_step_that_is_not_satisfied_is_explained_and_later_ones_come_after_it() {
        for (statuses, found) in [
            ([0, 0, 0], vec![]),
            ([0, 1, 0], vec![("b", "needs getting b, starting b")]),
            ([2, 0, 0], vec![("a", "no way")]),
            ([0, 1, 2], vec![("b", "needs getting b, starting b"), ("c", "comes after `b`")]),
            ([2, 0, 1], vec![("a", "no way"), ("c", "comes after `a`")]),
        ] {
            let told = findings(&steps(), &answers(&statuses)).expect("all answers");
            let told: Vec<_> = told.iter().map(|(step, why)| (*step, why.as_str())).collect();
            assert_eq!(told, found, "{statuses:?}");
        }
    }

    #[test]
    fn an_answer_that_was_cut_short_finds_nothing() {
        assert_eq!(findings(&steps(), &answers(&[0, 0])), None);
        assert_eq!(last_seen(&steps(), &answers(&[0, 0])), None);
    }

    #[test]
    fn of_one_look_the_last_step_sees_its_own_part() {
        let seen = last_seen(&steps(), &answers(&[0, 1, 7])).expect("all answers");
        assert_eq!(seen.iter().map(|output| output.status).collect::<Vec<_>>(), [7]);
        assert_eq!(last_seen(&[], &answers(&[])), None, "there is no last step");
    }

    fn steps() -> Vec<Box<dyn Step>> {
        ["a", "b", "c"].map(|name| Box::new(Told(name)) as Box<dyn Step>).into()
    }

    fn answers(statuses: &[i32]) -> Output {
        let answer = |(index, status): (usize, &i32)| {
            let begin = format!("::stagecraft-probe begin {index}\n\n");
            [begin, format!("::stagecraft-probe end {index} {status}\n")].concat()
        };
        let stdout = statuses.iter().enumerate().map(answer).collect();
        Output { stdout, ..Output::default() }
    }
}
