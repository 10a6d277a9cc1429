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
    // Three changes a host, ten at once.
    assert!(took < Duration::from_secs(140), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn hosts_that_are_right_cost_one_connection_and_one_command_each() {
    let names: Vec<String> = (1..=100).map(|number| format!("web-{number}")).collect();
    let stage = Stage::new(Behaviour::names_are_free(), 1).wants(names.iter().map(String::as_str));
    stage.run_until_quiet(Verb::Up).await.expect("they come up");
    let asked = || {
        stage
            .cloud
            .with(|world, _| (world.requests().of(RequestKind::List), world.requests().total()))
    };
    let logins = |name: &String| {
        let host = host(name);
        let fleet = &stage.fleet;
        [fleet.attempts(&host), fleet.connections(&host), fleet.commands(&host)]
    };
    let (before, logins_before) = (asked(), names.iter().map(logins).collect::<Vec<_>>());
    let report = stage.told(Verb::Up).await.report();
    let after = asked();
    assert_eq!((after.0 - before.0, after.1 - before.1), (1, 1), "one list and nothing else");
    for (name, before) in names.iter().zip(logins_before) {
        assert_eq!(logins(name), before.map(|count| count + 1), "{name}");
    }
    assert!(report.changed_nothing());
}
