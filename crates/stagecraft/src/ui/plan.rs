//! A plan on screen: what will be done, what is left alone and how to act on it, and how much.

use std::collections::BTreeSet;

use anstyle::Style;
use stagecraft_core::cloud::Price;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::inventory::{Instance, Lifecycle, Spec};
use stagecraft_core::name::HostName;
use stagecraft_core::plan::{Action, Change, Difference, Entry, Fate, Hold, Plan, Reason, Ripple};

use super::natural::by_name;
use super::text::{BAD, BOLD, FAINT, GOOD, Text, WARN, count, names};
use super::{Cell, Columns};
use crate::documents::monthly;
use crate::next::Next;

/// The plan, and nothing about what happens next.
pub(crate) fn plan_screen(plan: &Plan, next: &Next, width: usize) -> Text {
    let mut text = Text::new();
    text.put("Plan for ").styled(BOLD, &format!("`{}`", plan.scope)).end_line();

    let (not_meant, meant): (Vec<&Entry>, Vec<&Entry>) =
        plan.entries.iter().partition(|entry| is_not_meant(entry));
    let (done, left): (Vec<&Entry>, Vec<&Entry>) =
        meant.into_iter().partition(|entry| entry.fate == Fate::Proceeds);
    section(&mut text, "", &done, why, width);
    let why_left = |entry: &Entry| match entry.fate {
        Fate::LeftAlone(hold) => {
            let words = format!("{}; {}", why(entry), what_to_do(entry, hold, next));
            match kept_right(entry) {
                Some(meanwhile) => format!("{words}; {meanwhile}"),
                None => words,
            }
        }
        Fate::Proceeds => why(entry),
    };
    section(&mut text, "Left alone", &left, why_left, width);

    text.end_line();
    match not_meant.len() {
        0 => {}
        1 => {
            text.line("1 other host is not named by `--host`.");
        }
        others => {
            text.line(&format!("{others} other hosts are not named by `--host`."));
        }
    }
    text.styled(BOLD, &summary(plan)).end_line();
    if !plan.entries.is_empty() && !plan.finds_changes() {
        let status = next.command("infra status");
        text.line(&format!("Hosts are not looked into here: {status} does that."));
    }
    if let Some(ripple) = plan.ripple.as_ref().filter(|ripple| !ripple.is_nothing()) {
        text.line(&network_line(ripple));
    }
    if let Some(costs) = costs_line(plan) {
        text.line(&costs);
    }
    text
}

/// What the hosts of the file cost, if they are rented.
fn costs_line(plan: &Plan) -> Option<String> {
    let sums: Vec<String> = monthly(plan).iter().map(Price::to_string).collect();
    let unknown = match without_price(plan) {
        0 if sums.is_empty() => return None,
        _ if sums.is_empty() => {
            return Some("What the hosts of the file cost a month is not known.".to_owned());
        }
        0 => String::new(),
        hosts => format!(", without {} whose price is not known", count(hosts, "host")),
    };
    Some(format!(
        "{} a month for the hosts of the file, at list prices{unknown}.",
        sums.join(" + ")
    ))
}

/// What happens to the network, and whom that touches.
fn network_line(ripple: &Ripple) -> String {
    let some = |hosts: &BTreeSet<HostName>, one: &str, many: &str| match hosts.len() {
        0 => None,
        1..=3 => Some(format!("{} {}", names(hosts), if hosts.len() == 1 { one } else { many })),
        number => Some(format!("{number} hosts {many}")),
    };
    let changes = [some(&ripple.joins, "joins", "join"), some(&ripple.leaves, "leaves", "leave")];
    let changes: Vec<String> = changes.into_iter().flatten().collect();
    let told = match ripple.told.len() {
        0 => "no other host is touched".to_owned(),
        1 => "1 other host is told".to_owned(),
        others => format!("{others} other hosts are told"),
    };
    format!("Network {}: {}; {told}.", ripple.network, changes.join(", "))
}

/// How many of the hosts that stay are rented at a price nobody told.
fn without_price(plan: &Plan) -> usize {
    let rented = |entry: &&Entry| {
        entry.provider != ProviderId::Local && entry.change.action() != Action::Delete
    };
    plan.entries.iter().filter(rented).filter(|entry| entry.monthly.is_none()).count()
}

/// The hosts whose machines the plan removes, in the order of the plan.
pub(crate) fn removals(plan: &Plan) -> Vec<&str> {
    let mut hosts: Vec<&str> = plan
        .entries
        .iter()
        .filter(|entry| entry.fate == Fate::Proceeds && is_destructive(entry.change.action()))
        .map(|entry| entry.host.as_str())
        .collect();
    hosts.dedup();
    hosts
}

