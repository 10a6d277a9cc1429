//! Many hosts at a provider that takes only so many requests, and is used by other programs too.

use std::sync::Arc;
use std::time::Duration;

use stagecraft_core::event::HostEnd;
use stagecraft_testkit::Process;
use stagecraft_testkit::world::RequestLimits;

use crate::limited::{limit, stage};
use crate::outcome::{MINUTE, assert_all_ready, pauses};
use crate::stage::{Stage, Verb};
use crate::tape::Tape;

/// What is under way at once at most: the changes, and a list.
const UNDER_WAY: usize = 11;

#[tokio::test(start_paused = true)]
async fn three_hundred_hosts_become_ready_within_the_limits_of_a_minute_and_an_hour() {
    for silent in [false, true] {
        let stage = stage(300);
        limit(&stage, real(silent));
        let tape = stage.told(Verb::Up).await;
        assert_all_ready(&stage, &tape, 300);
        let (pauses, refused) = (pauses(&tape), refused(&stage));
        assert!(!pauses.is_empty(), "the limit was never met");
        assert_few(&pauses, refused);
        assert!(stage.cloud.now() < 5 * MINUTE, "{:?}", stage.cloud.now());
    }
}

#[tokio::test(start_paused = true)]
async fn three_hundred_hosts_become_ready_while_others_use_most_of_the_limit() {
    for (silent, millis) in [(false, 400), (false, 330), (true, 330)] {
        let stage = stage(300);
        limit(&stage, real(silent));
        let tape = beside_others(&stage, Verb::Up, Duration::from_millis(millis)).await;
        assert_all_ready(&stage, &tape, 300);
        assert_few(&pauses(&tape), refused(&stage));
    }
}

#[tokio::test(start_paused = true)]
async fn three_hundred_hosts_become_ready_when_others_used_up_the_limit_of_the_hour() {
    for silent in [false, true] {
        let stage = stage(300);
        limit(&stage, real(silent));
        let hour = 60 * MINUTE;
        for number in 0..4950 {
            let others = stage.cloud.with(|world, _| world.spend(hour * number / 4950));
            assert_eq!(others, Ok(()));
        }
        tokio::time::sleep(hour).await;
        let tape = stage.told(Verb::Up).await;
        assert_all_ready(&stage, &tape, 300);
        assert_few(&pauses(&tape), refused(&stage));
        let took = stage.cloud.now() - hour;
        // Three changes a host, and little more than one a second is left to make them in.
        assert!(took < 14 * MINUTE, "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_hosts_are_removed_within_the_limits() {
    let stage = stage(1000);
    stage.run_until_quiet(Verb::Up).await.expect("they come up");
    limit(&stage, real(false));
    let began = stage.cloud.now();
    let tape = stage.told(Verb::Down).await;
    assert!(tape.ends().values().all(|end| *end == HostEnd::Removed));
    assert_eq!(tape.ends().len(), 1000);
    assert_few(&pauses(&tape), refused(&stage));
    let took = stage.cloud.now() - began;
    assert!(took < 6 * MINUTE, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn two_runs_that_share_a_limit_both_end_with_one_instance_per_host() {
    for seed in 0..5 {
        let mut stage = stage(60);
        stage.seed = seed;
        limit(&stage, RequestLimits::new([(60, MINUTE)]).silent(seed % 2 == 1));
        let (one, other) = (Process::new(), Process::new());
        let (one, other) = tokio::join!(
            stage.command(Verb::Up, &one, seed),
            stage.command(Verb::Up, &other, seed + 1)
        );
        for ends in [one, other] {
            assert!(ends.values().all(|end| *end == HostEnd::Ready), "seed {seed}: {ends:?}");
        }
        assert_eq!(stage.one_each(), Ok(()), "seed {seed}");
    }
}

/// Runs a command while another program makes a request each time this long has passed.
async fn beside_others(stage: &Stage, verb: Verb, every: Duration) -> Arc<Tape> {
    let others = async {
        loop {
            tokio::time::sleep(every).await;
            // Whether it is refused is its own affair.
            drop(stage.cloud.with(|world, now| world.spend(now)));
        }
    };
    tokio::select! {
        tape = stage.told(verb) => tape,
        () = others => unreachable!("it never ends"),
    }
}

/// Nothing was refused but what was under way when a pause began.
fn assert_few(pauses: &[Duration], refused: usize) {
    let most = UNDER_WAY * pauses.len();
    assert!(refused <= most, "{refused} were refused in {} pauses", pauses.len());
}

fn refused(stage: &Stage) -> usize {
    stage.cloud.with(|world, _| world.limits().refused().len())
}

/// The limits of a real provider.
fn real(silent: bool) -> RequestLimits {
    RequestLimits::new([(250, MINUTE), (5000, 60 * MINUTE)]).silent(silent)
}
