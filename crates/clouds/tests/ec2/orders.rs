use stagecraft_core::cloud::{CloudErrorKind, CloudProvider as _};
use stagecraft_core::desired::Arch;
use stagecraft_testkit::emulators::aws::{Aws, Shortage};

use crate::stage::{Stage, order};

#[tokio::test]
async fn a_host_whose_machine_was_removed_gets_another_and_not_the_old_one_again() {
    let stage = Stage::new().await;
    let first = stage.provider().create(&order("web-1")).await.unwrap();
    stage.provider().terminate(&first.id).await.unwrap();
    let second = stage.provider().create(&order("web-1")).await.unwrap();
    assert_ne!(second.id, first.id);
    assert_eq!(stage.machines().len(), 1);
}

#[tokio::test]
async fn an_order_that_is_made_again_by_another_process_gives_the_same_machine() {
    let stage = Stage::new().await;
    let first = stage.provider().create(&order("web-1")).await.unwrap();
    let again = stage.provider().create(&order("web-1")).await.unwrap();
    assert_eq!(again.id, first.id);
    assert_eq!(stage.machines().len(), 1);
}

#[tokio::test]
async fn a_zone_without_room_leads_to_the_next() {
    let stage = Stage::new().await;
    let full = Shortage { zone: Some("us-east-1a".to_owned()), ..Shortage::default() };
    stage.aws.change_habits(|habits| habits.no_capacity.push(full));
    stage.provider().create(&order("web-1")).await.unwrap();
    assert_eq!(stage.machines().len(), 1);
}

#[tokio::test]
async fn a_type_without_room_anywhere_is_sold_out() {
    let stage = Stage::new().await;
    stage.aws.change_habits(|habits| habits.no_capacity.push(Shortage::default()));
    let error = stage.provider().create(&order("web-1")).await.unwrap_err();
    assert!(matches!(error.kind, CloudErrorKind::SoldOut(_)), "{error:?}");
    assert_eq!(stage.machines().len(), 0);
}

#[tokio::test]
async fn a_spot_host_that_cannot_be_had_is_ordered_on_demand_once_and_says_so() {
    let stage = Stage::new().await;
    let full = Shortage { spot: Some(true), ..Shortage::default() };
    stage.aws.change_habits(|habits| habits.no_capacity.push(full));
    let mut spot = order("web-1");
    spot.spec.spot = true;
    let made = stage.provider().create(&spot).await.unwrap();
    assert!(made.spec.spot, "what was asked for is no reason to make it anew");
    let trouble = made.trouble.unwrap_or_default();
    assert!(trouble.contains("on demand") || trouble.contains("on-demand"), "{trouble}");
    let again = stage.provider().create(&spot).await.unwrap();
    assert_eq!((again.id, stage.machines().len()), (made.id, 1));
}

#[tokio::test]
async fn a_spot_host_that_was_taken_back_is_missing_and_can_be_ordered_again() {
    let stage = Stage::new().await;
    let mut spot = order("web-1");
    spot.spec.spot = true;
    let made = stage.provider().create(&spot).await.unwrap();
    assert!(Aws::machine(made.id.as_str()).is_some());
    stage.aws.interrupt(made.id.as_str());
    let listed = stage.provider().list(&spot.owner.scope).await.unwrap();
    assert!(listed.iter().all(|instance| !instance.is_live()), "{listed:?}");
    let again = stage.provider().create(&spot).await.unwrap();
    assert_ne!(again.id, made.id);
}

#[tokio::test]
async fn other_architectures_have_images_of_their_own() {
    let stage = Stage::new().await;
    let mut arm = order("web-1");
    (arm.spec.arch, arm.spec.size) = (Arch::Arm64, "t4g.small".into());
    let made = stage.provider().create(&arm).await.unwrap();
    assert_eq!(made.spec.arch, Arch::Arm64);
}
