//! One emulated account, and signed requests made of it byte by byte.

use std::net::SocketAddr;
use std::sync::Arc;

use stagecraft_core::desired::ProviderId;
use stagecraft_testkit::emulators::aws::{Aws, Clock, Habits};
use stagecraft_testkit::emulators::faults::Rule;
use stagecraft_testkit::emulators::{Emulator, Exchange, Hosts, NoHosts, Options, Running};
use stagecraft_testkit::world::{Behaviour, Delay};
use stagecraft_testkit::{SharedWorld, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::signer::Signer;

/// The newest Ubuntu 24.04 for x86, as a parameter.
pub(crate) const NOBLE: &str =
    "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id";
/// What EC2 is sent.
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// An account whose instances take two lists to run and one more to have an address.
pub(crate) struct Stage {
    pub(crate) world: SharedWorld,
    pub(crate) aws: Aws,
    pub(crate) signer: Signer,
    running: Running,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: String,
    headers: Vec<(String, String)>,
}

impl Stage {
    /// One that takes any number of requests.
    pub(crate) async fn new() -> Self {
        Self::with(Options { limited: false, ..Options::default() }).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self::over(Arc::new(NoHosts), options, 1).await
    }

    /// With `hosts` behind the instances, and a clock that runs `speed` times as fast. Requests are
    /// signed by the clock of the world.
    pub(crate) async fn over(hosts: Arc<dyn Hosts>, options: Options, speed: u32) -> Self {
        let behaviour = Behaviour {
            boot: Delay::Lists(2),
            address: Delay::Lists(1),
            shutdown: Delay::Lists(2),
            ..Behaviour::names_are_free()
        };
        let world = SharedWorld::new(World::new(ProviderId::Aws, behaviour, 11)).at_speed(speed);
        let aws = Aws::new(&world).with_hosts(hosts);
        aws.change_habits(|habits| habits.clock = Clock::World);
        let emulator = Emulator::new(&world, aws.clone(), options);
        let running = emulator.listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let (key, secret) = Aws::access_key();
        let signer = Signer {
            key: key.to_owned(),
            secret: secret.to_owned(),
            session: None,
            region: "us-east-1".to_owned(),
            service: "ec2".to_owned(),
            date: String::new(),
            leaves_out: None,
        };
        Self { world, aws, signer, running }
    }

    /// The same account in another region.
    pub(crate) fn move_to(&mut self, region: &str) {
        self.signer.region = region.to_owned();
    }

    pub(crate) fn habits(&self, change: impl FnOnce(&mut Habits)) {
        self.aws.change_habits(change);
    }

    /// The time of the world, so many seconds later.
    pub(crate) fn date(&self, later: i64) -> String {
        let millis = self.world.with(|world, now| world.epoch_millis(now));
        let second = i64::try_from(millis / 1000).unwrap() + later;
        let time = jiff::Timestamp::from_second(second).unwrap();
        time.strftime("%Y%m%dT%H%M%SZ").to_string()
    }

    /// An action of EC2 that must be answered.
    pub(crate) async fn ec2(&self, action: &str, params: &[(&str, &str)]) -> Reply {
        let reply = self.ask(action, params).await;
        reply.unwrap_or_else(|| panic!("no answer to {action}"))
    }

    /// The same; `None` is a cut connection.
    pub(crate) async fn ask(&self, action: &str, params: &[(&str, &str)]) -> Option<Reply> {
        let all = [("Action", action), ("Version", "2016-11-15")];
        let all = all.iter().chain(params);
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
        self.send(FORM, &body).await
    }

    /// `GetParameter` of SSM.
    pub(crate) async fn parameter(&self, name: &str) -> Reply {
        self.ssm(&format!("{{\"Name\":\"{name}\"}}")).await
    }

    pub(crate) async fn ssm(&self, body: &str) -> Reply {
        let signer = Signer { service: "ssm".to_owned(), ..self.signer.clone() };
        self.send_as(&signer, "application/x-amz-json-1.1", body).await.unwrap()
    }

    /// `GetCallerIdentity` of STS.
    pub(crate) async fn identity(&self) -> Reply {
        let signer = Signer { service: "sts".to_owned(), ..self.signer.clone() };
        let body = "Action=GetCallerIdentity&Version=2011-06-15";
        self.send_as(&signer, FORM, body).await.unwrap()
    }

    /// A body as it stands.
    pub(crate) async fn send(&self, kind: &str, body: &str) -> Option<Reply> {
        self.send_as(&self.signer, kind, body).await
    }

    async fn send_as(&self, signer: &Signer, kind: &str, body: &str) -> Option<Reply> {
        let date = if signer.date.is_empty() { self.date(0) } else { signer.date.clone() };
        let headers = Signer { date, ..signer.clone() }.headers(kind, body);
        self.raw("POST", "/", &headers, body).await
    }

    /// Makes a request on a connection of its own.
    pub(crate) async fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: &str,
    ) -> Option<Reply> {
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\n{headers}connection: close\r\ncontent-length: {}\r\n\r\n{body}",
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
        Some(Reply { status, body: body.to_owned(), headers })
    }

    /// The id of the image that an order names.
    pub(crate) async fn image(&self, parameter: &str) -> String {
        let reply = self.parameter(parameter).await;
        let found: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
        found["Parameter"]["Value"].as_str().unwrap_or_else(|| panic!("{reply:?}")).to_owned()
    }

    /// An order for one `t3.small` with some parameters besides, or in place of those there are.
    pub(crate) async fn run(&self, besides: &[(&str, &str)]) -> Reply {
        let image = self.image(NOBLE).await;
        let mut params = vec![
            ("ImageId", image.as_str()),
            ("InstanceType", "t3.small"),
            ("MinCount", "1"),
            ("MaxCount", "1"),
        ];
        for (name, value) in besides {
            params.retain(|(known, _)| known != name);
            if !value.is_empty() {
                params.push((name, value));
            }
        }
        self.ask("RunInstances", &params).await.expect("an answer to RunInstances")
    }

    /// An instance of this name; its id.
    pub(crate) async fn instance(&self, name: &str) -> String {
        let reply = self.run(&named(name)).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.text("instanceId")
    }

    /// Lists until what was ordered so far runs and has an address.
    pub(crate) async fn boot(&self) {
        for _ in 0..3 {
            self.ec2("DescribeInstances", &[]).await;
        }
    }

    /// The ids in a list.
    pub(crate) async fn listed(&self, filters: &[(&str, &str)]) -> Vec<String> {
        let reply = self.ec2("DescribeInstances", filters).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let mut ids = reply.texts("instanceId");
        ids.sort();
        ids
    }

    /// The state of an instance.
    pub(crate) async fn state(&self, id: &str) -> String {
        let reply = self.ec2("DescribeInstances", &[("InstanceId.1", id)]).await;
        if reply.status == 200 { reply.between("instanceState").text("name") } else { reply.code() }
    }

    pub(crate) fn inject(&self, rule: Rule) {
        self.running.emulator().inject(rule);
    }

    pub(crate) fn heal(&self) {
        self.running.emulator().heal();
    }

    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.running.emulator().record().all()
    }
}

