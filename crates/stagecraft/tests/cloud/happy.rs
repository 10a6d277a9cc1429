use crate::scene::{DIGITALOCEAN, HETZNER, Scene, UP};

#[test]
fn all_goes_well_at_digitalocean() {
    let scene = Scene::new(DIGITALOCEAN, &["app: { role: app, count: 2 }", "db-1: { role: db, size: medium, tags: [blue] }"]);
    for line in ["validate --online", "infra plan", UP, "infra plan", "infra status", "infra inventory --format json", "infra down --yes", "infra plan --output json"] {
        println!("$ stagecraft {line}\n{}\n", scene.run(line));
    }
}

#[test]
fn all_goes_well_at_hetzner() {
    let scene = Scene::new(HETZNER, &["app: { role: app, count: 2 }", "db-1: { role: db, size: medium, tags: [blue] }"]);
    for line in ["validate --online", "infra plan", UP, "infra plan", "infra status", "infra inventory --format json", "infra down --yes", "infra plan --output json"] {
        println!("$ stagecraft {line}\n{}\n", scene.run(line));
    }
}
