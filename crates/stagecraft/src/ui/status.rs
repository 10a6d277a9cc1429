//! How hosts are: a line per host.

use stagecraft_core::inventory::Lifecycle;
use stagecraft_core::name::HostName;
use stagecraft_core::network::{Membership, Peer};

use super::natural::by_name;
use super::plan::{differences_of, with_trouble};
use super::text::{BAD, BOLD, FAINT, GOOD, Text, WARN, count, names};
use super::{Cell, Columns};
use crate::documents::{StatusDocument, StatusHost, StatusState};
use crate::next::Next;
use crate::stop::some_of;

/// The step that cannot be mended: a host's operating system is what it is.
const OS_STEP: &str = "os";

/// The table of a status, and what it comes to.
pub(crate) fn status_screen(status: &StatusDocument, next: &Next, width: usize) -> Text {
    let mut text = Text::new();
    if status.hosts.is_empty() {
        text.line("There are no hosts.");
        return text;
    }
    let mut columns = Columns::with_heading(&["HOST", "ROLE", "PROVIDER", "ADDRESS", "STATE"]);
    let hosts = by_name(&status.hosts, |host| &host.host);
    for host in hosts.iter().copied() {
        columns.row(vec![
            Cell::styled(BOLD, host.host.as_str()),
            host.role.as_str().into(),
            host.provider.as_str().into(),
            host.address.as_deref().unwrap_or("-").into(),
            state(host),
        ]);
        for remark in remarks(host) {
            let mut cells: Vec<Cell> = vec![Cell::from(""); 4];
            cells.push(Cell::styled(WARN, remark));
            columns.row(cells);
        }
        if let Some(trouble) = host.trouble.as_deref().filter(|_| !tells_trouble(&host.state)) {
            let mut cells: Vec<Cell> = vec![Cell::from(""); 4];
            cells.push(Cell::styled(WARN, format!("note: {trouble}")));
            columns.row(cells);
        }
        for hint in hints(host, next) {
            let mut cells: Vec<Cell> = vec![Cell::from(""); 4];
            cells.push(format!("hint: {hint}").into());
            columns.row(cells);
        }
    }
    text.append(&columns.render(width)).end_line();
    let is_seen = |host: &StatusHost| host.membership.is_some();
    if let Some(network) = status.network.as_ref().filter(|_| status.hosts.iter().any(is_seen)) {
        text.append(&network_table(network, &status.hosts, width)).end_line();
    }

    let wrong = status.hosts.iter().filter(|host| host.is_wrong()).count();
    let drift =
        status.hosts.iter().filter(|host| !remarks(host).is_empty() || !host.in_file).count();
    let not_asked: Vec<&str> = hosts
        .iter()
        .filter(|host| host.state == StatusState::NotAsked)
        .map(|host| host.host.as_str())
        .collect();
    if !not_asked.is_empty() {
        let were = if not_asked.len() == 1 { "was" } else { "were" };
        let words = format!("Interrupted: {} {were} not asked to the end.", some_of(&not_asked));
        text.styled(BOLD, &words).end_line();
    }
    if wrong == 0 && not_asked.is_empty() {
        text.styled(BOLD, "All hosts of the file are ready.").end_line();
    } else if wrong > 0 {
        let of = count(status.hosts.iter().filter(|host| host.in_file).count(), "host");
        text.styled(BOLD, &format!("{wrong} of {of} not ready."));
        let helped: Vec<&str> = hosts
            .iter()
            .filter(|host| host.is_wrong() && up_helps(host))
            .map(|host| host.host.as_str())
            .collect();
        let up = next.command("infra up");
        match helped.len() {
            0 => {}
            all if all == wrong => {
                text.put(&format!(" {up} works on that."));
            }
            _ => {
                text.put(&format!(" {up} works on {}.", names(helped)));
            }
        }
        text.end_line();
    }
    if drift > 0 {
        let differ = if drift == 1 { "differs" } else { "differ" };
        text.put(&format!("{} {differ} from the file.", count(drift, "host")));
        text.put(&format!(" {} says what to do.", next.command("infra plan"))).end_line();
    }
    text
}

/// How the hosts that could be asked stand in the private network.
fn network_table(network: &str, hosts: &[StatusHost], width: usize) -> Text {
    let mut columns = Columns::with_heading(&["HOST", "NETWORK", "NAME", "ADDRESS", "HEARD FROM"]);
    for host in by_name(hosts, |host| &host.host) {
        let Some(membership) = &host.membership else { continue };
        let address = membership.address.map(|address| address.to_string());
        columns.row(vec![
            Cell::styled(BOLD, host.host.as_str()),
            network.into(),
            membership.name.as_deref().unwrap_or("-").into(),
            address.as_deref().unwrap_or("-").into(),
            heard(membership),
        ]);
    }
    columns.render(width)
}

