use stagecraft_core::converge::{Convergence, Effect, Step};
use stagecraft_core::error::{Code, Diagnose as _, Failure};
use stagecraft_core::event::{HostEnd, HostEvent, SkipReason};
use stagecraft_core::inventory::Instance;
use stagecraft_core::name::HostName;
use stagecraft_core::remote::{Remote, RemoteError, Target};

use crate::login::Patience;
use crate::{Engine, StepsFor};

impl Engine {
    /// Logs in to a running instance and makes its steps true.
    pub(crate) async fn set_up(
        &self,
        instance: &Instance,
        patience: Patience,
        steps: Option<&StepsFor>,
    ) -> HostEnd {
        let host = &instance.owner.host;
        let Some(steps) = steps else {
            return HostEnd::Skipped(SkipReason::NoBootstrap);
        };
        let Some(target) = Target::of(instance) else {
            return HostEnd::Failed(Failure::new(
                Code::SSH_FAILED,
                format!("`{host}` runs and has no address"),
            ));
        };
        match self.login(&target, patience).await {
            Err(failure) => HostEnd::Failed(failure),
            Ok(None) => HostEnd::Skipped(SkipReason::Interrupted),
            Ok(Some(login)) => {
                let end = self.converge(host, login.remote.as_ref(), steps(instance)).await;
                login.remote.close().await;
                end
            }
        }
    }

    async fn converge(
        &self,
        host: &HostName,
        remote: &dyn Remote,
        steps: Vec<Box<dyn Step>>,
    ) -> HostEnd {
        let mut run = Convergence::new(steps);
        let mut told = 0;
        loop {
            let effect = run.poll();
            let outcome = match &effect {
                Effect::Finished => break,
                Effect::Probe(command) => remote.run(command).await,
                Effect::Change { .. } if self.cancel.is_stopping() => {
                    return HostEnd::Skipped(SkipReason::Interrupted);
                }
                Effect::Change { step, change } => {
                    self.tell(host, HostEvent::Doing { step, doing: change.doing.clone() });
                    remote.run(&change.command).await
                }
            };
            match (effect, outcome) {
                (Effect::Probe(_), Ok(output)) => run.probed(&output),
                (Effect::Change { .. }, Ok(output)) => run.changed(&output),
                (Effect::Change { change, .. }, Err(error)) => {
                    let message = format!("{}: {error}", change.doing);
                    run.abandon(code_of(&error, &run), &message);
                }
                (Effect::Probe(_), Err(error)) => run.abandon(error.code(), &error.to_string()),
                (Effect::Finished, _) => break,
            }
            for report in &run.reports()[told..] {
                self.tell(host, HostEvent::Step(report.clone()));
            }
            told = run.reports().len();
        }
        match run.failure() {
            Some(failure) => HostEnd::Failed(failure.clone()),
            None => HostEnd::Ready,
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
        | RemoteError::Lost { .. }
        | RemoteError::Local { .. } => error.code(),
    }
}
