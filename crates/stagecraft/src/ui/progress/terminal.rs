//! A line per host that moves: what it does now, and for how long.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::event::{Event, EventKind, HostEnd, HostEvent, Reporter};
use stagecraft_core::report::Report;

use super::{Display, words};
use crate::ui::{BAD, BOLD, GOOD, Text, Ui, WARN, clean};

/// How often the elapsed time is drawn.
const TICK: Duration = Duration::from_millis(120);

/// Lines that move. A host that ended becomes a line that stays above them.
#[derive(Debug)]
pub(super) struct Terminal {
    ui: Ui,
    bars: MultiProgress,
    state: Arc<Mutex<State>>,
    /// Ends the drawing of elapsed time when dropped.
    _alive: mpsc::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    /// How wide the longest name is.
    width: usize,
    total: usize,
    ended: usize,
    /// How far all hosts are; above all others, for screens too small for all.
    overall: Option<ProgressBar>,
    lines: BTreeMap<String, ProgressBar>,
}

impl Terminal {
    pub(super) fn new(ui: Ui) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(12);
        let state: Arc<Mutex<State>> = Arc::default();
        let (alive, dropped) = mpsc::channel();
        let drawn = Arc::clone(&state);
        std::thread::spawn(move || {
            while dropped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                let state = drawn.lock().unwrap_or_else(PoisonError::into_inner);
                state.lines.values().chain(&state.overall).for_each(ProgressBar::tick);
            }
        });
        Self { ui, bars: MultiProgress::with_draw_target(target), state, _alive: alive }
    }

    fn moving(&self, state: &mut State, name: &str, doing: &str) {
        if !state.lines.contains_key(name) {
            let above = state.lines.keys().take_while(|known| known.as_str() < name).count();
            let place = above + usize::from(state.overall.is_some());
            let bar = ProgressBar::no_length()
                .with_style(style("  {spinner} {prefix}  {wide_msg} {elapsed:>4}"))
                .with_prefix(format!("{name:width$}", width = state.width));
            state.lines.insert(name.to_owned(), self.bars.insert(place, bar));
        }
        if let Some(bar) = state.lines.get(name) {
            bar.set_message(clean(doing).into_owned());
        }
    }

    fn ended(&self, state: &mut State, name: &str, end: &HostEnd) {
        self.gone(state, name);
        let style = match end {
            HostEnd::Ready | HostEnd::Removed => GOOD,
            HostEnd::Failed(_) => BAD,
            HostEnd::Skipped(_) => WARN,
        };
        let padding = state.width.saturating_sub(name.len());
        let mut text = Text::new();
        text.put("    ").styled(BOLD, name).space(padding + 2).styled(style, &words::ended(end));
        text.end_line();
        self.bars.suspend(|| self.ui.say(&text));
        state.ended += 1;
        if let Some(overall) = &state.overall {
            overall.set_message(format!("{} of {} hosts done", state.ended, state.total));
        }
    }

    fn gone(&self, state: &mut State, name: &str) {
        if let Some(bar) = state.lines.remove(name) {
            bar.finish_and_clear();
            self.bars.remove(&bar);
        }
    }
}

impl Reporter for Terminal {
    fn report(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &event.kind {
            EventKind::Provider(provider, what) => {
                self.moving(&mut state, provider.as_str(), &words::provider(what));
            }
            EventKind::Host(host, HostEvent::Ended(end)) => {
                self.ended(&mut state, host.as_str(), end);
            }
            EventKind::Host(host, what) => {
                if let Some(doing) = words::doing(what) {
                    self.moving(&mut state, host.as_str(), &doing);
                }
            }
            EventKind::Stopping => {}
        }
    }
}

impl Display for Terminal {
    fn begin(&self, report: &Report) {
        self.finish();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.width = report.hosts.keys().map(|host| host.as_str().len()).max().unwrap_or_default();
        state.total = report.hosts.len();
        state.ended = 0;
        if state.total > 1 {
            let bar = ProgressBar::no_length()
                .with_style(style("{msg}"))
                .with_message(format!("0 of {} hosts done", state.total));
            state.overall = Some(self.bars.insert(0, bar));
        }
    }

    fn activity(&self, provider: ProviderId, doing: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.moving(&mut state, provider.as_str(), doing);
    }

    fn note(&self, text: &Text) {
        self.bars.suspend(|| self.ui.say(text));
    }

    fn finish(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        for bar in state.lines.values().chain(&state.overall) {
            bar.finish_and_clear();
            self.bars.remove(bar);
        }
        state.lines.clear();
        state.overall = None;
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .tick_chars("|/-\\ ")
}
