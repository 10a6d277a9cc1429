//! Changes that could lock us out: made, and kept only if a fresh connection shows that they did not.

use std::time::Duration;

use stagecraft_core::converge::Change;
use stagecraft_core::error::{Code, Diagnose as _, Failure};
use stagecraft_core::guard::{Armed, Confirmation, Guard};
use stagecraft_core::name::HostName;
use stagecraft_core::remote::{Command, OUTPUT_LINES, RemoteError, Target};

use crate::Engine;
use crate::login::Login;

/// How long a host is given to answer anew after such a change.
const FRESH: Duration = Duration::from_secs(30);

impl Engine {
    /// Makes a change under a guard and connects anew; the change is not confirmed yet. `target` is
    /// whom the host must be after it, `doing` says what is done.
    ///
    /// # Errors
    /// With `code` when the change itself failed; [`Code::CHANGE_UNDONE`] when the host could not be
    /// reached after it.
    pub(crate) async fn arm<'e>(
        &'e self,
        login: Login<'e>,
        target: &Target,
        guard: &Guard,
        change: &Command,
        doing: &str,
        code: Code,
    ) -> Result<Login<'e>, Failure> {
        let host = &target.host;
        let window = guard.window().as_secs();
        let output = login.remote.run(&guard.arm(change)).await.map_err(|error| {
            let code = if let RemoteError::TimedOut { .. } = error { code } else { error.code() };
            Failure::new(code, format!("{doing}: {error}"))
                .with_hint(format!("what was changed is undone within {window} s"))
        })?;
        if let Some(failure) = not_made(Guard::armed(output), host, window, doing, code) {
            return Err(failure);
        }
        // Also when the user asked to stop meanwhile: this is in flight until the host knows.
        let place = login.leave().await;
        let fresh = self.connect_anew(target, FRESH).await.map_err(|error| {
            let message = format!(
                "{doing}: `{host}` could not be reached over a fresh connection, so it undoes the \
                 change within {window} s: {error}"
            );
            Failure::new(Code::CHANGE_UNDONE, message)
                .with_hint("mend the cause, and run the command again after that")
        })?;
        Ok(place.take(fresh, target))
    }

    /// Makes the change of a step under its guard, connects anew, and keeps it.
    ///
    /// # Errors
    /// As [`Self::arm`]; also when the host does not say that it keeps it.
    pub(crate) async fn keep_if_reachable<'e>(
        &'e self,
        login: Login<'e>,
        guard: &Guard,
        change: &Change,
        code: Code,
    ) -> Result<Login<'e>, Failure> {
        let target = login.target.clone();
        let Change { doing, command, .. } = change;
        let login = self.arm(login, &target, guard, command, doing, code).await?;
        match self.confirm(&login, guard).await? {
            Confirmation::Kept => Ok(login),
            Confirmation::Undone => {
                let message = format!("{doing}: it was confirmed too late, and was undone");
                Err(Failure::new(Code::CHANGE_UNDONE, message).with_hint("run the command again"))
            }
            Confirmation::Failed(said) => {
                let message = format!("{doing}: whether `{}` keeps it is not known", target.host);
                Err(Failure::new(code, message).with_output(said.tail(OUTPUT_LINES)))
            }
        }
    }

    /// Keeps a change, over the connection that was made after it.
    ///
    /// # Errors
    /// When the host does not say that it keeps it.
    pub(crate) async fn confirm(
        &self,
        login: &Login<'_>,
        guard: &Guard,
    ) -> Result<Confirmation, Failure> {
        let output =
            login.remote.run(&guard.confirm()).await.map_err(|error| Failure::from(&error))?;
        Ok(Guard::confirmation(output))
    }
}

/// Why a change is not there to be confirmed.
fn not_made(
    armed: Armed,
    host: &HostName,
    window: u64,
    doing: &str,
    code: Code,
) -> Option<Failure> {
    let (what, output) = match armed {
        Armed::Made => return None,
        Armed::Busy => {
            let message = format!(
                "{doing}: an earlier change still waits for its confirmation on `{host}`, and is \
                 undone within {window} s"
            );
            return Some(Failure::new(code, message).with_hint("run the command again after that"));
        }
        Armed::Failed(output) => ("failed, and was undone".to_owned(), output),
        Armed::Stuck(output) => (
            format!("failed, and so did undoing it; `{host}` tries again every {window} s"),
            output,
        ),
        Armed::NotBegun(output) => (format!("was not begun (status {})", output.status), output),
    };
    Some(Failure::new(code, format!("{doing} {what}")).with_output(output.tail(OUTPUT_LINES)))
}
