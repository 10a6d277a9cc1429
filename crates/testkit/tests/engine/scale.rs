use std::time::Duration;

use stagecraft_core::event::HostEnd;
use stagecraft_testkit::world::{Behaviour, RequestKind};

use crate::stage::{Stage, Verb, host};

#[tokio::test(start_paused = true)]
async fn three_hundred_hosts_cost_a_bounded_number_of_lists() {
    let names: Vec<String> = (1..=300).map(|number| format!("web-{number}")).collect();
    let behaviour =
        Behaviour { latency: Duration::from_millis(400), ..Behaviour::names_are_unique() };
    let stage = Stage::new(behaviour, 1).wants(names.iter().map(String::as_str));
    stage.fleet.boot_slowly(3);

    let began = stage.cloud.now();
    let ends = stage.run(Verb::Up).await.expect("nobody is killed");
    let took = stage.cloud.now() - began;

    assert_eq!(ends.values().filter(|end| **end == HostEnd::Ready).count(), 300);
    assert_eq!(stage.one_each(), Ok(()));
    let (lists, gets) = stage.cloud.with(|world, _| {
        (world.requests().of(RequestKind::List), world.requests().of(RequestKind::Get))
    });
    assert_eq!(gets, 0, "waiting is by list");
    assert!(lists < 2 * took.as_secs() + 5, "{lists} lists in {took:?}");
    assert!(lists <= 100, "{lists} lists for 300 hosts");
    assert!(took < Duration::from_secs(120), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn hosts_that_are_right_cost_one_connection_and_one_command_each() {
    let stage = Stage::new(Behaviour::names_are_free(), 1).wants(["web-1", "web-2"]);
    stage.run_until_quiet(Verb::Up).await.expect("they come up");
    let before = requests(&stage);
    stage.run(Verb::Up).await.expect("nobody is killed");
    let after = requests(&stage);
    assert_eq!(after.0 - before.0, 1, "one list");
    assert_eq!((after.1 - before.1, after.2 - before.2), (1, 1), "connections and commands");
}

fn requests(stage: &Stage) -> (u64, u64, u64) {
    let total = stage.cloud.with(|world, _| world.requests().total());
    (total, stage.fleet.connections(&host("web-1")), stage.fleet.commands(&host("web-1")))
}
