//! Asking for the passphrases of private keys, above whatever is moving.

use std::io;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use stagecraft_remote::Passphrases;
use zeroize::Zeroizing;

use super::{Progress, Text, Ui};
use crate::harmless::clean;

/// How the terminal was, which is so again when this is dropped: a run that is ended by a signal does
/// not wait for the answer to its question, and what is typed would stay hidden.
#[derive(Debug)]
pub(crate) struct TerminalModes(Option<Termios>);

impl TerminalModes {
    pub(crate) fn keep() -> Self {
        Self(tcgetattr(io::stdin()).ok())
    }
}

impl Drop for TerminalModes {
    fn drop(&mut self) {
        let (Some(before), Ok(now)) = (&self.0, tcgetattr(io::stdin())) else { return };
        // A process in the background that sets what is set already would be stopped for it.
        if now.local_modes != before.local_modes {
            let _best_effort = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Asks for a line that is not shown while it is typed; `None` when there is no answer.
pub(crate) fn hidden_line(ui: &Ui, question: &str) -> Option<Zeroizing<String>> {
    let _as_it_was = TerminalModes::keep();
    // Hidden before the question shows: whoever answers at once is not shown either. All of it is what
    // reading the answer needs anyway: a Ctrl-C that comes at once belongs to the answer, and ends it.
    if let Ok(mut modes) = tcgetattr(io::stdin()) {
        let (shown, signals) = (LocalModes::ECHO | LocalModes::ECHONL, LocalModes::ISIG);
        modes.local_modes.remove(shown | signals | LocalModes::ICANON);
        let _best_effort = tcsetattr(io::stdin(), OptionalActions::Now, &modes);
    }
    let answer = rpassword::prompt_password(question);
    if answer.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted) {
        // The cursor still stands behind the question, as it does not after Ctrl-C.
        ui.say(Text::new().end_line());
    }
    answer.ok().map(Zeroizing::new)
}

/// Somebody at the terminal of this process.
#[derive(Clone, Debug)]
pub(crate) struct AskPassphrase {
    ui: Ui,
    progress: Progress,
}

impl AskPassphrase {
    pub(crate) fn new(ui: &Ui, progress: &Progress) -> Self {
        Self { ui: ui.clone(), progress: progress.clone() }
    }
}

impl Passphrases for AskPassphrase {
    fn ask(&self, key: &str, again: bool) -> Option<Zeroizing<String>> {
        let key = clean(key);
        self.progress.aside(|| {
            if again {
                self.ui.say(Text::new().line(&format!("that is not the passphrase of `{key}`")));
            }
            // Ctrl-C there is a signal as always, and no answer.
            hidden_line(&self.ui, &format!("passphrase of `{key}`: "))
        })
    }
}
