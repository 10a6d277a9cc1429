use std::collections::BTreeSet;

use super::key::AuthKey;
use super::refusal;
use super::status::{Backend, Client, Node, Seen, Status};
use super::up::{FOLDER, Up, pending};
use super::{KEY_HINT, failure};
use crate::Secret;
use crate::converge::{Assessment, Change, Step};
use crate::error::{Code, Failure};
use crate::name::HostName;
use crate::remote::{Command, OUTPUT_LINES, Output};
use crate::script::script;

/// The host is up in its tailnet, under its own name and with at least its tags.
///
/// ```text
///   NeedsLogin ----------------------------+
///   Stopped, Starting --(still logged in)--+--> up --> Running --(tags missing, key expired)--> up anew
///                                                        +--(another name)--> rename
///   another tailnet, not approved, in use by somebody, no state: blocked
/// ```
#[derive(Debug)]
pub(super) struct Join {
    pub(super) host: HostName,
    pub(super) tailnet: String,
    /// `None` for Tailscale's own.
    pub(super) login_server: Option<String>,
    pub(super) tags: BTreeSet<String>,
    pub(super) key: Option<AuthKey>,
}

impl Step for Join {
    fn name(&self) -> &'static str {
        "tailscale-join"
    }

    fn probe(&self) -> Vec<Command> {
        vec![script("tailscale-probe", include_str!("scripts/join-probe.sh"), [FOLDER, &pending()])]
    }

    fn assess(&self, seen: &[Output]) -> Assessment {
        let output = &seen[0];
        let seen = Seen::of(output);
        let silent = |why: &str| {
            let failure = failure(why).with_output(output.tail(OUTPUT_LINES));
            Assessment::Blocked(failure.with_hint("read `journalctl -u tailscaled` on the host"))
        };
        match &seen.client {
            Client::Missing => Assessment::Blocked(failure("the host has no `tailscale`")),
            Client::Silent => silent("tailscaled does not say how the host stands in its tailnet"),
            Client::Answered(status) => self
                .stranger(status)
                .map_or_else(|| self.assess_state(&seen, status), Assessment::Blocked),
        }
    }

    fn failure_code(&self) -> Code {
        Code::NETWORK_JOIN_FAILED
    }

    fn secret(&self) -> Option<&Secret> {
        self.key.as_ref().map(AuthKey::secret)
    }
}

impl Join {
    /// Why a host that is logged in elsewhere is left alone.
    fn stranger(&self, status: &Status) -> Option<Failure> {
        let tailnet = status.tailnet()?;
        let (host, wanted) = (&self.host, &self.tailnet);
        let moved = |what: String| {
            failure(what)
                .with_hint(
                    "if it may leave that, run `tailscale logout` on the host and run this again",
                )
                .with_hint(format!("or make a new machine: `stagecraft infra up --replace {host}`"))
        };
        let domain = tailnet.domain();
        if !domain.eq_ignore_ascii_case(wanted) {
            return Some(moved(format!(
                "the host is in the tailnet `{domain}`, and `{wanted}` is wanted"
            )));
        }
        // Two Headscale servers can have the same domain. They give their own host as the name of the
        // tailnet, or that domain; Tailscale's own gives what the organisation is called.
        let server = host_of(self.login_server.as_ref()?);
        let told = tailnet.name.as_str();
        let is_other = !told.is_empty()
            && !told.eq_ignore_ascii_case(server)
            && !told.eq_ignore_ascii_case(wanted);
        is_other.then(|| {
            moved(format!(
                "the host is in a tailnet `{wanted}` of {told}, and that of {server} is wanted"
            ))
        })
    }

    fn assess_state(&self, seen: &Seen<'_>, status: &Status) -> Assessment {
        let tailnet = &self.tailnet;
        match (status.backend_state, status.own()) {
            (Backend::NeedsLogin, _) => {
                let vain = failure(format!("the host is still not logged in to `{tailnet}`"));
                self.log_in(seen, Backend::NeedsLogin, "joining", vain)
            }
            (state @ (Backend::Stopped | Backend::Starting | Backend::Running), Some(own)) => {
                let found = self.assess_member(seen, state, own);
                if seen.pending && state == Backend::Running { self.kept(found) } else { found }
            }
            (Backend::NeedsMachineAuth, _) => Assessment::Blocked(
                failure(format!(
                    "the host has asked to join, and is not yet approved by the admin of `{tailnet}`"
                ))
                .with_hint("approve it in the tailnet's admin console, and run this again")
                .with_hint("a pre-approved auth key needs no approval"),
            ),
            (Backend::InUseOtherUser, _) => Assessment::Blocked(
                failure("the Tailscale client on the host is in use by another user of the host")
                    .with_hint("have that user log out of it"),
            ),
            (state @ (Backend::NoState | Backend::Unknown), _)
            | (state @ (Backend::Stopped | Backend::Starting | Backend::Running), None) => {
                Assessment::Blocked(
                    failure(format!("tailscaled on the host is in a state not known ({state:?})"))
                        .with_hint("read `tailscale status` and `journalctl -u tailscaled` on the host"),
                )
            }
        }
    }

    /// The same, after the host was told that it may stay up, before it undoes that behind our back.
    fn kept(&self, found: Assessment) -> Assessment {
        let keep = self.up(None, false, true).keep();
        match found {
            Assessment::Satisfied => Assessment::Needs(vec![keep]),
            Assessment::Needs(changes) => {
                Assessment::Needs(std::iter::once(keep).chain(changes).collect())
            }
            Assessment::Blocked(failure) => Assessment::Blocked(failure),
        }
    }

