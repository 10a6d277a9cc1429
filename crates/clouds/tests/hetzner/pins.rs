//! Host keys as labels.

use stagecraft_core::cloud::CloudProvider as _;
use stagecraft_core::identity::{HostKey, Pins};

use crate::stage::{Stage, order, scope};

#[tokio::test]
async fn pinning_leaves_every_other_label_as_it_is_also_those_that_are_no_tags() {
    let stage = Stage::new().await;
    let provider = stage.provider();
    let own = HostKey::new([2; 32]);
    let others = [
        ("stagecraft.project", "shop"),
        ("stagecraft.environment", "staging"),
        ("stagecraft.host", "db-1"),
        ("stagecraft.role", "db"),
        ("example.com/cost", "42"),
        ("team", "search"),
    ];
    stage.plant("named-by-hand", &others);
    let known = provider.list(&scope()).await.unwrap().remove(0);
    stage.asked();
    for _ in 0..2 {
        provider.pin(&known, &Pins::of_own(own)).await.unwrap();
    }
    let id = &known.id;
    let look = format!("GET /v1/servers/{id}");
    assert_eq!(stage.asked(), [look.clone(), format!("PUT /v1/servers/{id}"), look]);
    let seen = stage.world.with(|world, now| world.machines(now)).remove(0);
    assert_eq!(seen.name, "named-by-hand");
    let key = own.to_label();
    let expected = others.into_iter().chain([("stagecraft.host-key", key.as_str())]);
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    assert_eq!(seen.labels, expected);
}

#[tokio::test]
async fn a_new_server_is_ordered_with_its_key_and_what_its_first_boot_is_told() {
    let stage = Stage::new().await;
    let mut request = order("db-1");
    let first = HostKey::new([1; 32]);
    request.pins = Pins::of_order(first);
    request.user_data = Some(stagecraft_core::identity::UserData::new("#cloud-config\n"));
    let made = stage.provider().create(&request).await.unwrap();
    assert_eq!(made.pins, request.pins);
    let order = stage.exchanges().into_iter().find(|of| of.method == "POST").unwrap();
    let body = order.request.unwrap();
    assert_eq!(body["user_data"], "#cloud-config\n");
    assert_eq!(body["labels"]["stagecraft.first-key"], first.to_label());
}