impl Reply {
    /// Every text of an element of this name, wherever it is.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let parts = self.body.split(&open).skip(1);
        parts.filter_map(|part| part.split_once(&close)).map(|(text, _)| text.to_owned()).collect()
    }

    /// The first of them; empty when there is none.
    pub(crate) fn text(&self, name: &str) -> String {
        self.texts(name).into_iter().next().unwrap_or_default()
    }

    /// The first element of this name as an answer by itself.
    pub(crate) fn between(&self, name: &str) -> Self {
        Self { body: self.text(name), ..self.clone() }
    }

    /// The code of a refusal by EC2.
    pub(crate) fn code(&self) -> String {
        assert!(self.body.contains("<RequestID>5ca1ab1e-"), "{}", self.body);
        self.text("Code")
    }

    /// Status and code of a refusal by EC2.
    pub(crate) fn refusal(&self) -> (u16, String) {
        (self.status, self.code())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// The parameters that name an instance.
pub(crate) fn named(name: &str) -> [(&str, &str); 3] {
    [
        ("TagSpecification.1.ResourceType", "instance"),
        ("TagSpecification.1.Tag.1.Key", "Name"),
        ("TagSpecification.1.Tag.1.Value", name),
    ]
}

/// A status and a code to compare with [`Reply::refusal`].
pub(crate) fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}
