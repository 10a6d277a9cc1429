//! Asking for the passphrases of private keys, above whatever is moving.

use stagecraft_remote::Passphrases;
use zeroize::Zeroizing;

use super::{Progress, Text, Ui};
use crate::harmless::clean;

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
            // What is typed is not shown; Ctrl-C there is a signal as always, and no answer.
            let answer = rpassword::prompt_password(format!("passphrase of `{key}`: "));
            answer.ok().map(Zeroizing::new)
        })
    }
}
