use std::time::Duration;

use stagecraft_core::error::Code;
use stagecraft_core::event::{EventKind, HostEvent};
use stagecraft_core::inventory::{Instance, Lifecycle};
use stagecraft_engine::Health;
use stagecraft_testkit::world::first_boot::HOST_KEY;
use stagecraft_testkit::world::{Behaviour, Fate};
use stagecraft_testkit::{HostFault, Process};

use crate::stage::{Stage, Verb, host, ours, steps};
use crate::tape::Tape;

#[tokio::test(start_paused = true)]
async fn looking_tells_how_every_host_is_and_changes_nothing() {
    let names = ["db-1", "web-1", "web-2", "web-3", "web-4", "web-5", "web-6"];
    let stage = Stage::new(Behaviour::names_are_free(), 1).wants(names);
    stage.cloud.with(|world, _| world.decide_fate("prod-db-1", Fate::StaysPending));
    stage.told(Verb::Up).await;

    let (bare, stopped) = (stage.id_of("web-2"), stage.id_of("web-3"));
    stage.cloud.with(|world, _| {
        let files = &mut world.disk(&bare).expect("its disk").files;
        files.retain(|path, _| [HOST_KEY, "/etc/hostname"].contains(&path.as_str()));
        world.stop(&stopped);
    });
    stage.fleet.inject(&host("web-4"), HostFault::NeverAnswers);
    stage.fleet.inject(&host("web-5"), HostFault::WrongHostKey);
    let command = stage.fleet.commands(&host("web-6")) + 1;
    stage.fleet.inject(&host("web-6"), HostFault::LosesConnection { command, happened: false });

    let before = stage.picture();
    let counted = |stage: &Stage| (stage.effects(), stage.cloud.changes().read().begun);
    let effects = counted(&stage);
    let commands = stage.fleet.commands(&host("web-2"));
    let tape = Tape::new();
    let engine = stage.engine(&Process::new(), &tape, 1);
    let instances: Vec<Instance> = engine.observe(&ours()).await.instances().cloned().collect();
    let looks = engine.inspect(instances, &[], &steps).await;

    let told: Vec<(&str, String)> =
        looks.iter().map(|(host, look)| (host.as_str(), words(&look.health))).collect();
    assert_eq!(
        told,
        [
            ("db-1", "not running: Pending".to_owned()),
            ("web-1", "ready".to_owned()),
            (
                "web-2",
                "docker-install needs making /etc/apt/keyring, making /usr/bin/docker; \
                 docker-verify comes after `docker-install`"
                    .to_owned()
            ),
            ("web-3", "not running: Stopped".to_owned()),
            ("web-4", Code::SSH_FAILED.to_string()),
            ("web-5", Code::HOST_KEY_MISMATCH.to_string()),
            ("web-6", Code::SSH_FAILED.to_string()),
        ]
    );
    assert_eq!(looks[&host("db-1")].health, Health::NotRunning(Lifecycle::Pending));
    assert_eq!((counted(&stage), stage.picture()), (effects, before));
    assert_eq!(stage.fleet.commands(&host("web-2")) - commands, 1);
    let changed = tape.events().into_iter().any(|event| {
        matches!(event.kind, EventKind::Host(_, HostEvent::Doing { .. } | HostEvent::Ended(_)))
    });
    assert!(!changed, "looking is not a run");
}

#[tokio::test(start_paused = true)]
async fn a_user_who_stops_gets_what_was_seen_by_then() {
    let stage = Stage::new(Behaviour::names_are_free(), 1).wants(["web-1", "web-2"]);
    stage.run_until_quiet(Verb::Up).await.expect("they come up");
    let command = stage.fleet.commands(&host("web-2")) + 1;
    stage.fleet.inject(&host("web-2"), HostFault::Hangs { command });
    let tape = Tape::new();
    let engine = stage.engine(&Process::new(), &tape, 1);
    let instances: Vec<Instance> = engine.observe(&ours()).await.instances().cloned().collect();
    let began = stage.cloud.now();
    let stop = async {
        stage.cloud.sleep(Duration::from_secs(9)).await;
        tape.cancel().stop();
    };
    let (looks, ()) = tokio::join!(engine.inspect(instances, &[], &steps), stop);
    assert_eq!(words(&looks[&host("web-1")].health), "ready");
    assert_eq!(looks[&host("web-2")].health, Health::NotAsked);
    assert_eq!((stage.cloud.now() - began).as_secs(), 9, "nobody is waited for");
}

fn words(health: &Health) -> String {
    match health {
        Health::Ready => "ready".to_owned(),
        Health::NotReady { open } => {
            let open: Vec<String> =
                open.iter().map(|open| format!("{} {}", open.step, open.why)).collect();
            open.join("; ")
        }
        Health::Unreachable(failure) => failure.code.to_string(),
        Health::NotRunning(lifecycle) => format!("not running: {lifecycle:?}"),
        Health::NotAsked => "not asked".to_owned(),
    }
}
