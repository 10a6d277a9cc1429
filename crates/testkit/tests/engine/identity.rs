//! A host gets a key of its own over a connection that was verified, wherever that is cut short.

use std::time::Duration;

use stagecraft_core::converge::StepResult;
use stagecraft_core::error::Code;
use stagecraft_core::event::{EventKind, HostEnd, HostEvent};
use stagecraft_core::guard;
use stagecraft_core::identity::{HostKey, Pins, STEP};
use stagecraft_core::inventory::Instance;
use stagecraft_core::remote::Output;
use stagecraft_testkit::world::first_boot::HOST_KEY;
use stagecraft_testkit::world::{AnswerFate, Behaviour, Fault};
use stagecraft_testkit::{HostFault, Process};

use crate::stage::{Stage, Verb, clouds, host, ours};
use crate::tape::Tape;

/// Longer than a host keeps a switch that nobody confirms.
const UNDONE: Duration = Duration::from_secs(400);

#[tokio::test(start_paused = true)]
async fn a_new_host_ends_with_its_own_key_pinned_and_nothing_else() {
    let stage = stage();
    let tape = stage.told(Verb::Up).await;
    assert_eq!(step_of(&tape, "web-1"), Some(StepResult::Changed));
    for instance in instances(&stage).await {
        let presented = presented(&stage, instance.owner.host.as_str());
        assert_eq!(instance.pins, Pins::of_own(presented));
    }
    let again = stage.told(Verb::Up).await;
    assert_eq!(step_of(&again, "web-1"), Some(StepResult::Satisfied));
    assert!(again.report().changed_nothing());
}

