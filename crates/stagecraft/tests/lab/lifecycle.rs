//! What happens to hosts after they were made.

use crate::stage::Stage;

#[test]
fn nothing_is_removed_or_replaced_unasked() {
    let Some(stage) = Stage::new("{ app-1: { role: app }, app-2: { role: app } }") else { return };
    stage.run(&["infra", "up"]).assert_code(0);
    let before = stage.containers(None);

    stage.configure("{ app-1: { role: app, size: large } }", "{ enabled: false }");
    let plan = stage.run(&["infra", "plan", "--detailed-exitcode"]);
    plan.assert_code(11);
    assert!(plan.stdout.contains("--replace app-1"), "{}", plan.stdout);
    assert!(plan.stdout.contains("--prune"), "{}", plan.stdout);

    stage.run(&["infra", "up"]).assert_code(0);
    assert_eq!(stage.containers(None), before, "both are left alone");

    let refused = stage.run(&["infra", "up", "--replace", "app-1", "--prune"]);
    refused.assert_code(1);
    assert_eq!(stage.containers(None), before, "without a terminal it needs --yes");

    stage.run(&["infra", "up", "--replace", "app-1", "--prune", "--yes"]).assert_code(0);
    let after = stage.containers(None);
    assert_eq!(after.len(), 1);
    assert!(!before.contains(&after[0]), "another instance");
    stage.run(&["infra", "plan", "--detailed-exitcode"]).assert_code(0);
}

#[test]
fn a_protected_host_outlives_down_and_leaving_the_file() {
    let Some(stage) = Stage::new("{ db-1: { role: db, protected: true } }") else { return };
    stage.run(&["infra", "up"]).assert_code(0);
    stage.run(&["infra", "down", "--yes"]).assert_code(0);
    assert_eq!(stage.containers(Some("db-1")).len(), 1);

    stage.configure("{}", "{ enabled: false }");
    stage.run(&["infra", "up", "--prune", "--yes"]).assert_code(0);
    assert_eq!(stage.containers(Some("db-1")).len(), 1, "its instance carries the mark");

    stage.configure("{ db-1: { role: db } }", "{ enabled: false }");
    let updated = stage.run(&["infra", "up", "--output", "json"]);
    assert_eq!(updated.assert_code(0).host("db-1")["done"], serde_json::json!(["updated"]));
    stage.run(&["infra", "down", "--yes"]).assert_code(0);
    assert_eq!(stage.containers(None).len(), 0);
}

#[test]
fn a_host_that_was_switched_off_is_switched_on_again() {
    let Some(stage) = Stage::new("{ app-1: { role: app } }") else { return };
    stage.run(&["infra", "up"]).assert_code(0);
    crate::stage::docker(&["stop", "--time", "1", &stage.containers(None)[0]]);
    let resumed = stage.run(&["infra", "up", "--output", "json"]);
    assert_eq!(resumed.assert_code(0).host("app-1")["done"], serde_json::json!(["started"]));
}
