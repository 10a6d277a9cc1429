use std::sync::{Arc, Mutex, PoisonError};

use stagecraft_core::event::{Event, EventKind, Reporter};

use crate::clock::Clock;

/// Numbers what happens and passes it on, one event at a time.
#[derive(Debug)]
pub(crate) struct Events {
    clock: Arc<dyn Clock>,
    reporters: Vec<Arc<dyn Reporter>>,
    next: Mutex<u64>,
}

impl Events {
    pub(crate) fn new(clock: Arc<dyn Clock>, reporters: Vec<Arc<dyn Reporter>>) -> Self {
        Self { clock, reporters, next: Mutex::new(0) }
    }

    pub(crate) fn tell(&self, kind: EventKind) {
        // Held while reporting: the numbers are the order in which reporters hear of things.
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let event = Event { sequence: *next, elapsed: self.clock.now(), kind };
        *next += 1;
        for reporter in &self.reporters {
            reporter.report(&event);
        }
    }
}
