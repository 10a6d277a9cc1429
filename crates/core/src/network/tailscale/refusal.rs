//! What `tailscale up` says when it fails, told so that it can be acted on.
//!
//! Its words come from the client or from the server and differ between versions and servers, so they
//! are looked through for what all have in common; what is not known is shown as it is.

use super::status::Said;
use super::{KEY_HINT, failure};
use crate::error::Failure;
use crate::remote::OUTPUT_LINES;

/// Statuses of `timeout` when it had to end a command.
const CUT_OFF: [i32; 2] = [124, 137];

/// Why a host could not join `tailnet` through `server`.
pub(super) fn explain(said: &Said<'_>, tailnet: &str, server: &str) -> Failure {
    let text = said.lines.join(" ");
    let lower = text.to_lowercase();
    let says = |words: &str| lower.contains(words);
    let known = if says("requested tags") {
        tags(tailnet, &text)
    } else if says("backend error:") && says("key") {
        key(&lower)
    } else if says("timeout waiting for") || CUT_OFF.contains(&said.status) {
        failure(format!("the host was not let into `{tailnet}` in time; {server} did not answer it"))
            .with_hint(format!(
                "see whether the host reaches {server}: `tailscale netcheck` and `journalctl -u tailscaled` on the host tell"
            ))
    } else if says("failed to connect to local tailscaled") {
        failure("tailscaled on the host does not answer")
            .with_hint("read `journalctl -u tailscaled` on the host")
    } else if says("can't change --login-server") {
        failure(format!("the host uses another login server than {server}"))
            .with_hint("run `tailscale logout` on the host, and run this again")
    } else if says("changing settings via 'tailscale up'") {
        failure(format!(
            "the client on the host has settings of somebody else that stand against joining `{tailnet}` by {server}"
        ))
        .with_hint(
            "take them back on the host with `tailscale set`, or all of them with the next `tailscale up --reset` there",
        )
    } else {
        failure(format!("`tailscale up` ended with status {}", said.status))
    };
    let kept = said.lines.len().saturating_sub(OUTPUT_LINES);
    known.with_output(said.lines[kept..].iter().map(|&line| line.to_owned()).collect())
}

/// The tags the server did not like: those it names, as far as it does.
fn tags(tailnet: &str, text: &str) -> Failure {
    let named = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    let named = named.map_or_else(String::new, |(tags, _)| format!(" `{tags}`"));
    failure(format!("`{tailnet}` does not let the host have the tags{named}")).with_hint(
        "name who may use them under `tagOwners` in the tailnet's policy, and use a key of theirs",
    )
}

/// What is wrong with a key, in a text of lower case.
fn key(text: &str) -> Failure {
    let why = if text.contains("expired") {
        "the auth key has expired"
    } else if text.contains("already used") {
        "the auth key was used before, and can be used only once"
    } else if text.contains("not found") || text.contains("does not exist") {
        "the login server does not know the auth key"
    } else if text.contains("not valid") {
        "the auth key is not valid any more: it has expired, was used before, or was revoked"
    } else {
        "the login server refused the auth key"
    };
    failure(why).with_hint(KEY_HINT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn a_key_that_is_refused_is_told_by_what_is_wrong_with_it() {
        for (said, message) in [
            (
                "backend error: handling register with auth key: AuthKey not found",
                "the login server does not know the auth key",
            ),
            ("backend error: authkey expired", "the auth key has expired"),
            (
                "backend error: authkey already used",
                "the auth key was used before, and can be used only once",
            ),
            (
                "backend error: invalid key: API key does not exist",
                "the login server does not know the auth key",
            ),
            (
                "backend error: invalid key: API key *** not valid",
                "the auth key is not valid any more: it has expired, was used before, or was revoked",
            ),
            (
                "backend error: invalid key: unable to validate API key",
                "the login server refused the auth key",
            ),
        ] {
            let failure = explained(1, &[said]);
            assert_eq!(failure.message, message, "{said}");
            assert_eq!((failure.code, &failure.output[0][..]), (Code::NETWORK_JOIN_FAILED, said));
            assert!(failure.hints[0].contains("auth_key_env"), "{failure:?}");
        }
    }

    #[test]
    fn tags_that_are_refused_are_named() {
        for said in [
            "requested tags [tag:web] are invalid or not permitted",
            "backend error: requested tags [tag:web] are invalid or not permitted",
        ] {
            let failure = explained(1, &[said]);
            assert_eq!(
                failure.message,
                "`example.ts.net` does not let the host have the tags `tag:web`"
            );
            assert!(failure.hints[0].contains("tagOwners"), "{failure:?}");
        }
    }

    #[test]
    fn every_other_way_to_fail_has_words_of_its_own() {
        for (status, said, words) in [
            (
                1,
                "timeout waiting for Tailscale service to enter a Running state; check health with \"tailscale status\"",
                "https://login.example did not answer it",
            ),
            (124, "", "https://login.example did not answer it"),
            (1, "failed to connect to local tailscaled; it is not there", "does not answer"),
            (
                1,
                "can't change --login-server without --force-reauth",
                "another login server than https://login.example",
            ),
            (
                1,
                "changing settings via 'tailscale up' requires mentioning all non-default flags",
                "settings of somebody else",
            ),
            (2, "flag provided but not defined: -timeout", "ended with status 2"),
            (1, "backend error: the node is not approved", "ended with status 1"),
            (1, "the key of the server changed", "ended with status 1"),
        ] {
            let failure = explained(status, &[said]);
            assert!(failure.message.contains(words), "{failure:?}");
            assert_eq!(failure.output, [said]);
        }
    }

    fn explained(status: i32, lines: &[&str]) -> Failure {
        let said = Said { status, lines: lines.to_vec() };
        explain(&said, "example.ts.net", "https://login.example")
    }
}
