//! How much happens at once, and that nobody waits for anybody.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use stagecraft_core::cloud::CloudProvider;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::event::{Event, EventKind, HostEnd, HostEvent};
use stagecraft_core::inventory::Instance;
use stagecraft_core::name::HostName;
use stagecraft_core::remote::{Command, Connector, Remote, RemoteError, Target};
use stagecraft_engine::{Engine, ExecEvent, Limits, Parts};
use stagecraft_testkit::world::first_boot::HOST_KEY;
use stagecraft_testkit::world::{Behaviour, Fate};
use stagecraft_testkit::{HostFault, MockCloud, Process, SharedWorld, World};

use crate::clock::WorldClock;
use crate::stage::{Stage, Verb, host, ours};
use crate::tape::Tape;

#[tokio::test(start_paused = true)]
async fn no_more_changes_are_under_way_at_a_provider_than_allowed() {
    let mut stage = stage(40);
    stage.limits = Limits { orders: 7, ..Limits::default() };
    stage.run_until_quiet(Verb::Up).await.expect("they come up");
    assert_eq!(stage.cloud.creates().read().most, 7);
    stage.run_until_quiet(Verb::Down).await.expect("they go");
    assert_eq!(stage.cloud.changes().read().most, 7);
    assert_eq!(stage.cloud.changes().read().now, 0);
}

#[tokio::test(start_paused = true)]
async fn no_more_hosts_are_logged_in_to_than_allowed() {
    let mut stage = stage(40);
    stage.limits = Limits { logins: 6, ..Limits::default() };
    stage.fleet.boot_slowly(2);
    stage.run_until_quiet(Verb::Up).await.expect("they come up");
    assert_eq!(stage.fleet.logins().read().most, 6);
    assert_eq!(stage.fleet.logins().read().now, 0);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_boots_slowly_holds_up_no_other() {
    for logins in [1, 20] {
        let mut stage = stage(4);
        stage.limits = Limits { logins, ..Limits::default() };
        stage.cloud.with(|world, _| world.decide_fate("prod-web-1", Fate::StaysPending));
        stage.fleet.inject(&host("web-2"), HostFault::RefusesConnections(60));
        let tape = stage.told(Verb::Up).await;
        let ended = |name| {
            let ended = tape.first(name, |event| matches!(event, HostEvent::Ended(_)));
            ended.expect("every host ends")
        };
        for name in ["web-3", "web-4"] {
            assert_eq!(tape.ends()[&host(name)], HostEnd::Ready);
            let connected = tape.first("web-2", |event| *event == HostEvent::Connected);
            assert!(Some(ended(name)) < connected, "{name} waits for web-2");
            assert!(ended(name) < ended("web-1"), "{name} waits for web-1");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_between_two_tries_takes_nobodys_turn() {
    let mut stage = stage(2);
    stage.cloud.with(|world, _| world.behaviour().latency = Duration::ZERO);
    stage.limits = Limits { logins: 1, ..Limits::default() };
    stage.fleet.inject(&host("web-1"), HostFault::RefusesConnections(60));
    let tape = stage.told(Verb::Up).await;
    let mut events = tape.of(&host("web-2")).into_iter();
    let at = |event: Option<Event>| event.map(|event| event.elapsed);
    let up =
        at(events.find(|event| matches!(event.kind, EventKind::Host(_, HostEvent::Running(_)))));
    let ended = at(events.last());
    assert!(up.is_some() && up == ended, "up at {up:?}, ready at {ended:?}");
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_turn_is_not_waiting_for_the_host() {
    let mut stage = stage(2);
    stage.run_until_quiet(Verb::Up).await.expect("they come up");
    // Longer than an old host is given to answer, while the other waits for its turn.
    stage.limits = Limits { logins: 1, ..Limits::default() };
    let first = stage.id_of("web-1");
    stage.cloud.with(|world, _| {
        world.disk(&first).expect("its disk").files.retain(|path, _| path == HOST_KEY);
    });
    let command = stage.fleet.commands(&host("web-1")) + 2;
    stage.fleet.inject(&host("web-1"), HostFault::Hangs { command });
    stage.fleet.inject(&host("web-2"), HostFault::RefusesConnections(1));
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let ends = stage.told(Verb::Up).await.ends();
    assert!(matches!(ends[&host("web-1")], HostEnd::Failed(_)), "{ends:?}");
    assert_eq!(ends[&host("web-2")], HostEnd::Ready);
}

#[tokio::test(start_paused = true)]
async fn hosts_of_one_provider_do_not_wait_for_logins_at_another() {
    let mut stage = stage(1);
    stage.limits = Limits { logins: 1, ..Limits::default() };
    stage.run_until_quiet(Verb::Up).await.expect("it comes up");
    let tape = Tape::new();
    let engine = Engine::new(Parts {
        providers: [ProviderId::DigitalOcean, ProviderId::Hetzner]
            .map(|id| {
                let world = World::new(id, Behaviour::names_are_free(), 1);
                let mock = MockCloud::new(&SharedWorld::new(world), &Process::new());
                (id, Arc::new(mock) as Arc<dyn CloudProvider>)
            })
            .into(),
        mint: None,
        network: None,
        connector: Arc::new(Stuck { at: ProviderId::DigitalOcean }),
        clock: Arc::new(WorldClock::new(&stage.cloud)),
        reporters: Vec::new(),
        limits: stage.limits.clone(),
        cancel: tape.cancel().clone(),
        seed: 1,
    });
    let listed = (stage.provider)(&stage.cloud, &Process::new())
        .list(&ours())
        .await
        .expect("they are listed");
    let here = listed.into_iter().next().expect("there is one");
    let there = Instance { provider: ProviderId::Hetzner, ..here.clone() };
    let (told, mut first) = tokio::sync::mpsc::unbounded_channel();
    let tell = |_: &HostName, what| drop(told.send(what));
    let command = Command::new("true");
    tokio::select! {
        () = engine.exec(vec![here, there], &command, &tell) => panic!("one never answers"),
        what = first.recv() => assert!(matches!(what, Some(ExecEvent::Ended(Err(_)))), "{what:?}"),
    }
}

/// Hosts of one provider never answer, and those of all others answer that they do not let anybody in.
#[derive(Debug)]
struct Stuck {
    at: ProviderId,
}

#[async_trait]
impl Connector for Stuck {
    async fn connect(&self, target: &Target) -> Result<Box<dyn Remote>, RemoteError> {
        if target.provider == self.at {
            std::future::pending::<()>().await;
        }
        Err(RemoteError::Unreachable {
            host: target.host.clone(),
            address: "192.0.2.1:22".to_owned(),
            why: "refused".to_owned(),
            on_the_way: false,
        })
    }
}

fn stage(hosts: usize) -> Stage {
    let latency = Duration::from_millis(300);
    let names: Vec<String> = (1..=hosts).map(|number| format!("web-{number}")).collect();
    Stage::new(Behaviour { latency, ..Behaviour::names_are_free() }, 11)
        .wants(names.iter().map(String::as_str))
}