fn is_not_meant(entry: &Entry) -> bool {
    entry.fate == Fate::LeftAlone(Hold::NotSelected)
}

fn is_destructive(action: Action) -> bool {
    match action {
        Action::Replace | Action::Delete => true,
        Action::Create | Action::Unchanged | Action::Resume | Action::Update => false,
    }
}

fn section(
    text: &mut Text,
    title: &str,
    entries: &[&Entry],
    why: impl Fn(&Entry) -> String,
    width: usize,
) {
    if entries.is_empty() {
        return;
    }
    text.end_line();
    if !title.is_empty() {
        text.styled(BOLD, title).put(":").end_line();
    }
    let columns = |prices_apart| {
        let mut columns = Columns::indented(2);
        for entry in by_name(entries, |entry| &entry.host) {
            columns.row(row(entry, why(entry), prices_apart));
            notices(&mut columns, entry);
        }
        columns
    };
    let wide = columns(true);
    let columns = if wide.fit(width) { wide } else { columns(false) };
    text.append(&columns.render(width));
}

/// The cells of an entry; its price is in a column of its own or with the reason.
fn row(entry: &Entry, mut why: String, price_apart: bool) -> Vec<Cell> {
    let (symbol, style) = look(entry.change.action());
    let mut price =
        entry.monthly.as_ref().map(|price| format!("{price}/month")).unwrap_or_default();
    if !price_apart && !price.is_empty() {
        why = format!("{}, {why}", std::mem::take(&mut price));
    }
    vec![
        Cell::styled(style, format!("{symbol} {}", entry.change.action().as_str())),
        Cell::styled(BOLD, entry.host.as_str()),
        entry.provider.as_str().into(),
        machine(entry).into(),
        price.into(),
        Cell::from(why),
    ]
}

/// What was asked for and cannot be had, and what the provider says of a machine, unless the host's own
/// line says it.
fn notices(columns: &mut Columns, entry: &Entry) {
    let trouble = entry.trouble().filter(|_| !tells_trouble(entry));
    for notice in entry.notices.iter().map(String::as_str).chain(trouble) {
        let mut cells: Vec<Cell> = vec![Cell::from(""); 5];
        cells.push(Cell::styled(WARN, format!("note: {notice}")));
        columns.row(cells);
    }
}

fn look(action: Action) -> (&'static str, Style) {
    match action {
        Action::Create | Action::Resume => ("+", GOOD),
        Action::Update => ("~", WARN),
        Action::Replace => ("~", BAD),
        Action::Delete => ("-", BAD),
        Action::Unchanged => (" ", FAINT),
    }
}

fn machine(entry: &Entry) -> String {
    let spec = match &entry.change {
        Change::Create { wanted }
        | Change::Resume { wanted, .. }
        | Change::Update { wanted, .. }
        | Change::Replace { wanted, .. } => &wanted.spec,
        Change::Unchanged { instance } | Change::Delete { instance } => &instance.spec,
    };
    let Spec { region, size, image, arch, spot } = spec;
    let spot = if *spot { ", spot" } else { "" };
    if region.as_str() == entry.provider.as_str() {
        format!("{size}, {image}, {arch}{spot}")
    } else {
        format!("{size} in {region}, {image}, {arch}{spot}")
    }
}

/// Whether the reason is told with what the provider says.
fn tells_trouble(entry: &Entry) -> bool {
    match entry.reason {
        Reason::Missing { .. } | Reason::InstanceFailed => true,
        Reason::Requested => entry.change.action() != Action::Replace,
        Reason::UpToDate
        | Reason::NotUpYet
        | Reason::SwitchedOff
        | Reason::Differs(_)
        | Reason::NotInFile
        | Reason::Duplicate { .. } => false,
    }
}

fn why(entry: &Entry) -> String {
    match &entry.reason {
        Reason::Missing { gone } => with_trouble("does not exist", gone.as_deref()),
        Reason::UpToDate => "up to date".to_owned(),
        Reason::NotUpYet => "ordered earlier, not up yet".to_owned(),
        Reason::SwitchedOff => "is switched off".to_owned(),
        Reason::Differs(differences) => differences_of(differences),
        Reason::InstanceFailed => {
            let instance = entry.change.instance();
            let trouble = instance.and_then(|instance| instance.trouble.as_deref());
            with_trouble("the provider gave up on its machine", trouble)
        }
        Reason::Requested => match entry.change.action() {
            Action::Replace => "asked for with `--replace`".to_owned(),
            Action::Create
            | Action::Unchanged
            | Action::Resume
            | Action::Update
            | Action::Delete => state_of(entry.change.instance()),
        },
        Reason::NotInFile => "not in the file".to_owned(),
        Reason::Duplicate { .. } => {
            format!("surplus: an older machine stands for `{}`", entry.host)
        }
    }
}

