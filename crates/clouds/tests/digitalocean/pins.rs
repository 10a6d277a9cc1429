//! Host keys as tags: what it costs, and what is left when it is cut short.

use stagecraft_core::cloud::CloudProvider as _;
use stagecraft_core::identity::{HostKey, Pins};
use stagecraft_core::inventory::Instance;
use stagecraft_testkit::emulators::faults::{Effect, When};

use crate::stage::{Stage, order, scope};

const FIRST: HostKey = HostKey::new([1; 32]);
const OWN: HostKey = HostKey::new([2; 32]);
const OTHER: HostKey = HostKey::new([3; 32]);

#[tokio::test]
async fn a_new_droplet_is_ordered_with_its_key_and_gets_its_own_by_three_requests() {
    let stage = Stage::new().await;
    let provider = stage.provider();
    let mut request = order("db-1");
    request.pins = Pins::of_order(FIRST);
    let mut made = provider.create(&request).await.unwrap();
    assert_eq!(made.pins, request.pins);
    stage.asked();
    let both = Pins { first: Some(FIRST), own: Some(OWN) };
    provider.pin(&made, &both).await.unwrap();
    made.pins = both;
    provider.pin(&made, &Pins::of_own(OWN)).await.unwrap();
    let label = OWN.to_label();
    assert_eq!(
        stage.asked(),
        [
            format!("DELETE /v2/tags/stagecraft:first-key:{}", FIRST.to_label()),
            "POST /v2/tags".to_owned(),
            format!("POST /v2/tags/stagecraft:host-key:{label}/resources"),
        ]
    );
    assert_eq!(listed(&stage).await.pins, Pins::of_own(OWN));
    // Nothing of it stays in the account.
    provider.terminate(&made.id).await.unwrap();
    let asked = stage.asked();
    assert!(asked.contains(&format!("DELETE /v2/tags/stagecraft:host-key:{label}")), "{asked:?}");
}

#[tokio::test]
async fn of_two_keys_that_a_cut_change_left_none_is_believed_and_the_next_one_mends_it() {
    let stage = Stage::new().await;
    let provider = stage.provider();
    let with_key = format!("stagecraft:host-key:{}", OWN.to_label());
    let mut request = order("db-1");
    request.pins = Pins::of_own(OWN);
    provider.create(&request).await.unwrap();
    let known = listed(&stage).await;
    assert_eq!(known.pins, Pins::of_own(OWN));
    stage.inject("DELETE", "/tags/**", When::All, Effect::Status { code: 500, with_effect: false });
    let cut = provider.pin(&known, &Pins::of_own(OTHER)).await.unwrap_err();
    assert!(cut.maybe_done, "{cut}");
    stage.heal();

    let torn = listed(&stage).await;
    assert_eq!(torn.pins, Pins::default());
    provider.pin(&torn, &Pins::of_own(OTHER)).await.unwrap();
    let mended = listed(&stage).await;
    assert_eq!(mended.pins, Pins::of_own(OTHER));
    assert!(!mended.marks.tags.contains(&with_key), "{:?}", mended.marks.tags);
}

async fn listed(stage: &Stage) -> Instance {
    stage.provider().list(&scope()).await.unwrap().remove(0)
}
