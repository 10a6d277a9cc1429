use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Stage;

#[tokio::test]
async fn sizes_tell_where_they_are_sold_and_what_they_cost_roughly() {
    let stage = Stage::new().await;
    let sizes = everything(&stage, "sizes").await;
    let named = |slug: &str| sizes.iter().find(|size| size["slug"] == slug).unwrap();
    let small = named("s-1vcpu-1gb");
    assert_eq!((&small["available"], &small["price_monthly"]), (&json!(true), &json!(6.0)));
    let hourly = small["price_hourly"].as_f64().unwrap();
    assert!(hourly != 0.00893 && (hourly - 0.00893).abs() < 1e-8, "{hourly}");
    let gone = named("512mb");
    assert_eq!((&gone["available"], &gone["regions"]), (&json!(false), &json!([])));
    let some = named("c-4")["regions"].as_array().unwrap().clone();
    assert!(some.contains(&json!("nyc3")) && !some.contains(&json!("blr1")));
    assert_eq!(named("gpu-h100x1-80gb")["gpu_info"]["count"], 1);
}

#[tokio::test]
async fn regions_and_sizes_say_the_same_of_each_other() {
    let stage = Stage::new().await;
    let pairs = |of: &[Value], inner: &str, turned: bool| -> BTreeSet<(String, String)> {
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        of.iter()
            .flat_map(|one| {
                let slug = word(&one["slug"]);
                one[inner].as_array().unwrap().iter().map(move |other| (slug.clone(), word(other)))
            })
            .map(|(one, other)| if turned { (other, one) } else { (one, other) })
            .collect()
    };
    let (sizes, regions) = (everything(&stage, "sizes").await, everything(&stage, "regions").await);
    assert_eq!(pairs(&sizes, "regions", false), pairs(&regions, "sizes", true));
    assert!(regions.iter().any(|region| region["available"] == false));
}

#[tokio::test]
async fn images_are_filtered_by_type_and_found_by_slug_or_id() {
    let stage = Stage::new().await;
    let of_type = stage.get("/images?type=distribution&per_page=200").await.body();
    let slugs: Vec<&Value> =
        of_type["images"].as_array().unwrap().iter().map(|image| &image["slug"]).collect();
    for slug in ["ubuntu-22-04-x64", "ubuntu-24-04-x64", "debian-12-x64"] {
        assert!(slugs.contains(&&json!(slug)), "{slug}");
    }
    assert!(slugs.contains(&&Value::Null) && !slugs.contains(&&json!("k3s")));
    let private = stage.get("/images?private=true").await.body();
    assert_eq!((&private["images"], &private["links"]), (&json!([]), &json!({})));
    let debian = stage.get("/images/debian-12-x64").await.body()["image"].clone();
    let by_id = stage.get(&format!("/images/{}", debian["id"])).await.body()["image"].clone();
    assert_eq!(debian, by_id);
    assert_eq!(stage.get("/images/debian-7-x64").await.status, 404);
    assert_eq!(stage.get("/images?type=other").await.status, 422);
}

#[tokio::test]
async fn what_there_is_not_is_not_found() {
    let stage = Stage::new().await;
    for path in ["/nothing", "/", "", "/droplets/1/nothing", "/actions/1", "/tags/none"] {
        assert_eq!(stage.get(path).await.refusal().1, "not_found", "{path}");
    }
    assert_eq!(stage.ask("PATCH", "/droplets", Some(json!({}))).await.status, 404);
}

/// All entries of a list, page by page.
async fn everything(stage: &Stage, name: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for page in 1.. {
        let body = stage.get(&format!("/{name}?per_page=7&page={page}")).await.body();
        all.extend(body[name].as_array().expect("a list").clone());
        if body["links"]["pages"]["next"].is_null() {
            assert_eq!(body["meta"]["total"], all.len());
            break;
        }
    }
    all
}
