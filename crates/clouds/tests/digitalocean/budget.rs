//! How many requests things cost.

use futures_util::future::join_all;
use stagecraft_core::cloud::{CloudErrorKind, CloudProvider as _};
use stagecraft_core::error::{Diagnose as _, Retry};
use stagecraft_core::inventory::Marks;

use crate::stage::{Stage, marks, order, scope, tags, told};

#[tokio::test]
async fn a_list_costs_its_largest_pages_and_nothing_else() {
    let stage = Stage::new().await;
    for number in 0..1000 {
        let tags = tags(&format!("web-{number}"));
        stage.plant("any", &tags.each_ref().map(String::as_str));
    }
    stage.plant("any", &["stagecraft:scope:shop:staging", "stagecraft:host:web-1"]);
    assert_eq!(stage.provider().list(&scope()).await.unwrap().len(), 1000);
    assert_eq!(stage.asked(), ["GET /v2/droplets"; 5]);
}

#[tokio::test]
async fn an_empty_list_is_believed_once_the_token_is_known_to_see_tags() {
    let stage = Stage::new().await;
    let provider = stage.provider();
    for cost in [&["GET /v2/droplets", "GET /v2/tags"][..], &["GET /v2/droplets"]] {
        assert_eq!(provider.list(&scope()).await.unwrap(), []);
        assert_eq!(stage.asked(), cost);
    }
}

#[tokio::test]
async fn a_catalogue_costs_four_requests_and_its_keys_are_looked_up_once() {
    let stage = Stage::new().await;
    let provider = stage.provider();
    provider.catalogue().await.unwrap();
    let cost = ["GET /v2/account/keys", "GET /v2/images", "GET /v2/regions", "GET /v2/sizes"];
    assert_eq!(stage.asked(), cost);
    provider.catalogue().await.unwrap();
    assert_eq!(stage.asked(), cost[1..]);
}

#[tokio::test]
async fn credentials_are_checked_with_one_request() {
    let stage = Stage::new().await;
    assert_eq!(stage.provider().validate_credentials().await.unwrap().name, "Example");
    assert_eq!(stage.asked(), ["GET /v2/account"]);
}

#[tokio::test]
async fn three_hundred_orders_cost_one_lookup() {
    let stage = Stage::new().await;
    let provider = stage.provider();
    let orders: Vec<_> = (0..300).map(|number| order(&format!("web-{number}"))).collect();
    let made = join_all(orders.iter().map(|order| provider.create(order))).await;
    assert!(made.iter().all(Result::is_ok));
    let asked = stage.asked();
    assert_eq!(asked[0], "GET /v2/account/keys");
    assert_eq!(asked[1..], ["POST /v2/droplets"; 300]);
}

#[tokio::test]
async fn a_change_costs_a_look_and_what_differs() {
    let stage = Stage::new().await;
    let provider = stage.provider();
    let made = provider.create(&order("db-1")).await.unwrap();
    stage.asked();
    provider.update(&made.id, &marks()).await.unwrap();
    let look = || format!("GET /v2/droplets/{}", made.id);
    assert_eq!(stage.asked(), [look()]);
    // A tag that is new in the account is made there first; the next droplet finds it.
    let green = Marks { tags: ["green".to_owned()].into(), ..marks() };
    provider.update(&made.id, &green).await.unwrap();
    assert_eq!(stage.asked().len(), 5);
    let other = provider.create(&order("db-2")).await.unwrap();
    stage.asked();
    provider.update(&other.id, &Marks { name: "prod-db-2".to_owned(), ..green }).await.unwrap();
    let expected = [
        "DELETE /v2/tags/blue/resources".to_owned(),
        format!("GET /v2/droplets/{}", other.id),
        "POST /v2/tags/green/resources".to_owned(),
    ];
    assert_eq!(stage.asked(), expected);
    provider.terminate(&made.id).await.unwrap();
    assert_eq!(stage.asked(), [format!("DELETE /v2/droplets/{}", made.id), look()]);
}

#[tokio::test]
async fn too_many_requests_say_how_long_to_wait() {
    let stage = Stage::limited().await;
    // Every process looks the keys up once; there may be ten a minute.
    for _ in 0..10 {
        stage.provider().catalogue().await.unwrap();
    }
    let error = stage.provider().catalogue().await.unwrap_err();
    assert!(
        matches!(&error.kind, CloudErrorKind::RateLimited { message, .. }
        if message == "API rate limit exceeded"),
        "{}",
        told(&error)
    );
    let Retry::After(pause) = error.retry() else { panic!("{}", told(&error)) };
    assert!((1..=60).contains(&pause.as_secs()), "{pause:?}");
}
