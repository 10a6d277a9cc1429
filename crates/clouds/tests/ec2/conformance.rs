use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use stagecraft_core::cloud::{Catalogue, CloudProvider};
use stagecraft_core::inventory::{Lifecycle, Spec};
use stagecraft_core::name::InstanceId;
use stagecraft_testkit::conformance::{Pace, Subject, checks, conformance};
use stagecraft_testkit::emulators::aws::{Aws, Habits};
use stagecraft_testkit::world::{Behaviour, Delay, Order};

use crate::stage::{Stage, order};

#[tokio::test]
async fn the_aws_provider_keeps_every_promise() {
    keeps_every_promise(Habits::default()).await;
}

#[tokio::test]
async fn it_keeps_them_where_pages_are_empty_and_answers_have_more_than_is_described() {
    keeps_every_promise(Habits { empty_pages: true, novelties: true, ..Habits::default() }).await;
}

async fn keeps_every_promise(habits: Habits) {
    let trial = OnTrial(Stage::with(usual()).await);
    trial.0.aws.change_habits(|of| *of = habits);
    let verdict = conformance(&trial).await;
    assert_eq!((verdict.violations(), verdict.skipped()), (vec![], vec![]), "{verdict}");
    assert_eq!(verdict.0.len(), checks().count());
}

/// Instances take a while to come and to go.
fn usual() -> Behaviour {
    let time = |seconds| Delay::Time(Duration::from_secs(seconds));
    Behaviour { boot: time(10), address: time(2), shutdown: time(3), ..Behaviour::names_are_free() }
}

struct OnTrial(Stage);

impl OnTrial {
    /// What the world calls an instance.
    fn machine(id: &InstanceId) -> InstanceId {
        Aws::machine(id.as_str()).unwrap_or_else(|| id.clone())
    }
}

#[async_trait]
impl Subject for OnTrial {
    fn provider(&self) -> Arc<dyn CloudProvider> {
        Arc::new(self.0.provider())
    }

    fn run(&self) -> String {
        "c1".to_owned()
    }

    fn unique_names(&self) -> bool {
        false
    }

    fn repeats_are_recognised(&self) -> bool {
        true
    }

    fn unknown_id(&self) -> InstanceId {
        "i-0123456789abcdef0".into()
    }

    fn pace(&self) -> Pace {
        Pace { poll: Duration::from_millis(20), patience: Duration::from_secs(20) }
    }

    fn spec(&self, _: &Catalogue) -> Option<Spec> {
        Some(order("any").spec)
    }

    async fn stop(&self, id: &InstanceId) -> bool {
        self.0.world.with(|world, _| world.stop(&Self::machine(id)));
        true
    }

    async fn plant_foreign(&self, name: &str) -> Option<InstanceId> {
        let (labels, spec) = ([("team".to_owned(), "search".to_owned())].into(), order("any").spec);
        let (name, tags) = (name.to_owned(), Default::default());
        let order = Order { name, labels, tags, spec, user_data: None };
        Some(self.0.world.with(|world, now| world.plant(now, order)))
    }

    async fn has_foreign(&self, id: &InstanceId) -> bool {
        let seen = self.0.world.with(|world, now| world.machines(now));
        seen.iter().any(|of| of.id == *id && of.lifecycle != Lifecycle::Terminated)
    }

    async fn remove_foreign(&self, id: &InstanceId) {
        self.0.world.with(|world, _| world.remove(id));
    }
}
