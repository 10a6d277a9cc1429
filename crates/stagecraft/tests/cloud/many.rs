use crate::scene::{BOTH, DIGITALOCEAN, HETZNER, Scene, UP, at_once};

/// `LISTS` pages of lists, and this many requests for what can be ordered.
const CATALOGUE: usize = 4;

#[test]
fn sixty_hosts_are_two_pages_at_hetzner_and_one_at_digitalocean() {
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, &["app: { role: app, count: 60 }"]);
        let pages = if provider == HETZNER { 2 } else { 1 };
        let asked = || {
            let all = scene.cloud.record().all();
            scene.cloud.record().clear();
            let told: Vec<String> = all.iter().map(ToString::to_string).collect();
            assert!(all.iter().all(|exchange| exchange.status < Some(300)), "{told:#?}");
            told
        };
        let count =
            |told: &[String], what: &str| told.iter().filter(|of| of.contains(what)).count();

        scene.succeed("infra plan");
        let told = asked();
        // An empty list by tag leaves open whether the token sees tags, which is one request more.
        let look_at_tags = usize::from(provider == DIGITALOCEAN);
        assert_eq!(told.len(), 1 + CATALOGUE + look_at_tags, "{told:#?}");

        scene.succeed(UP);
        let told = asked();
        assert_eq!(count(&told, "POST /"), 60, "one order for each host");
        let created = scene.cloud.names();
        assert_eq!(created.len(), 60);
        let looks = count(&told, "GET /v2/droplets/") + count(&told, "GET /v1/servers/");
        assert_eq!(looks, 0, "no host is asked for by itself: {told:#?}");

        scene.succeed("infra plan");
        let told = asked();
        assert_eq!(told.len(), pages + CATALOGUE, "{told:#?}");
        assert_eq!(count(&told, "/droplets?") + count(&told, "/servers?"), pages, "{told:#?}");

        let plan = scene.run("infra plan --detailed-exitcode");
        assert!(plan.contains("No machine would change.") && plan.ends_with("[exit status: 0]"));
        scene.rests();
        scene.succeed("infra down --yes");
        assert_eq!(scene.cloud.names(), [""; 0]);
    });
}
