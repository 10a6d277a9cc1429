use stagecraft_core::desired::ProviderId;

use crate::account::{APIS, Account, usual};
use crate::pair::{paced, two_at_once};
use crate::wrong;

/// How many interleavings are tried on each cloud.
const SEEDS: u64 = 6;

#[tokio::test]
async fn two_runs_at_once_end_with_one_instance_per_host() {
    for api in APIS {
        for seed in 0..SEEDS {
            let account = account(api, seed);
            assert_eq!(two_at_once(&account.stage).await, Ok(()), "{api}, seed {seed}");
        }
    }
}

#[tokio::test]
async fn runs_that_do_not_see_each_other_are_noticed() {
    let mut noticed = 0;
    for seed in 0..SEEDS {
        let mut account = account(ProviderId::DigitalOcean, seed);
        account.stage.spoil(wrong::sees_only_its_own);
        noticed += u64::from(two_at_once(&account.stage).await.is_err());
    }
    assert!(noticed > SEEDS / 2, "only {noticed} of {SEEDS}");
}

fn account(api: ProviderId, seed: u64) -> Account {
    let mut account = Account::new(api, paced(&usual(api), seed), seed);
    account.stage = account.stage.wants(["db-1", "web-1", "web-2", "web-3"]);
    account
}
