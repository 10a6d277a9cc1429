//! The mock keeps every promise of the provider contract, and the suite notices each broken one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use stagecraft_core::cloud::CloudProvider;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::name::InstanceId;
use stagecraft_testkit::conformance::{Pace, Subject, checks, conformance};
use stagecraft_testkit::world::{Behaviour, Delay, Labels, Order, offer};
use stagecraft_testkit::{Flaw, MockCloud, Process, SharedWorld, World};

#[tokio::test(start_paused = true)]
async fn a_mock_with_free_names_keeps_every_promise() {
    let verdict = conformance(&Bench::new(Behaviour::names_are_free(), None)).await;
    assert_eq!((verdict.violations(), verdict.skipped()), (vec![], vec![]), "{verdict}");
}

#[tokio::test(start_paused = true)]
async fn a_mock_with_unique_names_keeps_every_promise() {
    let verdict = conformance(&Bench::new(Behaviour::names_are_unique(), None)).await;
    assert_eq!((verdict.violations(), verdict.skipped()), (vec![], vec![]), "{verdict}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_and_forgetful_mock_keeps_every_promise() {
    let behaviour = Behaviour {
        boot: Delay::Lists(4),
        address: Delay::Time(Duration::from_secs(3)),
        visible: Delay::Both(Duration::from_secs(2), 2),
        remembers_terminated: true,
        latency: Duration::from_millis(700),
        ..Behaviour::names_are_free()
    };
    let verdict = conformance(&Bench::new(behaviour, None)).await;
    assert_eq!(verdict.violations(), vec![], "{verdict}");
}

#[tokio::test(start_paused = true)]
async fn every_broken_promise_is_noticed_by_the_check_that_is_there_for_it() {
    for flaw in Flaw::ALL {
        let about_names = [Flaw::AdoptsByName, Flaw::NeverAdopts].contains(&flaw);
        let mut behaviour =
            if about_names { Behaviour::names_are_unique() } else { Behaviour::names_are_free() };
        behaviour.remembers_terminated = flaw == Flaw::HidesTermination;
        let verdict = conformance(&Bench::new(behaviour, Some(flaw))).await;
        let broken: Vec<&str> = verdict.violations().iter().map(|found| found.check).collect();
        assert!(broken.contains(&detector(flaw)), "{flaw:?} is not noticed:\n{verdict}");
    }
}

#[test]
fn every_check_has_noticed_something() {
    let detectors: Vec<&str> = Flaw::ALL.into_iter().map(detector).collect();
    let idle: Vec<&str> = checks().filter(|check| !detectors.contains(check)).collect();
    assert_eq!(idle, Vec::<&str>::new(), "no flaw proves that these checks can fail");
}

/// The check that must notice a flaw; others may notice it too.
fn detector(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::DistrustsCredentials => "good_credentials_are_recognised",
        Flaw::OffersNothing | Flaw::OffersNoImage => "the_catalogue_agrees_with_itself",
        Flaw::ListsAllEnvironments | Flaw::ListsByPrefix | Flaw::ListsByJoinedNames => {
            "a_list_shows_one_scope_only"
        }
        Flaw::OwnsByName => "a_foreign_instance_is_invisible",
        Flaw::MissesAPage => "a_list_is_complete",
        Flaw::FailsOnUnknown => "an_unknown_instance_is_none",
        Flaw::DropsLabels | Flaw::MislabelsHost | Flaw::MovesRegion | Flaw::AnswersWrongId => {
            "a_created_instance_is_what_was_ordered"
        }
        Flaw::DropsPins | Flaw::ForgetsPins | Flaw::NeverPins | Flaw::PinsByName => {
            "pinned_keys_are_kept_apart_from_what_an_instance_carries"
        }
        Flaw::ForgetsTags => "an_instance_keeps_its_name_role_and_tags",
        Flaw::AdoptsByName => "a_foreign_instance_is_not_adopted",
        Flaw::NeverAdopts => "creating_twice_is_safe_where_names_are_unique",
        Flaw::IgnoresUpdates | Flaw::OnlyAddsTags => "an_update_replaces_what_an_instance_carries",
        Flaw::KeepsMachines | Flaw::HidesTermination => "what_was_terminated_is_not_live",
        Flaw::TerminatesOnce => "terminating_twice_is_success",
        Flaw::NeverStarts => "starting_what_is_stopped_brings_it_up",
        Flaw::RefusesRunning => "starting_what_runs_changes_nothing",
        Flaw::RunsWithoutAddress | Flaw::HasNoAddress => "an_instance_comes_up_with_an_address",
        Flaw::ReversesAge => "younger_instances_are_not_older",
    }
}

/// A mock on trial.
struct Bench {
    cloud: SharedWorld,
    provider: MockCloud,
}

impl Bench {
    fn new(behaviour: Behaviour, flaw: Option<Flaw>) -> Self {
        let cloud = SharedWorld::new(World::new(ProviderId::Hetzner, behaviour, 42));
        let provider = MockCloud::new(&cloud, &Process::new());
        let provider = flaw.into_iter().fold(provider, MockCloud::with_flaw);
        Self { cloud, provider }
    }
}

#[async_trait]
impl Subject for Bench {
    fn provider(&self) -> Arc<dyn CloudProvider> {
        Arc::new(self.provider.clone())
    }

    fn run(&self) -> String {
        "run".to_owned()
    }

    fn unique_names(&self) -> bool {
        self.cloud.with(|world, _| world.behaviour().unique_names)
    }

    fn unknown_id(&self) -> InstanceId {
        InstanceId::from("1")
    }

    fn pace(&self) -> Pace {
        Pace { poll: Duration::from_secs(1), patience: Duration::from_secs(60) }
    }

    async fn stop(&self, id: &InstanceId) -> bool {
        self.cloud.with(|world, _| world.stop(id));
        true
    }

    async fn plant_foreign(&self, name: &str) -> Option<InstanceId> {
        let spec = self.spec(&offer())?;
        let order = Order {
            name: name.to_owned(),
            labels: Labels::new(),
            tags: [].into(),
            spec,
            user_data: None,
        };
        Some(self.cloud.with(|world, now| world.plant(now, order)))
    }

    async fn has_foreign(&self, id: &InstanceId) -> bool {
        self.cloud.with(|world, now| world.machines(now).iter().any(|machine| machine.id == *id))
    }

    async fn remove_foreign(&self, id: &InstanceId) {
        self.cloud.with(|world, _| world.remove(id));
    }
}
