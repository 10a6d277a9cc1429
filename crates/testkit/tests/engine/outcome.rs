//! What is left when a command is over.

use std::time::Duration;

use stagecraft_core::error::Code;
use stagecraft_core::event::{EventKind, HostEnd, HostEvent, ProviderEvent};
use stagecraft_core::identity::HostKey;
use stagecraft_core::inventory::Lifecycle;
use stagecraft_testkit::world::first_boot::HOST_KEY;
use stagecraft_testkit::world::{EffectKind, Seen};

use crate::stage::{Stage, Verb, ours};
use crate::tape::Tape;

/// The stretch of time that limits on bursts are about.
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// What exists, ids and ages aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picture(Vec<String>);

/// A file by its path; one of a mesh with the names in it, since its keys differ from run to run.
fn with_peers((path, text): (String, String)) -> String {
    let names = text.lines().filter_map(|line| line.strip_prefix("# "));
    let names: Vec<&str> = names.filter(|name| !name.contains(' ')).collect();
    if names.is_empty() { path } else { format!("{path} of {names:?}") }
}

impl Stage {
    /// Runs `up` once in an account without machines of ours, and says what is wrong unless every
    /// host is ready and was ordered once.
    pub(crate) async fn comes_up_once(&self) -> Result<(), String> {
        let ends = self.run(Verb::Up).await.ok_or("killed")?;
        if let Some(bad) = ends.iter().find(|(_, end)| **end != HostEnd::Ready) {
            return Err(format!("{bad:?}"));
        }
        let created = created(self);
        if created != self.wanted.len() {
            return Err(format!("{created} were created"));
        }
        self.one_each()
    }

    /// Everything that exists once everything has settled.
    pub(crate) fn picture(&self) -> Picture {
        self.cloud.with(|world, now| {
            let later = now + Duration::from_secs(3600);
            let mut machines: Vec<_> = world
                .machines(later)
                .into_iter()
                .filter(|machine| machine.lifecycle != Lifecycle::Terminated)
                .map(|Seen { id, name, labels, tags, spec, lifecycle, .. }| {
                    let files = world.disk(&id).map(|disk| disk.files.clone()).unwrap_or_default();
                    let presented = files.get(HOST_KEY).and_then(|key| key.parse().ok());
                    let labels: Vec<String> =
                        labels.into_iter().map(|(key, value)| format!("{key}:{value}")).collect();
                    let carried: Vec<String> =
                        labels.into_iter().chain(tags).map(|of| keyless(of, presented)).collect();
                    let files: Vec<String> = files.into_iter().map(with_peers).collect();
                    format!("{name} {carried:?} {spec:?} {lifecycle:?} {files:?}")
                })
                .collect();
            machines.sort();
            Picture(machines)
        })
    }

    /// Whether every host of the file has exactly one instance and no other host of ours has any.
    pub(crate) fn one_each(&self) -> Result<(), String> {
        let ours = ours();
        let mut hosts: Vec<String> = self.cloud.with(|world, now| {
            world
                .machines(now + Duration::from_secs(3600))
                .into_iter()
                .filter(|machine| machine.lifecycle != Lifecycle::Terminated)
                .filter(|machine| (self.dialect.is_of)(machine, &ours))
                .map(|machine| machine.name)
                .collect()
        });
        hosts.sort();
        let mut wanted: Vec<String> =
            self.wanted.values().map(|wanted| wanted.marks.name.clone()).collect();
        wanted.sort();
        if hosts == wanted {
            Ok(())
        } else {
            Err(format!("wanted {wanted:?}, there are {hosts:?}"))
        }
    }

    /// Whether nobody touched what is not ours.
    pub(crate) fn left_others_alone(&self) -> Result<(), String> {
        self.cloud.with(|world, _| {
            let touched = world.effects().iter().find(|effect| match &effect.kind {
                EffectKind::Started { id }
                | EffectKind::Updated { id }
                | EffectKind::Terminated { id }
                | EffectKind::HostChanged { id, .. } => self.foreign.contains(id),
                EffectKind::Created { .. } => false,
            });
            touched.map_or(Ok(()), |effect| Err(format!("{effect:?} is not ours to make")))
        })
    }
}

/// What is written on a machine, with what its host presents instead of a pinned key: no two runs make
/// the same keys.
fn keyless(text: String, presented: Option<HostKey>) -> String {
    match text.rsplit_once(':') {
        Some((what, key)) => match HostKey::from_label(key) {
            Ok(key) if Some(key) == presented => format!("{what}:the key it presents"),
            Ok(_) => format!("{what}:another key than it presents"),
            Err(_) => text,
        },
        None => text,
    }
}

/// The pauses that were told, in order.
pub(crate) fn pauses(tape: &Tape) -> Vec<Duration> {
    let of = |kind: &EventKind| match kind {
        EventKind::Provider(_, ProviderEvent::RateLimited { after }) => Some(*after),
        EventKind::Provider(..) | EventKind::Host(..) | EventKind::Stopping => None,
    };
    tape.events().iter().filter_map(|event| of(&event.kind)).collect()
}

/// That every host became ready, and nobody was told of limits on its behalf.
pub(crate) fn assert_all_ready(stage: &Stage, tape: &Tape, hosts: usize) {
    let ends = tape.ends();
    let odd = ends.iter().find(|(_, end)| **end != HostEnd::Ready);
    assert_eq!((ends.len(), odd), (hosts, None));
    assert_eq!(stage.one_each(), Ok(()));
    let limited = |event: &HostEvent| matches!(event, HostEvent::Retrying { code, .. } if *code == Code::CLOUD_RATE_LIMITED);
    for name in ends.keys() {
        assert_eq!(tape.first(name.as_str(), limited), None, "told once, not for each host");
    }
}

/// How many machines were made.
pub(crate) fn created(stage: &Stage) -> usize {
    stage.cloud.with(|world, _| {
        let kinds = world.effects().iter().map(|effect| &effect.kind);
        kinds.filter(|kind| matches!(kind, EffectKind::Created { .. })).count()
    })
}
