//! One emulated account, and requests made of it byte by byte.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use stagecraft_core::desired::ProviderId;
use stagecraft_testkit::emulators::faults::Rule;
use stagecraft_testkit::emulators::hetzner::Hetzner;
use stagecraft_testkit::emulators::{Emulator, Exchange, Hosts, NoHosts, Options, Running};
use stagecraft_testkit::world::{Behaviour, Delay};
use stagecraft_testkit::{SharedWorld, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An account whose servers take four lists to come up.
pub(crate) struct Stage {
    pub(crate) world: SharedWorld,
    pub(crate) hetzner: Hetzner,
    pub(crate) token: Option<&'static str>,
    running: Running,
}

/// An answer; `None` instead of one is a cut connection.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
    headers: Vec<(String, String)>,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self::over(Arc::new(NoHosts), options).await
    }

    /// With `hosts` behind the servers.
    pub(crate) async fn over(hosts: Arc<dyn Hosts>, options: Options) -> Self {
        let boot = Delay::Lists(4);
        let behaviour = Behaviour { boot, ..Behaviour::names_are_unique() };
        let world = SharedWorld::new(World::new(ProviderId::Hetzner, behaviour, 7));
        let hetzner = Hetzner::new(&world).with_hosts(hosts);
        let emulator = Emulator::new(&world, hetzner.clone(), options);
        let running = emulator.listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        Self { world, hetzner, token: Some("emulatedtoken"), running }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.answer("GET", path, None).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.answer("DELETE", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.answer("POST", path, Some(body.to_string())).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        self.answer("PUT", path, Some(body.to_string())).await
    }

    /// An answer that must come.
    pub(crate) async fn answer(&self, method: &str, path: &str, body: Option<String>) -> Reply {
        let reply = self.ask(method, path, body).await;
        reply.unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }

    /// Makes a request on a connection of its own.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<String>,
    ) -> Option<Reply> {
        let body = body.unwrap_or_default();
        let token = self
            .token
            .map(|token| format!("authorization: Bearer {token}\r\n"))
            .unwrap_or_default();
        let request = format!(
            "{method} /v1{path} HTTP/1.1\r\nhost: emulator\r\n{token}connection: close\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(self.running.address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.ok()?;
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() };
        Some(Reply { status, body, headers })
    }

    /// A server of this name; its id.
    pub(crate) async fn server(&self, name: &str) -> u64 {
        let reply = self.post("/servers", order(name)).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply.body["server"]["id"].as_u64().unwrap()
    }

    /// Lists servers until those ordered so far are up.
    pub(crate) async fn boot(&self) {
        for _ in 0..4 {
            self.get("/servers").await;
        }
    }

    /// The status of a server.
    pub(crate) async fn status(&self, id: u64) -> String {
        let reply = self.get(&format!("/servers/{id}")).await;
        reply.body["server"]["status"].as_str().unwrap_or("gone").to_owned()
    }

    /// Lets a fault of the connection come.
    pub(crate) fn inject(&self, rule: Rule) {
        self.running.emulator().inject(rule);
    }

    /// Lets no more faults of the connection come.
    pub(crate) fn heal(&self) {
        self.running.emulator().heal();
    }

    /// Everything asked and answered.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.running.emulator().record().all()
    }
}

impl Reply {
    /// Status, code and message of a refusal.
    pub(crate) fn refusal(&self) -> (u16, &str, &str) {
        let word = |key: &str| self.body["error"][key].as_str().unwrap_or_default();
        (self.status, word("code"), word("message"))
    }

    pub(crate) fn details(&self) -> &Value {
        &self.body["error"]["details"]
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    /// One field of every entry of a list.
    pub(crate) fn each(&self, list: &str, field: &str) -> Vec<Value> {
        let entries = self.body[list].as_array().unwrap_or_else(|| panic!("{}", self.body));
        entries.iter().map(|entry| entry[field].clone()).collect()
    }
}

/// An order that can be carried out.
pub(crate) fn order(name: &str) -> Value {
    json!({
        "name": name,
        "server_type": "cx23",
        "image": "ubuntu-24.04",
        "location": "fsn1",
        "ssh_keys": ["deploy"],
        "labels": { "role": "web" },
    })
}

/// The same with some fields replaced or, by `null`, left out.
pub(crate) fn order_with(name: &str, changes: Value) -> Value {
    let mut order = order(name);
    for (key, value) in changes.as_object().unwrap() {
        if value.is_null() {
            order.as_object_mut().unwrap().shift_remove(key);
        } else {
            order[key] = value.clone();
        }
    }
    order
}
