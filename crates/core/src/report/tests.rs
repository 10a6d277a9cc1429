//! What is told of a run, and how it ends.

use std::time::Duration;

use super::*;
use crate::converge::StepResult;
use crate::inventory::Inventory;
use crate::plan::{Policy, plan_down, plan_up};
use crate::samples::{running, scope};

#[test]
fn the_exit_code_tells_the_cloud_from_single_hosts() {
    let lost = HostResult::Failed { failure: Failure::new(Code::CLOUD_UNREACHABLE, "no way") };
    let shut = HostResult::Failed { failure: Failure::new(Code::SSH_FAILED, "no answer") };
    for (results, code) in [
        (vec![HostResult::Ready, HostResult::Removed], ExitCode::Done),
        (vec![lost.clone(), lost.clone()], ExitCode::Cloud),
        (vec![lost.clone(), shut.clone()], ExitCode::SomeHostsFailed),
        (vec![lost, HostResult::Ready], ExitCode::SomeHostsFailed),
        (vec![shut, interrupted()], ExitCode::Interrupted),
    ] {
        assert_eq!(report(&results).exit_code(), code, "{results:?}");
    }
}

#[test]
fn failures_are_told_by_host() {
    let failure = Failure::new(Code::SSH_FAILED, "no answer");
    let report = report(&[HostResult::Ready, HostResult::Failed { failure: failure.clone() }]);
    let told: Vec<_> = report.failures().map(|(host, why)| (host.to_string(), why)).collect();
    assert_eq!(told, [("app-1".to_owned(), &failure)]);
}

#[test]
fn a_host_of_which_nothing_was_heard_counts_as_interrupted() {
    let silent = HostReport::new(&host(0), ProviderId::Local, &role());
    assert_eq!(silent.result, interrupted());
    assert!(Report::of_hosts([silent]).changed_nothing());
}

#[test]
fn a_report_of_a_plan_is_on_the_hosts_it_works_on_at_their_addresses() {
    let mut there = running("app-0", 1);
    there.address = Some([10, 0, 0, 7].into());
    let seen = Inventory::new([there, running("app-1", 2), running("app-1", 3)]);
    let left = plan_up(&scope(), &BTreeMap::new(), &seen, &Policy::default()).expect("a plan");
    assert_eq!(Report::of_plan(&left), Report::default(), "all is left alone");

    let goes = plan_down(&scope(), &seen, &[].into(), &[].into()).expect("a plan");
    let report = Report::of_plan(&goes);
    let address = |number| report.hosts[&host(number)].address.as_deref();
    assert_eq!(report.hosts.len(), 2, "one for each host, surplus instances included");
    assert_eq!((address(0), address(1)), (Some("10.0.0.7"), None));
}

#[test]
fn what_is_done_at_the_provider_is_kept_in_order_with_the_address_last_heard() {
    let mut made = running("app-0", 1);
    made.address = Some([10, 0, 0, 7].into());
    let mut up = made.clone();
    up.address = Some([10, 0, 0, 8].into());
    let created = [HostEvent::Creating, HostEvent::Created(Box::new(made.clone()))];
    let host = heard(&created);
    assert_eq!((host.address.as_deref(), host.done), (Some("10.0.0.7"), vec![Deed::Created]));
    let host = heard(&[HostEvent::Started, HostEvent::Running(Box::new(up)), HostEvent::Updated]);
    assert_eq!(host.address.as_deref(), Some("10.0.0.8"));
    assert_eq!(host.done, [Deed::Started, Deed::Updated]);
}

#[test]
fn a_removal_is_told_once_and_the_machine_has_no_address_then() {
    let mut gone = running("app-0", 1);
    gone.address = Some([10, 0, 0, 7].into());
    let began = [HostEvent::Created(Box::new(gone.clone())), HostEvent::TerminationBegun];
    assert_eq!(heard(&began).done, [Deed::Created, Deed::RemovalBegun], "it may exist for a while");
    let host = heard(&[&began[..], &[HostEvent::Terminated(Box::new(gone))]].concat());
    assert_eq!(host.done, [Deed::Created, Deed::Removed]);
    assert_eq!(host.address, None);
}

