//! What there may be before a command.

use std::time::Duration;

use stagecraft_testkit::world::Behaviour;

use crate::stage::{Stage, Verb, host};

/// What is there before the command, in the account of a double.
pub(crate) async fn scene(verb: Verb, behaviour: &Behaviour) -> Stage {
    before(verb, Stage::new(behaviour.clone(), 7)).await
}

/// Makes of an account without machines of ours what is there before the command.
pub(crate) async fn before(verb: Verb, stage: Stage) -> Stage {
    let mut stage = stage.wants(["db-1", "web-1", "web-2", "web-3"]);
    match verb {
        // One host has to be switched on, one carries nothing that it should, two are missing.
        Verb::Up => {
            let rest = ["web-2", "web-3"].map(host);
            let later: Vec<_> = rest.iter().filter_map(|host| stage.wanted.remove(host)).collect();
            settled(&stage).await;
            stage.wanted.extend(later.into_iter().map(|wanted| (wanted.name.clone(), wanted)));
            stage.change("web-1", |wanted| {
                wanted.marks.name.push_str("-new");
                wanted.marks.role = "worker".parse().expect("a name");
                wanted.marks.tags = ["green".to_owned()].into();
            });
            let stopped = stage.id_of("db-1");
            stage.cloud.with(|world, _| world.stop(&stopped));
        }
        // Two hosts must be made anew; a third, protected, may not.
        Verb::Replace => {
            settled(&stage).await;
            let other_size = stage.dialect.other_size.clone();
            for name in ["db-1", "web-1", "web-2"] {
                stage.change(name, |wanted| wanted.spec.size = other_size.clone());
            }
        }
        // Two hosts left the file, one of them protected, and one host has a younger twin.
        Verb::Prune => {
            settled(&stage).await;
            stage.plant_twin("web-1");
            // Until every list shows it.
            stage.cloud.sleep(Duration::from_secs(60)).await;
            stage.wanted.retain(|host, _| ["web-1", "web-2"].contains(&host.as_str()));
        }
        Verb::Down => settled(&stage).await,
    }
    stage
}

async fn settled(stage: &Stage) {
    stage.run_until_quiet(Verb::Up).await.expect("a scene");
}
