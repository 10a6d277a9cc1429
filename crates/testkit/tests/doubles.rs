//! The doubles do what tests ask of them.

use std::time::Duration;

use stagecraft_core::cloud::{CloudErrorKind, CloudProvider, CreateInstance};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Diagnose as _, Retry};
use stagecraft_core::inventory::{Instance, Lifecycle, Spec};
use stagecraft_core::remote::{Command, Connector, RemoteError, Target};
use stagecraft_testkit::samples::{self, scope};
use stagecraft_testkit::world::first_boot::HOST_KEY;
use stagecraft_testkit::world::{AnswerFate, Behaviour, Delay, Fate, Fault, RequestKind};
use stagecraft_testkit::{FakeFleet, HostFault, MockCloud, Process, SharedWorld, World};

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_an_error_after_the_effect() {
    let bench = Bench::new(Behaviour::names_are_free());
    bench.cloud.with(|world, _| world.inject(Fault::LoseAnswer { effect: 1 }));
    let error = bench.provider.create(&order("web-1")).await.expect_err("the answer is lost");
    assert_eq!(error.retry(), Retry::Observe);
    assert_eq!(bench.provider.list(&scope()).await.expect("a list").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_request_has_no_effect() {
    let bench = Bench::new(Behaviour::names_are_free());
    let after = Some(Duration::from_secs(9));
    let limited = CloudErrorKind::RateLimited { after, message: String::new() };
    bench.cloud.with(|world, _| {
        world.inject(Fault::FailRequest { request: 1, error: limited.clone() });
        let error = CloudErrorKind::Forbidden("create".to_owned());
        world.inject(Fault::FailNext { kind: RequestKind::Create, times: 1, error });
    });
    for expected in ["too many requests", "not permitted: create"] {
        let error = bench.provider.create(&order("web-1")).await.expect_err("it is refused");
        assert_eq!(error.kind.to_string(), expected);
        assert!(!error.maybe_done);
    }
    assert_eq!(bench.cloud.with(|world, _| world.effects().len()), 0);
    assert!(bench.provider.create(&order("web-1")).await.is_ok(), "faults do not stay");
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_stay_refused_until_healed() {
    let bench = Bench::new(Behaviour::names_are_free());
    bench.cloud.with(|world, _| world.inject(Fault::RefuseCredentials));
    for _ in 0..2 {
        let error = bench.provider.validate_credentials().await.expect_err("they are refused");
        assert!(matches!(error.kind, CloudErrorKind::InvalidCredentials(_)));
    }
    bench.cloud.with(|world, _| world.heal());
    assert!(bench.provider.validate_credentials().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_crash_stops_the_process_with_or_without_the_answer() {
    for (answer, learned) in [(AnswerFate::Lost, false), (AnswerFate::Delivered, true)] {
        let bench = Bench::new(Behaviour::names_are_free());
        bench.cloud.with(|world, _| world.inject(Fault::Crash { effect: 1, answer }));
        let mut knows = false;
        let program = async {
            knows = bench.provider.create(&order("web-1")).await.is_ok();
            drop(bench.provider.create(&order("web-2")).await);
        };
        assert_eq!(bench.process.run(program).await, None);
        assert_eq!(knows, learned, "{answer:?}");
        assert_eq!(bench.cloud.with(|world, _| world.effects().len()), 1, "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn limits_of_the_account_and_of_the_stock_are_told_apart() {
    let mut behaviour = Behaviour { quota: Some(1), ..Behaviour::names_are_free() };
    behaviour.sold_out.insert(("x-large".into(), "east".into()));
    let bench = Bench::new(behaviour);
    let mut large = order("web-1");
    large.spec.size = "x-large".into();
    let error = bench.provider.create(&large).await.expect_err("it is sold out");
    assert!(matches!(error.kind, CloudErrorKind::SoldOut(_)), "{error}");
    assert!(bench.provider.create(&order("web-1")).await.is_ok());
    let error = bench.provider.create(&order("web-2")).await.expect_err("there is no more room");
    assert!(matches!(error.kind, CloudErrorKind::QuotaExceeded(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_machine_meets_the_fate_decided_for_it() {
    for (fate, expected) in [
        (Fate::Boots, Some(Lifecycle::Running)),
        (Fate::StaysPending, Some(Lifecycle::Pending)),
        (Fate::FailsToBoot, Some(Lifecycle::Failed)),
        (Fate::Vanishes, None),
    ] {
        let bench = Bench::new(Behaviour::names_are_free());
        bench.cloud.with(|world, _| world.decide_fate("staging-web-1", fate));
        bench.provider.create(&order("web-1")).await.expect("it is created");
        tokio::time::sleep(Duration::from_secs(60)).await;
        let list = bench.provider.list(&scope()).await.expect("a list");
        assert_eq!(list.first().map(|instance| instance.lifecycle), expected, "{fate:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_machine_shows_late_and_a_list_has_no_order() {
    let behaviour = Behaviour { visible: Delay::Lists(2), ..Behaviour::names_are_free() };
    let bench = Bench::new(behaviour);
    for number in 1..=6 {
        bench.provider.create(&order(&format!("web-{number}"))).await.expect("it is created");
    }
    assert_eq!(bench.provider.list(&scope()).await.expect("a list"), []);
    let mut orders = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let list = bench.provider.list(&scope()).await.expect("a list");
        assert_eq!(list.len(), 6);
        orders.insert(list.into_iter().map(|instance| instance.id).collect::<Vec<_>>());
    }
    assert!(orders.len() > 10, "only {} orders", orders.len());
}

#[tokio::test(start_paused = true)]
async fn a_host_that_boots_refuses_and_then_answers() {
    let bench = Bench::new(Behaviour::names_are_free());
    bench.fleet.boot_slowly(2);
    let target = bench.running("web-1").await;
    for _ in 0..2 {
        assert!(matches!(bench.connect(&target).await, Err(RemoteError::Unreachable { .. })));
    }
    assert!(bench.connect(&target).await.is_ok());
    assert_eq!((bench.fleet.attempts(&target.host), bench.fleet.connections(&target.host)), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn every_fault_on_the_way_to_a_host_is_its_own_error() {
    let bench = Bench::new(Behaviour::names_are_free());
    let target = bench.running("web-1").await;
    let inject = |fault| bench.fleet.inject(&target.host, fault);

    inject(HostFault::RefusesKeys(1));
    assert!(matches!(bench.connect(&target).await, Err(RemoteError::Refused { .. })));

    let remote = bench.connect(&target).await.expect("it answers now");
    inject(HostFault::LosesConnection { command: 1, happened: false });
    inject(HostFault::LosesConnection { command: 2, happened: true });
    inject(HostFault::Hangs { command: 3 });
    let touch = |path: &str| Command::new("touch").arg(path);
    assert!(matches!(remote.run(&touch("/a")).await, Err(RemoteError::Lost { .. })));
    assert!(matches!(remote.run(&touch("/b")).await, Err(RemoteError::Lost { .. })));
    assert!(matches!(remote.run(&touch("/c")).await, Err(RemoteError::TimedOut { .. })));
    let files = bench.cloud.with(|world, _| {
        world.disk(&target.instance).map(|disk| disk.files.keys().cloned().collect::<Vec<_>>())
    });
    assert_eq!(files, Some(vec!["/b".to_owned(), HOST_KEY.to_owned()]));

    inject(HostFault::FullDisk);
    let output = remote.run(&touch("/d")).await.expect("it runs");
    assert!(output.stderr.contains("No space left"), "{output:?}");

    inject(HostFault::WrongHostKey);
    assert!(matches!(bench.connect(&target).await, Err(RemoteError::HostKeyMismatch { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_is_gone_answers_nobody() {
    let bench = Bench::new(Behaviour::names_are_free());
    let target = bench.running("web-1").await;
    let remote = bench.connect(&target).await.expect("it answers");
    bench.provider.terminate(&target.instance).await.expect("it is terminated");
    let lost = remote.run(&Command::new("true")).await;
    assert!(matches!(lost, Err(RemoteError::Lost { .. })));
    assert!(matches!(bench.connect(&target).await, Err(RemoteError::Unreachable { .. })));
}

struct Bench {
    cloud: SharedWorld,
    process: Process,
    provider: MockCloud,
    fleet: FakeFleet,
}

impl Bench {
    fn new(behaviour: Behaviour) -> Self {
        let cloud = SharedWorld::new(World::new(ProviderId::Aws, behaviour, 5));
        let process = Process::new();
        Self {
            provider: MockCloud::new(&cloud, &process),
            fleet: FakeFleet::over([cloud.clone()]),
            process,
            cloud,
        }
    }

    async fn running(&self, host: &str) -> Target {
        let made = self.provider.create(&order(host)).await.expect("it is created");
        tokio::time::sleep(Duration::from_secs(60)).await;
        let running: Instance =
            self.provider.get(&made.id).await.expect("an answer").expect("it exists");
        Target::of(&running).expect("it has an address")
    }

    async fn connect(
        &self,
        target: &Target,
    ) -> Result<Box<dyn stagecraft_core::remote::Remote>, RemoteError> {
        self.fleet.connector(&self.process).connect(target).await
    }
}

/// An order for a machine that the world offers.
fn order(host: &str) -> CreateInstance {
    let order = samples::order(ProviderId::Local, host);
    let spec = Spec { region: "east".into(), size: "x-small".into(), ..order.spec };
    CreateInstance { spec, ..order }
}
