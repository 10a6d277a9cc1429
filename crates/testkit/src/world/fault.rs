use std::time::Duration;

use stagecraft_core::cloud::CloudErrorKind;

use super::RequestKind;

/// Something that will go wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The effect of this number happens, but its answer is lost.
    LoseAnswer {
        /// Its number in the log, from 1.
        effect: u64,
    },
    /// The request of this number is refused, without effect.
    FailRequest {
        /// Its number among all requests, from 1.
        request: u64,
        /// What is answered.
        error: CloudErrorKind,
    },
    /// The next requests of a kind are refused, without effect.
    FailNext {
        /// The kind.
        kind: RequestKind,
        /// How many; `u64::MAX` for all.
        times: u64,
        /// What is answered.
        error: CloudErrorKind,
    },
    /// Every request is refused for its credentials.
    RefuseCredentials,
    /// The process that causes the effect of this number is killed.
    Crash {
        /// Its number in the log, from 1.
        effect: u64,
        /// Whether the process still learns of it.
        answer: AnswerFate,
    },
    /// The process that sends the order of this number is killed, and the order arrives later.
    Stray {
        /// Its number among all orders sent, from 1.
        create: u64,
        /// How long after the death of its process it arrives.
        after: Duration,
    },
}

/// What becomes of the answer to the last request of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerFate {
    /// The process is dead before it arrives.
    Lost,
    /// It arrives, and the process dies before it does anything else.
    Delivered,
}

/// A request that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The class of the failure.
    pub kind: CloudErrorKind,
    /// Whether it took effect all the same.
    pub maybe_done: bool,
}

/// When the process that asked is to be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kill {
    /// Before it has the answer.
    BeforeAnswer,
    /// When it has the answer, before it does anything else.
    AfterAnswer,
}

/// The outcome of a request.
#[derive(Clone, Debug)]
#[must_use]
pub struct Reply<T> {
    /// The answer.
    pub result: Result<T, Refusal>,
    /// Whether the process that asked lives to use it.
    pub kill: Option<Kill>,
}

impl<T> Reply<T> {
    pub(super) fn refused(kind: CloudErrorKind) -> Self {
        Self { result: Err(Refusal { kind, maybe_done: false }), kill: None }
    }
}

/// The faults that have not happened yet.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

/// What faults make of a request that took effect.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Verdict {
    pub(super) answer_lost: bool,
    pub(super) kill: Option<Kill>,
}

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Why request `number`, of kind `kind`, is refused, if it is.
    pub(super) fn refusal(&mut self, kind: RequestKind, number: u64) -> Option<CloudErrorKind> {
        let (index, error) =
            self.0.iter_mut().enumerate().find_map(|(index, fault)| match fault {
                Fault::FailRequest { request, error } => {
                    (*request == number).then(|| (Some(index), error.clone()))
                }
                Fault::FailNext { kind: of, times, error } if *of == kind && *times > 0 => {
                    if *times != u64::MAX {
                        *times -= 1;
                    }
                    Some(((*times == 0).then_some(index), error.clone()))
                }
                Fault::RefuseCredentials => {
                    let message = "the token is not known".to_owned();
                    Some((None, CloudErrorKind::InvalidCredentials(message)))
                }
                Fault::FailNext { .. }
                | Fault::LoseAnswer { .. }
                | Fault::Crash { .. }
                | Fault::Stray { .. } => None,
            })?;
        if let Some(index) = index {
            self.0.remove(index);
        }
        Some(error)
    }

    /// How long order `number` is under way after its process died, if it is to be.
    pub(super) fn stray(&mut self, number: u64) -> Option<Duration> {
        let (index, after) = self.0.iter().enumerate().find_map(|(index, fault)| {
            let Fault::Stray { create, after } = fault else { return None };
            (*create == number).then_some((index, *after))
        })?;
        self.0.remove(index);
        Some(after)
    }

    /// What to make of the effects numbered `before + 1` to `after`.
    pub(super) fn after_effects(&mut self, before: usize, after: usize) -> Verdict {
        let happened = before as u64 + 1..=after as u64;
        let mut verdict = Verdict::default();
        self.0.retain(|fault| match fault {
            Fault::LoseAnswer { effect } if happened.contains(effect) => {
                verdict.answer_lost = true;
                false
            }
            Fault::Crash { effect, answer } if happened.contains(effect) => {
                verdict.kill = Some(match answer {
                    AnswerFate::Lost => Kill::BeforeAnswer,
                    AnswerFate::Delivered => Kill::AfterAnswer,
                });
                false
            }
            Fault::LoseAnswer { .. }
            | Fault::Crash { .. }
            | Fault::FailRequest { .. }
            | Fault::FailNext { .. }
            | Fault::RefuseCredentials
            | Fault::Stray { .. } => true,
        });
        verdict
    }
}
