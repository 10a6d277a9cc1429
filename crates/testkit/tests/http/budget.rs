//! What things cost in requests, by the record of who answers them.

use std::time::Duration;

use stagecraft_core::desired::ProviderId;
use stagecraft_core::event::HostEnd;
use stagecraft_core::inventory::Owner;
use stagecraft_testkit::Process;
use stagecraft_testkit::emulators::{Exchange, Options};
use stagecraft_testkit::world::{Behaviour, Delay};

use crate::account::{APIS, Account, says, usual};
use crate::stage::{Verb, ours};
use crate::tape::Tape;

/// How long the hosts take to come up.
const BOOT: Duration = Duration::from_secs(240);
/// How many orders may ask for the same at once, until one of them knows it.
const UNDER_WAY: usize = 10;
/// The shortest and the longest time between two looks, in seconds.
const PAUSES: [f64; 2] = [0.5, 8.0];

#[tokio::test]
async fn waiting_for_a_hundred_hosts_costs_lists_by_the_clock_and_no_look_at_any_of_them() {
    for api in APIS {
        // Addresses are there in time: whoever has only a private one for long is taken to have no other.
        let (boot, address) = (Delay::Time(BOOT), Delay::NONE);
        let behaviour = Behaviour { boot, address, ..usual(api) };
        let mut account = many(api, behaviour, 100, 100);
        // What is counted is waiting, not what hosts need once they are up.
        account.stage.mint = None;
        let tape = account.stage.told(Verb::Up).await;
        assert!(tape.ends().values().all(|end| *end == HostEnd::Ready), "{:?}", tape.ends());
        assert_eq!(account.count(of_one), 0, "{api}");
        assert_eq!(account.count(orders), 100, "{api}");

        let all = account.emulator.record().all();
        let began = all.iter().filter(|of| orders(of)).map(|of| of.at).min().expect("orders");
        let ordered = all.iter().filter(|of| orders(of)).map(|of| of.at).max().expect("orders");
        let looks: Vec<Duration> = all.iter().filter(|of| first_page(of)).map(|of| of.at).collect();
        let between = |from, to| looks.iter().filter(|at| (from..to).contains(*at)).count();
        let end = account.stage.cloud.now();
        let (ordering, waiting) = (between(began, ordered), between(ordered, end));
        let seconds = |time: Duration| time.as_secs_f64();
        println!(
            "{api}: {} requests; {ordering} looks in {:.1} s of ordering, {waiting} in {:.0} s of waiting",
            all.len(),
            seconds(ordered - began),
            seconds(end - ordered),
        );
        // A list of a hundred, what is asked of their orders, and a catalogue of keys or images. At AWS
        // each order looks first whether its host is there; then there are an image, subnets, zones and a
        // group, which is made and opened.
        let (of_a_look, before) = match api {
            ProviderId::Hetzner => (2 + 4, 4),
            ProviderId::Aws => (1, 100 + 8 * UNDER_WAY),
            ProviderId::DigitalOcean | ProviderId::Local => (1, 4),
        };
        let most = looks.len() * of_a_look + before;
        assert!(all.len() - 100 <= most, "{api}: {}", all.len());
        // While hosts are ordered, each that begins to wait may want a look soon.
        let most = seconds(ordered - began) / PAUSES[0] + 2.0;
        assert!((ordering as f64) <= most, "{api}: {ordering}");
        // From there on the pauses grow, and begin anew for hosts that come up in several lists.
        let most = seconds(end - ordered) / PAUSES[1] + 20.0;
        assert!((waiting as f64) <= most, "{api}: {waiting}");
    }
}

#[tokio::test]
async fn a_plan_of_a_thousand_instances_costs_the_pages_of_one_list_and_those_of_a_catalogue() {
    for (api, pages, catalogue) in [
        (ProviderId::DigitalOcean, 5, 4),
        (ProviderId::Hetzner, 20, 4),
        // Regions, types and their zones, key pairs, subnets, and three images for two architectures, of
        // which two have one more name to be asked for.
        (ProviderId::Aws, 1, 5 + 8),
    ] {
        let account = many(api, usual(api), 1000, 20);
        let stage = &account.stage;
        for wanted in stage.wanted.values() {
            let owner = Owner { scope: ours(), host: wanted.name.clone() };
            let order = (stage.dialect.order)(&owner, &wanted.marks, &wanted.spec);
            stage.cloud.with(|world, now| drop(world.plant(now, order)));
        }
        stage.cloud.sleep(Duration::from_secs(10)).await;
        let engine = stage.engine(&Process::new(), &Tape::new(), 1);
        engine.catalogues(&[api].into()).await.expect("a catalogue");
        let plan = stage.plan(&engine, Verb::Up).await;
        assert_eq!((plan.entries.len(), plan.has_effects()), (1000, false), "{api}");
        let asked = [account.count(lists), account.count(|of| !lists(of))];
        assert_eq!(asked, [pages, catalogue], "{api}");
    }
}

/// An account and a file of many hosts.
fn many(api: ProviderId, behaviour: Behaviour, hosts: usize, speed: u32) -> Account {
    let options = Options { limited: false, ..Options::default() };
    let mut account = Account::with(api, behaviour, 5, speed, options);
    let names: Vec<String> = (1..=hosts).map(|number| format!("web-{number}")).collect();
    account.stage = account.stage.wants(names.iter().map(String::as_str));
    account
}

/// A page of the list of an environment.
fn lists(exchange: &Exchange) -> bool {
    match (exchange.method.as_str(), exchange.path.as_str()) {
        ("GET", "/v2/droplets" | "/v1/servers") => true,
        ("POST", "/DescribeInstances") => {
            !says(exchange, OF_ONE_HOST) && !says(exchange, "InstanceId.1=")
        }
        _ => false,
    }
}

/// The filter by which an order looks for its host.
const OF_ONE_HOST: &str = "Name=tag%3Astagecraft.host&";

fn first_page(exchange: &Exchange) -> bool {
    let numbered = |page| exchange.query.iter().any(|(name, at)| name == "page" && at == page);
    lists(exchange) && (numbered("1") || exchange.method == "POST" && !says(exchange, "NextToken"))
}

fn orders(exchange: &Exchange) -> bool {
    let orders = ["/v2/droplets", "/v1/servers", "/RunInstances"];
    exchange.method == "POST" && orders.contains(&&*exchange.path)
}

/// A look at one machine, or at what is done to one.
fn of_one(exchange: &Exchange) -> bool {
    let below = |path: &&str| exchange.path.starts_with(*path);
    let gets = ["/v2/droplets/", "/v2/actions/", "/v1/servers/", "/v1/actions/"].iter().any(below);
    (exchange.method == "GET" && gets)
        || (exchange.path == "/DescribeInstances" && says(exchange, "InstanceId.1="))
}
