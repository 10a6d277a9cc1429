//! One emulated account and who asks of it.

use std::net::SocketAddr;

use serde_json::{Value, json};
use stagecraft_core::desired::ProviderId;
use stagecraft_testkit::emulators::digitalocean::DigitalOcean;
use stagecraft_testkit::emulators::{Emulator, Options, Running};
use stagecraft_testkit::world::{Behaviour, Delay};
use stagecraft_testkit::{SharedWorld, World};

use crate::client::{Client, Reply};

/// An account whose droplets take two lists to be active and a third to have an address.
pub(crate) struct Stage {
    pub(crate) world: SharedWorld,
    pub(crate) front: DigitalOcean,
    pub(crate) running: Running,
    pub(crate) client: Client,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default(), 1).await
    }

    pub(crate) async fn with(options: Options, speed: u32) -> Self {
        let behaviour = Behaviour {
            boot: Delay::Lists(2),
            address: Delay::Lists(1),
            shutdown: Delay::Lists(2),
            ..Behaviour::names_are_free()
        };
        let world = World::new(ProviderId::DigitalOcean, behaviour, 3);
        let world = SharedWorld::new(world).at_speed(speed);
        let front = DigitalOcean::new(&world);
        let emulator = Emulator::new(&world, front.clone(), options);
        let running =
            emulator.listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a free port");
        let client = Client::new(running.address());
        Self { world, front, running, client }
    }

    pub(crate) fn emulator(&self) -> &Emulator {
        self.running.emulator()
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, None).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.ask("DELETE", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.ask("POST", path, Some(body)).await
    }

    /// A request that must be answered.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let body = body.map(|body| body.to_string());
        let reply = self.client.ask(method, &format!("/v2{path}"), body.as_deref()).await;
        reply.unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }

    /// A droplet of this name; its id.
    pub(crate) async fn droplet(&self, name: &str) -> u64 {
        let reply = self.post("/droplets", order(name)).await;
        assert_eq!(reply.status, 202, "{}", reply.body());
        reply.body()["droplet"]["id"].as_u64().expect("an id")
    }

    /// Lists so often that everything is up.
    pub(crate) async fn boot(&self) {
        for _ in 0..3 {
            self.get("/droplets").await;
        }
    }

    /// The ids in a list of droplets.
    pub(crate) async fn listed(&self, query: &str) -> Vec<u64> {
        let reply = self.get(&format!("/droplets{query}")).await;
        assert_eq!(reply.status, 200, "{}", reply.body());
        let body = reply.body();
        body["droplets"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one["id"].as_u64().expect("an id"))
            .collect()
    }
}

impl Reply {
    /// Status, id in small letters, and message of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String, String) {
        let body = self.body();
        let word = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        (self.status, word("id").to_lowercase(), word("message"))
    }
}

/// An order that can be carried out.
pub(crate) fn order(name: &str) -> Value {
    json!({
        "name": name,
        "region": "fra1",
        "size": "s-2vcpu-4gb",
        "image": "ubuntu-24-04-x64",
        "ssh_keys": [512_001],
        "tags": ["run:1", "host:web-1"],
        "user_data": "#cloud-config\n",
    })
}

/// The same with some fields replaced or, by `null`, left out.
pub(crate) fn order_with(name: &str, changes: Value) -> Value {
    let mut order = order(name);
    for (key, value) in changes.as_object().expect("an object") {
        if value.is_null() {
            order.as_object_mut().expect("an object").shift_remove(key);
        } else {
            order[key] = value.clone();
        }
    }
    order
}
