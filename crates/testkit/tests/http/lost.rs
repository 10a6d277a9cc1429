//! What comes back of an order is lost, or useless, or not what happened.

use stagecraft_core::desired::ProviderId;
use stagecraft_testkit::emulators::faults::{Effect, Rule, When};

use crate::account::{APIS, Account, usual};
use crate::wrong;

#[tokio::test]
async fn orders_whose_answers_do_not_come_back_whole_are_made_once() {
    for api in APIS {
        for effect in spoiled() {
            let outcome = spoiled_orders(&account(api), effect.clone(), When::All).await;
            assert_eq!(outcome, Ok(()), "{api}, {effect}");
        }
    }
}

#[tokio::test]
async fn orders_that_may_not_have_arrived_are_made_again_when_they_did_not() {
    for api in APIS {
        for effect in [
            Effect::Cut,
            Effect::Status { code: 503, with_effect: false },
            Effect::Html { code: 502, with_effect: false },
        ] {
            let outcome = spoiled_orders(&account(api), effect.clone(), When::First(5)).await;
            assert_eq!(outcome, Ok(()), "{api}, {effect}");
        }
    }
}

#[tokio::test]
async fn an_adapter_that_calls_every_loss_harmless_is_noticed() {
    // Where names are unique the next order of the same host meets the first.
    let mut account = account(ProviderId::DigitalOcean);
    account.stage.spoil(wrong::repeats_blindly);
    assert!(spoiled_orders(&account, Effect::LostAnswer, When::First(5)).await.is_err());
}

/// What keeps an answer from its reader although what was asked for is done.
fn spoiled() -> [Effect; 8] {
    [
        Effect::LostAnswer,
        Effect::Truncated,
        Effect::NotJson,
        Effect::Huge { bytes: 20 << 20 },
        Effect::Status { code: 500, with_effect: true },
        Effect::Status { code: 503, with_effect: true },
        Effect::Html { code: 502, with_effect: true },
        Effect::Html { code: 504, with_effect: true },
    ]
}

async fn spoiled_orders(account: &Account, effect: Effect, when: When) -> Result<(), String> {
    for path in ["/droplets", "/servers", "/RunInstances"] {
        account.emulator.inject(Rule::new("POST", path, effect.clone()).when(when));
    }
    account.stage.comes_up_once().await
}

fn account(api: ProviderId) -> Account {
    let mut account = Account::new(api, usual(api), 3);
    account.stage = account.stage.wants(["db-1", "web-1", "web-2", "web-3", "web-4"]);
    account
}
