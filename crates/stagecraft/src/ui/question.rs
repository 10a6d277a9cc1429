//! Questions whose answer is yes or no, before what cannot be taken back.

use std::io::{self, BufRead as _, IsTerminal as _};

use super::{Text, Ui};
use crate::args::Output;

/// What the user said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Go on.
    Yes,
    /// Do not.
    No,
}

/// Whether there is anybody to ask.
pub(crate) fn can_ask(ui: &Ui) -> bool {
    ui.output == Output::Human && ui.is_live() && io::stdin().is_terminal()
}

/// Asks, and waits for a line. Only `wanted` means yes; any end of input means no.
pub(crate) fn ask(ui: &Ui, question: &Text, wanted: &[String]) -> Answer {
    ui.say(question);
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(0) | Err(_) => {
            // The cursor still stands behind the question.
            ui.say(Text::new().end_line());
            Answer::No
        }
        Ok(_) if wanted.iter().any(|yes| yes == line.trim()) => Answer::Yes,
        Ok(_) => Answer::No,
    }
}
