//! Failures that differ only in whose they are, told once.

use std::borrow::Cow;
use std::collections::BTreeMap;

use stagecraft_core::error::{Code, Failure};
use stagecraft_core::name::HostName;

use crate::stop::{Trouble, some_of};

/// So many failures of one code are told in full.
pub(super) const SHOWN: usize = 5;
/// What stands for the name of the host where failures are compared.
const NAME: &str = "`HOST`";
/// A word of this length is for machines, e.g. AWS's encoded message, and another one each time.
const OPAQUE: usize = 64;
/// What a host is named after in commands.
const BEFORE_HOST: [&str; 4] = ["--replace ", "--host ", "trust ", "ssh "];

/// Each kind of failure once, with the hosts it is about, in the order in which they first come. Of many of
/// one code some are told, and whose the others are.
pub(super) fn told<'f>(
    failures: impl IntoIterator<Item = (&'f HostName, &'f Failure)>,
) -> Vec<Trouble> {
    let mut alike: Vec<(Failure, &Failure, Vec<&HostName>)> = Vec::new();
    for (host, failure) in failures {
        let bare = bare(failure, host);
        match alike.iter_mut().find(|(known, ..)| *known == bare) {
            Some((.., hosts)) => hosts.push(host),
            None => alike.push((bare, failure, vec![host])),
        }
    }
    let mut told: BTreeMap<Code, usize> = BTreeMap::new();
    let mut more: BTreeMap<Code, Vec<&HostName>> = BTreeMap::new();
    let mut troubles: Vec<Trouble> = Vec::new();
    for (_, failure, hosts) in alike {
        let of_code = told.entry(failure.code).or_default();
        *of_code += 1;
        if *of_code <= SHOWN {
            troubles.push(of_hosts(failure, &hosts).into());
        } else {
            more.entry(failure.code).or_default().extend(hosts);
        }
    }
    troubles.extend(more.into_iter().map(|(code, hosts)| {
        let message = format!("{} failed in this way too", some_of(&hosts));
        Failure::new(code, message).with_hint("`--output json` tells each in full").into()
    }));
    troubles
}

/// A failure that says which hosts it is about; it is that of the first.
pub(super) fn of_hosts(failure: &Failure, hosts: &[&HostName]) -> Failure {
    let Some((first, others)) = hosts.split_first() else { return failure.clone() };
    let mut failure = failure.clone();
    if others.is_empty() {
        if !failure.message.contains(&format!("`{first}`")) {
            failure.message = format!("`{first}`: {}", failure.message);
        }
        return failure;
    }
    let nameless = without_name(&failure.message, first);
    failure.message = match nameless.split_once(NAME) {
        None => format!("{}: {}", some_of(hosts), failure.message),
        Some((before, after)) => {
            let each = if before.is_empty() { "each of " } else { "" };
            let before = before.strip_suffix("host ").unwrap_or(before);
            format!("{each}{before}{}{}", some_of(hosts), after.replace(NAME, "the host"))
        }
    };
    for hint in &mut failure.hints {
        *hint = without_name(hint, first);
    }
    failure
}

/// A failure without whose it is and which request it was.
fn bare(failure: &Failure, host: &HostName) -> Failure {
    let of = |text: &String| nobodys(&without_name(text, host));
    Failure {
        code: failure.code,
        message: of(&failure.message),
        output: failure.output.iter().map(of).collect(),
        hints: failure.hints.iter().map(of).collect(),
    }
}

/// A text with a word for the name of the host.
fn without_name(text: &str, host: &HostName) -> String {
    let mut text = text.replace(&format!("`{host}`"), NAME);
    for before in BEFORE_HOST {
        for after in [" ", "`"] {
            let named = format!("{before}{host}{after}");
            text = text.replace(&named, &format!("{before}HOST{after}"));
        }
    }
    text
}

