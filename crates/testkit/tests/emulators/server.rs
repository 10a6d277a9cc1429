//! The server around any front end.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use stagecraft_testkit::Process;
use stagecraft_testkit::emulators::{Access, Options};
use stagecraft_testkit::world::{AnswerFate, Fault};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::Client;
use crate::digitalocean::{Stage, order};

#[tokio::test]
async fn any_token_is_accepted_unless_there_are_some_to_choose_from() {
    let mut stage = Stage::new().await;
    assert_eq!(stage.get("/account").await.status, 200);
    stage.client.token = None;
    let message = "Unable to authenticate you".to_owned();
    let refusal = (401, "unauthorized".to_owned(), message);
    assert_eq!(stage.get("/account").await.refusal(), refusal);
    let tokens = [
        ("a", Access::Full),
        ("b", Access::ReadOnly),
        ("c", Access::Nothing),
        ("d", Access::Unknown),
    ];
    let tokens = tokens.map(|(token, access)| (token.to_owned(), access)).into();
    let mut stage = Stage::with(Options { tokens, ..Options::default() }, 1).await;
    for (token, reads, writes) in
        [("a", 200, 202), ("b", 200, 403), ("c", 403, 403), ("d", 401, 401), ("e", 401, 401)]
    {
        stage.client = stage.client.with_token(token);
        let seen = (
            stage.get("/account").await.status,
            stage.post("/droplets", order("web-1")).await.status,
        );
        assert_eq!(seen, (reads, writes), "{token}");
    }
}