/// What is known of an instance that `infra down` removes.
fn state_of(instance: Option<&Instance>) -> String {
    let state = match instance.map(|instance| instance.lifecycle) {
        Some(Lifecycle::Running) => "running",
        Some(Lifecycle::Pending) => "not up yet",
        Some(Lifecycle::Stopped) => "switched off",
        Some(Lifecycle::Failed) => "failed",
        Some(Lifecycle::Terminating | Lifecycle::Terminated) | None => "going",
    };
    with_trouble(state, instance.and_then(|instance| instance.trouble.as_deref()))
}

/// What is the matter with an instance, and what the provider says about it.
pub(super) fn with_trouble(state: &str, trouble: Option<&str>) -> String {
    match trouble {
        Some(trouble) => format!("{state}: {trouble}"),
        None => state.to_owned(),
    }
}

/// `size: small -> medium, spot: false -> true`
pub(super) fn differences_of(differences: &[Difference]) -> String {
    let shown = |value: &str| if value.is_empty() { "none".to_owned() } else { value.to_owned() };
    let all: Vec<String> = differences
        .iter()
        .map(|d| format!("{}: {} -> {}", d.field, shown(&d.from), shown(&d.to)))
        .collect();
    all.join(", ")
}

fn what_to_do(entry: &Entry, hold: Hold, next: &Next) -> String {
    match hold {
        Hold::NeedsPrune => format!("{} removes it", next.command("infra up --prune")),
        Hold::NeedsReplace => {
            let command = next.command(&format!("infra up --replace {}", entry.host));
            format!("{command} makes it anew, all data on it is lost")
        }
        Hold::Protected => protected(entry, next),
        Hold::NotSelected => "not named by `--host`".to_owned(),
    }
}

/// How to act on a protected host: what protects it is the file, or what its machine was marked
/// with.
fn protected(entry: &Entry, next: &Next) -> String {
    let up = next.command("infra up");
    match (&entry.change, &entry.reason) {
        (Change::Replace { wanted, .. }, _) if !wanted.marks.protected => {
            let replace = next.command(&format!("infra up --replace {}", entry.host));
            format!("its machine is still marked as protected: run {up} first, then {replace}")
        }
        (Change::Delete { .. }, Reason::NotInFile) => {
            format!("protected: put it back with `protected: false` and run {up} first")
        }
        (
            Change::Replace { .. }
            | Change::Delete { .. }
            | Change::Create { .. }
            | Change::Unchanged { .. }
            | Change::Resume { .. }
            | Change::Update { .. },
            _,
        ) => {
            format!("protected: declare it with `protected: false` in the file and run {up} first")
        }
    }
}

/// What is done now about a host whose replacement is held back.
fn kept_right(entry: &Entry) -> Option<&'static str> {
    let held = entry.fate != Fate::Proceeds && entry.is_worked_on();
    let off = entry.change.instance().is_some_and(|i| i.lifecycle == Lifecycle::Stopped);
    match (held && off, entry.updates_in_place()) {
        (true, true) => {
            Some("now it is switched on, and name, role, tags and protection are updated")
        }
        (true, false) => Some("now it is switched on"),
        (false, true) => Some("name, role, tags and protection are updated now"),
        (false, false) => None,
    }
}

fn summary(plan: &Plan) -> String {
    if plan.entries.is_empty() {
        return "There are no hosts.".to_owned();
    }
    if !plan.finds_changes() {
        return "No machine would change.".to_owned();
    }
    let mut counts: Vec<String> = Action::ALL
        .iter()
        .filter_map(|&action| {
            let all = plan.entries.iter();
            let number =
                all.filter(|e| e.fate == Fate::Proceeds && e.change.action() == action).count();
            let verb = match action {
                Action::Unchanged => "unchanged",
                Action::Create => "to create",
                Action::Resume => "to resume",
                Action::Update => "to update",
                Action::Replace => "to replace",
                Action::Delete => "to remove",
            };
            (number > 0).then(|| format!("{number} {verb}"))
        })
        .collect();
    let in_place = plan.entries.iter().filter(|entry| kept_right(entry).is_some()).count();
    if in_place > 0 {
        counts.push(format!("{in_place} to change in place"));
    }
    let left = plan
        .entries
        .iter()
        .filter(|entry| entry.fate != Fate::Proceeds && !is_not_meant(entry))
        .count();
    match (counts.is_empty(), left) {
        (false, 0) => format!("{}.", counts.join(", ")),
        (false, left) => format!("{}; {left} left alone.", counts.join(", ")),
        (true, 0) => "Nothing to do.".to_owned(),
        (true, left) => format!("Nothing to do; {} left alone.", count(left, "host")),
    }
}

#[cfg(test)]
mod tests;
