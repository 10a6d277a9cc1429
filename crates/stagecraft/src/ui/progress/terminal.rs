//! A line per host that moves: what it does now, and for how long.
//!
//! The lines are drawn below what stays, each with its end, so that the cursor stands below them:
//! a `^C` that the terminal echoes there moves nothing.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use stagecraft_core::desired::ProviderId;
use stagecraft_core::event::{Event, EventKind, HostEnd, HostEvent, ProviderEvent, Reporter};
use stagecraft_core::name::HostName;
use stagecraft_core::report::Report;

use super::{Display, words};
use crate::harmless::clean;
use crate::ui::{BAD, BOLD, FAINT, GOOD, Text, Ui, WARN, width_of};

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
}

/// What moves.
#[derive(Debug, Default)]
struct Lines {
    /// How wide the longest name is.
    name_width: usize,
    total: usize,
    ended: usize,
    ticks: usize,
    /// What a host is doing once it is logged in to.
    logged_in: &'static str,
    moving: BTreeMap<String, Line>,
}

#[derive(Debug)]
struct Line {
    doing: String,
    began: Instant,
}

impl Terminal {
    pub(super) fn new(ui: Ui, logged_in: &'static str) -> Self {
        let lines = Lines::new(logged_in);
        let screen = Arc::new(Mutex::new(Screen { ui, lines, drawn: 0 }));
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
        let (width, height) = self.ui.error_size();
        let moving = self.lines.draw(width, height, Instant::now());
        if self.drawn == 0 && moving.is_empty() && stays.is_empty() {
            return;
        }
        self.ui.draw_over(self.drawn, stays, &moving);
        self.drawn = moving.as_str().matches('\n').count();
    }
}

impl Lines {
    fn new(logged_in: &'static str) -> Self {
        Self { logged_in, ..Self::default() }
    }

    /// Takes an event; gives the line that stays when it is the last one of a host.
    fn apply(&mut self, what: &EventKind, now: Instant) -> Option<Text> {
        match what {
            // Once hosts are worked on, that providers are listed is no news.
            EventKind::Provider(_, ProviderEvent::Listing) if self.total > 0 => {}
            EventKind::Provider(provider, what) => {
                self.moves(provider.as_str(), &words::provider(what), now);
            }
            EventKind::Host(host, HostEvent::Ended(end)) => {
                self.moving.remove(host.as_str());
                self.ended += 1;
                return Some(self.stays(host.as_str(), end));
            }
            EventKind::Host(host, what) => {
                // What a provider was busy with is over once it answers about a host.
                if let HostEvent::Created(_) | HostEvent::Running(_) | HostEvent::Terminated(_) =
                    what
                {
                    self.moving.retain(|name, _| name.parse::<ProviderId>().is_err());
                }
                if let Some(doing) = words::doing(what, self.logged_in) {
                    self.moves(host.as_str(), &doing, now);
                }
            }
            EventKind::Stopping => {}
        }
        None
    }

    fn moves(&mut self, name: &str, doing: &str, now: Instant) {
        let line = self.moving.entry(name.to_owned());
        line.or_insert_with(|| Line { doing: String::new(), began: now }).doing =
            clean(doing).into_owned();
    }

    fn stays(&self, name: &str, end: &HostEnd) -> Text {
        let style = match end {
            HostEnd::Ready | HostEnd::Removed => GOOD,
            HostEnd::Failed(_) => BAD,
            HostEnd::Skipped(_) => WARN,
        };
        let mut text = Text::new();
        text.put("    ").styled(BOLD, name).space(self.name_width.saturating_sub(name.len()) + 2);
        text.styled(style, &words::ended(end)).end_line();
        text
    }

