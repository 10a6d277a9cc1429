//! The clouds' APIs with real hosts behind them: from nothing to Docker-ready hosts and back.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cloud_emulator::{Lab, settings};
use stagecraft_core::desired::ProviderId;
use stagecraft_testkit::emulators::aws::Aws;
use stagecraft_testkit::emulators::digitalocean::DigitalOcean;
use stagecraft_testkit::emulators::hetzner::Hetzner;
use stagecraft_testkit::emulators::{Access, Emulator, Options, Running};
use stagecraft_testkit::world::{Behaviour, Delay};
use stagecraft_testkit::{SharedWorld, World};
use tokio::runtime::Runtime;

use crate::stage::{Ran, Stage, docker};

const HOSTS: [&str; 3] = ["app-1", "app-2", "db-1"];
pub(crate) const TOKEN: &str = "hidden0123456789abcdef0123456789";
/// Where the binary finds the token, and what is there instead at AWS.
const BY_TOKEN: &str = "token_env: TOKEN";
const BY_KEY: &str = "access_key_id_env: KEY_ID, secret_access_key_env: SECRET";

#[test]
fn digitalocean_goes_from_nothing_to_three_docker_ready_hosts_and_back() {
    there_and_back(ProviderId::DigitalOcean, "nyc3");
}

#[test]
fn hetzner_goes_from_nothing_to_three_docker_ready_hosts_and_back() {
    there_and_back(ProviderId::Hetzner, "nbg1");
}

#[test]
fn aws_goes_from_nothing_to_three_docker_ready_hosts_and_back() {
    there_and_back(ProviderId::Aws, "us-east-1");
}

fn there_and_back(provider: ProviderId, region: &str) {
    let Some(stage) = Stage::new("{}") else { return };
    let cloud = Cloud::open(provider, &stage);
    let (key_id, secret) = Aws::access_key();
    let (credentials, user) = match provider {
        ProviderId::Aws => (BY_KEY, "admin"),
        ProviderId::DigitalOcean | ProviderId::Hetzner | ProviderId::Local => (BY_TOKEN, "root"),
    };
    let key = stage.path().join("id_ed25519");
    stage.write(
        "stagecraft.yml",
        &format!(
            "project: {{ name: shop }}\n\
             cloud: {{ providers: {{ {provider}: {{ {credentials}, api_url: '{}', ssh_key_name: mine, \
             default_region: {region}, default_image: debian-12, hosts: {{ staging: \
             {{ app: {{ role: app, count: 2 }}, db-1: {{ role: db, size: medium }} }} }} }} }} }}\n\
             infra: {{ bootstrap: {{ ssh: {{ private_key_path: {} }} }} }}\n",
            cloud.running.url(),
            key.display(),
        ),
    );
    let run = |words: &[&str]| {
        let mut command = stage.command(words);
        command.env("TOKEN", TOKEN).env("KEY_ID", key_id).env("SECRET", secret);
        let ran = Ran::from(command.output().expect("the binary runs"));
        let said = format!("{}{}", ran.stdout, ran.stderr);
        for hidden in [TOKEN, secret] {
            assert!(!said.contains(&hidden[..12]), "a secret is shown:\n{said}");
        }
        ran
    };

    let up = run(&["infra", "up", "--output", "json"]);
    up.assert_code(0);
    for host in HOSTS {
        assert_eq!(up.host(host)["result"], "ready", "{}", up.stdout);
    }
    let inside = run(&["exec", "--output", "json", "--", "docker version --format up; hostname"]);
    inside.assert_code(0);
    for host in HOSTS {
        let said = inside.host(host)["stdout"].as_str().unwrap_or_default().to_owned();
        assert_eq!(said.trim(), format!("up\n{host}"), "{}", inside.stdout);
    }

    let login = run(&["ssh", "app-1", "--", "id -un"]);
    assert_eq!(login.assert_code(0).stdout.trim(), user, "whom the image lets in");

    let again = run(&["infra", "up", "--output", "json"]);
    assert_eq!(again.assert_code(0).json()["changed"], false, "{}", again.stdout);
    run(&["infra", "plan", "--detailed-exitcode"]).assert_code(0);
    assert_eq!(run(&["infra", "status", "--output", "json"]).host("db-1")["state"], "ready");

    run(&["infra", "down", "--yes"]).assert_code(0);
    assert_eq!(
        run(&["infra", "down", "--yes"]).assert_code(0).code,
        0,
        "nothing is left to remove"
    );
    let left = cloud.world.with(|world, now| world.machines(now));
    assert!(left.iter().all(|machine| machine.address.is_none()), "{left:?}");
    if let Some(aws) = &cloud.aws {
        assert_eq!(aws.groups(), [""; 0], "the group of the environment is gone");
        assert!(aws.key_pairs().contains(&"mine".to_owned()), "the user's own key pair stays");
    }
}