#[tokio::test]
async fn whoever_comes_by_is_told_what_this_is() {
    let stage = Stage::new().await;
    let reply = stage.client.ask("GET", "/", None).await.unwrap();
    assert_eq!((reply.status, &reply.body()["api"]), (200, &"/v2".into()));
    for path in ["/v1/droplets", "/v22/droplets", "/favicon.ico"] {
        assert_eq!(stage.client.ask("GET", path, None).await.unwrap().status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused() {
    let stage = Stage::with(Options { body_limit: 1000, ..Options::default() }, 1).await;
    let long = format!("\"{}\"", "x".repeat(2000));
    assert_eq!(stage.client.ask("POST", "/v2/droplets", Some(&long)).await.unwrap().status, 413);
}

#[tokio::test]
async fn only_this_machine_is_served_unless_more_is_wanted() {
    let stage = Stage::new().await;
    let anywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let error = stage.emulator().listen(anywhere).await.unwrap_err();
    assert!(error.to_string().contains("0.0.0.0"), "{error}");
    let open = Stage::with(Options { beyond_loopback: true, ..Options::default() }, 1).await;
    assert!(open.emulator().listen(anywhere).await.is_ok());
}

#[tokio::test]
async fn a_connection_serves_many_requests_and_ends_with_the_server() {
    let stage = Stage::new().await;
    let address = stage.running.address();
    assert_eq!(stage.running.url(), format!("http://{address}/v2"));
    let mut stream = TcpStream::connect(address).await.unwrap();
    for _ in 0..3 {
        let request = "GET /v2/actions HTTP/1.1\r\nhost: x\r\nauthorization: bearer t\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut seen = String::new();
        while !seen.contains("\"total\":0}}") {
            let mut piece = [0; 4096];
            let length = stream.read(&mut piece).await.unwrap();
            assert!(length > 0, "{seen}");
            seen += std::str::from_utf8(&piece[..length]).unwrap();
        }
    }
    drop(stage);
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the connection outlives the server");
    assert!(Client::new(address).ask("GET", "/", None).await.is_none());
}

#[tokio::test]
async fn every_exchange_is_recorded_and_told_without_the_token() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let lines = told.clone();
    let watcher: stagecraft_testkit::emulators::Watcher =
        Arc::new(move |exchange| lines.lock().unwrap().push(exchange.to_string()));
    let stage = Stage::with(Options { watcher: Some(watcher), ..Options::default() }, 1).await;
    stage.droplet("web-1").await;
    stage.get("/droplets?tag_name=run:1&per_page=5").await;
    let record = stage.emulator().record();
    assert_eq!(
        *told.lock().unwrap(),
        ["POST /v2/droplets 202", "GET /v2/droplets?tag_name=run:1&per_page=5 200"]
    );
    assert_eq!(record.of("POST", "/v2/droplets")[0].request, Some(order("web-1")));
    assert!(!format!("{:?}", record.all()).contains("secret-token"));
    record.clear();
    assert_eq!(record.all(), []);
}

#[tokio::test]
async fn a_crash_kills_the_process_whose_request_it_was_and_nobody_else() {
    for (answer, learns) in [(AnswerFate::Lost, false), (AnswerFate::Delivered, true)] {
        let stage = Stage::new().await;
        let [one, two] = [Process::new(), Process::new()];
        let of_one = stage.emulator().listen_for(&one).unwrap();
        let of_two = stage.emulator().listen_for(&two).unwrap();
        stage.world.with(|world, _| world.inject(Fault::Crash { effect: 1, answer }));
        let body = order("web-1").to_string();
        let client = Client::new(of_one.address());
        let learnt = client.ask("POST", "/v2/droplets", Some(&body)).await;
        assert_eq!(learnt.is_some_and(|reply| reply.status == 202), learns);
        assert!(client.ask("POST", "/v2/droplets", Some(&body)).await.is_none());
        assert!(one.is_dead() && !two.is_dead());
        let reply = Client::new(of_two.address()).ask("GET", "/v2/droplets", None).await.unwrap();
        assert_eq!(reply.body()["meta"]["total"], 1, "one order arrived");
    }
}

#[tokio::test]
async fn an_order_that_went_astray_arrives_after_its_process_died() {
    let stage = Stage::with(Options::default(), 100).await;
    let process = Process::new();
    let running = stage.emulator().listen_for(&process).unwrap();
    let stray = Fault::Stray { create: 1, after: Duration::from_secs(20) };
    stage.world.with(|world, _| world.inject(stray));
    let body = order("web-1").to_string();
    let client = Client::new(running.address());
    assert!(client.ask("POST", "/v2/droplets", Some(&body)).await.is_none());
    assert!(process.is_dead());
    assert_eq!(stage.listed("").await, [0; 0]);
    stage.world.sleep(Duration::from_secs(30)).await;
    assert_eq!(stage.listed("").await.len(), 1);
}

#[tokio::test]
async fn what_lies_behind_the_machines_is_told_and_asked() {
    use stagecraft_core::name::InstanceId;
    use stagecraft_testkit::emulators::{Emulator, HostOrder, Hosts};
    use stagecraft_testkit::world::Seen;
    use std::net::IpAddr;

    #[derive(Debug, Default)]
    struct Told(Mutex<Vec<String>>);
    impl Told {
        fn note(&self, what: String) {
            self.0.lock().unwrap().push(what);
        }
    }
    impl Hosts for Told {
        fn ordered(&self, order: HostOrder) {
            self.note(format!("ordered {} with {} key", order.name, order.public_keys.len()));
        }
        fn removed(&self, _: &InstanceId) {
            self.note("removed".to_owned());
        }
        fn switched_on(&self, _: &InstanceId) {
            self.note("on".to_owned());
        }
        fn switched_off(&self, _: &InstanceId) {
            self.note("off".to_owned());
        }
        fn address(&self, _: &Seen) -> Option<IpAddr> {
            Some([172, 20, 0, 9].into())
        }
    }

    let mut stage = Stage::new().await;
    let told = Arc::new(Told::default());
    let front = stage.front.clone().with_hosts(told.clone());
    let emulator = Emulator::new(&stage.world, front, Options::default());
    let running = emulator.listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    stage.client = Client::new(running.address());
    let id = stage.droplet("web-1").await;
    stage.boot().await;
    let body = stage.get(&format!("/droplets/{id}")).await.body();
    assert_eq!(body["droplet"]["networks"]["v4"][1]["ip_address"], "172.20.0.9");
    for kind in ["power_off", "power_on"] {
        stage.post(&format!("/droplets/{id}/actions"), serde_json::json!({ "type": kind })).await;
    }
    stage.delete(&format!("/droplets/{id}")).await;
    assert_eq!(*told.0.lock().unwrap(), ["ordered web-1 with 1 key", "off", "on", "removed"]);
}
