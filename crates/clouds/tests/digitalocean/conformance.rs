use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use stagecraft_clouds::digitalocean::DigitalOceanProvider;
use stagecraft_core::cloud::CloudProvider;
use stagecraft_core::name::InstanceId;
use stagecraft_testkit::conformance::{Pace, Subject, checks, conformance};
use stagecraft_testkit::emulators::digitalocean::Habits;
use stagecraft_testkit::emulators::published::Description;
use stagecraft_testkit::world::{Behaviour, Delay};

use crate::stage::Stage;

#[tokio::test]
async fn the_digitalocean_provider_keeps_every_promise_with_requests_as_published() {
    let trial = OnTrial::with(Habits::default()).await;
    trial.judge().await;
    let exchanges = trial.stage.exchanges();
    let second = ("page".to_owned(), "2".to_owned());
    assert!(exchanges.iter().any(|of| of.query.contains(&second)), "no list had a second page");
    let Some(published) = Description::load("digitalocean") else {
        eprintln!("skipped: the published description is not on this machine");
        return;
    };
    let wrong: BTreeSet<String> = exchanges
        .iter()
        .flat_map(|exchange| {
            let request = published.check_request(exchange);
            request.into_iter().chain(published.check_answer(exchange))
        })
        .collect();
    assert_eq!(wrong, BTreeSet::new());
}

#[tokio::test]
async fn it_keeps_them_where_the_api_knows_more_than_its_description() {
    let habits = Habits { novelties: true, lingers: true, ..Habits::default() };
    OnTrial::with(habits).await.judge().await;
}

struct OnTrial {
    stage: Stage,
    provider: Arc<DigitalOceanProvider>,
}

impl OnTrial {
    /// Everything takes its time.
    async fn with(habits: Habits) -> Self {
        let time = |seconds| Delay::Time(Duration::from_secs(seconds));
        let behaviour = Behaviour {
            boot: time(10),
            address: time(3),
            visible: time(2),
            shutdown: time(3),
            ..Behaviour::names_are_free()
        };
        let stage = Stage::with(behaviour).await;
        stage.account.change_habits(|of| *of = habits);
        let provider = Arc::new(stage.provider());
        Self { stage, provider }
    }

    async fn judge(&self) {
        let verdict = conformance(self).await;
        assert_eq!((verdict.violations(), verdict.skipped()), (vec![], vec![]), "{verdict}");
        assert_eq!(verdict.0.len(), checks().count());
    }
}

#[async_trait]
impl Subject for OnTrial {
    fn provider(&self) -> Arc<dyn CloudProvider> {
        Arc::<DigitalOceanProvider>::clone(&self.provider)
    }

    fn run(&self) -> String {
        "c1".to_owned()
    }

    fn unique_names(&self) -> bool {
        false
    }

    fn unknown_id(&self) -> InstanceId {
        "3164444".into()
    }

    fn pace(&self) -> Pace {
        Pace { poll: Duration::from_millis(20), patience: Duration::from_secs(20) }
    }

    fn many(&self) -> usize {
        201
    }

    async fn stop(&self, id: &InstanceId) -> bool {
        self.stage.world.with(|world, _| world.stop(id));
        true
    }

    async fn plant_foreign(&self, name: &str) -> Option<InstanceId> {
        Some(self.stage.plant(name, &["team:search"]))
    }

    async fn has_foreign(&self, id: &InstanceId) -> bool {
        let machines = self.stage.world.with(|world, now| world.machines(now));
        machines.iter().any(|machine| machine.id == *id)
    }

    async fn remove_foreign(&self, id: &InstanceId) {
        self.stage.world.with(|world, _| world.remove(id));
    }
}
