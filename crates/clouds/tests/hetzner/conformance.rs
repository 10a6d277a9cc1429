use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use stagecraft_core::cloud::CloudProvider;
use stagecraft_core::inventory::Lifecycle;
use stagecraft_core::name::InstanceId;
use stagecraft_testkit::conformance::{Pace, Subject, checks, conformance};
use stagecraft_testkit::emulators::hetzner::Habits;
use stagecraft_testkit::emulators::published::Description;
use stagecraft_testkit::world::{Behaviour, Delay};

use crate::stage::Stage;

#[tokio::test]
async fn the_hetzner_provider_keeps_every_promise() {
    let trial = OnTrial(Stage::with(usual()).await);
    let verdict = conformance(&trial).await;
    assert_eq!((verdict.violations(), verdict.skipped()), (vec![], vec![]), "{verdict}");
    assert_eq!(verdict.0.len(), checks().count());
    let exchanges = trial.0.exchanges();
    assert!(exchanges.iter().any(|of| of.query.contains(&page(2))), "no second page");
    let Some(description) = Description::load("hetzner") else {
        eprintln!("skipped: the published description is not on this machine");
        return;
    };
    let wrong: Vec<String> = exchanges.iter().flat_map(|of| description.check(of)).collect();
    assert_eq!(wrong, Vec::<String>::new(), "{} exchanges", exchanges.len());
}

#[tokio::test]
async fn it_keeps_them_where_the_api_knows_more_than_its_description_and_tells_no_totals() {
    let trial = OnTrial(Stage::with(usual()).await);
    let habits = Habits { novelties: true, silent_totals: true, ..Habits::default() };
    trial.0.hetzner.change_habits(|of| *of = habits);
    let verdict = conformance(&trial).await;
    assert_eq!((verdict.violations(), verdict.skipped()), (vec![], vec![]), "{verdict}");
}

/// Servers take a while for everything.
fn usual() -> Behaviour {
    let time = |seconds| Delay::Time(Duration::from_secs(seconds));
    Behaviour {
        boot: time(10),
        address: time(2),
        shutdown: time(3),
        ..Behaviour::names_are_unique()
    }
}

fn page(number: u32) -> (String, String) {
    ("page".to_owned(), number.to_string())
}

struct OnTrial(Stage);

#[async_trait]
impl Subject for OnTrial {
    fn provider(&self) -> Arc<dyn CloudProvider> {
        Arc::new(self.0.provider())
    }

    fn run(&self) -> String {
        "c1".to_owned()
    }

    fn unique_names(&self) -> bool {
        true
    }

    fn unknown_id(&self) -> InstanceId {
        "4711".into()
    }

    fn pace(&self) -> Pace {
        Pace { poll: Duration::from_millis(20), patience: Duration::from_secs(20) }
    }

    fn many(&self) -> usize {
        51
    }

    async fn stop(&self, id: &InstanceId) -> bool {
        self.0.world.with(|world, _| world.stop(id));
        true
    }

    async fn plant_foreign(&self, name: &str) -> Option<InstanceId> {
        Some(self.0.plant(name, &[("team", "search")]))
    }

    async fn has_foreign(&self, id: &InstanceId) -> bool {
        let seen = self.0.world.with(|world, now| world.machines(now));
        seen.iter().any(|of| of.id == *id && of.lifecycle != Lifecycle::Terminated)
    }

    async fn remove_foreign(&self, id: &InstanceId) {
        self.0.world.with(|world, _| world.remove(id));
    }
}
