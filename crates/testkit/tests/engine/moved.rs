//! A host whose instance was listed before it had the address it is to have.

use std::time::Duration;

use stagecraft_core::error::Code;
use stagecraft_core::event::HostEnd;
use stagecraft_testkit::world::{Behaviour, RequestKind};

use crate::stage::{Stage, Verb, host};
use crate::wrong;

#[tokio::test(start_paused = true)]
async fn a_host_that_is_not_where_it_was_listed_is_reached_where_it_is() {
    let mut stage = Stage::new(Behaviour::names_are_free(), 3).wants(["web-1", "web-2"]);
    stage.spoil(wrong::lists_old_addresses);
    // New hosts first, and then hosts that were there.
    for _ in 0..2 {
        let began = stage.cloud.now();
        let tape = stage.told(Verb::Up).await;
        for name in ["web-1", "web-2"] {
            assert_eq!(tape.ends()[&host(name)], HostEnd::Ready);
            let told = tape.report().hosts[&host(name)].address.clone();
            assert!(told.as_ref().is_some_and(|at| at.starts_with("10.")), "{told:?}");
        }
        assert!(stage.cloud.now() - began < Duration::from_secs(60), "it is looked at soon");
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_nowhere_is_looked_at_a_few_times_and_given_up() {
    let mut stage = Stage::new(Behaviour::names_are_free(), 3).wants(["web-1"]);
    stage.fleet.inject(&host("web-1"), stagecraft_testkit::HostFault::NeverAnswers);
    stage.mint = None;
    let tape = stage.told(Verb::Up).await;
    let HostEnd::Failed(failure) = &tape.ends()[&host("web-1")] else { panic!("it is up") };
    assert_eq!(failure.code, Code::SSH_FAILED);
    let looks = stage.cloud.with(|world, _| world.requests().of(RequestKind::Get));
    assert!((1..=4).contains(&looks), "{looks}");
}
