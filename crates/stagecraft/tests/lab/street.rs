//! The whole street, as a newcomer walks it.

use std::process::Command;

use crate::stage::{Ran, Stage};

const HOSTS: &str = "{ gateway-1: { role: gateway }, app-1: { role: app }, db-1: { role: db } }";

#[test]
fn three_hosts_come_up_docker_ready_and_a_second_run_changes_nothing() {
    let Some(stage) = Stage::new(HOSTS) else { return };
    stage.configure(HOSTS, "{ install_method: apt }");

    let first = stage.run(&["infra", "up", "--output", "json"]);
    first.assert_code(0);
    for host in ["gateway-1", "app-1", "db-1"] {
        let report = first.host(host);
        assert_eq!(report["result"], "ready", "{report:#}");
        assert_eq!(report["done"], serde_json::json!(["created"]));
    }
    let addresses: Vec<String> = ["gateway-1", "app-1", "db-1"]
        .map(|host| first.host(host)["address"].as_str().expect("an address").to_owned())
        .into();
    assert!(
        addresses[0] != addresses[1]
            && addresses[1] != addresses[2]
            && addresses[0] != addresses[2]
    );

    for host in ["gateway-1", "app-1", "db-1"] {
        let state = stage.inside(host, "hostname; cat /proc/1/comm; docker version --format up");
        assert_eq!(state.trim(), format!("{host}\nsystemd\nup"), "real hosts with Docker");
    }

    let second = stage.run(&["infra", "up", "--output", "json"]);
    second.assert_code(0);
    assert_eq!(second.json()["changed"], false, "{}", second.stdout);
    let again = stage.run(&["infra", "up"]);
    again.assert_code(0);
    assert!(again.stdout.contains("Everything is up to date."), "{}", again.stdout);

    let plans = [stage.run(&["infra", "plan"]), stage.run(&["infra", "plan"])];
    assert_eq!(plans[0].stdout, plans[1].stdout, "two plans are byte-identical");
    stage.run(&["infra", "plan", "--detailed-exitcode"]).assert_code(0);

    exports_open_in_other_tools(&stage);

    let status = stage.run(&["infra", "status", "--output", "json"]);
    assert_eq!(status.assert_code(0).host("app-1")["state"], "ready");

    stage.run(&["infra", "down", "--yes"]).assert_code(0);
    assert_eq!(stage.containers(None), Vec::<String>::new());
    stage.run(&["infra", "plan", "--detailed-exitcode"]).assert_code(11);
    let nothing = stage.run(&["infra", "down", "--yes"]);
    nothing.assert_code(0);
}

fn exports_open_in_other_tools(stage: &Stage) {
    let exported = stage.run(&["infra", "inventory", "--format", "ssh-config"]);
    stage.write("ssh-config", &exported.assert_code(0).stdout);
    let login = Command::new("ssh")
        .args(["-F", "ssh-config", "-o", "BatchMode=yes", "app-1", "hostname"])
        .current_dir(stage.path())
        .output()
        .map(Ran::from)
        .expect("ssh is installed");
    assert_eq!(login.assert_code(0).stdout.trim(), "app-1");

    let ran = stage.run(&["ssh", "db-1", "--", "hostname"]);
    assert_eq!(ran.assert_code(0).stdout.trim(), "db-1");

    let ran = stage.run(&["exec", "--output", "json", "--", "hostname"]);
    assert_eq!(ran.assert_code(0).json()["hosts"].as_array().map(Vec::len), Some(3));
    stage.run(&["exec", "--role", "db", "--", "false"]).assert_code(10);

    let exported = stage.run(&["infra", "inventory", "--format", "ansible"]);
    let text = &exported.assert_code(0).stdout;
    assert!(text.contains("ansible_host") && text.contains("gateway"), "{text}");
}
