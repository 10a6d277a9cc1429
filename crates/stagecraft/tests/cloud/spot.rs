//! Spot hosts at AWS.

use stagecraft_testkit::emulators::aws::Shortage;

use crate::scene::{Scene, UP};

#[test]
fn a_spot_host_that_is_on_demand_says_so() {
    let scene = Scene::aws(&["app-1: { role: app, spot: true }"]);
    scene.succeed(UP);
    assert!(scene.cloud.machines()[0].spec.spot);
    scene.succeed("infra down --yes");
    let short = Shortage { spot: Some(true), ..Shortage::default() };
    scene.cloud.at_aws().change_habits(|habits| habits.no_capacity.push(short));
    insta::assert_snapshot!(scene.run(UP), @"
    Plan for `shop/prod`

      + create  app-1  aws  t3.small in us-east-1, ubuntu-22.04, amd64, spot  does not exist

    1 to create.
    What the hosts of the file cost a month is not known.

    HOST   ROLE  PROVIDER  ADDRESS    RESULT
    app-1  app   aws       127.0.0.1  created, not set up (--no-bootstrap)

    1 not set up.
    ------- stderr -------
    app-1: creating
    app-1: created
    app-1: waiting for the machine
    app-1: running at 127.0.0.1
    app-1: running (--no-bootstrap)
    aws: listing
    [exit status: 0]
    ");
    assert!(!scene.cloud.machines()[0].spec.spot);
    let tag = scene.cloud.machines().remove(0).labels.remove("stagecraft.spot");
    assert_eq!(tag.as_deref(), Some("InsufficientInstanceCapacity"), "its tag says why");
    let plan = scene.run("infra plan");
    assert!(plan.contains("note: ") && plan.contains("on demand"), "{plan}");
    scene.converges_to(&["prod-app-1"]);
}

#[test]
fn a_spot_host_that_was_taken_back_is_made_again() {
    let scene = Scene::aws(&["app-1: { role: app, spot: true }"]);
    scene.succeed(UP);
    let machine = scene.cloud.machines().remove(0);
    let aws = scene.cloud.at_aws();
    aws.interrupt(&stagecraft_testkit::emulators::aws::Aws::instance(&machine.id));
    assert_eq!(scene.cloud.names(), [""; 0]);
    insta::assert_snapshot!(scene.run("infra status"), @"
    HOST   ROLE  PROVIDER  ADDRESS  STATE
    app-1  app   aws       -        does not exist: AWS took the spot instance back (Server.SpotInstanceTermination)

    1 of 1 host not ready. `stagecraft infra up` works on that.
    ------- stderr -------
    aws: listing
    [exit status: 10]
    ");
    let plan = scene.run("infra plan");
    assert!(plan.contains("does not exist: AWS took the spot instance back"), "{plan}");
    scene.converges_to(&["prod-app-1"]);
    assert_ne!(scene.cloud.machines()[0].id, machine.id);
}
