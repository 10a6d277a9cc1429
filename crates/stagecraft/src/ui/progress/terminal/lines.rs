use std::collections::BTreeMap;
use std::time::Instant;

use stagecraft_core::desired::ProviderId;
use stagecraft_core::event::{EventKind, HostEnd, HostEvent, ProviderEvent};

use crate::harmless::brief;
use crate::ui::progress::words;
use crate::ui::{BAD, BOLD, FAINT, GOOD, Text, WARN, width_of};

/// More characters than a line of any terminal has.
const MOST_DOING: usize = 1000;

/// What moves.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// How wide the longest name is.
    pub(super) name_width: usize,
    pub(super) total: usize,
    ended: usize,
    pub(super) ticks: usize,
    /// What a host is doing once it is logged in to.
    pub(super) logged_in: &'static str,
    pub(super) moving: BTreeMap<String, Line>,
}

#[derive(Debug)]
pub(super) struct Line {
    pub(super) doing: String,
    began: Instant,
    /// When it is over by itself, and not before.
    until: Option<Instant>,
}

impl Line {
    fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl Lines {
    pub(super) fn new(logged_in: &'static str) -> Self {
        Self { logged_in, ..Self::default() }
    }

    /// Takes an event; gives the line that stays when it is the last one of a host.
    pub(super) fn apply(&mut self, what: &EventKind, now: Instant) -> Option<Text> {
        match what {
            // Once hosts are worked on, that providers are listed is no news.
            EventKind::Provider(_, ProviderEvent::Listing) if self.total > 0 => {}
            EventKind::Provider(provider, what) => {
                let doing = words::provider(what);
                match what {
                    ProviderEvent::RateLimited { after } => {
                        let line = Line { doing, began: now, until: Some(now + *after) };
                        self.moving.insert(provider.to_string(), line);
                    }
                    ProviderEvent::Listing | ProviderEvent::Retrying { .. } => {
                        self.moves(provider.as_str(), &doing, now);
                    }
                }
            }
            EventKind::Host(host, HostEvent::Ended(end)) => {
                self.moving.remove(host.as_str());
                self.ended += 1;
                return Some(self.stays(host.as_str(), end));
            }
            EventKind::Host(host, what) => {
                if let HostEvent::Included(_) = what {
                    self.total += 1;
                }
                // What a provider was busy with is over once it answers about a host.
                if let HostEvent::Created(_) | HostEvent::Running(_) | HostEvent::Terminated(_) =
                    what
                {
                    self.moving.retain(|name, line| {
                        line.until.is_some() || name.parse::<ProviderId>().is_err()
                    });
                }
                if let Some(doing) = words::doing(what, self.logged_in) {
                    self.moves(host.as_str(), &doing, now);
                }
            }
            EventKind::Stopping => {}
        }
        None
    }

    pub(super) fn moves(&mut self, name: &str, doing: &str, now: Instant) {
        let line = self.moving.entry(name.to_owned());
        let line = line.or_insert_with(|| Line { doing: String::new(), began: now, until: None });
        (line.doing, line.until) = (brief(doing, MOST_DOING).into_owned(), None);
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
    pub(super) fn draw(&self, width: usize, height: usize, now: Instant) -> Text {
        let mut text = Text::new();
        let mut lines: Vec<(&String, &Line)> =
            self.moving.iter().filter(|(_, line)| !line.is_over(now)).collect();
        if lines.is_empty() {
            return text;
        }
        // First why nothing goes on; the hosts that wait may fill the screen.
        lines.sort_by_key(|(_, line)| line.until.is_none());
        if self.total > 1 {
            // A host whose surplus machine is removed at the end ends twice.
            let ended = self.ended.min(self.total);
            text.line(&format!("{ended} of {} hosts done", self.total));
        }
        let room = height.saturating_sub(4).max(1);
        let spinner = ["|", "/", "-", "\\"][self.ticks % 4];
        // Commands without a report have no names beforehand, and providers are not among them.
        let shown = lines.iter().take(room);
        let column = shown.clone().map(|(name, _)| name.len()).fold(self.name_width, usize::max);
        for &(name, line) in shown {
            let elapsed = format!("{}s", now.saturating_duration_since(line.began).as_secs());
            text.put("  ").styled(FAINT, spinner).space(1).styled(BOLD, name);
            text.space(column - name.len()).put(&format!(" {elapsed:>5}  "));
            text.put(&cut(&line.doing, width.saturating_sub(column + 13))).end_line();
        }
        let more = lines.len().saturating_sub(room);
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
    use std::time::Duration;

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
    fn names_that_were_not_known_before_stand_in_one_column_too() {
        let now = Instant::now();
        let mut lines = Lines::new("running the command");
        for name in ["app-1", "gateway-1"] {
            lines.apply(&EventKind::Host(host(name), HostEvent::Connected), now);
        }
        insta::assert_snapshot!(lines.draw(60, 24, now).plain(), @"
          | app-1        0s  running the command
          | gateway-1    0s  running the command
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
    fn a_pause_stands_first_until_it_is_over() {
        let now = Instant::now();
        let mut lines = Lines { total: 9, ..Lines::default() };
        for number in 1..=9 {
            lines.moves(&format!("a{number}"), "creating", now);
        }
        let after = Duration::from_secs(32);
        let pause = ProviderEvent::RateLimited { after };
        lines.apply(&EventKind::Provider(ProviderId::Hetzner, pause), now);
        // What was sent before it is answered still.
        let created = HostEvent::Created(Box::new(running("a1", "10.0.0.1")));
        lines.apply(&EventKind::Host(host("a1"), created), now);
        let drawn = |at| lines.draw(80, 8, at).plain();
        let paused = drawn(now + after / 2);
        assert!(
            paused.lines().nth(1).is_some_and(|line| line.ends_with("going on in 32 s")),
            "{paused}"
        );
        assert!(!drawn(now + after).contains("hetzner"));
    }

    #[test]
    fn nothing_that_moves_draws_nothing() {
        assert!(Lines { total: 3, ..Lines::default() }.draw(80, 24, Instant::now()).is_empty());
    }
}
