//! An instance that is planned to be gone on with is gone before the run gets to it.

use stagecraft_core::event::{Event, EventKind, HostEnd, HostEvent};
use stagecraft_engine::Cancel;
use stagecraft_testkit::Process;
use stagecraft_testkit::world::Behaviour;

use crate::stage::{Stage, Verb, host};
use crate::tape::Tape;

#[tokio::test(start_paused = true)]
async fn a_host_whose_old_instance_is_gone_gets_another_in_the_same_run() {
    for behaviour in [Behaviour::names_are_free(), Behaviour::names_are_unique()] {
        for moment in [is_starting, is_waiting] {
            let stage = Stage::new(behaviour.clone(), 7).wants(["web-1", "web-2"]);
            assert!(stage.run_until_quiet(Verb::Up).await.is_ok());
            let old = stage.id_of("web-1");
            stage.cloud.with(|world, _| world.stop(&old));

            let cloud = stage.cloud.clone();
            let lost = old.clone();
            let tape = Tape::with_hook(Cancel::new(), move |event| {
                if moment(event) {
                    cloud.with(|world, _| world.remove(&lost));
                }
            });
            let engine = stage.engine(&Process::new(), &tape, stage.seed);
            assert_eq!(stage.taped(Verb::Up, &engine, &tape).await, Ok(()));
            assert_eq!(tape.ends()[&host("web-1")], HostEnd::Ready);
            assert_ne!(stage.id_of("web-1"), old);
            assert_eq!(stage.one_each(), Ok(()));
        }
    }
}

fn is_starting(event: &Event) -> bool {
    matches!(&event.kind, EventKind::Host(_, HostEvent::Starting))
}

fn is_waiting(event: &Event) -> bool {
    matches!(&event.kind, EventKind::Host(_, HostEvent::WaitingForInstance))
}
