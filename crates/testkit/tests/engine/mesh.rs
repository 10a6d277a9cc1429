//! Hosts that are told of each other.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use stagecraft_core::cloud::CloudErrorKind;
use stagecraft_core::error::Code;
use stagecraft_core::event::{Event, EventKind, HostEnd, HostEvent, SkipReason};
use stagecraft_core::inventory::Instance;
use stagecraft_core::name::HostName;
use stagecraft_core::network::WireGuard;
use stagecraft_core::plan::{Destroys, Policy, plan_up};
use stagecraft_engine::{Cancel, Health, Limits};
use stagecraft_testkit::world::{Behaviour, Fate, Fault, RequestKind};
use stagecraft_testkit::{FakeAir, HostFault, Process};

use crate::kill;
use crate::pair::{paced, two_at_once};
use crate::stage::{Ends, Stage, Verb, host, ours, steps_in};
use crate::tape::Tape;

const CONF: &str = "/etc/wireguard/stagecraft0.conf";

#[tokio::test(start_paused = true)]
async fn new_hosts_meet_and_the_next_run_has_nothing_to_do() {
    let (stage, _) = meshed(["db-1", "web-1", "web-2"]);
    let tape = stage.told(Verb::Up).await;
    assert_all_ready(&tape.ends());
    stage.assert_meshed(["db-1", "web-1", "web-2"]);
    let effects = stage.effects();
    let counts = stage.counts();
    assert_all_ready(&stage.told(Verb::Up).await.ends());
    assert_eq!(stage.effects(), effects);
    let after = stage.counts();
    assert!(after.iter().zip(&counts).all(|(after, before)| after.0 == before.0 + 1));
    assert!(after.iter().zip(&counts).all(|(after, before)| after.1 == before.1 + 1));
    assert_eq!(stage.fleet.unknown(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn one_host_that_joins_a_hundred_costs_each_of_them_three_connections_and_six_commands() {
    let names: Vec<String> = (1..=100).map(|number| format!("web-{number}")).collect();
    let (mut stage, _) = meshed(names.iter().map(String::as_str));
    assert_all_ready(&stage.run(Verb::Up).await.expect("nobody is killed"));
    let before = stage.counts();
    stage = stage.wants(["new-1"]);
    let tape = stage.told(Verb::Up).await;
    assert_all_ready(&tape.ends());
    for (host, (before, after)) in
        stage.wanted.keys().skip(1).zip(before.iter().zip(stage.counts().iter().skip(1)))
    {
        // Looked at once, told over a second one, and confirmed over a third.
        assert_eq!(after.0 - before.0, 3, "connections to {host}");
        // Looked, looked again, put beside, changed, confirmed, verified.
        assert_eq!(after.1 - before.1, 6, "commands on {host}");
    }
    let conf = stage.file("web-7", CONF);
    assert!(conf.contains("# new-1.shop.internal\n"), "{conf}");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_goes_is_forgotten_by_those_that_stay() {
    let (mut stage, _) = meshed(["db-1", "web-1", "web-2"]);
    stage.run(Verb::Up).await.expect("nobody is killed");
    stage.wanted.remove(&host("web-2"));
    assert_all_ready(&stage.run(Verb::Up).await.expect("nobody is killed"));
    assert!(stage.file("web-1", CONF).contains("web-2"), "it was not removed");
    let ends = stage.run(Verb::Prune).await.expect("nobody is killed");
    assert_eq!(ends[&host("web-2")], HostEnd::Removed);
    stage.assert_meshed(["db-1", "web-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_protected_host_that_stays_alone_forgets_the_others() {
    let (mut stage, _) = meshed(["db-1", "web-1"]);
    stage.change("db-1", |db| db.marks.protected = true);
    stage.run(Verb::Up).await.expect("nobody is killed");
    let tape = stage.told(Verb::Down).await;
    assert_eq!(tape.ends()[&host("web-1")], HostEnd::Removed);
    assert_eq!(tape.ends()[&host("db-1")], HostEnd::Ready, "it was told");
    stage.assert_meshed(["db-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_set_up_alone_is_told_to_all_the_others() {
    let (mut stage, _) = meshed(["db-1", "web-1"]);
    stage.run(Verb::Up).await.expect("nobody is killed");
    stage = stage.wants(["web-2"]);
    let tape = stage.up_only("web-2").await;
    stage.assert_meshed(["db-1", "web-1", "web-2"]);
    let steps = |name: &str| {
        let report = tape.report().hosts[&host(name)].clone();
        report.steps.into_iter().map(|step| step.step).collect::<Vec<_>>()
    };
    assert_eq!(steps("db-1"), ["wireguard-mesh"], "nothing else was looked at");
    let before = stage.counts();
    let again = stage.up_only("web-2").await;
    assert_eq!(again.report().hosts.len(), 1, "nobody else had to be told");
    assert!(again.report().changed_nothing());
    let asked = |(after, before): (&(u64, u64), &(u64, u64))| after.1 - before.1;
    assert!(stage.counts().iter().zip(&before).map(asked).all(|commands| commands == 1));
}

#[tokio::test(start_paused = true)]
async fn a_member_that_could_not_be_told_fails_and_only_if_there_was_something_to_tell() {
    let (mut stage, _) = meshed(["db-1", "web-1"]);
    stage.run(Verb::Up).await.expect("nobody is killed");
    stage.fleet.inject(&host("db-1"), HostFault::NeverAnswers);
    let quiet = stage.up_only("web-1").await;
    assert_eq!(quiet.report().hosts.len(), 1, "{:?}", quiet.ends());
    stage = stage.wants(["web-2"]);
    let ends = stage.up_only("web-2").await.ends();
    assert_eq!(ends[&host("web-1")], HostEnd::Ready);
    assert_eq!(ends[&host("web-2")], HostEnd::Ready);
    let HostEnd::Failed(failure) = &ends[&host("db-1")] else { panic!("{ends:?}") };
    assert!(failure.message.starts_with("it could not be told"), "{failure:?}");
    stage.assert_meshed_among(["web-1", "web-2"]);
    stage.fleet.heal();
    assert_all_ready(&stage.run(Verb::Up).await.expect("nobody is killed"));
    stage.assert_meshed(["db-1", "web-1", "web-2"]);
}

#[tokio::test(start_paused = true)]
async fn a_host_whose_removal_fails_is_not_forgotten() {
    let (mut stage, _) = meshed(["db-1", "web-1", "web-2"]);
    stage.run(Verb::Up).await.expect("nobody is killed");
    stage.wanted.remove(&host("web-2"));
    let error = CloudErrorKind::Forbidden("it is locked".to_owned());
    stage.inject(Fault::FailNext { kind: RequestKind::Terminate, times: 1, error });
    let ends = stage.run(Verb::Prune).await.expect("nobody is killed");
    assert!(matches!(ends[&host("web-2")], HostEnd::Failed(_)), "{ends:?}");
    stage.assert_meshed(["db-1", "web-1", "web-2"]);
}

#[tokio::test(start_paused = true)]
async fn a_bootstrap_makes_nobody_forget_a_host_that_does_not_run() {
    let (stage, _) = meshed(["db-1", "web-1", "web-2"]);
    stage.run(Verb::Up).await.expect("nobody is killed");
    let id = stage.id_of("db-1");
    stage.cloud.with(|world, _| world.stop(&id));
    let tape = Tape::new();
    let engine = stage.engine(&Process::new(), &tape, 1);
    let listed: Vec<Instance> = engine.observe(&ours()).await.instances().cloned().collect();
    let (chosen, others) =
        listed.into_iter().partition(|instance| instance.owner.host == host("web-1"));
    let network = stage.network.clone();
    let steps = move |instance: &Instance| steps_in(network.as_deref(), instance);
    engine.bootstrap(chosen, others, &steps).await;
    assert!(stage.file("web-1", CONF).contains("# db-1.shop.internal"));
    assert!(stage.file("web-2", CONF).contains("# db-1.shop.internal"));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_does_not_know_of_a_host_makes_nobody_forget_it() {
    let (mut stage, _) = meshed(["web-1", "web-2"]);
    stage.run(Verb::Up).await.expect("nobody is killed");
    let tape = Tape::new();
    let engine = stage.engine(&Process::new(), &tape, 1);
    let before: Vec<Instance> = engine.observe(&ours()).await.instances().cloned().collect();
    stage = stage.wants(["web-3"]);
    assert_all_ready(&stage.run(Verb::Up).await.expect("nobody is killed"));
    // It listed before that one was made, and meets after it.
    let network = stage.network.clone();
    let steps = move |instance: &Instance| steps_in(network.as_deref(), instance);
    engine.bootstrap(before, Vec::new(), &steps).await;
    stage.assert_meshed(["web-1", "web-2", "web-3"]);
}

#[tokio::test(start_paused = true)]
async fn a_wish_to_stop_before_the_hosts_meet_leaves_them_as_they_are() {
    let (stage, _) = meshed(["web-1", "web-2"]);
    let cancel = Cancel::new();
    let stop = cancel.clone();
    let tape = Tape::with_hook(cancel, move |event| {
        if let EventKind::Host(_, HostEvent::WaitingForMembers) = event.kind {
            stop.stop();
        }
    });
    let engine = stage.engine(&Process::new(), &tape, 1);
    assert_eq!(stage.taped(Verb::Up, &engine, &tape).await, Ok(()));
    assert!(
        tape.ends().values().all(|end| *end == HostEnd::Skipped(SkipReason::Interrupted)),
        "{:?}",
        tape.ends()
    );
    assert_eq!(stage.file("web-1", CONF), "");
    assert_all_ready(&stage.run(Verb::Up).await.expect("nobody is killed"));
    stage.assert_meshed(["web-1", "web-2"]);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_cannot_be_reached_holds_nobody_up_and_joins_with_the_next_run() {
    let (stage, _) = meshed(["db-1", "web-1", "web-2"]);
    stage.fleet.inject(&host("db-1"), HostFault::NeverAnswers);
    let ends = stage.run(Verb::Up).await.expect("nobody is killed");
    assert!(matches!(&ends[&host("db-1")], HostEnd::Failed(why) if why.code == Code::SSH_FAILED));
    stage.assert_meshed_among(["web-1", "web-2"]);
    stage.fleet.heal();
    assert_all_ready(&stage.run(Verb::Up).await.expect("nobody is killed"));
    stage.assert_meshed(["db-1", "web-1", "web-2"]);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_boots_slowly_is_met_later_and_the_others_meet_before() {
    let (mut stage, _) = meshed(["web-1", "web-2", "web-3"]);
    stage.limits = Limits { members: Duration::from_secs(20), ..Limits::default() };
    stage.fleet.inject(&host("web-3"), HostFault::RefusesConnections(60));
    let tape = stage.told(Verb::Up).await;
    assert_all_ready(&tape.ends());
    stage.assert_meshed(["web-1", "web-2", "web-3"]);
    let joins = |name: &str| {
        tape.first(name, |what| matches!(what, HostEvent::Doing { step: "wireguard-mesh", .. }))
    };
    let connected = tape.first("web-3", |what| *what == HostEvent::Connected);
    assert!(joins("web-1") < connected && connected < joins("web-3"));
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_never_comes_up_does_not_keep_the_others_apart() {
    let (stage, _) = meshed(["web-1", "web-2", "web-3"]);
    stage.cloud.with(|world, _| world.decide_fate("prod-web-3", Fate::StaysPending));
    let tape = stage.told(Verb::Up).await;
    stage.assert_meshed_among(["web-1", "web-2"]);
    assert_eq!(tape.ends()[&host("web-1")], HostEnd::Ready);
}

#[tokio::test(start_paused = true)]
async fn members_that_do_not_hear_each_other_fail_by_name() {
    let (stage, air) = meshed(["web-1", "web-2"]);
    stage.run(Verb::Up).await.expect("nobody is killed");
    let id = stage.id_of("web-2");
    stage.cloud.with(|world, _| air.block(world.disk(&id).expect("its disk")));
    let ends = stage.run(Verb::Up).await.expect("nobody is killed");
    for name in ["web-1", "web-2"] {
        let HostEnd::Failed(failure) = &ends[&host(name)] else { panic!("{name} is well") };
        assert_eq!(failure.code, Code::NETWORK_PEER_SILENT);
        assert!(failure.output[0].ends_with("was not heard from"), "{failure:?}");
        assert!(failure.hints[0].contains("UDP port 51820"), "{failure:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_after_which_a_host_cannot_be_reached_is_undone_by_it() {
    let (mut stage, _) = meshed(["web-1", "web-2"]);
    stage.run(Verb::Up).await.expect("nobody is killed");
    let before = stage.file("web-1", CONF);
    stage = stage.wants(["web-3"]);
    // Gone for the fresh connection and all that follow.
    let fleet = stage.fleet.clone();
    let tape = Tape::with_hook(Cancel::new(), move |event| {
        if is_told(event, "web-1") {
            fleet.inject(&host("web-1"), HostFault::NeverAnswers);
        }
    });
    let engine = stage.engine(&Process::new(), &tape, 1);
    assert_eq!(stage.taped(Verb::Up, &engine, &tape).await, Ok(()));
    let HostEnd::Failed(failure) = &tape.ends()[&host("web-1")] else { panic!("it is well") };
    assert_eq!(failure.code, Code::CHANGE_UNDONE);
    stage.cloud.sleep(Duration::from_secs(90)).await;
    stage.fleet.heal();
    let listed: Vec<Instance> = engine.observe(&ours()).await.instances().cloned().collect();
    let network = stage.network.clone();
    let steps = move |instance: &Instance| steps_in(network.as_deref(), instance);
    let looks = engine.inspect(listed, &[], &steps).await;
    assert_eq!(stage.file("web-1", CONF), before, "as it was");
    assert!(matches!(looks[&host("web-1")].health, Health::NotReady { .. }));
    assert_all_ready(&stage.run(Verb::Up).await.expect("nobody is killed"));
    stage.assert_meshed(["web-1", "web-2", "web-3"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_killed_anywhere_is_gone_on_with_until_all_know_each_other() {
    let scene = async || {
        let (mut stage, _) = meshed(["db-1", "web-1"]);
        assert_all_ready(&stage.run(Verb::Up).await.expect("nobody is killed"));
        stage = stage.wants(["web-2"]);
        stage
    };
    kill::everywhere(Verb::Up, "free names", 1, scene).await;
}

#[tokio::test(start_paused = true)]
async fn two_runs_at_once_end_in_one_mesh() {
    for seed in 1..=12 {
        let behaviour = paced(&Behaviour::names_are_free(), seed);
        let (stage, _) = meshed_at(behaviour, ["web-1", "web-2", "web-3"]);
        assert_eq!(two_at_once(&stage).await, Ok(()), "seed {seed}");
        stage.assert_meshed(["web-1", "web-2", "web-3"]);
    }
}

/// Whether an event says that a host is being changed for the mesh.
fn is_told(event: &Event, name: &str) -> bool {
    matches!(
        &event.kind,
        EventKind::Host(of, HostEvent::Doing { step: "wireguard-mesh", doing })
            if of.as_str() == name && doing.starts_with("telling")
    )
}

fn meshed<'a>(names: impl IntoIterator<Item = &'a str>) -> (Stage, FakeAir) {
    let slow = Duration::from_millis(100);
    meshed_at(Behaviour { latency: slow, ..Behaviour::names_are_free() }, names)
}

/// A stage whose hosts are to be in a mesh.
fn meshed_at<'a>(
    behaviour: Behaviour,
    names: impl IntoIterator<Item = &'a str>,
) -> (Stage, FakeAir) {
    let mut stage = Stage::new(behaviour, 1).wants(names);
    for wanted in stage.wanted.values_mut() {
        wanted.marks.protected = false;
    }
    stage.network = Some(Arc::new(WireGuard {
        range: "10.66.0.0/16".parse().expect("a range"),
        port: 51820,
        domain: "shop.internal".to_owned(),
    }));
    let air = stage.fleet.teach_wireguard();
    (stage, air)
}

#[track_caller]
fn assert_all_ready(ends: &Ends) {
    let bad: Vec<_> = ends.iter().filter(|(_, end)| **end != HostEnd::Ready).collect();
    assert!(bad.is_empty(), "{bad:?}");
}

impl Stage {
    fn file(&self, name: &str, path: &str) -> String {
        let id = self.id_of(name);
        let file = |disk: &mut stagecraft_testkit::world::Disk| disk.files.get(path).cloned();
        self.cloud.with(|world, _| file(world.disk(&id).expect("its disk"))).unwrap_or_default()
    }

    /// Runs `up` for one host only.
    async fn up_only(&self, name: &str) -> Arc<Tape> {
        let tape = Tape::new();
        let engine = self.engine(&Process::new(), &tape, 1);
        let seen = engine.observe(&ours()).await;
        let policy = Policy { only: [host(name)].into(), ..Policy::default() };
        let plan = plan_up(&ours(), &self.wanted, &seen, &policy).expect("a plan");
        let approved = plan.approve(&Destroys::new()).expect("it removes nothing");
        tape.begin(approved.plan());
        let network = self.network.clone();
        let steps = move |instance: &Instance| steps_in(network.as_deref(), instance);
        engine.apply(&approved, Some(&steps)).await.expect("nothing moved");
        tape.end();
        assert_eq!(tape.check(), Ok(()));
        tape
    }

    /// Connections to and commands on every host.
    fn counts(&self) -> Vec<(u64, u64)> {
        let count = |host: &HostName| (self.fleet.connections(host), self.fleet.commands(host));
        self.wanted.keys().map(count).collect()
    }

    /// These hosts know each other and nobody else.
    #[track_caller]
    fn assert_meshed<const N: usize>(&self, names: [&str; N]) {
        for name in names {
            let others: BTreeSet<String> = names
                .iter()
                .filter(|other| **other != name)
                .map(|other| format!("# {other}.shop.internal"))
                .collect();
            assert_eq!(self.peers(name), others, "{name}");
        }
    }

    /// These hosts know each other.
    #[track_caller]
    fn assert_meshed_among<const N: usize>(&self, names: [&str; N]) {
        for name in names {
            for other in names.iter().filter(|other| **other != name) {
                let peer = format!("# {other}.shop.internal");
                assert!(self.peers(name).contains(&peer), "{name} does not know {other}");
            }
        }
    }

    fn peers(&self, name: &str) -> BTreeSet<String> {
        let conf = self.file(name, CONF);
        let own = format!("# {name}.shop.internal");
        let names = conf.lines().filter(|line| line.ends_with(".shop.internal") && **line != own);
        names.map(str::to_owned).collect()
    }
}
