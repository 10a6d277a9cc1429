//! A line per host that moves: what it does now, and for how long.
//!
//! The lines are drawn below what stays, each with its end, so that the cursor stands below them:
//! a `^C` that the terminal echoes there moves nothing.

mod lines;

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use stagecraft_core::desired::ProviderId;
use stagecraft_core::event::{Event, Reporter};
use stagecraft_core::name::HostName;
use stagecraft_core::report::Report;

use super::Display;
use crate::ui::{Text, Ui};
use lines::Lines;

/// How often the lines are drawn.
const TICK: Duration = Duration::from_millis(120);

/// Lines that move. A host that ended becomes a line that stays above them.
#[derive(Debug)]
pub(super) struct Terminal {
    screen: Arc<Mutex<Screen>>,
    /// Ends the drawing when dropped.
    _alive: mpsc::Sender<()>,
}

#[derive(Debug)]
struct Screen {
    ui: Ui,
    lines: Lines,
    /// How many lines stand on the screen and are drawn over.
    drawn: usize,
    /// What was to stay while somebody else uses the screen.
    held: Option<Text>,
}

impl Terminal {
    pub(super) fn new(ui: Ui, logged_in: &'static str) -> Self {
        let lines = Lines::new(logged_in);
        let screen = Arc::new(Mutex::new(Screen { ui, lines, drawn: 0, held: None }));
        let (alive, dropped) = mpsc::channel();
        let drawn = Arc::clone(&screen);
        std::thread::spawn(move || {
            while dropped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                let mut screen = drawn.lock().unwrap_or_else(PoisonError::into_inner);
                screen.lines.ticks += 1;
                screen.draw(&Text::new());
            }
        });
        Self { screen, _alive: alive }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Screen) -> T) -> T {
        change(&mut self.screen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Reporter for Terminal {
    fn report(&self, event: &Event) {
        self.with(|screen| {
            if let Some(stays) = screen.lines.apply(&event.kind, Instant::now()) {
                screen.draw(&stays);
            }
        });
    }
}

impl Display for Terminal {
    fn begin(&self, report: &Report) {
        self.finish();
        self.with(|screen| {
            let names = report.hosts.keys().map(|host| host.as_str().len());
            screen.lines.name_width = names.max().unwrap_or_default();
            screen.lines.total = report.hosts.len();
        });
    }

    fn activity(&self, provider: ProviderId, doing: &str) {
        self.with(|screen| screen.lines.moves(provider.as_str(), doing, Instant::now()));
    }

    fn note(&self, text: &Text) {
        self.with(|screen| screen.draw(text));
    }

    fn result_of(&self, host: &HostName, write: &mut dyn FnMut()) {
        self.with(|screen| {
            screen.lines.moving.remove(host.as_str());
            screen.erase();
            if screen.held.is_some() {
                // The cursor may stand behind a question.
                screen.ui.say(Text::new().end_line());
            }
            write();
            screen.draw(&Text::new());
        });
    }

    fn finish(&self) {
        self.with(|screen| {
            screen.lines = Lines::new(screen.lines.logged_in);
            screen.draw(&Text::new());
        });
    }

    fn hold(&self) {
        self.with(|screen| {
            screen.erase();
            screen.held = Some(Text::new());
        });
    }

    fn go_on(&self) {
        self.with(|screen| {
            let stays = screen.held.take().unwrap_or_default();
            screen.draw(&stays);
        });
    }
}

impl Screen {
    /// Takes the lines off the screen, so that the cursor stands where they began.
    fn erase(&mut self) {
        if self.drawn > 0 {
            self.ui.draw_over(self.drawn, &Text::new(), &Text::new());
            self.drawn = 0;
        }
    }

    /// Draws the lines anew, below what stays.
    fn draw(&mut self, stays: &Text) {
        if let Some(held) = &mut self.held {
            held.append(stays);
            return;
        }
        let (width, height) = self.ui.error_size();
        let moving = self.lines.draw(width, height, Instant::now());
        if self.drawn == 0 && moving.is_empty() && stays.is_empty() {
            return;
        }
        self.ui.draw_over(self.drawn, stays, &moving);
        self.drawn = moving.as_str().matches('\n').count();
    }
}

#[cfg(test)]
mod tests {
    use stagecraft_core::event::{EventKind, HostEvent};

    use super::*;
    use crate::ui::samples::host;

    #[test]
    fn a_result_is_written_where_the_lines_were_and_they_come_back_below_it() {
        let mut ui = Ui::for_tests();
        ui.err.terminal = true;
        let terminal = Terminal::new(ui, "running the command");
        for name in ["app-1", "app-2"] {
            let kind = EventKind::Host(host(name), HostEvent::Connected);
            terminal.with(|screen| {
                screen.lines.apply(&kind, Instant::now());
                screen.drawn = screen.lines.moving.len();
            });
        }
        let mut drawn = None;
        terminal.result_of(&host("app-1"), &mut || {
            // The drawing thread waits, so nothing is drawn into the result.
            drawn = Some(terminal.screen.try_lock().is_err());
        });
        assert_eq!(drawn, Some(true));
        let left = terminal.with(|screen| {
            let doing = screen.lines.moving.values().map(|line| line.doing.clone());
            (doing.collect::<Vec<_>>(), screen.drawn)
        });
        assert_eq!(left, (vec!["running the command".to_owned()], 1));
        let mut screen =
            Screen { ui: Ui::for_tests(), lines: Lines::new(""), drawn: 3, held: None };
        screen.erase();
        assert_eq!(screen.drawn, 0);
    }

    #[test]
    fn nothing_is_drawn_while_somebody_else_uses_the_screen_and_nothing_is_lost() {
        let terminal = Terminal::new(Ui::for_tests(), "");
        terminal.activity(ProviderId::Local, "building");
        terminal.hold();
        terminal.note(Text::new().line("one"));
        terminal.with(|screen| screen.draw(Text::new().line("two")));
        let left = terminal.with(|screen| (screen.held.clone(), screen.drawn));
        assert_eq!(left.0.map(|text| text.as_str().to_owned()).as_deref(), Some("one\ntwo\n"));
        assert_eq!(left.1, 0);
        terminal.go_on();
        assert!(terminal.with(|screen| screen.held.is_none() && screen.drawn == 1));
    }
}