    /// What a host that is logged in to the right tailnet lacks.
    fn assess_member(&self, seen: &Seen<'_>, state: Backend, own: &Node) -> Assessment {
        let (host, tailnet) = (&self.host, &self.tailnet);
        let missing: Vec<&str> =
            self.tags.iter().map(String::as_str).filter(|tag| !own.has_tag(tag)).collect();
        if own.is_expired(seen.now) {
            let vain =
                failure("the host's own key in the tailnet has expired, and still is the old");
            return self.log_in(
                seen,
                state,
                "joining again, since the host's own key has expired,",
                vain,
            );
        }
        if !missing.is_empty() {
            let tags = missing.join("`, `");
            let vain = failure(format!("`{tailnet}` let the host in without the tags `{tags}`"))
                .with_hint("name who may use them under `tagOwners` in the tailnet's policy, and use a key of theirs");
            return self.log_in(seen, state, "joining again, with other tags,", vain);
        }
        if state != Backend::Running {
            let up = self.up(None, false, state == Backend::Stopped);
            let vain =
                failure(format!("the host is logged in to `{tailnet}`, and does not get up in it"))
                    .with_hint(
                        "read `tailscale status` and `journalctl -u tailscaled` on the host",
                    );
            let changes = up.changes(format!("going up in {tailnet}"));
            return Assessment::Needs(self.told(seen, changes, vain));
        }
        if own.host_name != host.as_str() {
            let vain = failure(format!("the host is still called `{}`", own.host_name));
            return self.rename(&[host.as_str()], vain);
        }
        if own.label() != host.as_str() {
            // A name that has become free is given to who asks for another one first.
            let stem: String = host.as_str().chars().take(50).collect();
            let other = format!("{}-renamed", stem.trim_end_matches('-'));
            return self.rename(&[&other, host.as_str()], self.misnamed(own));
        }
        Assessment::Satisfied
    }

    /// Logs in by the key; anew where the host is logged in.
    fn log_in(&self, seen: &Seen<'_>, state: Backend, doing: &str, vain: Failure) -> Assessment {
        let (host, tailnet) = (&self.host, &self.tailnet);
        let Some(key) = &self.key else {
            return Assessment::Blocked(
                failure(format!(
                    "the host has to join `{tailnet}`, and this command has no auth key"
                ))
                .with_hint("run `stagecraft infra bootstrap`"),
            );
        };
        if key.needs_tags() && self.tags.is_empty() {
            return Assessment::Blocked(
                failure("the auth key is the secret of an OAuth client, by which no host can join without tags")
                    .with_hint("set `default_tags` of the network, or tags of the host's role")
                    .with_hint(KEY_HINT),
            );
        }
        let anew = state != Backend::NeedsLogin;
        let guarded = matches!(state, Backend::NeedsLogin | Backend::Stopped);
        let up = self.up(Some(key), anew, guarded);
        let changes = up.changes(format!("{doing} {tailnet} as {host}"));
        Assessment::Needs(self.told(seen, changes, vain))
    }

    fn up<'a>(&'a self, key: Option<&'a AuthKey>, anew: bool, guarded: bool) -> Up<'a> {
        let Self { host, login_server, tags, .. } = self;
        Up { host, login_server: login_server.as_deref(), tags, key, anew, guarded }
    }

    /// The same changes, with what `up` said about it if they were in vain: why it failed, or what
    /// else is known of it.
    fn told(&self, seen: &Seen<'_>, changes: Vec<Change>, vain: Failure) -> Vec<Change> {
        let server = self.login_server.as_deref().unwrap_or("Tailscale's login server");
        let vain = match &seen.up {
            Some(said) if said.status != 0 => refusal::explain(said, &self.tailnet, server),
            Some(_) | None => vain,
        };
        changes.into_iter().map(|change| change.or_else(vain.clone())).collect()
    }

    fn rename(&self, names: &[&str], vain: Failure) -> Assessment {
        let command =
            script("tailscale-rename", include_str!("scripts/rename.sh"), names.iter().copied());
        let doing = format!("asking {} for the name {}", self.tailnet, self.host);
        Assessment::Needs(vec![Change::new(doing, command).or_else(vain)])
    }

    /// What to do about a host that asked for its name and is called otherwise.
    fn misnamed(&self, own: &Node) -> Failure {
        let (host, tailnet, label) = (&self.host, &self.tailnet, own.label());
        let number = label.strip_prefix(host.as_str()).and_then(|rest| rest.strip_prefix('-'));
        let is_taken = number.is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        if is_taken {
            failure(format!(
                "the name `{host}` is taken in `{tailnet}`, probably by a machine that is gone, so the host is called `{label}`"
            ))
            .with_hint(format!(
                "remove the old `{host}` in the tailnet's admin console, and run this again: the host then asks for its name anew"
            ))
        } else {
            failure(format!("`{tailnet}` calls the host `{label}` and not `{host}`")).with_hint(format!(
                "rename it to `{host}` in the tailnet's admin console, where somebody has given it that name"
            ))
        }
    }
}

/// The host of a URL, without port.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest[..end].rsplit('@').next().unwrap_or_default();
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn the_host_of_a_url_is_without_port_and_user_and_path() {
        for (url, host) in [
            ("https://head.example", "head.example"),
            ("https://head.example:8443/", "head.example"),
            ("https://head.example/a:1", "head.example"),
            ("https://user:word@head.example:8443?q#f", "head.example"),
            ("head.example", "head.example"),
            ("http://[fd00::1]:8080/", "[fd00::1]"),
            ("http://[fd00::1]/", "[fd00::1]"),
        ] {
            assert_eq!(host_of(url), host, "{url}");
        }
    }
}
