//! Changes that undo themselves.
//!
//! A change to the way into a host (sshd, firewall, network) may lock everybody out, the one who
//! made it included. So the host itself is told beforehand how to undo it, and does so when nobody
//! says over a *fresh* connection that there still is a way in.
//!
//! ```text
//!   arm:  undo written down, timer started --> change --(its own failure)--> undone at once
//!           |
//!           +-- confirm, over a fresh connection, within the window --> kept, for good
//!           +-- the window passes, or the host restarts and it passes --> undone
//! ```
//!
//! The timer is a unit of systemd that is started at boot as well, and that tries again while undoing
//! fails. Arming, undoing and confirming exclude each other by a lock on the host, and a confirmation
//! counts only where the change is still there, so one that comes too late is told so.
//!
//! A change must have taken effect when its command ends, or the fresh connection proves the old state:
//! `systemctl reload ssh` only sends a signal, and the sshd from before may still let the connection in;
//! `systemctl restart ssh` returns when the new one listens.

use std::time::Duration;

use crate::remote::{Command, Output};

/// The name of the script that arms and changes, in messages and for fakes.
pub const ARM: &str = "guarded-change";
/// The name of the script that confirms.
pub const CONFIRM: &str = "guarded-change-confirm";

const ARM_SCRIPT: &str = include_str!("guard/arm.sh");
const CONFIRM_SCRIPT: &str = include_str!("guard/confirm.sh");

/// The script that confirms ends so when the change is not there.
const UNDONE: i32 = 75;
/// The script that arms ends so when an earlier change of the same name waits for its confirmation,
const BUSY: i32 = 76;
/// when the change failed and was undone,
const FAILED: i32 = 77;
/// and when it could not even be undone.
const STUCK: i32 = 78;

/// A change that is undone unless it is confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    name: &'static str,
    window: Duration,
    done: Command,
    undo: Command,
    cleanup: Command,
}

/// What came of a change under a guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Armed {
    /// It is made, or was before, and waits for its confirmation.
    Made,
    /// An earlier change of the same name waits for its confirmation; it is undone soon.
    Busy,
    /// It failed, and was undone.
    Failed(Output),
    /// It failed, and so did undoing it; the host tries that again.
    Stuck(Output),
    /// Nothing was changed: the guard could not be set up.
    NotBegun(Output),
}

/// What came of a confirmation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// The change is there, and stays.
    Kept,
    /// It came too late: the host has undone the change.
    Undone,
    /// It is not known; the host undoes the change, or keeps it.
    Failed(Output),
}

/// The file that is on a host while a change of this name waits for its confirmation. A step that is
/// satisfied meanwhile has to say that it is not, or the host undoes the change behind its back.
#[must_use]
pub fn pending_file(name: &str) -> String {
    format!("/var/lib/stagecraft/guards/{name}/undo")
}

impl Guard {
    /// A guard for changes called `name`, which are undone by `undo` after `window`.
    ///
    /// `name` is made of `a-z` and `-`. With `done` succeeding there is nothing to change and
    /// nothing to guard.
    #[must_use]
    pub fn new(name: &'static str, window: Duration, done: Command, undo: Command) -> Self {
        Self { name, window, done, undo, cleanup: Command::new("true") }
    }

    /// Adds what is done when the change can no longer be undone.
    #[must_use]
    pub fn with_cleanup(mut self, cleanup: Command) -> Self {
        self.cleanup = cleanup;
        self
    }

    /// How long the host waits for the confirmation.
    #[must_use]
    pub fn window(&self) -> Duration {
        self.window
    }

    /// The command that arms the guard and makes `change`.
    #[must_use]
    pub fn arm(&self, change: &Command) -> Command {
        Command::script(ARM_SCRIPT)
            .arg(ARM)
            .arg(self.name)
            .arg(self.window.as_secs().to_string())
            .arg(self.done.to_shell())
            .arg(self.undo.to_shell())
            .arg(change.to_shell())
            .with_timeout(change.timeout())
    }

    /// What the output of [`arm`](Self::arm) says.
    #[must_use]
    pub fn armed(output: Output) -> Armed {
        match output.status {
            0 => Armed::Made,
            BUSY => Armed::Busy,
            FAILED => Armed::Failed(output),
            STUCK => Armed::Stuck(output),
            _ => Armed::NotBegun(output),
        }
    }

    /// The command that confirms; to be run over a fresh connection.
    #[must_use]
    pub fn confirm(&self) -> Command {
        Command::script(CONFIRM_SCRIPT)
            .arg(CONFIRM)
            .arg(self.name)
            .arg(self.done.to_shell())
            .arg(self.cleanup.to_shell())
    }

    /// What the output of [`confirm`](Self::confirm) says.
    #[must_use]
    pub fn confirmation(output: Output) -> Confirmation {
        match output.status {
            0 => Confirmation::Kept,
            UNDONE => Confirmation::Undone,
            _ => Confirmation::Failed(output),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_end_as_they_are_understood() {
        assert!(CONFIRM_SCRIPT.contains(&format!("exit {UNDONE}\n")));
        assert!(ARM_SCRIPT.contains("all=/var/lib/stagecraft/guards\nmine=$all/$name\n"));
        assert_eq!(pending_file("mesh"), "/var/lib/stagecraft/guards/mesh/undo");
        for status in [BUSY, FAILED, STUCK] {
            assert!(ARM_SCRIPT.contains(&format!("exit {status}\n")), "{status}");
        }
    }

    #[test]
    fn what_is_to_be_done_and_undone_arrives_as_it_was_given() {
        let undo = Command::new("mv").arg("it's old").arg("new");
        let guard = Guard::new("sshd", Duration::from_secs(60), Command::new("false"), undo);
        let line = guard.arm(&Command::new("touch").arg("a b")).to_shell();
        assert!(line.contains("guarded-change sshd 60 false "), "{line}");
        assert!(line.ends_with(r"'touch '\''a b'\'''"), "{line}");
        assert_eq!(guard.arm(&Command::new("true")).display(), ARM);
        assert_eq!(guard.window(), Duration::from_secs(60));
        assert_eq!(guard.confirm().display(), CONFIRM);
    }

    #[test]
    fn a_change_is_made_only_if_the_host_says_so() {
        let of = |status| Guard::armed(Output { status, ..Output::default() });
        assert_eq!((of(0), of(76)), (Armed::Made, Armed::Busy));
        assert!(matches!(of(77), Armed::Failed(_)));
        assert!(matches!(of(78), Armed::Stuck(_)));
        for status in [1, 73, 127, 137] {
            assert!(matches!(of(status), Armed::NotBegun(_)), "{status}");
        }
    }

    #[test]
    fn only_a_clear_yes_keeps_a_change() {
        let of = |status| Guard::confirmation(Output { status, ..Output::default() });
        assert_eq!(of(0), Confirmation::Kept);
        assert_eq!(of(75), Confirmation::Undone);
        assert!(matches!(of(1), Confirmation::Failed(_)));
    }
}
