//! A plan is carried out only on what it was made from.

use std::collections::BTreeMap;

use stagecraft_core::name::HostName;
use stagecraft_core::plan::{Approved, Policy, plan_up};
use stagecraft_core::resolve::ResolvedHost;
use stagecraft_engine::{Engine, Stale};
use stagecraft_testkit::Process;
use stagecraft_testkit::world::Behaviour;

use crate::stage::{Stage, Verb, host, ours, steps};
use crate::tape::Tape;

/// What the user changes in the file.
type Edit = dyn Fn(&mut BTreeMap<HostName, ResolvedHost>);

#[tokio::test(start_paused = true)]
async fn nothing_is_done_when_what_exists_has_changed_since_the_plan() {
    let new_host = |wanted: &mut BTreeMap<HostName, ResolvedHost>| {
        let mut another = wanted[&host("web-1")].clone();
        another.name = host("web-2");
        another.marks.name = ours().cloud_name(&another.name);
        wanted.insert(another.name.clone(), another);
    };
    let other_tags = |wanted: &mut BTreeMap<HostName, ResolvedHost>| {
        wanted.get_mut(&host("web-1")).expect("it").marks.tags.clear();
    };
    // The replacement is held back, and the tags are changed all the same.
    let held_back = |wanted: &mut BTreeMap<HostName, ResolvedHost>| {
        let wanted = wanted.get_mut(&host("web-1")).expect("it");
        wanted.spec.size = "x-medium".into();
        wanted.marks.tags.clear();
    };
    let edits: [&Edit; 3] = [&new_host, &other_tags, &held_back];
    for (number, edit) in edits.into_iter().enumerate() {
        let mut stage = Stage::new(Behaviour::names_are_free(), 1).wants(["web-1"]);
        stage.run_until_quiet(Verb::Up).await.expect("it comes up");
        edit(&mut stage.wanted);
        let engine = stage.engine(&Process::new(), &Tape::new(), 1);
        let approved = agreed(&stage, &engine).await;
        let id = stage.id_of("web-1");
        stage.cloud.with(|world, _| world.remove(&id));
        let before = stage.effects();
        let outcome = engine.apply(&approved, Some(&steps)).await;
        assert_eq!((outcome, stage.effects()), (Err(Stale), before), "edit {number}");
    }
}

async fn agreed(stage: &Stage, engine: &Engine) -> Approved {
    let seen = engine.observe(&ours()).await;
    let plan = plan_up(&ours(), &stage.wanted, &seen, &Policy::default()).expect("a plan");
    plan.approve(&[].into()).expect("it removes nothing")
}