#[test]
fn a_duplicate_that_this_run_takes_back_is_nothing_it_did() {
    let made = Box::new(running("app-0", 2));
    let host = heard(&[HostEvent::Created(made), HostEvent::RemovingDuplicate, HostEvent::Updated]);
    assert_eq!(host.done, [Deed::Updated]);
}

#[test]
fn a_host_ends_as_the_last_word_on_it_says() {
    let why = Failure::new(Code::SSH_FAILED, "no answer");
    for (end, result) in [
        (HostEnd::Ready, HostResult::Ready),
        (HostEnd::Removed, HostResult::Removed),
        (HostEnd::Failed(why.clone()), HostResult::Failed { failure: why.clone() }),
        (
            HostEnd::Skipped(SkipReason::NoBootstrap),
            HostResult::Skipped { because: SkipReason::NoBootstrap },
        ),
    ] {
        assert_eq!(heard(&[HostEvent::Connected, HostEvent::Ended(end)]).result, result);
    }
    assert_eq!(heard(&[HostEvent::NotSignedOff(why.clone())]).left_behind, Some(why));
}

#[test]
fn a_run_has_changed_something_as_soon_as_one_host_was_changed() {
    let step = |result| HostEvent::Step(StepReport { step: "hostname".to_owned(), result });
    let failed = StepResult::Failed(Failure::new(Code::SSH_FAILED, "no answer"));
    for (event, changed) in [
        (HostEvent::Started, true),
        (step(StepResult::Changed), true),
        (step(StepResult::Satisfied), false),
        (step(StepResult::Skipped), false),
        (step(failed), false),
        (HostEvent::Connected, false),
    ] {
        let other = HostReport::new(&host(1), ProviderId::Local, &role());
        let told = format!("{event:?}");
        let report = Report::of_hosts([heard(&[event]), other]);
        assert_eq!(report.changed_nothing(), !changed, "{told}");
    }
}

#[test]
fn a_host_that_has_to_be_told_of_others_joins_the_report_as_it_is() {
    let mut member = running("app-7", 1);
    member.address = Some([10, 0, 0, 7].into());
    let included = HostEvent::Included(Box::new(member));
    let mut report = report(&[HostResult::Ready]);
    report.apply(&event(EventKind::Host(host(0), included.clone())));
    assert_eq!(report.hosts[&host(0)].result, HostResult::Ready, "who is in it stays as told");
    report.apply(&event(EventKind::Host(host(7), included)));
    assert_eq!(report.hosts[&host(7)].address.as_deref(), Some("10.0.0.7"));
    assert_eq!(report.hosts[&host(7)].result, interrupted());
    report.apply(&event(EventKind::Host(host(9), HostEvent::Started)));
    assert_eq!(report.hosts.len(), 2, "others are nobody's");
}

#[test]
fn a_run_that_was_asked_to_stop_ends_as_interrupted() {
    let mut report = report(&[HostResult::Ready]);
    assert_eq!(report.exit_code(), ExitCode::Done);
    report.apply(&event(EventKind::Stopping));
    assert_eq!(report.exit_code(), ExitCode::Interrupted);
}

/// What a report says of a host of which this was heard.
fn heard(events: &[HostEvent]) -> HostReport {
    let mut report = Report::of_hosts([HostReport::new(&host(0), ProviderId::Local, &role())]);
    for what in events {
        report.apply(&event(EventKind::Host(host(0), what.clone())));
    }
    report.hosts.remove(&host(0)).expect("it stays")
}

fn event(kind: EventKind) -> Event {
    Event { sequence: 0, elapsed: Duration::ZERO, kind }
}

fn report(results: &[HostResult]) -> Report {
    let of = |(number, result): (usize, &HostResult)| HostReport {
        result: result.clone(),
        ..HostReport::new(&host(number), ProviderId::Local, &role())
    };
    Report::of_hosts(results.iter().enumerate().map(of))
}

fn interrupted() -> HostResult {
    HostResult::Skipped { because: SkipReason::Interrupted }
}

fn host(number: usize) -> HostName {
    format!("app-{number}").parse().expect("a name")
}

fn role() -> RoleName {
    "app".parse().expect("a name")
}
