//! `tailscale up`: its words, what goes before it, and how the host undoes it.
//!
//! ```text
//!   prepare: key into memory, removed by systemd in any case --> up, under a guard --> key removed
//!                                                                 |
//!              nobody gets in by a fresh connection any more: `tailscale down`, key removed
//! ```
//!
//! `up` ends well as far as the driver knows whatever it says, and leaves its words for the next look:
//! its status does not tell whether the host is in (a new key is ignored and a tag dropped with status
//! 0), and what is seen of the host together with those words makes a better failure than either alone.
//!
//! **Words.** `--reset` would silently take back what others have set on the host (`--ssh`, routes).
//! Without it `up` refuses where it would change such a setting, and prints the command that keeps
//! all of them; that one is run then, see `scripts/up.sh`. `--accept-dns` is never named: it is on
//! by default, and whoever switched it off keeps it off. `--timeout` is always there, since `up` waits
//! for ever without.

use std::collections::BTreeSet;
use std::time::Duration;

use super::key::AuthKey;
use crate::converge::Change;
use crate::guard::{Guard, pending_file};
use crate::name::HostName;
use crate::remote::Command;
use crate::script::script;

/// Where the key is, and what `up` said. In memory on every system that boots with systemd.
pub(super) const FOLDER: &str = "/run/stagecraft-tailscale";

/// The name of the guarded change.
const GUARD: &str = "tailscale";

/// How long the login server may take.
const LOGIN: Duration = Duration::from_secs(60);
/// How long one `up` may take that does not keep to that.
const LIMIT: Duration = Duration::from_secs(75);
/// How long the key may be on the host if nobody removes it: the guard of another run may have to end
/// first.
const KEY_LIMIT: Duration = Duration::from_secs(600);
/// How long the host stays up without a confirmation: two times `up`, a fresh connection, one command.
const WINDOW: Duration = Duration::from_secs(240);

/// One way to be up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Up<'a> {
    /// The name to ask for.
    pub(super) host: &'a HostName,
    /// `None` for Tailscale's own.
    pub(super) login_server: Option<&'a str>,
    /// The tags to ask for.
    pub(super) tags: &'a BTreeSet<String>,
    /// The key to log in by; `None` for a host that is still logged in.
    pub(super) key: Option<&'a AuthKey>,
    /// Whether to log in anew although the host is logged in: only then its tags and its key change.
    pub(super) anew: bool,
    /// Whether the host is taken down again unless there still is a way in. Not one that is up
    /// already: its way in may be the tailnet, and who it was before cannot be given back.
    pub(super) guarded: bool,
}

impl Up<'_> {
    pub(super) fn changes(self, doing: String) -> Vec<Change> {
        let limit = KEY_LIMIT.as_secs().to_string();
        let mut prepare =
            script("tailscale-prepare", include_str!("scripts/prepare.sh"), [FOLDER, &limit]);
        if let Some(key) = self.key {
            prepare = prepare.with_stdin(key.reveal());
        }
        let mut up = Change::new(doing, self.command("change").with_timeout(LIMIT * 3));
        if self.guarded {
            up = up.guarded(guard());
        }
        vec![Change::new("preparing to join the tailnet", prepare), up]
    }

    /// Confirms an `up` that still waits for it, because the run that made it was cut short; where
    /// the host restarted since, it is made again.
    pub(super) fn keep(self) -> Change {
        let doing = "keeping the host in the tailnet";
        Change::new(doing, self.command("change").with_timeout(LIMIT * 3)).guarded(guard())
    }

    fn command(self, what: &str) -> Command {
        let limit = LIMIT.as_secs().to_string();
        let server = self.login_server.unwrap_or_default();
        act(what).args([&limit, server]).args(self.words())
    }

    /// The words of `up`. The key is not among them, only where it is.
    fn words(self) -> Vec<String> {
        let mut words =
            vec![format!("--timeout={}s", LOGIN.as_secs()), format!("--hostname={}", self.host)];
        words.extend(self.login_server.map(|url| format!("--login-server={url}")));
        if !self.tags.is_empty() {
            let tags: Vec<&str> = self.tags.iter().map(String::as_str).collect();
            words.push(format!("--advertise-tags={}", tags.join(",")));
        }
        words.extend(self.key.map(|_| format!("--auth-key=file:{FOLDER}/key")));
        words.extend(self.anew.then(|| "--force-reauth".to_owned()));
        words
    }
}

/// The file that is on a host while its `up` waits for its confirmation.
pub(super) fn pending() -> String {
    pending_file(GUARD)
}

fn guard() -> Guard {
    Guard::new(GUARD, WINDOW, act("done"), act("undo")).with_cleanup(act("forget"))
}

fn act(what: &str) -> Command {
    script("tailscale-up", include_str!("scripts/up.sh"), [what, FOLDER])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_cut_off_while_up_is_tried_for_the_second_time() {
        let (host, tags) = ("web-1".parse().unwrap(), BTreeSet::new());
        let up = Up {
            host: &host,
            login_server: None,
            tags: &tags,
            key: None,
            anew: false,
            guarded: true,
        };
        let changes = up.changes("joining".to_owned());
        for change in [&changes[1], &up.keep()] {
            let limit = change.command.timeout();
            assert!(limit > 2 * LIMIT, "{limit:?} for {}", change.doing);
            assert!(limit < WINDOW, "the host undoes what is not confirmed by then");
        }
        assert!(LIMIT > LOGIN, "the login server is given all of its time");
    }

    #[test]
    fn what_waits_for_its_confirmation_is_where_the_guard_leaves_it() {
        assert_eq!(pending(), "/var/lib/stagecraft/guards/tailscale/undo");
        assert!(guard().confirm().to_shell().contains(" guarded-change-confirm tailscale "));
    }
}
