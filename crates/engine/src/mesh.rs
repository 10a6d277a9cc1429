//! Members of a mesh are told of each other: put side by side what all have seen, tell only those for
//! whom something differs, and see that they hear each other.
//!
//! ```text
//!   arrive --+                  +--> join (those that differ) --> verify (those that are new) --> ended
//!   arrive --+--> meet (pure) --+
//!   fail ----+                  +--> nothing to do -------------------------------------------> ended
//! ```
//!
//! Nobody waits for ever: when those that are ready have waited for long, they meet without the others,
//! and again when these come.

mod room;

pub(crate) use room::Room;

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;

use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use stagecraft_core::converge::{self, Step};
use stagecraft_core::error::{Code, Failure};
use stagecraft_core::event::{HostEnd, HostEvent, SkipReason};
use stagecraft_core::inventory::Instance;
use stagecraft_core::name::HostName;
use stagecraft_core::network::{Member, Mesh};
use stagecraft_core::remote::{Output, Target};

use crate::Engine;

/// How far a host got.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Nothing more happens to it.
    Ended(HostEnd),
    /// It is as asked but for the other members of its mesh, of which it has to be told.
    Arrived(Box<Arrival>),
    /// It is a member that this run does not work on otherwise, and could not be asked.
    Absent(Box<Instance>, Failure),
}

/// A member that can be told of others.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// Its instance.
    pub(crate) instance: Instance,
    /// Whom to log in to.
    pub(crate) target: Target,
    /// What its last step saw.
    pub(crate) seen: Vec<Output>,
}

impl Engine {
    /// Takes in hosts as they come, and lets those that belong to a mesh meet.
    pub(crate) async fn gather<F>(&self, room: &mut Room, mut coming: FuturesUnordered<F>)
    where
        F: Future<Output = (HostName, Progress)>,
    {
        loop {
            let all_are_here = loop {
                let long = async {
                    match room.is_news() {
                        true => self.clock.sleep(self.limits.members).await,
                        false => pending().await,
                    }
                };
                tokio::select! {
                    biased;
                    next = coming.next() => match next {
                        Some((host, progress)) => self.take_in(room, host, progress),
                        None => break true,
                    },
                    () = long => break false,
                }
            };
            if room.is_news() {
                let mut late = Vec::new();
                {
                    let meeting = self.meet(room);
                    tokio::pin!(meeting);
                    loop {
                        tokio::select! {
                            biased;
                            () = &mut meeting => break,
                            Some(one) = coming.next() => late.push(one),
                        }
                    }
                }
                for (host, progress) in late {
                    self.take_in(room, host, progress);
                }
            } else if all_are_here {
                break;
            }
        }
        for (host, end) in room.ends() {
            self.end(&host, end);
        }
        for (host, (instance, mut failure)) in room.untold() {
            self.tell(&host, HostEvent::Included(Box::new(instance)));
            failure.message =
                format!("it could not be told that the mesh changed: {}", failure.message);
            failure.hints.push("it learns of it with the next `stagecraft infra up`".to_owned());
            self.end(&host, HostEnd::Failed(failure));
        }
    }

    fn take_in(&self, room: &mut Room, host: HostName, progress: Progress) {
        match progress {
            Progress::Ended(end) => {
                if end == HostEnd::Removed && self.mesh().is_some() {
                    room.leave(&host);
                }
                self.end(&host, end);
            }
            Progress::Arrived(arrival) => {
                if !room.is_included(&host) {
                    self.tell(&host, HostEvent::WaitingForMembers);
                }
                room.arrive(host, *arrival);
            }
            Progress::Absent(instance, failure) => room.miss(*instance, failure),
        }
    }

    /// Asks a member that is not worked on otherwise what it knows.
    pub(crate) async fn ask_member(&self, instance: &Instance) -> Progress {
        match self.member_seen(instance).await {
            Ok((target, seen)) => {
                let instance = instance.clone();
                Progress::Arrived(Box::new(Arrival { instance, target, seen }))
            }
            Err(failure) => Progress::Absent(Box::new(instance.clone()), failure),
        }
    }