/// A text without what is another one for each request.
fn nobodys(text: &str) -> String {
    let text = match text.split_once(" (request ") {
        Some((before, after)) => {
            let after = after.split_once(')').map_or("", |(_, after)| after);
            Cow::from(format!("{before}{after}"))
        }
        None => Cow::from(text),
    };
    let words = text.split(' ').map(|word| if word.len() < OPAQUE { word } else { "…" });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_only_in_the_host_and_the_request_is_told_once() {
        let refused = |host: &str| {
            let words = format!(
                "aws could not create host `{host}`: not permitted: Encoded authorization failure \
                 message: {} (request {host}-5f1a)",
                host.repeat(80)
            );
            Failure::new(Code::CLOUD_FORBIDDEN, words).with_hint("see the policy")
        };
        let hosts = ["a", "b", "c", "d", "e", "f", "g"];
        let shown = messages(&hosts.map(|host| (host, refused(host))));
        assert_eq!(
            shown,
            [format!(
                "aws could not create `a`, `b`, `c`, `d` and 3 more hosts: not permitted: Encoded \
                 authorization failure message: {} (request a-5f1a)",
                "a".repeat(80)
            )]
        );
    }

    #[test]
    fn what_differs_in_more_is_told_for_each() {
        let at = |host: &str, address: &str| {
            Failure::new(Code::SSH_FAILED, format!("could not reach `{host}` at {address}"))
        };
        let shown = messages(&[("a", at("a", "10.0.0.1")), ("b", at("b", "10.0.0.2"))]);
        assert_eq!(shown, ["could not reach `a` at 10.0.0.1", "could not reach `b` at 10.0.0.2"]);
        let other = |hint: &str| Failure::new(Code::SSH_FAILED, "no answer").with_hint(hint);
        let shown = messages(&[("a", other("x")), ("b", other("y"))]);
        assert_eq!(shown, ["`a`: no answer", "`b`: no answer"]);
    }

    #[test]
    fn many_hosts_stand_where_one_was_named() {
        let told = |message: &str| {
            let failure = Failure::new(Code::SSH_FAILED, message.replace('@', "`a`"));
            messages(&[
                ("a", failure),
                ("b", Failure::new(Code::SSH_FAILED, message.replace('@', "`b`"))),
            ])
        };
        assert_eq!(
            told("`x` did not end on @ in time"),
            ["`x` did not end on `a` and `b` in time"]
        );
        assert_eq!(told("@ has no address"), ["each of `a` and `b` has no address"]);
        assert_eq!(told("no host @: @ is gone"), ["no `a` and `b`: the host is gone"]);
        assert_eq!(told("no answer"), ["`a` and `b`: no answer"]);
    }

    #[test]
    fn a_hint_for_many_hosts_names_none_of_them() {
        let failure = |host: &str| {
            Failure::new(Code::SSH_FAILED, "no answer")
                .with_hint(format!("`stagecraft infra up --replace {host}` makes a new one"))
        };
        let told = told([
            (&"up".parse().unwrap(), &failure("up")),
            (&"infra".parse().unwrap(), &failure("infra")),
        ]);
        let [one] = told.as_slice() else { panic!("told once: {told:?}") };
        assert_eq!(one.failure.hints, ["`stagecraft infra up --replace HOST` makes a new one"]);
    }

    #[test]
    fn a_host_is_named_unless_its_own_name_is_in_the_message() {
        let named = |host: &str, message: &str| {
            let failure = Failure::new(Code::SSH_FAILED, message);
            of_hosts(&failure, &[&host.parse().unwrap()]).message
        };
        assert_eq!(named("app-1", "could not reach `app-1`"), "could not reach `app-1`");
        assert_eq!(named("app-1", "`app-10` is in the way"), "`app-1`: `app-10` is in the way");
        assert_eq!(named("app", "the application is gone"), "`app`: the application is gone");
    }

    fn messages(failures: &[(&str, Failure)]) -> Vec<String> {
        let failures: Vec<(HostName, &Failure)> =
            failures.iter().map(|(host, failure)| (host.parse().unwrap(), failure)).collect();
        let told = told(failures.iter().map(|(host, failure)| (host, *failure)));
        told.into_iter().map(|trouble| trouble.failure.message).collect()
    }
}
