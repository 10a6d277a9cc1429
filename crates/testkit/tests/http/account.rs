//! Emulated accounts, and the real adapters as processes have them.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use stagecraft_clouds::aws::{ApiUrls, AwsCredentials, AwsProvider, AwsSettings};
use stagecraft_clouds::digitalocean::{DigitalOceanProvider, DigitalOceanSettings};
use stagecraft_clouds::hetzner::{HetznerProvider, HetznerSettings};
use stagecraft_clouds::http::{BaseUrl, Token};
use stagecraft_core::cloud::CloudProvider;
use stagecraft_core::desired::ProviderId;
use stagecraft_testkit::emulators::aws::Aws;
use stagecraft_testkit::emulators::digitalocean::DigitalOcean;
use stagecraft_testkit::emulators::hetzner::Hetzner;
use stagecraft_testkit::emulators::{Emulator, Exchange, Options, Running};
use stagecraft_testkit::world::{Behaviour, Delay};
use stagecraft_testkit::{Process, SharedWorld, World};

use crate::stage::Stage;
use crate::words::words;

/// The clouds that are spoken to by HTTP.
pub(crate) const APIS: [ProviderId; 3] =
    [ProviderId::DigitalOcean, ProviderId::Hetzner, ProviderId::Aws];

/// The token of every process, where there are tokens.
pub(crate) const TOKEN: &str = "c0ffee7vXw2LmPz9RtYbN4dJsFgHeUaCi5oMxQk8WjZr3VnSyTlBp6EuDfIhGcOA";

/// An account behind an API.
pub(crate) struct Account {
    pub(crate) stage: Stage,
    pub(crate) emulator: Emulator,
}

impl Account {
    /// An account without limits whose clock runs two hundred times as fast as the real one.
    pub(crate) fn new(api: ProviderId, behaviour: Behaviour, seed: u64) -> Self {
        let options = Options { limited: false, ..Options::default() };
        Self::with(api, behaviour, seed, 200, options)
    }

    pub(crate) fn with(
        api: ProviderId,
        behaviour: Behaviour,
        seed: u64,
        speed: u32,
        options: Options,
    ) -> Self {
        let world = SharedWorld::new(World::new(api, behaviour, seed)).at_speed(speed);
        let emulator = match api {
            ProviderId::DigitalOcean => Emulator::new(&world, DigitalOcean::new(&world), options),
            ProviderId::Hetzner => Emulator::new(&world, Hetzner::new(&world), options),
            ProviderId::Aws => Emulator::new(&world, Aws::new(&world), options),
            ProviderId::Local => unreachable!("there is no emulator of it"),
        };
        let (served, serving) = (emulator.clone(), RefCell::new(Vec::<Running>::new()));
        let make = move |_: &SharedWorld, process: &Process| {
            let running = served.listen_for(process).expect("a free port");
            let provider = adapter(api, running.url());
            serving.borrow_mut().push(running);
            provider
        };
        Self { stage: Stage::at(world, words(api), Rc::new(make), seed), emulator }
    }

    /// How many exchanges there were that are so.
    pub(crate) fn count(&self, is: impl Fn(&Exchange) -> bool) -> usize {
        self.emulator.record().all().iter().filter(|exchange| is(exchange)).count()
    }
}

/// How the real thing behaves, at a pace for tests: addresses are late, and where names are free
/// lists are, too.
pub(crate) fn usual(api: ProviderId) -> Behaviour {
    let seconds = |seconds| Delay::Time(Duration::from_secs(seconds));
    let behaviour = match api {
        ProviderId::Hetzner => Behaviour::names_are_unique(),
        ProviderId::Aws | ProviderId::DigitalOcean | ProviderId::Local => {
            Behaviour { visible: seconds(3), ..Behaviour::names_are_free() }
        }
    };
    Behaviour { boot: seconds(4), address: seconds(2), shutdown: seconds(2), ..behaviour }
}

/// Whether an exchange is about one machine and only looks at it, or makes a tag or a group: what a
/// change of several requests begins with.
pub(crate) fn is_first_step(exchange: &Exchange) -> bool {
    let segments: Vec<&str> = exchange.path.split('/').skip(1).collect();
    match (exchange.method.as_str(), &segments[..]) {
        ("GET", [_, "droplets" | "servers", _]) | ("POST", [_, "tags"]) => true,
        ("POST", ["DescribeInstances"]) => says(exchange, "InstanceId.1="),
        ("POST", ["CreateTags" | "CreateSecurityGroup" | "AuthorizeSecurityGroupIngress"]) => true,
        _ => false,
    }
}

/// Whether the body of a request has these words.
pub(crate) fn says(exchange: &Exchange, words: &str) -> bool {
    let body = exchange.request.as_ref().and_then(|body| body.as_str());
    body.is_some_and(|body| body.contains(words))
}

fn adapter(api: ProviderId, url: &str) -> Arc<dyn CloudProvider> {
    let api_url = Some(BaseUrl::parse(url).expect("a URL of loopback"));
    let token = Token::new(TOKEN).expect("a token");
    let ssh_key_name = Some("deploy".to_owned());
    match api {
        ProviderId::DigitalOcean => Arc::new(DigitalOceanProvider::new(DigitalOceanSettings {
            api_url,
            token,
            ssh_key_name,
        })),
        ProviderId::Hetzner => {
            Arc::new(HetznerProvider::new(HetznerSettings { api_url, token, ssh_key_name }))
        }
        ProviderId::Aws => {
            let api_urls = ApiUrls::all(&BaseUrl::parse(url).expect("a URL of loopback"));
            let (id, secret) = Aws::access_key();
            Arc::new(AwsProvider::new(AwsSettings {
                api_urls,
                credentials: AwsCredentials::Keys {
                    access_key_id: id.to_owned(),
                    secret_access_key: Token::new(secret).expect("a secret"),
                    session_token: None,
                },
                default_region: "us-east-1".into(),
                regions: [].into(),
                // Each list is one request then; `stagecraft`'s own tests look into all regions.
                everywhere: false,
                sizes: [].into(),
                ssh_key_name,
                subnet_id: None,
                ssh_port: 22,
                mesh_port: None,
            }))
        }
        ProviderId::Local => unreachable!("it is not reached by HTTP"),
    }
}
