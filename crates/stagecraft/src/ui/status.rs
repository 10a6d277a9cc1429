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
pub(crate) mod tests;
