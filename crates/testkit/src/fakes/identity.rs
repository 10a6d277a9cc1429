//! The scripts by which a host gets a key of its own, and guarded changes, as a fake host runs them.

use std::time::Duration;

use stagecraft_core::guard;
use stagecraft_core::identity::{self, HostKey};
use stagecraft_core::remote::Output;

use super::shell::{Shell, fails, says, status};
use crate::world::first_boot::HOST_KEY;

/// Where the host's own key waits for being used.
const NEXT: &str = "/etc/ssh/ssh_host_ed25519_key.next";
/// Where the key is kept that it replaced.
const FIRST: &str = "/etc/ssh/ssh_host_ed25519_key.first";
/// Guarded changes, each a file with the time of its undoing in milliseconds and how it is undone.
const GUARDS: &str = "/var/lib/stagecraft/guards/";

impl Shell<'_> {
    /// Runs one of these scripts by its name; `None` when it is none of them.
    pub(super) fn identity_script(&mut self, name: &str, arguments: &[&str]) -> Option<Output> {
        Some(match (name, arguments) {
            (identity::MAKE, [first]) => self.make_key(first),
            (identity::SWITCH, [act, own]) => self.switch_key(act, own),
            (guard::ARM, [name, window, done, undo, change]) => {
                self.arm(name, window, done, undo, change)
            }
            (guard::CONFIRM, [name, done, cleanup]) => self.confirm(name, done, cleanup),
            _ => return None,
        })
    }

    /// Undoes what nobody confirmed in time.
    pub(super) fn expire_guards(&mut self) {
        let now = self.now;
        let due: Vec<(String, String)> = self
            .disk
            .files
            .iter()
            .filter(|(path, _)| path.starts_with(GUARDS) && !path.ends_with(".undone"))
            .filter_map(|(path, text)| {
                let (at, undo) = text.split_once('\n')?;
                let at = Duration::from_millis(at.parse().ok()?);
                (at <= now).then(|| (path.clone(), undo.to_owned()))
            })
            .collect();
        for (path, undo) in due {
            self.run(&undo);
            self.disk.files.remove(&path);
            self.disk.files.insert(format!("{path}.undone"), String::new());
        }
    }

    fn make_key(&mut self, first: &str) -> Output {
        let used = self.disk.files.get(HOST_KEY).cloned().unwrap_or_default();
        if used != first {
            return says(format!("{used}\n"));
        }
        if self.disk.full {
            return fails(1, "ssh-keygen: No space left on device\n".to_owned());
        }
        let next = self.disk.files.entry(NEXT.to_owned()).or_insert_with(|| own_key_after(&used));
        says(format!("{next}\n"))
    }

    fn switch_key(&mut self, act: &str, own: &str) -> Output {
        let files = &mut self.disk.files;
        let is = |path: &str| files.get(path).is_some_and(|key| key == own);
        match act {
            "done" => status(i32::from(!is(HOST_KEY))),
            "change" if is(NEXT) => {
                let used = files.insert(HOST_KEY.to_owned(), own.to_owned());
                files.extend(used.map(|used| (FIRST.to_owned(), used)));
                Output::default()
            }
            "undo" => {
                if let Some(first) = files.get(FIRST).cloned() {
                    files.insert(HOST_KEY.to_owned(), first);
                }
                Output::default()
            }
            "forget" => {
                if is(HOST_KEY) {
                    files.remove(NEXT);
                    files.remove(FIRST);
                }
                Output::default()
            }
            _ => fails(1, "the host's own key is not there\n".to_owned()),
        }
    }

    fn arm(&mut self, name: &str, window: &str, done: &str, undo: &str, change: &str) -> Output {
        if self.run(done).success() {
            return Output::default();
        }
        let path = format!("{GUARDS}{name}");
        if self.disk.files.contains_key(&path) {
            return status(76);
        }
        let window = Duration::from_secs(window.parse().unwrap_or(0));
        let due = (self.now + window).as_millis();
        self.disk.files.remove(&format!("{path}.undone"));
        self.disk.files.insert(path.clone(), format!("{due}\n{undo}"));
        let output = self.run(change);
        if !output.success() {
            self.run(undo);
            self.disk.files.remove(&path);
            return Output { status: 77, ..output };
        }
        output
    }

    fn confirm(&mut self, name: &str, done: &str, cleanup: &str) -> Output {
        let path = format!("{GUARDS}{name}");
        self.disk.files.remove(&format!("{path}.undone"));
        if !self.run(done).success() {
            return status(75);
        }
        self.disk.files.remove(&path);
        self.run(cleanup);
        Output::default()
    }
}

