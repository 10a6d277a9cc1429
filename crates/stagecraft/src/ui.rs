//! Everything that is shown: standard output carries results, standard error everything else.

mod alike;
mod columns;
mod error;
mod exec;
mod natural;
mod passphrase;
mod plan;
mod progress;
mod question;
#[cfg(test)]
pub(crate) mod samples;
mod status;
mod table;
mod text;

pub(crate) use columns::{Cell, Columns};
pub(crate) use exec::{CUT_OFF, ExecScreen, NOT_BEGUN, Outcome, troubles as exec_troubles};
pub(crate) use passphrase::{AskPassphrase, TerminalModes, hidden_line};
pub(crate) use plan::{plan_screen, removals};
pub(crate) use progress::Progress;
pub(crate) use question::{Answer, ask, can_ask};
pub(crate) use status::status_screen;
pub(crate) use table::{report_screen, troubles as report_troubles};
pub(crate) use text::{BAD, BOLD, FAINT, GOOD, PLAIN, Text, WARN, count, names, width_of};

use std::io::{self, IsTerminal, Write};

use anstream::adapter::strip_str;

use crate::args::{Color, Global, Output};
use crate::documents::Document;
use crate::next::Next;
use crate::stop::{Stop, Trouble};
use crate::wire::Environment;

/// No terminal wraps here.
const UNLIMITED: usize = 10_000;

/// Where results and messages go, and what they look like there.
#[derive(Clone, Debug)]
pub(crate) struct Ui {
    /// For whom results are.
    pub(crate) output: Output,
    /// Whether every step is listed.
    pub(crate) verbose: bool,
    /// How commands in hints and notes are spelled.
    next: Next,
    out: Channel,
    err: Channel,
}

#[derive(Clone, Copy, Debug)]
struct Channel {
    color: bool,
    terminal: bool,
    width: usize,
}

impl Ui {
    /// What the options and the terminal allow.
    pub(crate) fn new(global: &Global, environment: &Environment) -> Self {
        let no_color = environment.is_set("NO_COLOR") || environment.is_dumb_terminal();
        let channel = |terminal: bool, size: Option<(terminal_size::Width, _)>| Channel {
            color: match global.color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => terminal && !no_color,
            },
            terminal: terminal && !environment.is_dumb_terminal(),
            width: match size {
                Some((terminal_size::Width(width), _)) if terminal => usize::from(width.max(40)),
                Some(_) | None => UNLIMITED,
            },
        };
        Self {
            output: global.output,
            verbose: global.verbose,
            next: Next::new(global),
            out: channel(io::stdout().is_terminal(), terminal_size::terminal_size_of(io::stdout())),
            err: channel(io::stderr().is_terminal(), terminal_size::terminal_size_of(io::stderr())),
        }
    }

    /// How wide a result may be.
    pub(crate) fn width(&self) -> usize {
        self.out.width
    }

    /// Columns and lines of the terminal that shows messages, as it is now.
    pub(crate) fn error_size(&self) -> (usize, usize) {
        match terminal_size::terminal_size_of(io::stderr()) {
            Some((width, height)) => (usize::from(width.0), usize::from(height.0)),
            None => (self.err.width, 24),
        }
    }

    /// Replaces the last lines of a terminal: what stays goes first, what moves below it.
    pub(crate) fn draw_over(&self, lines: usize, stays: &Text, moves: &Text) {
        let mut text = Text::new();
        text.append(stays).append(moves);
        // Up, to the first column, and erase all below.
        let erase = if lines > 0 { format!("\x1b[{lines}A\r\x1b[J") } else { String::new() };
        self.write_err(&erase, &text);
    }

    /// Whether standard error is a terminal that understands control sequences.
    pub(crate) fn is_live(&self) -> bool {
        self.err.terminal
    }

    /// Shows a result.
    ///
    /// # Errors
    /// When it cannot be written; a reader that went away is none.
    pub(crate) fn result(&self, text: &Text) -> Result<(), Stop> {
        self.write_out(text.as_str(), self.out.color)
    }

    /// Shows help, which the argument parser styles and which says nothing of others.
    ///
    /// # Errors
    /// As [`Ui::result`].
    pub(crate) fn styled_result(&self, text: &str) -> Result<(), Stop> {
        self.write_out(text, self.out.color)
    }

    /// Shows a result for programs.
    ///
    /// # Errors
    /// As [`Ui::result`].
    pub(crate) fn document(&self, document: &impl Document) -> Result<(), Stop> {
        self.write_out(&document.to_json(&self.next), true)
    }

    /// Shows text that was made here and is not for people: scripts, schemas, exports.
    ///
    /// # Errors
    /// As [`Ui::result`].
    pub(crate) fn artefact(&self, text: &str) -> Result<(), Stop> {
        self.write_out(text, true)
    }

    /// Shows a message beside the result. Whether anybody can read it changes nothing.
    pub(crate) fn say(&self, text: &Text) {
        self.write_err("", text);
    }

    /// Writes with one call, so that what is drawn does not flicker.
    fn write_err(&self, control: &str, text: &Text) {
        let words = if self.err.color {
            format!("{control}{}", text.as_str())
        } else {
            format!("{control}{}", strip_str(text.as_str()))
        };
        let _unread = io::stderr().lock().write_all(words.as_bytes());
    }

    /// Shows why a command could not do its work.
    pub(crate) fn stop(&self, stop: &Stop) {
        match self.output {
            Output::Human => self.say(&self.errors(stop)),
            Output::Json => {
                if self.document(&stop.document()).is_err() {
                    self.say(&self.errors(stop));
                }
            }
        }
    }

    /// Failures as messages.
    pub(crate) fn errors(&self, stop: &Stop) -> Text {
        let troubles: Vec<Trouble> =
            stop.troubles.iter().map(|trouble| trouble.spelled(&self.next)).collect();
        error::render(&troubles, self.err.color, self.err.width)
    }

    fn write_out(&self, text: &str, color: bool) -> Result<(), Stop> {
        let mut stdout = io::stdout().lock();
        let written = if color {
            stdout.write_all(text.as_bytes())
        } else {
            stdout.write_all(strip_str(text).to_string().as_bytes())
        };
        match written.and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Stop::output("to standard output", &error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
impl Ui {
    /// Pipes without colours.
    pub(crate) fn for_tests() -> Self {
        let pipe = Channel { color: false, terminal: false, width: UNLIMITED };
        Self { output: Output::Human, verbose: false, next: Next::default(), out: pipe, err: pipe }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    pub(crate) use super::status::tests::mixed_status;
    pub(crate) use super::table::tests::mixed_report;
}
