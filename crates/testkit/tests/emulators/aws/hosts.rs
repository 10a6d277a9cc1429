use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use stagecraft_core::name::InstanceId;
use stagecraft_testkit::emulators::aws::Aws;
use stagecraft_testkit::emulators::{HostOrder, Hosts, Options};
use stagecraft_testkit::world::Seen;

use super::stage::{Stage, named};

#[tokio::test]
async fn what_happens_to_an_instance_happens_to_its_host() {
    let hosts = Arc::new(Told::default());
    let stage = Stage::over(hosts.clone(), Options::default(), 1).await;
    let order =
        [&named("web-1")[..], &[("KeyName", "deploy"), ("UserData", "IyEvYmluL3No")]].concat();
    let id = stage.run(&order).await.text("instanceId");
    stage.boot().await;
    let this = [("InstanceId.1", id.as_str())];
    stage.ec2("StopInstances", &this).await;
    stage.boot().await;
    stage.ec2("StartInstances", &this).await;
    stage.ec2("TerminateInstances", &this).await;
    stage.ec2("TerminateInstances", &this).await;
    let machine = Aws::machine(&id).unwrap();
    let expected = [
        "ordered web-1 for ubuntu with 1 key and `#!/bin/sh`".to_owned(),
        format!("off {machine}"),
        format!("on {machine}"),
        format!("removed {machine}"),
    ];
    assert_eq!(*hosts.told.lock().unwrap(), expected);
    assert_eq!(Aws::instance(&machine), id);
}

#[tokio::test]
async fn a_running_instance_is_where_its_host_is_once_that_is_known() {
    let hosts = Arc::new(Told::default());
    let stage = Stage::over(hosts.clone(), Options::default(), 1).await;
    stage.instance("web-1").await;
    stage.boot().await;
    let address = async || stage.ec2("DescribeInstances", &[]).await.text("ipAddress");
    assert_eq!(address().await, "");
    *hosts.address.lock().unwrap() = Some(IpAddr::from([172, 17, 0, 9]));
    assert_eq!(address().await, "172.17.0.9");
}

/// Hosts that only remember what they were told.
#[derive(Debug, Default)]
struct Told {
    told: Mutex<Vec<String>>,
    address: Mutex<Option<IpAddr>>,
}

impl Told {
    fn note(&self, what: String) {
        self.told.lock().unwrap().push(what);
    }
}

impl Hosts for Told {
    fn ordered(&self, order: HostOrder) {
        let HostOrder { name, public_keys, login_user, user_data, .. } = order;
        let data = user_data.unwrap_or_default();
        self.note(format!(
            "ordered {name} for {login_user} with {} key and `{data}`",
            public_keys.len()
        ));
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
