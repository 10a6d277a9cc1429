//! Three hundred hosts at providers that take only so many requests.

use std::sync::Arc;
use std::time::{Duration, Instant};

use stagecraft_core::desired::ProviderId;
use stagecraft_core::event::HostEnd;
use stagecraft_testkit::emulators::{Exchange, Options};

use crate::account::{Account, TOKEN, usual};
use crate::outcome::{MINUTE, assert_all_ready, pauses};
use crate::stage::Verb;
use crate::tape::Tape;

/// What is under way at once at most: the changes, and a list.
const UNDER_WAY: usize = 11;
const HOSTS: usize = 300;

#[tokio::test]
async fn three_hundred_hosts_come_and_go_within_the_limits_of_digitalocean() {
    let account = account(ProviderId::DigitalOcean);
    // All of a minute, so that the limit is met on a machine of any speed.
    account.emulator.spend(TOKEN, 250, Duration::ZERO);
    assert!(comes_up(&account).await > 0);
    goes_down(&account).await;
}

#[tokio::test]
async fn three_hundred_hosts_come_up_when_others_use_up_the_hour_of_digitalocean() {
    let account = account_of_waiting(ProviderId::DigitalOcean);
    for minutes in (40..60).rev() {
        account.emulator.spend(TOKEN, 250, minutes * MINUTE);
    }
    assert!(comes_up(&account).await > 0);
}

#[tokio::test]
async fn three_hundred_hosts_come_and_go_within_the_limits_of_hetzner() {
    let account = account(ProviderId::Hetzner);
    comes_up(&account).await;
    goes_down(&account).await;
}

#[tokio::test]
async fn three_hundred_hosts_come_up_when_others_used_up_the_limit_of_hetzner() {
    let account = account_of_waiting(ProviderId::Hetzner);
    account.emulator.spend(TOKEN, 3600, Duration::ZERO);
    assert!(comes_up(&account).await > 0);
}

#[tokio::test]
async fn three_hundred_hosts_come_and_go_within_the_limits_of_aws() {
    let account = account(ProviderId::Aws);
    assert!(comes_up(&account).await > 0, "orders are let through two a second");
    goes_down(&account).await;
}

/// How often the provider was left alone for a while.
async fn comes_up(account: &Account) -> usize {
    let tape = measured(account, Verb::Up).await;
    assert_all_ready(&account.stage, &tape, HOSTS);
    pauses(&tape).len()
}

async fn goes_down(account: &Account) {
    let ends = measured(account, Verb::Down).await.ends();
    assert_eq!(ends.len(), HOSTS);
    assert_eq!(ends.values().find(|end| **end != HostEnd::Removed), None);
}

/// Runs a command, prints what it cost, and looks at what its provider refused and it told.
#[expect(clippy::print_stdout, reason = "the numbers are for whoever changes the pace")]
async fn measured(account: &Account, verb: Verb) -> Arc<Tape> {
    let (record, cloud) = (account.emulator.record(), &account.stage.cloud);
    record.clear();
    let (began, real) = (cloud.now(), Instant::now());
    let tape = account.stage.told(verb).await;
    let all = record.all();
    let refused = all.iter().filter(|of| is_one_too_many(of)).count();
    let pauses = pauses(&tape);
    println!(
        "{} {verb:?}: {} requests, {refused} refused, {} pauses of {:?}, {:.0} s in {:.1} s",
        cloud.provider(),
        all.len(),
        pauses.len(),
        pauses.iter().map(Duration::as_secs).collect::<Vec<_>>(),
        (cloud.now() - began).as_secs_f64(),
        real.elapsed().as_secs_f64(),
    );
    assert_eq!(tape.report().failures().next(), None);
    assert!(refused <= UNDER_WAY * pauses.len(), "{refused} in {} pauses", pauses.len());
    tape
}

/// At AWS that is told by the status of servers that are overworked.
fn is_one_too_many(exchange: &Exchange) -> bool {
    match exchange.status {
        Some(429) => true,
        Some(503) => {
            let answer = exchange.answer.as_ref().map(ToString::to_string).unwrap_or_default();
            answer.contains("RequestLimitExceeded")
        }
        _ => false,
    }
}

/// An account with all limits of its provider, and a file of many hosts.
fn account(api: ProviderId) -> Account {
    at_speed(api, 20)
}

/// The same, where most of the time nothing may be asked and nothing has to be computed.
fn account_of_waiting(api: ProviderId) -> Account {
    at_speed(api, 50)
}

fn at_speed(api: ProviderId, speed: u32) -> Account {
    let mut account = Account::with(api, usual(api), 3, speed, Options::default());
    let names: Vec<String> = (1..=HOSTS).map(|number| format!("web-{number}")).collect();
    account.stage = account.stage.wants(names.iter().map(String::as_str));
    account
}
