use stagecraft_core::cloud::CloudProvider as _;
use stagecraft_core::inventory::Lifecycle;
use stagecraft_testkit::world::{Behaviour, Delay};

use crate::stage::{Stage, labels, order, scope};

#[tokio::test]
async fn a_list_costs_its_largest_pages_and_nothing_else() {
    let stage = Stage::new().await;
    for number in 0..1000 {
        let host = format!("web-{number}");
        stage.plant(&format!("staging-{host}"), &labels(&host));
    }
    stage.plant("another", &[]);
    assert_eq!(stage.provider().list(&scope()).await.unwrap().len(), 1000);
    assert_eq!(stage.asked(), ["GET /v1/servers"; 20]);
}

#[tokio::test]
async fn a_catalogue_costs_four_requests() {
    let stage = Stage::new().await;
    stage.provider().catalogue().await.unwrap();
    let mut asked = stage.asked();
    asked.sort();
    let expected = ["/v1/images", "/v1/pricing", "/v1/server_types", "/v1/ssh_keys"];
    assert_eq!(asked, expected.map(|path| format!("GET {path}")));
}

#[tokio::test]
async fn credentials_are_checked_with_one_request() {
    let stage = Stage::new().await;
    stage.provider().validate_credentials().await.unwrap();
    assert_eq!(stage.asked().len(), 1);
}

#[tokio::test]
async fn many_orders_cost_one_lookup_and_none_after_a_catalogue() {
    let stage = Stage::new().await;
    let provider = stage.provider();
    let orders: Vec<_> = (0..20).map(|number| order(&format!("web-{number}"))).collect();
    let made = futures_util::future::join_all(orders.iter().map(|order| provider.create(order)));
    assert!(made.await.iter().all(Result::is_ok));
    let mut asked = stage.asked();
    asked.sort();
    assert_eq!(asked[0], "GET /v1/images");
    assert_eq!(asked[1..], ["POST /v1/servers"; 20]);

    let provider = stage.provider();
    provider.catalogue().await.unwrap();
    stage.asked();
    provider.create(&order("db-1")).await.unwrap();
    assert_eq!(stage.asked(), ["POST /v1/servers"]);
}

#[tokio::test]
async fn waiting_for_a_hundred_hosts_costs_a_request_for_many_of_them() {
    let behaviour = Behaviour { boot: Delay::Lists(8), ..Behaviour::names_are_unique() };
    let stage = Stage::with(behaviour).await;
    let provider = stage.provider();
    for number in 0..100 {
        provider.create(&order(&format!("web-{number}"))).await.unwrap();
    }
    stage.asked();
    let listed = provider.list(&scope()).await.unwrap();
    assert!(listed.iter().all(|of| of.lifecycle == Lifecycle::Pending));
    let pages = ["GET /v1/servers"; 2].into_iter();
    let expected: Vec<&str> = pages.chain(["GET /v1/actions"; 4]).collect();
    assert_eq!(stage.asked(), expected);
    // Whoever did not order them cannot ask, and does not.
    stage.provider().list(&scope()).await.unwrap();
    assert_eq!(stage.asked(), ["GET /v1/servers"; 2]);
}

#[tokio::test]
async fn servers_that_are_up_are_not_asked_about() {
    let stage = Stage::new().await;
    let provider = stage.provider();
    provider.create(&order("web-1")).await.unwrap();
    let listed = provider.list(&scope()).await.unwrap();
    assert_eq!(listed[0].lifecycle, Lifecycle::Running);
    stage.asked();
    provider.list(&scope()).await.unwrap();
    assert_eq!(stage.asked(), ["GET /v1/servers"]);
}

#[tokio::test]
async fn a_change_costs_a_look_and_the_change() {
    let stage = Stage::new().await;
    let provider = stage.provider();
    let made = provider.create(&order("web-1")).await.unwrap();
    let mut marks = made.marks.clone();
    stage.asked();
    provider.update(&made.id, &marks).await.unwrap();
    assert_eq!(stage.asked(), [format!("GET /v1/servers/{}", made.id)], "nothing to change");
    marks.protected = true;
    provider.update(&made.id, &marks).await.unwrap();
    provider.terminate(&made.id).await.unwrap();
    let expected = ["GET", "PUT", "GET", "DELETE"];
    assert_eq!(stage.asked(), expected.map(|verb| format!("{verb} /v1/servers/{}", made.id)));
}