/// From how many others a member heard.
fn heard(membership: &Membership) -> Cell {
    let silent = |(host, peer): (&HostName, &Peer)| match peer {
        Peer::Silent => Some(host.clone()),
        Peer::Heard => None,
    };
    let silent: Vec<HostName> = membership.peers.iter().filter_map(silent).collect();
    let all = membership.peers.len();
    let heard = format!("{} of {all}", all - silent.len());
    match silent.len() {
        0 if membership.address.is_none() => Cell::from("not a member"),
        0 => Cell::from(heard),
        1..=3 => Cell::styled(WARN, format!("{heard}, not {}", names(&silent))),
        _ => Cell::styled(WARN, heard),
    }
}

impl StatusHost {
    /// Whether the file asks for the host and it is not ready.
    pub(crate) fn is_wrong(&self) -> bool {
        match self.state {
            StatusState::Ready | StatusState::NotInFile | StatusState::NotAsked => false,
            StatusState::NotReady { .. }
            | StatusState::Unreachable { .. }
            | StatusState::NotRunning { .. }
            | StatusState::Missing => true,
        }
    }
}

/// Whether another run can make the host ready: one that cannot be logged in to, or will never do,
/// needs something else first.
fn up_helps(host: &StatusHost) -> bool {
    match &host.state {
        StatusState::NotReady { open } => open.iter().all(|item| item.step != OS_STEP),
        StatusState::NotRunning { lifecycle } => match lifecycle {
            Lifecycle::Pending | Lifecycle::Running | Lifecycle::Stopped => true,
            Lifecycle::Terminating | Lifecycle::Terminated => true,
            Lifecycle::Failed => false,
        },
        StatusState::Missing => true,
        StatusState::Unreachable { .. }
        | StatusState::Ready
        | StatusState::NotInFile
        | StatusState::NotAsked => false,
    }
}

fn hints(host: &StatusHost, next: &Next) -> Vec<String> {
    match &host.state {
        StatusState::Unreachable { failure } => {
            failure.hints.iter().map(|hint| next.spelled(hint)).collect()
        }
        StatusState::NotRunning { lifecycle: Lifecycle::Failed } => {
            let command = next.command(&format!("infra up --replace {}", host.host));
            vec![format!("{command} makes it anew; all data on it is lost")]
        }
        StatusState::Ready
        | StatusState::NotReady { .. }
        | StatusState::NotRunning { .. }
        | StatusState::Missing
        | StatusState::NotInFile
        | StatusState::NotAsked => Vec::new(),
    }
}

fn state(host: &StatusHost) -> Cell {
    match &host.state {
        StatusState::Ready => Cell::styled(GOOD, "ready"),
        StatusState::NotReady { open } => {
            let steps: Vec<String> =
                open.iter().map(|item| format!("{} ({})", item.step, item.why)).collect();
            Cell::styled(BAD, format!("not ready: {}", steps.join(", ")))
        }
        StatusState::Unreachable { failure } => {
            Cell::styled(BAD, format!("unreachable: {}: {}", failure.code, failure.message))
        }
        StatusState::NotRunning { lifecycle } => {
            let state = match lifecycle {
                Lifecycle::Pending => "coming up",
                Lifecycle::Running => "runs without an address",
                Lifecycle::Stopped => "switched off",
                Lifecycle::Terminating | Lifecycle::Terminated => "being removed",
                Lifecycle::Failed => "the provider gave up on it",
            };
            Cell::styled(BAD, with_trouble(state, host.trouble.as_deref()))
        }
        StatusState::Missing => {
            Cell::styled(BAD, with_trouble("does not exist", host.trouble.as_deref()))
        }
        StatusState::NotInFile => Cell::styled(FAINT, "not in the file"),
        StatusState::NotAsked => Cell::styled(WARN, "interrupted before it answered"),
    }
}

/// Whether the state is told with what the provider says.
fn tells_trouble(state: &StatusState) -> bool {
    match state {
        StatusState::NotRunning { .. } | StatusState::Missing => true,
        StatusState::Ready
        | StatusState::NotReady { .. }
        | StatusState::Unreachable { .. }
        | StatusState::NotInFile
        | StatusState::NotAsked => false,
    }
}

fn remarks(host: &StatusHost) -> Vec<String> {
    let mut remarks = Vec::new();
    if !host.differences.is_empty() {
        remarks.push(format!("drift: {}", differences_of(&host.differences)));
    }
    if host.surplus > 0 {
        remarks.push(format!("{} beside the one in use", count(host.surplus, "surplus machine")));
    }
    remarks
}

#[cfg(test)]
pub(crate) mod tests {
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
        let open =
            OpenItem { step: "docker-service".to_owned(), why: "starting docker".to_owned() };
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
}
