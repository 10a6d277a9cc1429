use std::path::Path;

use stagecraft_core::event::{Event, EventKind, HostEvent, Reporter};
use stagecraft_remote::{HostKeyStore, alias_of};

use super::access::known_hosts;

/// Forgets the host keys of instances as they are removed.
#[derive(Debug)]
pub(crate) struct ForgetKeys(HostKeyStore);

impl ForgetKeys {
    /// For the project in `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        Self(HostKeyStore::new(known_hosts(folder)))
    }
}

impl Reporter for ForgetKeys {
    fn report(&self, event: &Event) {
        if let EventKind::Host(_, HostEvent::Terminated(instance)) = &event.kind {
            // Ids are not used again, so a key that stays takes up a line and does no harm.
            drop(self.0.forget(&[alias_of(instance.provider, &instance.id)]));
        }
    }
}