#[tokio::test(start_paused = true)]
async fn killed_anywhere_it_is_finished_also_when_the_host_has_gone_back_meanwhile() {
    for (cloud, behaviour) in clouds() {
        let scene = || Stage::new(behaviour.clone(), 7).wants(["web-1", "web-2"]);
        let right = scene().run_until_quiet(Verb::Up).await.expect("it works when left alone");
        let last = {
            let stage = scene();
            stage.run_until_quiet(Verb::Up).await.expect("as before");
            stage.effects()
        };
        for effect in 1..=last {
            for answer in [AnswerFate::Lost, AnswerFate::Delivered] {
                let stage = scene();
                stage.inject(Fault::Crash { effect, answer });
                drop(stage.run(Verb::Up).await);
                stage.cloud.sleep(UNDONE).await;
                let picture = stage.run_until_quiet(Verb::Up).await;
                assert_eq!(picture.as_ref(), Ok(&right), "{cloud}, effect {effect}, {answer:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_switch_that_is_undone_just_before_it_is_confirmed_is_made_again() {
    // The next run meets the host at every moment around the end of its patience.
    for before in (0..20).map(|step| Duration::from_millis(step * 500)) {
        let latency = Duration::from_millis(1500);
        let stage = Stage::new(Behaviour { latency, ..Behaviour::names_are_free() }, 3);
        let stage = stage.wants(["web-1"]);
        let switch = 2;
        let lost = HostFault::LosesConnection { command: switch, happened: true };
        stage.fleet.inject(&host("web-1"), lost);
        stage.told(Verb::Up).await;
        stage.cloud.sleep(Duration::from_secs(92) - before).await;
        let ends = stage.told(Verb::Up).await.ends();
        assert_eq!(ends[&host("web-1")], HostEnd::Ready, "{before:?} before");
        let instance = instances(&stage).await.remove(0);
        assert_eq!(instance.pins, Pins::of_own(presented(&stage, "web-1")), "{before:?} before");
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_presents_its_own_key_and_never_keeps_it_fails_and_is_not_asked_for_ever() {
    // So that time passes while it asks again.
    let latency = Duration::from_millis(100);
    let stage = Stage::new(Behaviour { latency, ..Behaviour::names_are_free() }, 3);
    let stage = stage.wants(["web-1"]);
    let undone = Output { status: 75, ..Output::default() };
    stage.fleet.teach(guard::CONFIRM, move |_, _, _| undone.clone());
    let ends = tokio::time::timeout(UNDONE, stage.told(Verb::Up)).await.expect("it ends").ends();
    let HostEnd::Failed(failure) = &ends[&host("web-1")] else { panic!("{ends:?}") };
    assert_eq!(failure.code, Code::HOST_IDENTITY_FAILED);
    assert!(failure.hints[0].contains("`sshd -t`"), "{failure:?}");
    let pins = instances(&stage).await.remove(0).pins;
    assert_eq!(pins.own, Some(presented(&stage, "web-1")), "it is verified all the same");
}

#[tokio::test(start_paused = true)]
async fn of_two_runs_at_once_one_may_be_killed_anywhere_in_the_exchange() {
    for delay in [0, 150, 400, 800, 1300].map(Duration::from_millis) {
        for effect in 2..=14 {
            let latency = Duration::from_millis(300);
            let behaviour = Behaviour { latency, ..Behaviour::names_are_unique() };
            let stage = Stage::new(behaviour, effect).wants(["web-1"]);
            // Both find the machine there, and log in with the key of its first boot.
            let quiet = stage.engine(&Process::new(), &Tape::new(), 2);
            let plan = stage.plan(&quiet, Verb::Up).await;
            let approved = plan.approve(&[].into()).expect("it removes nothing");
            quiet.apply(&approved, None).await.expect("it is not stale");
            stage.inject(Fault::Crash { effect, answer: AnswerFate::Lost });
            let (one, other) = (Process::new(), Process::new());
            tokio::join!(one.run(stage.command(Verb::Up, &one, 1)), async {
                stage.cloud.sleep(delay).await;
                other.run(stage.command(Verb::Up, &other, 2)).await
            });
            let quiet = stage.run_until_quiet(Verb::Up).await;
            assert!(quiet.is_ok(), "{delay:?}, killed at effect {effect}: {quiet:?}");
            let instance = instances(&stage).await.remove(0);
            assert_eq!(instance.pins, Pins::of_own(presented(&stage, "web-1")));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_listed_before_another_gave_the_host_its_key_looks_again() {
    let stage = stage();
    // It knows the keys of the first boot ...
    let tape = Tape::new();
    let late = stage.engine(&Process::new(), &tape, 1);
    let bare = stage.engine(&Process::new(), &Tape::new(), 2);
    let plan = stage.plan(&bare, Verb::Up).await;
    let agreed = plan.destroys();
    let approved = plan.approve(&agreed).expect("it removes nothing");
    bare.apply(&approved, None).await.expect("it is not stale");
    let listed = instances(&stage).await;
    assert!(listed.iter().all(|instance| instance.pins.first.is_some()));
    // ... and another run exchanges them before it connects.
    stage.told(Verb::Up).await;
    tape.begin_with(&listed);
    late.bootstrap(listed, Vec::new(), &crate::stage::steps).await;
    assert!(tape.ends().values().all(|end| *end == HostEnd::Ready), "{:?}", tape.ends());
}

#[tokio::test(start_paused = true)]
async fn a_host_that_presents_another_key_is_refused_until_its_owner_says_so() {
    let stage = stage();
    stage.run_until_quiet(Verb::Up).await.expect("they come up");
    let other = HostKey::new([0x77; 32]);
    let id = stage.id_of("web-1");
    stage.cloud.with(|world, _| {
        let disk = world.disk(&id).expect("its disk");
        disk.files.insert(HOST_KEY.to_owned(), other.to_openssh());
    });
    let commands = stage.fleet.commands(&host("web-1"));
    let ends = stage.told(Verb::Up).await.ends();
    let HostEnd::Failed(failure) = &ends[&host("web-1")] else { panic!("{ends:?}") };
    assert_eq!(failure.code, Code::HOST_KEY_MISMATCH);
    assert!(failure.message.contains(&other.fingerprint()), "{failure:?}");
    assert_eq!(stage.fleet.commands(&host("web-1")), commands, "nothing was run");
    assert_eq!(ends[&host("web-2")], HostEnd::Ready);

    let engine = stage.engine(&Process::new(), &Tape::new(), 1);
    let instance = instances(&stage).await.remove(0);
    engine.trust(&instance, other).await.expect("it is pinned");
    let ends = stage.told(Verb::Up).await.ends();
    assert!(ends.values().all(|end| *end == HostEnd::Ready), "{ends:?}");
}

#[tokio::test(start_paused = true)]
async fn without_a_mint_hosts_are_ordered_and_set_up_without_keys() {
    let mut stage = stage();
    stage.mint = None;
    let tape = stage.told(Verb::Up).await;
    assert!(tape.ends().values().all(|end| *end == HostEnd::Ready));
    assert_eq!(step_of(&tape, "web-1"), None);
    assert!(instances(&stage).await.iter().all(|instance| instance.pins.is_empty()));
}

fn stage() -> Stage {
    Stage::new(Behaviour::names_are_free(), 5).wants(["web-1", "web-2"])
}

async fn instances(stage: &Stage) -> Vec<Instance> {
    let engine = stage.engine(&Process::new(), &Tape::new(), 9);
    engine.observe(&ours()).await.instances().cloned().collect()
}

/// The key the host of a machine presents now.
fn presented(stage: &Stage, name: &str) -> HostKey {
    let id = stage.id_of(name);
    stage
        .cloud
        .with(|world, _| world.disk(&id).expect("its disk").files[HOST_KEY].parse().expect("a key"))
}

/// How the exchange was told to have gone.
fn step_of(tape: &Tape, name: &str) -> Option<StepResult> {
    tape.of(&host(name)).into_iter().find_map(|event| match event.kind {
        EventKind::Host(_, HostEvent::Step(step)) if step.step == STEP => Some(step.result),
        EventKind::Host(..) | EventKind::Provider(..) | EventKind::Stopping => None,
    })
}
