use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Code, Failure};
use stagecraft_core::plan::{Action, Difference};

use super::*;
use crate::documents::OpenItem;
use crate::ui::samples::{host, next, scope};

#[test]
fn a_status_says_what_is_wrong_and_what_differs() {
    let shown = status_screen(&mixed_status(), &next(), 80).plain();
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    insta::assert_snapshot!(shown, @"
        HOST  ROLE  PROVIDER  ADDRESS   STATE
        a     app   local     10.0.0.3  ready
                                        drift: size: small -> medium
        b     app   local     10.0.0.3  not ready: docker-service (starting docker)
                                        1 surplus machine beside the one in use
        c     app   local     10.0.0.3  unreachable: ssh_failed: could not reach `c` at
                                        10.0.0.3:22: refused
        d     app   local     10.0.0.3  switched off
        e     app   local     -         does not exist
        f     app   local     10.0.0.3  not in the file

        4 of 5 hosts not ready. `stagecraft infra up` works on `b`, `d` and `e`.
        3 hosts differ from the file. `stagecraft infra plan` says what to do.
        ");
}

#[test]
fn a_run_is_only_advised_where_it_helps() {
    let mut status = mixed_status();
    status.hosts.retain(|host| matches!(host.state, StatusState::Unreachable { .. }));
    if let StatusState::Unreachable { failure } = &mut status.hosts[0].state {
        failure.code = Code::HOST_KEY_MISMATCH;
        failure.hints.push("remove the old key from `known_hosts`".to_owned());
    }
    let mut old = status.hosts[0].clone();
    old.host = host("old");
    let open = OpenItem { step: OS_STEP.to_owned(), why: "it runs alpine".to_owned() };
    old.state = StatusState::NotReady { open: vec![open] };
    status.hosts.push(old);
    let shown = status_screen(&status, &next(), 100).plain();
    insta::assert_snapshot!(shown, @"
        HOST  ROLE  PROVIDER  ADDRESS   STATE
        c     app   local     10.0.0.3  unreachable: host_key_mismatch: could not reach `c` at 10.0.0.3:22:
                                        refused
                                        hint: remove the old key from `known_hosts`
        old   app   local     10.0.0.3  not ready: os (it runs alpine)

        2 of 2 hosts not ready.
        ");
    assert!(!shown.contains("works on"), "{shown}");
}

#[test]
fn a_machine_that_failed_says_why_and_what_to_do() {
    let mut status = mixed_status();
    status.hosts.retain(|host| host.host.as_str() == "d");
    status.hosts[0].state = StatusState::NotRunning { lifecycle: Lifecycle::Failed };
    status.hosts[0].trouble = Some("no space left\u{1b}[2J in nbg1".to_owned());
    insta::assert_snapshot!(status_screen(&status, &next(), 100).plain(), @"
        HOST  ROLE  PROVIDER  ADDRESS   STATE
        d     app   local     10.0.0.3  the provider gave up on it: no space left␛[2J in nbg1
                                        hint: `stagecraft infra up --replace d` makes it anew; all data on
                                        it is lost

        1 of 1 host not ready.
        ");
}

#[test]
fn a_host_that_is_gone_or_not_quite_as_asked_says_what_its_provider_says() {
    let mut status = mixed_status();
    status.hosts.retain(|host| ["b", "e"].contains(&host.host.as_str()));
    status.hosts[0].state = StatusState::Ready;
    status.hosts[0].trouble = Some("no spot instance was to be had: on demand".to_owned());
    status.hosts[1].trouble = Some("it was interrupted".to_owned());
    insta::assert_snapshot!(status_screen(&status, &next(), 100).plain(), @"
        HOST  ROLE  PROVIDER  ADDRESS   STATE
        b     app   local     10.0.0.3  ready
                                        1 surplus machine beside the one in use
                                        note: no spot instance was to be had: on demand
        e     app   local     -         does not exist: it was interrupted

        1 of 2 hosts not ready. `stagecraft infra up` works on that.
        1 host differs from the file. `stagecraft infra plan` says what to do.
        ");
}

#[test]
fn a_network_of_which_nobody_could_be_asked_has_no_table() {
    let mut status = mixed_status();
    status.network = Some("wireguard".to_owned());
    status.hosts.retain(|host| host.host.as_str() == "c");
    let shown = status_screen(&status, &next(), 100).plain();
    assert!(!shown.contains("HEARD FROM"), "{shown}");
}

#[test]
fn an_interrupted_status_shows_what_was_seen_and_says_who_was_not_asked() {
    let mut status = mixed_status();
    status.hosts.truncate(4);
    status.hosts[0].differences.clear();
    status.hosts[1].surplus = 0;
    status.hosts.remove(2);
    let shown = |status: &StatusDocument| status_screen(status, &next(), 100).plain();
    status.hosts[1].state = StatusState::NotAsked;
    insta::assert_snapshot!(shown(&status), @"
        HOST  ROLE  PROVIDER  ADDRESS   STATE
        a     app   local     10.0.0.3  ready
        b     app   local     10.0.0.3  interrupted before it answered
        d     app   local     10.0.0.3  switched off

        Interrupted: `b` was not asked to the end.
        1 of 3 hosts not ready. `stagecraft infra up` works on that.
        ");
    status.hosts.truncate(2);
    let last = |status: &StatusDocument| {
        shown(status).lines().last().map(str::to_owned).unwrap_or_default()
    };
    assert_eq!(last(&status), "Interrupted: `b` was not asked to the end.");
    let waiting = |name: &str| StatusHost {
        host: host(name),
        state: StatusState::NotAsked,
        ..status.hosts[0].clone()
    };
    let hosts = ["b-1", "b-10", "b-2"].map(waiting).into();
    let many = StatusDocument { hosts, ..status };
    assert_eq!(last(&many), "Interrupted: `b-1`, `b-2` and `b-10` were not asked to the end.");
}

#[test]
fn a_status_of_nothing_says_so() {
    let status = StatusDocument { hosts: Vec::new(), ..mixed_status() };
    assert_eq!(status_screen(&status, &next(), 80).plain(), "There are no hosts.\n");
}

#[test]
fn a_network_has_a_line_for_every_host_that_could_be_asked() {
    let mut status = mixed_status();
    status.network = Some("wireguard".to_owned());
    let member = |peers: &[(&str, Peer)]| Membership {
        name: Some("a.shop.internal".to_owned()),
        address: Some([10, 66, 1, 7].into()),
        peers: peers.iter().map(|&(name, peer)| (host(name), peer)).collect(),
    };
    let (heard, silent) = (Peer::Heard, Peer::Silent);
    status.hosts.truncate(3);
    status.hosts[0].membership = Some(member(&[("b", heard), ("c", silent)]));
    status.hosts[1].membership = Some(Membership::default());
    let shown = status_screen(&status, &next(), 100).plain();
    let (_, table) = shown.split_once("\n\n").unwrap();
    insta::assert_snapshot!(table, @"
        HOST  NETWORK    NAME             ADDRESS    HEARD FROM
        a     wireguard  a.shop.internal  10.66.1.7  1 of 2, not `c`
        b     wireguard  -                -          not a member

        2 of 3 hosts not ready. `stagecraft infra up` works on `b`.
        2 hosts differ from the file. `stagecraft infra plan` says what to do.
        ");
}

/// One host in every state.
pub(crate) fn mixed_status() -> StatusDocument {
    let failure = Failure::new(Code::SSH_FAILED, "could not reach `c` at 10.0.0.3:22: refused");
    let open = OpenItem { step: "docker-service".to_owned(), why: "starting docker".to_owned() };
    let states = [
        StatusState::Ready,
        StatusState::NotReady { open: vec![open] },
        StatusState::Unreachable { failure },
        StatusState::NotRunning { lifecycle: Lifecycle::Stopped },
        StatusState::Missing,
        StatusState::NotInFile,
    ];
    let hosts = ["a", "b", "c", "d", "e", "f"].into_iter().zip(states);
    StatusDocument {
        project: scope().project,
        environment: scope().environment,
        network: None,
        hosts: hosts
            .map(|(name, state)| StatusHost {
                host: host(name),
                provider: ProviderId::Local,
                role: "app".parse().unwrap(),
                address: (state != StatusState::Missing).then(|| "10.0.0.3".to_owned()),
                in_file: state != StatusState::NotInFile,
                action: Action::Unchanged,
                differences: match name {
                    "a" => vec![Difference {
                        field: "size",
                        from: "small".to_owned(),
                        to: "medium".to_owned(),
                    }],
                    _ => Vec::new(),
                },
                surplus: usize::from(name == "b"),
                membership: None,
                trouble: None,
                state,
            })
            .collect(),
        exit_code: 10,
    }
}
