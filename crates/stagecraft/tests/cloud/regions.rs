//! Hosts in several regions of AWS, and in those that an earlier file named.

use crate::aws::errors;
use crate::scene::{APP, Scene, UP};

#[test]
fn a_host_that_moves_to_another_region_is_replaced_and_its_old_machine_seen() {
    let scene = Scene::aws(APP);
    scene.succeed(UP);
    scene.write(&["app-1: { role: app, region: eu-west-1 }"]);
    let plan = scene.run("infra plan");
    assert!(plan.contains("region: us-east-1 -> eu-west-1"), "{plan}");
    scene.succeed("infra up --no-bootstrap --replace app-1 --yes");
    let regions = || {
        let machines = scene.cloud.machines().into_iter();
        machines.map(|machine| machine.spec.region.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(regions(), ["eu-west-1"]);
    scene.write_with("ssh_key_name: deploy", APP);
    scene.succeed("infra down --yes");
    assert_eq!(regions(), [""; 0], "a region that the file does not name is looked at");
    assert_eq!(scene.cloud.at_aws().groups(), [""; 0], "in each region");
}

#[test]
fn regions_that_are_closed_or_not_to_be_looked_at_are_no_trouble() {
    let scene = Scene::aws(APP);
    scene.cloud.at_aws().change_habits(|habits| {
        habits.closed_regions.insert("eu-north-1".to_owned());
    });
    scene.converges_to(&["prod-app-1"]);
    scene.write_with("ssh_key_name: deploy\nregions: [us-east-1]", APP);
    scene.rests();
    scene.cloud.at_aws().change_habits(|habits| {
        habits.closed_regions.insert("us-east-1".to_owned());
    });
    let plan = scene.outcome("infra plan");
    assert!(plan.contains("error[plan.blind]") && plan.contains("not permitted"), "{plan}");
}

#[test]
fn a_slip_in_the_list_of_regions_is_told_with_its_place() {
    let scene = Scene::aws(APP);
    scene.write_with("ssh_key_name: deploy\nregions: [us-east-1, eu-wets-1]", APP);
    for command in ["infra plan", "validate --online", UP] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(errors(&scene.run(command)), @"
            error[config.invalid-value]: `cloud.providers.aws.regions` has `eu-wets-1`, which is no region of this aws account
              --> stagecraft.yml:12:28
               |
            12 |       regions: [us-east-1, eu-wets-1]
               |                            ^^^^^^^^^ did you mean `eu-west-1`?
               |
               = hint: correct it, or take it out; a region may have to be enabled first
            [exit status: 1]
            ");
        }
    }
    assert!(scene.cloud.machines().is_empty());
}