    async fn member_seen(&self, instance: &Instance) -> Result<(Target, Vec<Output>), Failure> {
        let Some((network, target)) = self.network.as_ref().zip(Target::of(instance)) else {
            let message = format!("`{}` runs and has no address", instance.owner.host);
            return Err(Failure::new(Code::SSH_FAILED, message));
        };
        let login = self.login_quietly(&target, self.while_looking()).await?;
        let login = login.ok_or_else(crate::cancel::interrupted)?;
        let steps = network.steps(&Member::of(instance));
        let answer = login.remote.run(&converge::look(&steps)).await;
        let target = login.target.clone();
        login.remote.close().await;
        let output = answer.map_err(|error| Failure::from(&error))?;
        match converge::last_seen(&steps, &output) {
            Some(seen) => Ok((target, seen)),
            None => {
                let message = "the host's answer was cut short, or took too long";
                Err(Failure::new(Code::SSH_FAILED, message))
            }
        }
    }

    /// One meeting of those who are here.
    async fn meet(&self, room: &mut Room) {
        let Some(mesh) = self.mesh() else {
            return;
        };
        room.has_met();
        if let Err(failure) = self.find_strangers(mesh, room).await {
            for host in room.present() {
                room.fail(&host, HostEnd::Failed(failure.clone()));
            }
            return;
        }
        let mut meeting = mesh.meet(&room.attendees());
        let joins = std::mem::take(&mut meeting.join);
        room.note_change(!joins.is_empty());
        for host in room.newly_included(joins.keys().chain(meeting.refused.keys())) {
            self.tell(&host.owner.host, HostEvent::Included(Box::new(host.clone())));
        }
        for (host, failure) in std::mem::take(&mut meeting.refused) {
            room.fail(&host, HostEnd::Failed(failure));
        }
        let done = self.each(room, joins).await;
        room.update(done);
        let up = room.present();
        let due: BTreeMap<HostName, Vec<Box<dyn Step>>> = meeting
            .verify
            .intersection(&up)
            .filter(|host| room.speaks_of(host))
            .map(|host| (host.clone(), self.verification(mesh, host, &up)))
            .collect();
        let done = self.each(room, due).await;
        room.update(done);
    }

    /// Takes in hosts that members know and this run does not: another run may have made them since the
    /// providers were listed.
    async fn find_strangers(&self, mesh: &dyn Mesh, room: &mut Room) -> Result<(), Failure> {
        let strangers = room.strangers(mesh.known(&room.attendees()));
        if strangers.is_empty() {
            return Ok(());
        }
        let seen = self.observe(room.scope()).await;
        if let Some(why) = seen.unlisted().values().next() {
            let mut failure = why.clone();
            failure.message = format!("who else is in the mesh is not known: {}", failure.message);
            return Err(failure);
        }
        room.admit(strangers.iter().filter_map(|host| seen.get(host)));
        Ok(())
    }

    fn verification(
        &self,
        mesh: &dyn Mesh,
        host: &HostName,
        up: &BTreeSet<HostName>,
    ) -> Vec<Box<dyn Step>> {
        let others = up.iter().filter(|other| *other != host).cloned().collect();
        mesh.verify(host, &others)
    }

    /// Makes steps true on hosts, all at once.
    async fn each(
        &self,
        room: &Room,
        steps: BTreeMap<HostName, Vec<Box<dyn Step>>>,
    ) -> Vec<(HostName, HostEnd, Vec<Output>)> {
        let hosts = steps.into_iter().filter_map(|(host, steps)| {
            let target = room.target(&host)?.clone();
            Some(async move {
                let (end, seen) = self.on_member(&target, steps).await;
                (host, end, seen)
            })
        });
        join_all(hosts).await
    }

    async fn on_member(
        &self,
        target: &Target,
        steps: Vec<Box<dyn Step>>,
    ) -> (HostEnd, Vec<Output>) {
        match self.login(target, self.with_old()).await {
            Err(failure) => (HostEnd::Failed(failure), Vec::new()),
            Ok(None) => (HostEnd::Skipped(SkipReason::Interrupted), Vec::new()),
            Ok(Some(login)) => self.converge(login, steps).await,
        }
    }
}
