//! Killed at any effect and between any two requests of one change.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use stagecraft_core::desired::ProviderId;
use stagecraft_testkit::Process;
use stagecraft_testkit::emulators::Options;

use crate::account::{APIS, Account, is_first_step, usual};
use crate::kill::{everywhere, killed, killed_with_a_stray, notices_that_a_role_is_forgotten};
use crate::scene::before;
use crate::stage::{Stage, Verb};

/// How many accounts are worked on at once.
const AT_ONCE: usize = 6;

#[tokio::test]
async fn up_killed_anywhere_converges_on_digitalocean() {
    killed_anywhere(Verb::Up, ProviderId::DigitalOcean).await;
}

#[tokio::test]
async fn up_killed_anywhere_converges_on_hetzner() {
    killed_anywhere(Verb::Up, ProviderId::Hetzner).await;
}

#[tokio::test]
async fn up_killed_anywhere_converges_on_aws() {
    killed_anywhere(Verb::Up, ProviderId::Aws).await;
}

#[tokio::test]
async fn replace_killed_anywhere_converges_on_digitalocean() {
    killed_anywhere(Verb::Replace, ProviderId::DigitalOcean).await;
}

#[tokio::test]
async fn replace_killed_anywhere_converges_on_hetzner() {
    killed_anywhere(Verb::Replace, ProviderId::Hetzner).await;
}

#[tokio::test]
async fn replace_killed_anywhere_converges_on_aws() {
    killed_anywhere(Verb::Replace, ProviderId::Aws).await;
}

#[tokio::test]
async fn prune_and_down_killed_anywhere_converge_on_digitalocean() {
    killed_anywhere(Verb::Prune, ProviderId::DigitalOcean).await;
    killed_anywhere(Verb::Down, ProviderId::DigitalOcean).await;
}

#[tokio::test]
async fn prune_and_down_killed_anywhere_converge_on_hetzner() {
    killed_anywhere(Verb::Prune, ProviderId::Hetzner).await;
    killed_anywhere(Verb::Down, ProviderId::Hetzner).await;
}

#[tokio::test]
async fn prune_and_down_killed_anywhere_converge_on_aws() {
    killed_anywhere(Verb::Prune, ProviderId::Aws).await;
    killed_anywhere(Verb::Down, ProviderId::Aws).await;
}

#[tokio::test]
async fn changes_of_several_requests_killed_between_them_converge() {
    for api in APIS {
        for (verb, least) in [(Verb::Up, 2), (Verb::Replace, 2), (Verb::Prune, 2), (Verb::Down, 3)]
        {
            killed_between(verb, api, least, async |stage| before(verb, stage).await).await;
        }
    }
}

#[tokio::test]
async fn a_first_order_on_aws_killed_before_the_group_of_its_environment_is_open_converges() {
    let nothing = async |stage: Stage| stage.wants(["db-1", "web-1"]);
    killed_between(Verb::Up, ProviderId::Aws, 2, nothing).await;
}

#[tokio::test]
async fn an_order_that_arrives_when_its_sender_is_dead_leaves_no_orphan() {
    for api in APIS {
        let cases = [1, 2].into_iter().flat_map(|create| {
            [0, 1000, 5000, 25_000, 120_000].map(|millis| (create, Duration::from_millis(millis)))
        });
        let stray = |(create, after)| async move {
            let stage = Account::new(api, usual(api), 13).stage.wants(["web-1", "web-2"]);
            let outcome = killed_with_a_stray(&stage, create, after).await;
            assert_eq!(outcome, Ok(()), "{api}, order {create}, {after:?} late");
        };
        stream::iter(cases).map(stray).buffer_unordered(AT_ONCE).collect::<()>().await;
    }
}

#[tokio::test]
async fn an_adapter_that_forgets_the_role_is_noticed() {
    for api in APIS {
        notices_that_a_role_is_forgotten(async || scene(Verb::Up, api).await).await;
    }
}

/// Kills the command after each of its effects.
async fn killed_anywhere(verb: Verb, api: ProviderId) {
    everywhere(verb, api.as_str(), AT_ONCE, async || scene(verb, api).await).await;
}

/// Kills the command when it has the answer to a request that only prepares a change, for each of
/// them; there are at least so many.
async fn killed_between(
    verb: Verb,
    api: ProviderId,
    least: usize,
    scene: impl AsyncFn(Stage) -> Stage,
) {
    let (account, _) = aimed(api, &scene).await;
    let before = account.count(is_first_step);
    let right = account.stage.run_until_quiet(verb).await.expect("it works when left alone");
    let steps = account.count(is_first_step) - before;
    assert!(steps >= least, "{verb:?} on {api}: {steps}");
    let (right, scene) = (&right, &scene);
    let kill = |step| async move {
        let (account, aim) = aimed(api, scene).await;
        let process = Process::new();
        *aim.lock().expect("not poisoned") = Some((step, process.clone()));
        let outcome = killed(&account.stage, verb, &process, right).await;
        assert_eq!(outcome, Ok(false), "{verb:?} on {api}, killed after step {step} of {steps}");
    };
    stream::iter(1..=steps).map(kill).buffer_unordered(AT_ONCE).collect::<()>().await;
}

/// After how many more first steps which process is killed.
type Aim = Arc<Mutex<Option<(usize, Process)>>>;

/// A scene in which a process can be killed after a first step.
async fn aimed(api: ProviderId, scene: &impl AsyncFn(Stage) -> Stage) -> (Account, Aim) {
    let aim = Aim::default();
    let aimed = Arc::clone(&aim);
    let watcher = move |exchange: &_| {
        let mut aim = aimed.lock().expect("not poisoned");
        if let Some((steps, process)) = aim.as_mut()
            && is_first_step(exchange)
        {
            *steps -= 1;
            if *steps == 0 {
                process.doom();
                *aim = None;
            }
        }
    };
    let options =
        Options { limited: false, watcher: Some(Arc::new(watcher)), ..Options::default() };
    let Account { stage, emulator } = Account::with(api, usual(api), 7, 200, options);
    (Account { stage: scene(stage).await, emulator }, aim)
}

async fn scene(verb: Verb, api: ProviderId) -> Stage {
    before(verb, Account::new(api, usual(api), 7).stage).await
}
