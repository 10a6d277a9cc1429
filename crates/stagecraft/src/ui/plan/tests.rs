use stagecraft_core::network::WireGuard;
use stagecraft_core::plan::Policy;

use super::*;
use crate::ui::samples::{full_plan, host, next, plan, rented, running, wanted};

#[test]
fn a_plan_on_a_wide_screen() {
    insta::assert_snapshot!(plan_screen(&full_plan(), &next(), 120).plain(), @"
    Plan for `shop/dev`

      ~ update     app-1    local    small, debian-12, amd64                         tags: none -> blue
      + resume     cache-1  local    small, debian-12, amd64                         is switched off
      + create     edge-1   hetzner  cx22 in nbg1, debian-12, amd64  3.79 EUR/month  does not exist
        unchanged  web-1    local    small, debian-12, amd64                         up to date
                                                                                     note: local has no spot machines;
                                                                                     `spot` is ignored

    Left alone:
      - delete   app-1    local  small, debian-12, amd64  surplus: an older machine stands for `app-1`;
                                                          `stagecraft infra up --prune` removes it
      ~ replace  db-1     local  small, debian-12, amd64  size: medium -> small; `stagecraft infra up --replace db-1` makes
                                                          it anew, all data on it is lost
      - delete   old-1    local  small, debian-12, amd64  not in the file; `stagecraft infra up --prune` removes it
      - delete   vault-1  local  small, debian-12, amd64  not in the file; protected: put it back with `protected: false`
                                                          and run `stagecraft infra up` first

    1 to create, 1 to resume, 1 to update, 1 unchanged; 4 left alone.
    3.79 EUR a month for the hosts of the file, at list prices.
    ");
}

#[test]
fn a_plan_on_a_narrow_screen() {
    let shown = plan_screen(&full_plan(), &next(), 80).plain();
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    insta::assert_snapshot!(shown, @"
    Plan for `shop/dev`

      ~ update     app-1    local    small, debian-12, amd64
            tags: none -> blue
      + resume     cache-1  local    small, debian-12, amd64
            is switched off
      + create     edge-1   hetzner  cx22 in nbg1, debian-12, amd64  3.79 EUR/month
            does not exist
        unchanged  web-1    local    small, debian-12, amd64
            up to date
            note: local has no spot machines; `spot` is ignored

    Left alone:
      - delete   app-1    local  small, debian-12, amd64
            surplus: an older machine stands for `app-1`;
            `stagecraft infra up --prune` removes it
      ~ replace  db-1     local  small, debian-12, amd64
            size: medium -> small; `stagecraft infra up --replace db-1` makes it
            anew, all data on it is lost
      - delete   old-1    local  small, debian-12, amd64
            not in the file; `stagecraft infra up --prune` removes it
      - delete   vault-1  local  small, debian-12, amd64
            not in the file; protected: put it back with `protected: false` and run
            `stagecraft infra up` first

    1 to create, 1 to resume, 1 to update, 1 unchanged; 4 left alone.
    3.79 EUR a month for the hosts of the file, at list prices.
    ");
}

#[test]
fn a_price_that_has_no_room_stands_with_the_reason() {
    let mut host = rented("gateway-1", 2800);
    host.spec.size = "s-2vcpu-4gb-intel".into();
    let plan = plan([host, wanted("db-1")], [], &Policy::default());
    assert!(plan_screen(&plan, &next(), 100).plain().contains("amd64  28.00 EUR/month\n"));
    insta::assert_snapshot!(plan_screen(&plan, &next(), 80).plain(), @"
    Plan for `shop/dev`

      + create  db-1       local    small, debian-12, amd64
            does not exist
      + create  gateway-1  hetzner  s-2vcpu-4gb-intel in nbg1, debian-12, amd64
            28.00 EUR/month, does not exist

    2 to create.
    28.00 EUR a month for the hosts of the file, at list prices.
    ");
}

#[test]
fn a_replacement_that_was_asked_for_is_not_left_alone() {
    let mut small = running("db-1", "172.30.0.4");
    small.spec.size = "medium".into();
    let policy = Policy { replace: [host("db-1")].into(), ..Policy::default() };
    let plan = plan([wanted("db-1")], [small], &policy);
    assert_eq!(removals(&plan), ["db-1"]);
    insta::assert_snapshot!(plan_screen(&plan, &next(), 100).plain(), @"
    Plan for `shop/dev`

      ~ replace  db-1  local  small, debian-12, amd64  size: medium -> small

    1 to replace.
    ");
}

#[test]
fn hosts_that_are_not_meant_are_counted_only() {
    let policy = Policy { only: [host("a")].into(), ..Policy::default() };
    let plan = plan([wanted("a"), wanted("b"), wanted("c")], [], &policy);
    insta::assert_snapshot!(plan_screen(&plan, &next(), 100).plain(), @"
    Plan for `shop/dev`

      + create  a  local  small, debian-12, amd64  does not exist

    2 other hosts are not named by `--host`.
    1 to create.
    ");
}

#[test]
fn what_is_changed_in_place_although_a_replacement_is_held_back_is_said() {
    let mut tagged = wanted("db-1");
    tagged.marks.tags = ["blue".to_owned()].into();
    let mut small = running("db-1", "172.30.0.4");
    small.spec.size = "medium".into();
    let plan = plan([tagged], [small], &Policy::default());
    insta::assert_snapshot!(plan_screen(&plan, &next(), 100).plain(), @"
    Plan for `shop/dev`

    Left alone:
      ~ replace  db-1  local  small, debian-12, amd64  size: medium -> small, tags: none -> blue;
                                                       `stagecraft infra up --replace db-1` makes it
                                                       anew, all data on it is lost; name, role, tags
                                                       and protection are updated now

    1 to change in place; 1 left alone.
    ");
}

#[test]
fn a_host_that_only_its_machine_protects_is_unmarked_first() {
    let mut small = running("db-1", "172.30.0.4");
    small.spec.size = "medium".into();
    small.marks.protected = true;
    let plan = plan([wanted("db-1")], [small], &Policy::default());
    insta::assert_snapshot!(plan_screen(&plan, &next(), 100).plain(), @"
    Plan for `shop/dev`

    Left alone:
      ~ replace  db-1  local  small, debian-12, amd64  size: medium -> small, protected: true -> false;
                                                       its machine is still marked as protected: run
                                                       `stagecraft infra up` first, then
                                                       `stagecraft infra up --replace db-1`; name, role,
                                                       tags and protection are updated now

    1 to change in place; 1 left alone.
    ");
}

#[test]
fn a_machine_that_failed_says_why() {
    let mut failed = running("db-1", "172.30.0.4");
    failed.lifecycle = Lifecycle::Failed;
    failed.trouble = Some("the disk could not be made".to_owned());
    let plan = plan([wanted("db-1")], [failed], &Policy::default());
    insta::assert_snapshot!(plan_screen(&plan, &next(), 100).plain(), @"
    Plan for `shop/dev`

    Left alone:
      ~ replace  db-1  local  small, debian-12, amd64  the provider gave up on its machine: the disk
                                                       could not be made;
                                                       `stagecraft infra up --replace db-1` makes it
                                                       anew, all data on it is lost

    Nothing to do; 1 host left alone.
    ");
}

#[test]
fn what_a_provider_says_of_a_machine_is_told_whatever_is_done_about_it() {
    let mut gone = running("web-1", "172.30.0.4");
    gone.lifecycle = Lifecycle::Terminated;
    gone.trouble = Some("it was taken back".to_owned());
    let mut instead = running("web-2", "172.30.0.5");
    instead.trouble = Some("no spot instance was to be had: on demand".to_owned());
    let plan = plan([wanted("web-1"), wanted("web-2")], [gone, instead], &Policy::default());
    insta::assert_snapshot!(plan_screen(&plan, &next(), 100).plain(), @"
    Plan for `shop/dev`

      + create     web-1  local  small, debian-12, amd64  does not exist: it was taken back
        unchanged  web-2  local  small, debian-12, amd64  up to date
                                                          note: no spot instance was to be had: on
                                                          demand

    1 to create, 1 unchanged.
    ");
}

#[test]
fn prices_are_added_up_by_currency() {
    let mut dollars = rented("a", 2400);
    dollars.monthly = Some(Price { cents: 2400, currency: "USD".to_owned() });
    let all = [dollars, rented("b", 379), rented("c", 521)];
    let shown = plan_screen(&plan(all, [], &Policy::default()), &next(), 100).plain();
    assert!(
        shown.contains("a  hetzner  cx22 in nbg1, debian-12, amd64  24.00 USD/month"),
        "{shown}"
    );
    assert!(
        shown.contains("9.00 EUR + 24.00 USD a month for the hosts of the file, at list prices."),
        "{shown}"
    );
}

#[test]
fn a_sum_says_which_prices_are_not_in_it() {
    let mut retired = rented("a", 0);
    retired.monthly = None;
    let all = [retired.clone(), rented("b", 379), wanted("c")];
    let shown = plan_screen(&plan(all, [], &Policy::default()), &next(), 100).plain();
    let sum = "3.79 EUR a month for the hosts of the file, at list prices, without 1 host whose price is not known.";
    assert!(shown.contains(sum), "{shown}");
    let shown = plan_screen(&plan([retired], [], &Policy::default()), &next(), 100).plain();
    assert!(shown.ends_with("What the hosts of the file cost a month is not known.\n"), "{shown}");
    let shown = plan_screen(&plan([wanted("c")], [], &Policy::default()), &next(), 100).plain();
    assert!(!shown.contains("a month"), "nothing is rented: {shown}");
}

#[test]
fn nothing_to_do_is_said() {
    let same = plan([wanted("a")], [running("a", "10.0.0.1")], &Policy::default());
    assert_eq!(summary(&same), "No machine would change.");
    let shown = plan_screen(&same, &next(), 100).plain();
    let elsewhere = "Hosts are not looked into here: `stagecraft infra status` does that.";
    assert!(shown.contains(elsewhere), "{shown}");
    assert_eq!(summary(&plan([], [], &Policy::default())), "There are no hosts.");
    let old = plan([], [running("a", "10.0.0.1")], &Policy::default());
    assert_eq!(summary(&old), "Nothing to do; 1 host left alone.");
}

#[test]
fn the_same_plan_looks_the_same() {
    let screen = || plan_screen(&full_plan(), &next(), 100);
    assert_eq!(screen().as_str(), screen().as_str());
}

#[test]
fn no_instance_id_is_shown() {
    assert!(!plan_screen(&full_plan(), &next(), 100).as_str().contains("id-of"));
}

#[test]
fn a_plan_says_whom_it_touches_because_of_the_network() {
    let network = WireGuard {
        range: "10.66.0.0/16".parse().unwrap(),
        port: 51820,
        domain: "shop.internal".to_owned(),
    };
    let line = |names: &[&str], there: &[&str], prune: bool| {
        let there = there.iter().map(|name| running(name, "10.0.0.1"));
        let policy = Policy { prune, ..Policy::default() };
        let plan = plan(names.iter().map(|name| wanted(name)), there, &policy);
        let shown = plan_screen(&plan.with_network(&network), &next(), 100).plain();
        shown.lines().find(|line| line.starts_with("Network")).map(str::to_owned)
    };
    assert_eq!(line(&["a", "b"], &["a", "b"], false), None);
    assert_eq!(
        line(&["a", "b", "c"], &["a", "b"], false).as_deref(),
        Some("Network wireguard: `c` joins; 2 other hosts are told.")
    );
    assert_eq!(line(&["a"], &["a", "b"], false), None, "it is left alone");
    assert_eq!(
        line(&["a", "c"], &["a", "b"], true).as_deref(),
        Some("Network wireguard: `c` joins, `b` leaves; 1 other host is told.")
    );
    assert_eq!(
        line(&["a", "b", "c", "d"], &[], false).as_deref(),
        Some("Network wireguard: 4 hosts join; no other host is touched.")
    );
}
