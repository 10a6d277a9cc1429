use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use stagecraft_core::name::InstanceId;
use stagecraft_testkit::emulators::{HostOrder, Hosts, Options};
use stagecraft_testkit::world::{Fault, Seen};

use super::stage::{Stage, order_with};

#[tokio::test]
async fn what_happens_to_a_server_happens_to_its_host() {
    let hosts = Arc::new(Told::default());
    let stage = Stage::over(hosts.clone(), Options::default()).await;
    let off = json!({ "user_data": "#!/bin/sh", "start_after_create": false });
    stage.post("/servers", order_with("web-1", off)).await;
    stage.get("/servers").await;
    let on = stage.answer("POST", "/servers/1001/actions/poweron", None).await;
    assert_eq!(on.status, 201, "{}", on.body);
    stage.delete("/servers/1001").await;
    stage.delete("/servers/1001").await;
    assert_eq!(
        hosts.told(),
        ["ordered web-1 with 1 key and `#!/bin/sh`", "off 1001", "on 1001", "removed 1001"]
    );
}

#[tokio::test]
async fn a_running_server_is_where_its_host_is_once_that_is_known() {
    let hosts = Arc::new(Told::default());
    let stage = Stage::over(hosts.clone(), Options::default()).await;
    stage.server("web-1").await;
    stage.boot().await;
    let net = async || stage.get("/servers/1001").await.body["server"]["public_net"].clone();
    assert_eq!(net().await["ipv4"], Value::Null);
    *hosts.address.lock().unwrap() = Some(IpAddr::from([172, 17, 0, 9]));
    assert_eq!(net().await["ipv4"]["ip"], "172.17.0.9");
}

#[tokio::test]
async fn a_host_is_ordered_even_if_the_answer_is_lost() {
    let hosts = Arc::new(Told::default());
    let stage = Stage::over(hosts.clone(), Options::default()).await;
    stage.world.with(|world, _| world.inject(Fault::LoseAnswer { effect: 1 }));
    let wanted = order_with("web-1", json!({ "user_data": "" })).to_string();
    assert!(stage.ask("POST", "/servers", Some(wanted)).await.is_none());
    assert_eq!(hosts.told(), ["ordered web-1 with 1 key and ``"]);
}

/// Hosts that only remember what they were told.
#[derive(Debug, Default)]
struct Told {
    told: Mutex<Vec<String>>,
    address: Mutex<Option<IpAddr>>,
}

impl Told {
    fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }

    fn note(&self, what: String) {
        self.told.lock().unwrap().push(what);
    }
}

impl Hosts for Told {
    fn ordered(&self, order: HostOrder) {
        let HostOrder { name, public_keys, user_data, .. } = order;
        let data = user_data.unwrap_or_default();
        self.note(format!("ordered {name} with {} key and `{data}`", public_keys.len()));
    }

    fn removed(&self, id: &InstanceId) {
        self.note(format!("removed {id}"));
    }

    fn switched_on(&self, id: &InstanceId) {
        self.note(format!("on {id}"));
    }

    fn switched_off(&self, id: &InstanceId) {
        self.note(format!("off {id}"));
    }

    fn address(&self, seen: &Seen) -> Option<IpAddr> {
        seen.booted.then_some(*self.address.lock().unwrap()).flatten()
    }
}
