use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use stagecraft_core::cloud::{CloudProvider, CreateInstance};
use stagecraft_core::inventory::Owner;
use stagecraft_core::name::InstanceId;
use stagecraft_testkit::conformance::{Pace, Subject, conformance};

use crate::support::{Bench, docker};

#[tokio::test]
async fn the_local_provider_keeps_every_promise() {
    let Some(bench) = Bench::new("promises").await else { return };
    let verdict = conformance(&OnTrial(bench)).await;
    assert_eq!((verdict.violations(), verdict.skipped()), (vec![], vec![]), "{verdict}");
}

struct OnTrial(Bench);

#[async_trait]
impl Subject for OnTrial {
    fn provider(&self) -> Arc<dyn CloudProvider> {
        Arc::<stagecraft_clouds::local::LocalProvider>::clone(&self.0.cloud)
    }

    fn run(&self) -> String {
        format!("c{}x", std::process::id())
    }

    fn unique_names(&self) -> bool {
        true
    }

    fn name_of(&self, order: &CreateInstance) -> String {
        let Owner { scope, host } = &order.owner;
        format!("{}.{}.{host}", scope.project, scope.environment)
    }

    fn unknown_id(&self) -> InstanceId {
        InstanceId("0".repeat(64))
    }

    fn pace(&self) -> Pace {
        Pace { poll: Duration::from_millis(200), patience: Duration::from_secs(60) }
    }

    async fn stop(&self, id: &InstanceId) -> bool {
        docker(&["stop", "--time", "1", id.as_str()]);
        true
    }

    async fn plant_foreign(&self, name: &str) -> Option<InstanceId> {
        let image = docker(&["images", "--quiet", "--filter", "label=stagecraft.image-role"]);
        let image = image.lines().next()?;
        Some(InstanceId(docker(&["run", "--detach", "--name", name, image, "sleep", "600"])))
    }

    async fn has_foreign(&self, id: &InstanceId) -> bool {
        !docker(&["ps", "--all", "--quiet", "--filter", &format!("id={id}")]).is_empty()
    }

    async fn remove_foreign(&self, id: &InstanceId) {
        docker(&["rm", "--force", "--volumes", id.as_str()]);
    }
}
