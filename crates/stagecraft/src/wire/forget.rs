use std::path::Path;
use std::sync::{Mutex, PoisonError};

use stagecraft_core::event::{Event, EventKind, HostEvent, Reporter};
use stagecraft_remote::{HostKeyStore, StoreError, alias_of};

use super::access::known_hosts;

/// Hears which instances are removed, and forgets their host keys when the run is over: that waits for
/// other runs, and nothing waits for it.
#[derive(Debug)]
pub(crate) struct ForgetKeys {
    store: HostKeyStore,
    removed: Mutex<Vec<String>>,
}

impl ForgetKeys {
    /// For the project in `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { store: HostKeyStore::new(known_hosts(folder)), removed: Mutex::default() }
    }

    /// Forgets the keys of all that were removed so far.
    ///
    /// Ids are not used again, so a key that stays, as it does where a run is killed before this, takes up
    /// a line and does no harm.
    ///
    /// # Errors
    /// When the file cannot be read or written; it is as it was then.
    pub(crate) fn forget(&self) -> Result<(), StoreError> {
        let removed =
            std::mem::take(&mut *self.removed.lock().unwrap_or_else(PoisonError::into_inner));
        self.store.forget(&removed).map(drop)
    }
}

impl Reporter for ForgetKeys {
    fn report(&self, event: &Event) {
        if let EventKind::Host(_, HostEvent::Terminated(instance)) = &event.kind {
            let alias = alias_of(instance.provider, &instance.id);
            self.removed.lock().unwrap_or_else(PoisonError::into_inner).push(alias);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ui::samples::{host, running};

    #[test]
    fn keys_of_removed_instances_are_forgotten_after_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let file = known_hosts(folder.path());
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let gone = running("app-1", "172.30.0.9");
        let line = |alias: &str| {
            let key = stagecraft_core::identity::HostKey::new([7; 32]).to_openssh();
            format!("{alias} {key}\n")
        };
        let (removed, kept) = (line(&alias_of(gone.provider, &gone.id)), line("other"));
        std::fs::write(&file, format!("{removed}{kept}")).unwrap();

        let forget = ForgetKeys::new(folder.path());
        forget.report(&Event {
            sequence: 0,
            elapsed: Duration::ZERO,
            kind: EventKind::Host(host("app-1"), HostEvent::Terminated(Box::new(gone))),
        });
        assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{removed}{kept}"));
        forget.forget().unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), kept);

        let other = running("app-2", "172.30.0.8");
        forget.report(&Event {
            sequence: 1,
            elapsed: Duration::ZERO,
            kind: EventKind::Host(host("app-2"), HostEvent::Terminated(Box::new(other))),
        });
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        let failed = forget.forget().unwrap_err().to_string();
        assert!(failed.contains("known_hosts"), "{failed}");
    }
}
