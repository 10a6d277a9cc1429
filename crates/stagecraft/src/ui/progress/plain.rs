//! One line per event, for logs: no control codes, every line says whose it is.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use stagecraft_core::desired::ProviderId;
use stagecraft_core::event::{Event, EventKind, ProviderEvent, Reporter};
use stagecraft_core::name::HostName;
use stagecraft_core::report::Report;

use super::{Display, words};
use crate::ui::{Text, Ui};

/// Plain lines. What is done is told once, however often it is repeated; that nothing is done for a
/// while, each time.
#[derive(Debug)]
pub(super) struct Plain {
    ui: Ui,
    logged_in: &'static str,
    last: Mutex<BTreeMap<String, String>>,
}

impl Plain {
    pub(super) fn new(ui: Ui, logged_in: &'static str) -> Self {
        Self { ui, logged_in, last: Mutex::default() }
    }

    /// The line for an event, if it says anything new.
    fn line(&self, event: &Event) -> Option<String> {
        let (who, doing) = match &event.kind {
            EventKind::Provider(provider, what) => (provider.to_string(), words::provider(what)),
            EventKind::Host(host, what) => (host.to_string(), words::doing(what, self.logged_in)?),
            EventKind::Stopping => return None,
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let pauses =
            matches!(event.kind, EventKind::Provider(_, ProviderEvent::RateLimited { .. }));
        if last.get(&who) == Some(&doing) && !pauses {
            return None;
        }
        let line = format!("{who}: {doing}");
        last.insert(who, doing);
        Some(line)
    }
}

impl Reporter for Plain {
    fn report(&self, event: &Event) {
        if let Some(line) = self.line(event) {
            let mut text = Text::new();
            text.line(&line);
            self.ui.say(&text);
        }
    }
}

impl Display for Plain {
    fn begin(&self, _: &Report) {}

    fn activity(&self, provider: ProviderId, doing: &str) {
        let mut text = Text::new();
        text.line(&format!("{provider}: {doing}"));
        self.ui.say(&text);
    }

    fn note(&self, text: &Text) {
        self.ui.say(text);
    }

    fn result_of(&self, _: &HostName, write: &mut dyn FnMut()) {
        write();
    }

    fn finish(&self) {}

    fn hold(&self) {}

    fn go_on(&self) {}
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use stagecraft_core::event::HostEvent;

    use super::*;
    use crate::ui::samples::host;

    #[test]
    fn what_is_repeated_is_told_once() {
        let plain = Plain::new(crate::ui::Ui::for_tests(), "running the command");
        let line = |what: HostEvent| {
            let kind = EventKind::Host(host("app-1"), what);
            plain.line(&Event { sequence: 0, elapsed: Duration::ZERO, kind })
        };
        assert_eq!(line(HostEvent::WaitingForSsh).as_deref(), Some("app-1: connecting by SSH"));
        assert_eq!(line(HostEvent::WaitingForSsh), None);
        assert_eq!(line(HostEvent::Connected).as_deref(), Some("app-1: running the command"));
        let doing = HostEvent::Doing { step: "docker-install", doing: "apt-get".to_owned() };
        assert_eq!(line(doing).as_deref(), Some("app-1: docker-install: apt-get"));
        assert_eq!(line(HostEvent::WaitingForSsh).as_deref(), Some("app-1: connecting by SSH"));
    }

    #[test]
    fn every_pause_is_told() {
        let plain = Plain::new(crate::ui::Ui::for_tests(), "running the command");
        for _ in 0..2 {
            let what = ProviderEvent::RateLimited { after: Duration::from_secs(30) };
            let kind = EventKind::Provider(ProviderId::DigitalOcean, what);
            let line = plain.line(&Event { sequence: 0, elapsed: Duration::ZERO, kind });
            assert_eq!(line.as_deref(), Some("digitalocean: rate limit reached, going on in 30 s"));
        }
    }
}