/// A key that follows from another and from nothing else.
fn own_key_after(used: &str) -> String {
    let mut bytes = [0x55_u8; 32];
    for (index, byte) in used.bytes().enumerate() {
        bytes[index % 32] = bytes[index % 32].rotate_left(3) ^ byte;
    }
    HostKey::new(bytes).to_openssh()
}

#[cfg(test)]
mod tests {
    use stagecraft_core::guard::{Confirmation, Guard};
    use stagecraft_core::remote::Command;

    use super::*;
    use crate::fakes::shell::Scripts;
    use crate::world::Disk;

    #[test]
    fn a_switch_that_is_confirmed_stays_and_leaves_nothing_behind() {
        let mut host = Host::new();
        let own = identity::made(host.run(0, &identity::make(&FIRST_KEY))).unwrap();
        let (guard, change) = identity::switch(&own);
        assert!(host.run(1, &guard.arm(&change)).success());
        assert_eq!(host.presents(), own);
        assert_eq!(Guard::confirmation(host.run(2, &guard.confirm())), Confirmation::Kept);
        assert_eq!(host.disk.files.len(), 1, "{:?}", host.disk.files);
        assert_eq!(host.run(900, &Command::new("true")), Output::default());
        assert_eq!(host.presents(), own);
        assert_eq!(identity::made(host.run(901, &identity::make(&FIRST_KEY))), Ok(own));
    }

    #[test]
    fn a_switch_that_nobody_confirms_is_undone_and_can_be_made_again() {
        let mut host = Host::new();
        let own = identity::made(host.run(0, &identity::make(&FIRST_KEY))).unwrap();
        let (guard, change) = identity::switch(&own);
        assert!(host.run(1, &guard.arm(&change)).success());
        assert!(host.run(2, &guard.arm(&change)).success(), "it is done already");
        host.run(400, &Command::new("true"));
        assert_eq!(host.presents(), FIRST_KEY);
        assert_eq!(Guard::confirmation(host.run(401, &guard.confirm())), Confirmation::Undone);
        assert_eq!(identity::made(host.run(402, &identity::make(&FIRST_KEY))), Ok(own));
        assert!(host.run(403, &guard.arm(&change)).success());
        assert_eq!(Guard::confirmation(host.run(404, &guard.confirm())), Confirmation::Kept);
        assert_eq!(host.presents(), own);
    }

    const FIRST_KEY: HostKey = HostKey::new([1; 32]);

    struct Host {
        disk: Disk,
    }

    impl Host {
        fn new() -> Self {
            let files = [(HOST_KEY.to_owned(), FIRST_KEY.to_openssh())].into();
            Self { disk: Disk { files, full: false } }
        }

        fn run(&mut self, seconds: u64, command: &Command) -> Output {
            let scripts = Scripts::new();
            let now = Duration::from_secs(seconds);
            let mut shell = Shell::new(&mut self.disk, &scripts, "", now);
            let output = shell.run(&command.to_shell());
            assert_eq!(shell.unknown, Vec::<String>::new());
            output
        }

        fn presents(&self) -> HostKey {
            self.disk.files[HOST_KEY].parse().unwrap()
        }
    }
}
