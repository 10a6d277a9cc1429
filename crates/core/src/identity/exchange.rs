use std::time::Duration;

use super::{HostKey, Pins, Standing};
use crate::guard::Guard;
use crate::remote::{Command, Output};

/// The name under which reports tell of it, as if it were a step.
pub const STEP: &str = "host-identity";
/// The name of the guarded change.
const GUARD: &str = "host-key";
/// The name of the script that makes the host's own key, in messages and for fakes.
pub const MAKE: &str = "host-key-make";
/// The name of the script that puts a key into use.
pub const SWITCH: &str = "host-key-switch";

const MAKE_SCRIPT: &str = include_str!("exchange/make.sh");
const SWITCH_SCRIPT: &str = include_str!("exchange/switch.sh");

/// How long the host keeps the new key without a confirmation: a fresh connection and one command.
const WINDOW: Duration = Duration::from_secs(90);

/// What comes next on a host that has shown who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it presented its own key, and no other is pinned.
    Settled,
    /// It presented the key made for its first boot: it makes its own, both are pinned, it switches.
    Replace {
        /// The key it presented.
        first: HostKey,
    },
    /// It presented its own key, and the other is still pinned: the switch is confirmed, and the other
    /// taken off.
    Confirm {
        /// The key it presented.
        own: HostKey,
    },
}

/// What is to be done with a host of these pins that presented this key.
#[must_use]
pub fn next(pins: &Pins, presented: HostKey) -> Next {
    match (pins.first, pins.standing(&presented)) {
        (Some(first), Some(Standing::First)) => Next::Replace { first },
        (Some(_), Some(Standing::Own)) => Next::Confirm { own: presented },
        // One that nobody pinned was believed for another reason, which is no reason to pin it.
        (None, _) | (Some(_), None) => Next::Settled,
    }
}

/// The command that makes the host's own key, once, and prints it.
#[must_use]
pub fn make(first: &HostKey) -> Command {
    Command::script(MAKE_SCRIPT).arg(MAKE).arg(first.to_openssh())
}

/// The key the output of [`make`] tells of.
///
/// # Errors
/// The output, when there is none.
pub fn made(output: Output) -> Result<HostKey, Output> {
    match output.stdout.trim().parse() {
        Ok(own) if output.success() => Ok(own),
        _ => Err(output),
    }
}

/// The command that puts the host's own key into use, and the guard it is made under. The one-time key
/// is removed from where sshd looks when the switch is confirmed.
#[must_use]
pub fn switch(own: &HostKey) -> (Guard, Command) {
    let act =
        |what: &str| Command::script(SWITCH_SCRIPT).arg(SWITCH).arg(what).arg(own.to_openssh());
    let guard = Guard::new(GUARD, WINDOW, act("done"), act("undo")).with_cleanup(act("forget"));
    (guard, act("change"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: HostKey = HostKey::new([1; 32]);
    const OWN: HostKey = HostKey::new([2; 32]);
    const BOTH: Pins = Pins { first: Some(FIRST), own: Some(OWN) };

    #[test]
    fn a_new_host_gets_a_key_of_its_own() {
        assert_eq!(next(&Pins::of_order(FIRST), FIRST), Next::Replace { first: FIRST });
    }

    #[test]
    fn an_exchange_that_was_cut_short_goes_on_from_what_the_host_presents() {
        assert_eq!(next(&BOTH, FIRST), Next::Replace { first: FIRST });
        assert_eq!(next(&BOTH, OWN), Next::Confirm { own: OWN });
    }

    #[test]
    fn a_host_with_its_own_key_is_left_alone() {
        assert_eq!(next(&Pins::of_own(OWN), OWN), Next::Settled);
        assert_eq!(next(&Pins::default(), OWN), Next::Settled);
    }

    #[test]
    fn only_a_key_counts_as_the_hosts_answer() {
        let said = |status, stdout: &str| {
            made(Output { status, stdout: stdout.to_owned(), ..Output::default() })
        };
        assert_eq!(said(0, &format!("{}\n", OWN.to_openssh())), Ok(OWN));
        for (status, stdout) in [(0, ""), (0, "ssh-rsa AAAA\n"), (1, &OWN.to_openssh())] {
            assert!(said(status, stdout).is_err(), "{status} {stdout}");
        }
    }

    #[test]
    fn the_commands_name_keys_by_their_public_halves() {
        let (guard, change) = switch(&OWN);
        let words = guard.arm(&change).to_shell();
        assert!(words.contains(&OWN.to_openssh()), "{words}");
        assert_eq!(make(&FIRST).display(), MAKE);
    }
}