    /// At most as many lines as the screen has room for, and how many hosts have none.
    fn draw(&self, width: usize, height: usize, now: Instant) -> Text {
        let mut text = Text::new();
        if self.moving.is_empty() {
            return text;
        }
        if self.total > 1 {
            // A host whose surplus machine is removed at the end ends twice.
            let ended = self.ended.min(self.total);
            text.line(&format!("{ended} of {} hosts done", self.total));
        }
        let room = height.saturating_sub(4).max(1);
        let spinner = ["|", "/", "-", "\\"][self.ticks % 4];
        for (name, line) in self.moving.iter().take(room) {
            let column = self.name_width.max(name.len());
            let elapsed = format!("{}s", now.saturating_duration_since(line.began).as_secs());
            text.put("  ").styled(FAINT, spinner).space(1).styled(BOLD, name);
            text.space(column - name.len()).put(&format!(" {elapsed:>5}  "));
            text.put(&cut(&line.doing, width.saturating_sub(column + 13))).end_line();
        }
        let more = self.moving.len().saturating_sub(room);
        if more > 0 {
            text.styled(FAINT, &format!("    and {more} more")).end_line();
        }
        text
    }
}

/// At most this many columns of a line.
fn cut(line: &str, columns: usize) -> String {
    if width_of(line) <= columns {
        return line.to_owned();
    }
    let mut used = 0;
    let kept = line.chars().take_while(|c| {
        used += width_of(c.encode_utf8(&mut [0; 4]));
        used < columns
    });
    format!("{}…", kept.collect::<String>().trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::samples::{host, running};

    #[test]
    fn a_line_is_cut_to_its_room() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("a long line", 6), "a lon…");
        assert_eq!(cut("a long", 3), "a…");
        assert_eq!(cut("机器机器", 4), "机…");
        assert_eq!(cut("any", 0), "…");
    }

    #[test]
    fn every_host_that_moves_has_a_line() {
        let began = Instant::now();
        let mut lines = Lines { name_width: 9, total: 3, ..Lines::default() };
        let installing = HostEvent::Doing {
            step: "docker-install",
            doing: "installing \x1b[2Jdocker.io".to_owned(),
        };
        for (name, what) in [
            ("gateway-1", HostEvent::Creating),
            ("app-1", HostEvent::WaitingForSsh),
            ("app-1", installing),
            ("db-1", HostEvent::Creating),
        ] {
            assert_eq!(lines.apply(&EventKind::Host(host(name), what), began), None);
        }
        let ended = EventKind::Host(host("db-1"), HostEvent::Ended(HostEnd::Ready));
        let stays = lines.apply(&ended, began).unwrap();
        assert_eq!(stays.plain(), "    db-1       ready\n");
        let later = began + Duration::from_secs(75);
        let drawn = lines.draw(60, 24, later).plain();
        assert!(drawn.lines().all(|line| line.chars().count() < 60), "{drawn}");
        insta::assert_snapshot!(drawn, @"
        1 of 3 hosts done
          | app-1       75s  docker-install: installing ␛[2Jdocker…
          | gateway-1   75s  creating
        ");
    }

    #[test]
    fn a_small_screen_says_how_many_have_no_line() {
        let now = Instant::now();
        let mut lines = Lines { name_width: 2, total: 9, ..Lines::default() };
        for number in 1..=9 {
            lines.moves(&format!("h{number}"), "creating", now);
        }
        let drawn = lines.draw(80, 10, now).plain();
        assert!(drawn.ends_with("    and 3 more\n"), "{drawn}");
        assert!(drawn.lines().count() < 10, "{drawn}");
    }

    #[test]
    fn what_a_provider_does_is_over_when_it_answers() {
        let now = Instant::now();
        let mut lines = Lines { total: 2, ..Lines::default() };
        lines.moves("local", "building an image", now);
        let created = HostEvent::Created(Box::new(running("app-1", "10.0.0.1")));
        lines.apply(&EventKind::Host(host("app-1"), created), now);
        assert_eq!(lines.moving.keys().collect::<Vec<_>>(), ["app-1"]);
    }

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
        let mut screen = Screen { ui: Ui::for_tests(), lines: Lines::new(""), drawn: 3 };
        screen.erase();
        assert_eq!(screen.drawn, 0);
    }

    #[test]
    fn nothing_that_moves_draws_nothing() {
        assert!(Lines { total: 3, ..Lines::default() }.draw(80, 24, Instant::now()).is_empty());
    }
}
