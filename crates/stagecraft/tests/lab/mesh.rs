//! Hosts in a WireGuard mesh of their own.

use stagecraft_core::desired::ProviderId;

use crate::clouds::{Cloud, TOKEN};
use crate::stage::{Ran, Stage, docker};

#[test]
fn five_hosts_of_two_clouds_reach_each_other_by_name_whoever_comes_and_goes() {
    let Some(stage) = Stage::new("{}") else { return };
    let clouds = [ProviderId::DigitalOcean, ProviderId::Hetzner];
    let clouds = clouds.map(|provider| Cloud::open(provider, &stage));
    let configure = |apps: u32, workers: &str| {
        let key = stage.path().join("id_ed25519").display().to_string();
        let common = "token_env: TOKEN, ssh_key_name: mine, default_image: debian-12";
        stage.write(
            "stagecraft.yml",
            &format!(
                "project: {{ name: shop }}\n\
                 cloud:\n  providers:\n\
                 \x20   digitalocean: {{ {common}, api_url: '{}', default_region: nyc3, hosts: {{ dev: \
                 {{ app: {{ role: app, count: {apps} }}, db-1: {{ role: db }} }} }} }}\n\
                 \x20   hetzner: {{ {common}, api_url: '{}', default_region: nbg1, hosts: {{ dev: \
                 {{ {workers} }} }} }}\n\
                 network: {{ provider: wireguard, providers: {{ wireguard: {{ cidr: 10.66.0.0/16 }} }} }}\n\
                 infra: {{ bootstrap: {{ docker: {{ enabled: false }}, ssh: {{ private_key_path: {key} }} }} }}\n",
                clouds[0].url(),
                clouds[1].url(),
            ),
        );
    };
    let run = |words: &[&str]| {
        Ran::from(stage.command(words).env("TOKEN", TOKEN).output().expect("the binary runs"))
    };
    let pings = |hosts: &[&str]| {
        let names: Vec<String> = hosts.iter().map(|host| format!("{host}.shop.internal")).collect();
        let script = format!(
            "for name in {}; do ping -c 1 -W 5 $name >/dev/null && echo $name; done",
            names.join(" ")
        );
        let ran = run(&["exec", "--output", "json", "--", &script]);
        ran.assert_code(0);
        for host in hosts {
            let said = ran.host(host)["stdout"].as_str().unwrap_or_default().to_owned();
            assert_eq!(said.lines().collect::<Vec<_>>(), names, "from {host}");
        }
    };
    let addresses = || {
        let status = run(&["infra", "status", "--output", "json"]);
        let hosts = status.assert_code(0).json()["hosts"].as_array().cloned().unwrap_or_default();
        let address = |host: &serde_json::Value| {
            (host["host"].to_string(), host["membership"]["address"].to_string())
        };
        hosts.iter().map(address).collect::<std::collections::BTreeMap<_, _>>()
    };

    configure(2, "worker: { role: worker, count: 2 }");
    let up = run(&["infra", "up", "--output", "json"]);
    up.assert_code(0);
    let five = ["app-1", "app-2", "db-1", "worker-1", "worker-2"];
    pings(&five);
    let first = addresses();
    let again = run(&["infra", "up", "--output", "json"]);
    assert_eq!(again.assert_code(0).json()["changed"], false, "{}", again.stdout);

    run(&["infra", "up", "--replace", "worker-1", "--yes"]).assert_code(0);
    pings(&five);
    assert_eq!(addresses(), first, "also the new machine has the address of its name");

    configure(2, "worker-1: { role: worker }");
    run(&["infra", "up", "--prune", "--yes"]).assert_code(0);
    pings(&["app-1", "app-2", "db-1", "worker-1"]);
    let peers = run(&[
        "exec",
        "--output",
        "json",
        "--",
        "wg show stagecraft0 peers | wc -l; grep -c worker-2 /etc/hosts",
    ]);
    for host in ["app-1", "app-2", "db-1", "worker-1"] {
        assert_eq!(peers.host(host)["stdout"], "3\n0\n", "{}", peers.stdout);
    }

    configure(3, "worker-1: { role: worker }");
    let plan = run(&["infra", "plan"]);
    let says = "Network wireguard: `app-3` joins; 4 other hosts are told.";
    assert!(plan.assert_code(0).stdout.contains(says), "{}", plan.stdout);
    run(&["infra", "up"]).assert_code(0);
    pings(&["app-1", "app-2", "app-3", "db-1", "worker-1"]);
    let now = addresses();
    assert!(first.iter().all(|(host, address)| now.get(host).is_none_or(|now| now == address)));

    // A host that is taken away alone is forgotten by those that the command does not name.
    run(&["infra", "down", "--host", "app-3", "--yes"]).assert_code(0);
    configure(2, "worker-1: { role: worker }");
    pings(&["app-1", "app-2", "db-1", "worker-1"]);
    run(&["infra", "down", "--yes"]).assert_code(0);
}

