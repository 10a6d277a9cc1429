use stagecraft_core::converge::{Change, Convergence, Effect, Step};
use stagecraft_core::error::{Code, Diagnose as _, Failure};
use stagecraft_core::event::{HostEnd, HostEvent, SkipReason};
use stagecraft_core::inventory::Instance;
use stagecraft_core::remote::{OUTPUT_LINES, Output, RemoteError, Target};

use crate::login::{Login, Patience};
use crate::mesh::{Arrival, Progress};
use crate::{Engine, StepsFor};

impl Engine {
    /// Logs in to a running instance and makes its steps true, as far as no other host is needed for
    /// that.
    pub(crate) async fn set_up(
        &self,
        instance: &Instance,
        patience: Patience,
        steps: Option<&StepsFor>,
    ) -> Progress {
        let host = &instance.owner.host;
        let Some(steps) = steps else {
            return Progress::Ended(HostEnd::Skipped(SkipReason::NoBootstrap));
        };
        let Some(target) = Target::of(instance) else {
            return Progress::Ended(HostEnd::Failed(Failure::new(
                Code::SSH_FAILED,
                format!("`{host}` runs and has no address"),
            )));
        };
        let login = match self.login(&target, patience).await {
            Err(failure) => return Progress::Ended(HostEnd::Failed(failure)),
            Ok(None) => return Progress::Ended(HostEnd::Skipped(SkipReason::Interrupted)),
            Ok(Some(login)) => login,
        };
        let instance = &login.reached(instance);
        let login = match self.identify(instance, login).await {
            Ok(login) => login,
            Err(failure) => return Progress::Ended(HostEnd::Failed(failure)),
        };
        let target = login.target.clone();
        match self.converge(login, steps(instance)).await {
            (HostEnd::Ready, seen) if self.mesh().is_some() => {
                let instance = instance.clone();
                Progress::Arrived(Box::new(Arrival { instance, target, seen }))
            }
            (end, _) => Progress::Ended(end),
        }
    }

    /// Makes steps true; also says what the last of them saw.
    pub(crate) async fn converge(
        &self,
        login: Login<'_>,
        steps: Vec<Box<dyn Step>>,
    ) -> (HostEnd, Vec<Output>) {
        let host = login.target.host.clone();
        let mut run = Convergence::new(steps);
        let mut told = 0;
        let mut open = Some(login);
        while let Some(login) = open.take() {
            match run.poll() {
                Effect::Finished => login.remote.close().await,
                Effect::Change { .. } if self.cancel.is_stopping() => {
                    login.remote.close().await;
                    return (HostEnd::Skipped(SkipReason::Interrupted), Vec::new());
                }
                Effect::Probe(command) => {
                    match login.remote.run(&command).await {
                        Ok(output) => run.probed(&output),
                        Err(error) => run.abandon(Failure::from(&error)),
                    }
                    open = Some(login);
                }
                Effect::Change { step, change } => {
                    self.tell(&host, HostEvent::Doing { step, doing: change.doing.clone() });
                    open = self.make_change(login, &change, &mut run).await;
                }
            }
            for report in &run.reports()[told..] {
                self.tell(&host, HostEvent::Step(report.clone()));
            }
            told = run.reports().len();
        }
        let end = match run.failure() {
            Some(failure) => HostEnd::Failed(failure.clone()),
            None => HostEnd::Ready,
        };
        (end, run.last_seen().to_vec())
    }

    /// Makes one change; `None` when there is no connection any more.
    async fn make_change<'e>(
        &'e self,
        login: Login<'e>,
        change: &Change,
        run: &mut Convergence,
    ) -> Option<Login<'e>> {
        let Some(guard) = &change.guard else {
            match login.remote.run(&change.command).await {
                Ok(output) => run.changed(&output),
                Err(error) => {
                    let message = format!("{}: {error}", change.doing);
                    let printed = error.printed();
                    let tail = printed[printed.len().saturating_sub(OUTPUT_LINES)..].to_vec();
                    run.abandon(Failure::new(code_of(&error, run), message).with_output(tail));
                }
            }
            return Some(login);
        };
        let code = run.open_step_code().unwrap_or(Code::CHANGE_UNDONE);
        match self.keep_if_reachable(login, guard, change, code).await {
            Ok(login) => {
                run.changed(&Output::default());
                Some(login)
            }
            Err(failure) => {
                run.abandon(failure);
                None
            }
        }
    }
}

/// A change that took too long is the step's failure; a lost connection is SSH's.
fn code_of(error: &RemoteError, run: &Convergence) -> Code {
    match error {
        RemoteError::TimedOut { .. } => run.open_step_code().unwrap_or_else(|| error.code()),
        RemoteError::Unreachable { .. }
        | RemoteError::Refused { .. }
        | RemoteError::HostKeyMismatch { .. }
        | RemoteError::HostKeyUnknown { .. }
        | RemoteError::KnownHostsUnsafe { .. }
        | RemoteError::Lost { .. }
        | RemoteError::TooMuchOutput { .. }
        | RemoteError::Locked { .. }
        | RemoteError::Local { .. } => error.code(),
    }
}
