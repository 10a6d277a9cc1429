//! What there may be before a command.

use std::time::Duration;

use stagecraft_testkit::world::Behaviour;

use crate::stage::{Stage, Verb, host};

/// What is there before the command.
pub(crate) async fn scene(verb: Verb, behaviour: &Behaviour) -> Stage {
    let mut stage = Stage::new(behaviour.clone(), 7).wants(["db-1", "web-1", "web-2", "web-3"]);
    match verb {
        // One host has to be switched on, one carries the wrong tags, two are missing.
        Verb::Up => {
            let rest = ["web-2", "web-3"].map(host);
            let later: Vec<_> = rest.iter().filter_map(|host| stage.wanted.remove(host)).collect();
            settled(&stage).await;
            stage.wanted.extend(later.into_iter().map(|wanted| (wanted.name.clone(), wanted)));
            stage.change("web-1", |wanted| wanted.marks.tags.clear());
            let stopped = stage.id_of("db-1");
            stage.cloud.with(|world, _| world.stop(&stopped));
        }
        // Two hosts must be made anew; a third, protected, may not.
        Verb::Replace => {
            settled(&stage).await;
            for name in ["db-1", "web-1", "web-2"] {
                stage.change(name, |wanted| wanted.spec.size = "x-medium".into());
            }
        }
        // Two hosts left the file, one of them protected, and one host has a younger twin.
        Verb::Prune => {
            settled(&stage).await;
            stage.plant_twin("web-1");
            // Until every list shows it.
            tokio::time::sleep(Duration::from_secs(60)).await;
            stage.wanted.retain(|host, _| ["web-1", "web-2"].contains(&host.as_str()));
        }
        Verb::Down => settled(&stage).await,
    }
    stage
}

async fn settled(stage: &Stage) {
    stage.run_until_quiet(Verb::Up).await.expect("a scene");
}