#[test]
fn a_mesh_survives_the_restart_of_a_host_and_what_is_broken_by_hand() {
    let Some(stage) = meshed("{ a: { role: app }, b: { role: app } }", "10.66.0.0/16") else {
        return;
    };
    stage.run(&["infra", "up"]).assert_code(0);
    let ping = "ping -c 1 -W 5 b.mesh.internal >/dev/null && echo reached";
    assert_eq!(stage.inside("a", ping), "reached\n");
    docker(&["restart", "--time", "1", &stage.containers(Some("a"))[0]]);
    let waited = format!("for i in $(seq 40); do {ping} && exit; sleep 0.5; done");
    assert_eq!(stage.inside("a", &waited), "reached\n");

    stage.inside("a", "wg set stagecraft0 peer $(wg show stagecraft0 peers) remove; sed -i /mesh.internal/d /etc/hosts");
    let status = stage.run(&["infra", "status", "--output", "json"]);
    let state = status.assert_code(10).host("a");
    assert_eq!(state["open"][0]["step"], "wireguard-mesh", "{}", status.stdout);
    stage.run(&["infra", "up"]).assert_code(0);
    assert_eq!(stage.inside("a", ping), "reached\n");
    let files = stage
        .inside("a", "stat -c '%a %U %n' /etc/wireguard/*; grep -rl PrivateKey /etc/wireguard");
    assert_eq!(
        files,
        "600 root /etc/wireguard/stagecraft0.conf\n600 root /etc/wireguard/stagecraft0.key\n",
        "the key is in no other file"
    );
}

#[test]
fn a_range_that_a_host_uses_otherwise_is_refused_before_anything_is_changed() {
    let Some(stage) = meshed("{ a: { role: app } }", "172.16.0.0/12") else { return };
    let up = stage.run(&["infra", "up", "--output", "json"]);
    assert_eq!(up.assert_code(10).host("a")["failure"]["code"], "network_range_taken");
    assert_eq!(stage.inside("a", "ls /etc/wireguard 2>/dev/null; command -v wg"), "");
}

#[test]
fn a_host_that_the_mesh_would_cut_off_goes_back_by_itself() {
    let Some(stage) = meshed("{ a: { role: app }, b: { role: app } }", "10.66.0.0/16") else {
        return;
    };
    stage.run(&["infra", "up"]).assert_code(0);
    let before = stage.inside("a", "cat /etc/wireguard/stagecraft0.conf");
    // From now on nobody new gets into `a` while it has two peers.
    stage.inside(
        "a",
        "cp /usr/bin/wg /usr/bin/wg.real; cat >/usr/bin/wg <<'EOF'\n\
         #!/bin/sh\n\
         /usr/bin/wg.real \"$@\" || exit\n\
         [ \"$1\" = syncconf ] || exit 0\n\
         if [ \"$(/usr/bin/wg.real show stagecraft0 peers | wc -l)\" = 2 ]; then\n\
         \tsystemctl stop ssh\n\
         else\n\
         \tsystemctl start ssh\n\
         fi\nEOF\n",
    );
    stage
        .configure_mesh("{ a: { role: app }, b: { role: app }, c: { role: app } }", "10.66.0.0/16");
    let up = stage.run(&["infra", "up", "--output", "json"]);
    assert_eq!(up.assert_code(10).host("a")["failure"]["code"], "change_undone", "{}", up.stdout);
    assert_eq!(up.host("b")["result"], "ready", "{}", up.stdout);
    // The file goes back first, then `wg` is called, which is still ours.
    let undone = "for i in $(seq 160); do systemctl -q is-active ssh && { cat /etc/wireguard/stagecraft0.conf; exit; }; sleep 0.5; done";
    assert_eq!(stage.inside("a", undone), before);
    stage.inside("a", "mv /usr/bin/wg.real /usr/bin/wg");
    stage.run(&["infra", "up"]).assert_code(0);
    let ping = "ping -c 1 -W 5 c.mesh.internal >/dev/null && echo reached";
    assert_eq!(stage.inside("a", ping), "reached\n");
}

/// A stage whose hosts are to be in a mesh with these addresses.
fn meshed(hosts: &str, range: &str) -> Option<Stage> {
    let stage = Stage::new(hosts)?;
    stage.configure_mesh(hosts, range);
    Some(stage)
}

impl Stage {
    fn configure_mesh(&self, hosts: &str, range: &str) {
        self.write(
            "stagecraft.yml",
            &format!(
                "project: {{ name: {} }}\n\
                 cloud: {{ providers: {{ local: {{ hosts: {{ dev: {hosts} }} }} }} }}\n\
                 network: {{ provider: wireguard, providers: {{ wireguard: \
                 {{ cidr: {range}, domain: mesh.internal }} }} }}\n\
                 infra: {{ bootstrap: {{ docker: {{ enabled: false }} }} }}\n",
                self.project(),
            ),
        );
    }
}
