//! What is happening now, on standard error: on a terminal a line per host, else plain lines.

mod plain;
mod terminal;
mod words;

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use stagecraft_core::desired::ProviderId;
use stagecraft_core::event::{Event, Reporter};
use stagecraft_core::name::HostName;
use stagecraft_core::report::Report;

use super::{Text, Ui};
use crate::args::Output;

/// Draws events. The fold into the report is apart from it.
pub(crate) trait Display: Reporter {
    /// Hears which hosts will be worked on.
    fn begin(&self, report: &Report);

    /// Shows what a provider does.
    fn activity(&self, provider: ProviderId, doing: &str);

    /// Shows a message of the command's own, above what is moving.
    fn note(&self, text: &Text);

    /// Lets `write` print what came of a host, above what is moving; the host itself moves no more.
    fn result_of(&self, host: &HostName, write: &mut dyn FnMut());

    /// Clears what is moving, for what is printed next.
    fn finish(&self);

    /// Takes what is moving off the screen, which somebody else uses until [`Display::go_on`].
    fn hold(&self);

    /// Shows what is moving again, and what was to be shown meanwhile.
    fn go_on(&self);
}

/// The display of a run and the report it comes to.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    display: Arc<dyn Display>,
    report: Arc<Mutex<Report>>,
}

impl Progress {
    /// Starts where nothing has happened yet. `logged_in` says what a host is doing once it is
    /// logged in to.
    pub(crate) fn new(ui: &Ui, logged_in: &'static str) -> Self {
        let display: Arc<dyn Display> = if ui.is_live() && ui.output == Output::Human {
            Arc::new(terminal::Terminal::new(ui.clone(), logged_in))
        } else {
            Arc::new(plain::Plain::new(ui.clone(), logged_in))
        };
        Self { display, report: Arc::default() }
    }

    /// Begins a report; events before it are shown only.
    pub(crate) fn begin(&self, report: Report) {
        self.display.begin(&report);
        *self.report.lock().unwrap_or_else(PoisonError::into_inner) = report;
    }

    /// The report so far.
    pub(crate) fn report(&self) -> Report {
        self.report.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Shows what a provider does.
    pub(crate) fn activity(&self, provider: ProviderId, doing: &str) {
        self.display.activity(provider, doing);
    }

    /// Shows a message above what is moving.
    pub(crate) fn note(&self, text: &Text) {
        self.display.note(text);
    }

    /// Lets `write` print what came of a host above what is moving, which it may share a terminal
    /// with.
    pub(crate) fn result_of(&self, host: &HostName, mut write: impl FnMut()) {
        self.display.result_of(host, &mut write);
    }

    /// Does `work`, which uses the terminal, while nothing is drawn there. What is shown meanwhile
    /// comes after it.
    pub(crate) fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        self.display.hold();
        let outcome = work();
        self.display.go_on();
        outcome
    }

    /// Clears what is moving.
    pub(crate) fn finish(&self) {
        self.display.finish();
    }
}

impl Reporter for Progress {
    fn report(&self, event: &Event) {
        self.report.lock().unwrap_or_else(PoisonError::into_inner).apply(event);
        self.display.report(event);
    }
}
