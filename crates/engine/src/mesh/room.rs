use std::collections::{BTreeMap, BTreeSet};

use stagecraft_core::error::Failure;
use stagecraft_core::event::HostEnd;
use stagecraft_core::inventory::Instance;
use stagecraft_core::name::{HostName, Scope};
use stagecraft_core::network::{Attendee, Member};
use stagecraft_core::remote::{Output, Target};

use super::Arrival;

/// Who belongs in a mesh, who is here, and how they stand.
#[derive(Debug)]
pub(crate) struct Room {
    /// Whose hosts these are.
    scope: Scope,
    /// All that have an instance.
    members: BTreeMap<HostName, Member>,
    /// Those that this run works on only to tell them of others.
    bystanders: BTreeSet<HostName>,
    guests: BTreeMap<HostName, Guest>,
    /// Those this run removed.
    gone: BTreeSet<HostName>,
    /// Bystanders that could not be asked, and why.
    missing: BTreeMap<HostName, (Instance, Failure)>,
    news: bool,
    /// Whether this run makes or removes members, or told some of others.
    changed: bool,
}

#[derive(Debug)]
struct Guest {
    instance: Instance,
    target: Target,
    seen: Vec<Output>,
    end: HostEnd,
    /// Whether the run has to say how it ended.
    counts: bool,
    /// What it said.
    said: Option<HostEnd>,
}

impl Room {
    /// A room for these members; `bystanders` among them are not worked on otherwise. `changed` says
    /// whether the run makes or removes members.
    pub(crate) fn new<'i>(
        scope: &Scope,
        members: impl IntoIterator<Item = &'i Instance>,
        bystanders: impl IntoIterator<Item = &'i Instance>,
        changed: bool,
    ) -> Self {
        let of = |instance: &Instance| (instance.owner.host.clone(), Member::of(instance));
        Self {
            members: members.into_iter().map(of).collect(),
            bystanders: bystanders.into_iter().map(|one| one.owner.host.clone()).collect(),
            changed,
            scope: scope.clone(),
            guests: BTreeMap::new(),
            gone: BTreeSet::new(),
            missing: BTreeMap::new(),
            news: false,
        }
    }

    /// Takes in a host that can be told.
    pub(super) fn arrive(&mut self, host: HostName, arrival: Arrival) {
        let Arrival { instance, target, seen } = arrival;
        let counts = !self.bystanders.contains(&host);
        self.members.insert(host.clone(), Member::of(&instance));
        let guest = Guest { instance, target, seen, end: HostEnd::Ready, counts, said: None };
        self.guests.insert(host, guest);
        self.news = true;
    }

    /// Notes that a host has no instance any more, so that the others forget it.
    pub(super) fn leave(&mut self, host: &HostName) {
        self.members.remove(host);
        self.gone.insert(host.clone());
        self.news = true;
    }

    /// Adds hosts that exist and that this run did not know of.
    pub(super) fn admit<'i>(&mut self, instances: impl IntoIterator<Item = &'i Instance>) {
        for instance in instances {
            let member = || Member::of(instance);
            self.members.entry(instance.owner.host.clone()).or_insert_with(member);
        }
    }

    /// Those of these hosts that are no members, and were not removed by this run either.
    pub(super) fn strangers(&self, known: BTreeSet<HostName>) -> BTreeSet<HostName> {
        let is_strange =
            |host: &HostName| !self.members.contains_key(host) && !self.gone.contains(host);
        known.into_iter().filter(is_strange).collect()
    }

    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Those that the run has to speak of.
    pub(super) fn speaks_of(&self, host: &HostName) -> bool {
        self.guests.get(host).is_some_and(|guest| guest.counts)
    }

    /// Notes that a bystander could not be asked.
    pub(super) fn miss(&mut self, instance: Instance, why: Failure) {
        self.missing.insert(instance.owner.host.clone(), (instance, why));
    }

    /// Whether a host is worked on only to tell it of others.
    pub(super) fn is_included(&self, host: &HostName) -> bool {
        self.bystanders.contains(host)
    }

    /// Whether somebody came since the last meeting.
    pub(super) fn is_news(&self) -> bool {
        self.news
    }

    pub(super) fn has_met(&mut self) {
        self.news = false;
    }

    /// Notes whether a meeting changed the mesh.
    pub(super) fn note_change(&mut self, changed: bool) {
        self.changed |= changed;
    }

    /// All members, with what those saw that are here and well.
    pub(super) fn attendees(&self) -> BTreeMap<HostName, Attendee> {
        let attendee = |(host, member): (&HostName, &Member)| {
            let guest = self.guests.get(host).filter(|guest| guest.end == HostEnd::Ready);
            let seen = guest.map(|guest| guest.seen.clone());
            (host.clone(), Attendee { member: member.clone(), seen })
        };
        self.members.iter().map(attendee).collect()
    }

    /// Those that are here and well.
    pub(super) fn present(&self) -> BTreeSet<HostName> {
        let well = self.guests.iter().filter(|(_, guest)| guest.end == HostEnd::Ready);
        well.map(|(host, _)| host.clone()).collect()
    }

    /// Whom to log in to.
    pub(super) fn target(&self, host: &HostName) -> Option<&Target> {
        self.guests.get(host).map(|guest| &guest.target)
    }

    /// Those of `hosts` that the run has to speak of from now on.
    pub(super) fn newly_included<'h>(
        &mut self,
        hosts: impl IntoIterator<Item = &'h HostName>,
    ) -> Vec<Instance> {
        let mut new = Vec::new();
        for host in hosts {
            if let Some(guest) = self.guests.get_mut(host)
                && !std::mem::replace(&mut guest.counts, true)
            {
                new.push(guest.instance.clone());
            }
        }
        new
    }

    pub(super) fn fail(&mut self, host: &HostName, end: HostEnd) {
        if let Some(guest) = self.guests.get_mut(host) {
            guest.end = end;
        }
    }

    /// Takes what came of steps on hosts.
    pub(super) fn update(&mut self, done: Vec<(HostName, HostEnd, Vec<Output>)>) {
        for (host, end, seen) in done {
            let Some(guest) = self.guests.get_mut(&host) else { continue };
            guest.end = end;
            if !seen.is_empty() {
                guest.seen = seen;
            }
        }
    }

    /// How those ended that the run has to speak of, as far as it did not say so yet.
    pub(super) fn ends(&mut self) -> Vec<(HostName, HostEnd)> {
        let mut ends = Vec::new();
        for (host, guest) in &mut self.guests {
            if guest.counts && guest.said.as_ref() != Some(&guest.end) {
                guest.said = Some(guest.end.clone());
                ends.push((host.clone(), guest.end.clone()));
            }
        }
        ends
    }

    /// Members that should have been told of others and could not be reached, and why.
    pub(super) fn untold(&mut self) -> BTreeMap<HostName, (Instance, Failure)> {
        if self.changed { std::mem::take(&mut self.missing) } else { BTreeMap::new() }
    }
}