/// Only the one token is accepted; at AWS it is the signature that counts.
fn options(provider: ProviderId) -> Options {
    if provider == ProviderId::Aws {
        return Options::default();
    }
    Options { tokens: [(TOKEN.to_owned(), Access::Full)].into(), ..Options::default() }
}

/// An account at an emulated cloud with containers behind its machines.
pub(crate) struct Cloud {
    runtime: Runtime,
    world: SharedWorld,
    running: Running,
    /// The account as what it is, at AWS.
    aws: Option<Aws>,
    lab: Lab,
    /// What tells its containers from others.
    run: String,
}

impl Cloud {
    /// An account with the key `mine`, whose private part is in the stage's folder.
    pub(crate) fn open(provider: ProviderId, stage: &Stage) -> Self {
        let key = stage.path().join("id_ed25519");
        if !key.exists() {
            let mut keygen = Command::new("ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key);
            assert!(keygen.status().expect("ssh-keygen runs").success());
        }
        let public = std::fs::read_to_string(key.with_extension("pub")).expect("a public key");

        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let run = format!("test-{}-{number}", std::process::id());
        let runtime = Runtime::new().expect("a runtime");
        let (world, running, aws, lab) = runtime.block_on(async {
            let lab =
                Lab::open(settings().expect("settings"), provider, &run).await.expect("an engine");
            let behaviour = match provider {
                ProviderId::DigitalOcean | ProviderId::Aws => Behaviour::names_are_free(),
                ProviderId::Hetzner => Behaviour::names_are_unique(),
                ProviderId::Local => panic!("there is no emulator of {provider}"),
            };
            let boot = Delay::Time(Duration::from_secs(1));
            let world = SharedWorld::new(World::new(provider, Behaviour { boot, ..behaviour }, 1));
            let hosts = Arc::new(lab.clone());
            let mut aws = None;
            let options = options(provider);
            let emulator = match provider {
                ProviderId::Hetzner => {
                    let front = Hetzner::new(&world).with_hosts(hosts);
                    front.put_key("mine", public.trim()).expect("a key");
                    Emulator::new(&world, front, options)
                }
                ProviderId::Aws => {
                    let front = Aws::new(&world).with_hosts(hosts);
                    front.put_key("mine", public.trim()).expect("a key");
                    aws = Some(front.clone());
                    Emulator::new(&world, front, options)
                }
                ProviderId::DigitalOcean | ProviderId::Local => {
                    let front = DigitalOcean::new(&world).with_hosts(hosts);
                    front.put_key("mine", public.trim()).expect("a key");
                    Emulator::new(&world, front, options)
                }
            };
            let running =
                emulator.listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a free port");
            (world, running, aws, lab)
        });
        Self { runtime, world, running, aws, lab, run }
    }
}

impl Cloud {
    /// Where its API is.
    pub(crate) fn url(&self) -> &str {
        self.running.url()
    }

    /// The ids of the containers behind its machines.
    pub(crate) fn containers(&self) -> Vec<String> {
        let label = format!("label=stagecraft.environment={}", self.run);
        docker(&["ps", "--quiet", "--no-trunc", "--filter", &label])
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        drop(self.runtime.block_on(self.lab.clear()));
    }
}
