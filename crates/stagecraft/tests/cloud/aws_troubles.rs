//! What goes wrong at AWS, and how the next run goes on.

use std::time::Duration;

use stagecraft_testkit::emulators::aws::Shortage;
use stagecraft_testkit::emulators::faults::{Effect, Rule, When};
use stagecraft_testkit::world::{Delay, Fate};

use crate::account::SECRET;
use crate::aws::{GROUP, errors};
use crate::scene::{APP, Scene, UP, calm, status};

#[test]
fn a_quota_that_is_used_up_is_told_and_the_other_host_is_kept() {
    let scene = Scene::aws(&["app: { role: app, count: 2 }"]);
    // One instance of the size, and the one of somebody else.
    scene.cloud.at_aws().change_habits(|habits| habits.vcpus = Some(4));
    let told = scene.run(UP);
    assert_eq!(told.matches("created, not set up").count(), 1, "{told}");
    let (kept, failed) = match &scene.cloud.names()[..] {
        [name] if name == "prod-app-1" => ("app-1", "app-2"),
        _ => ("app-2", "app-1"),
    };
    let errors = errors(&told).replace(kept, "KEPT").replace(failed, "FAILED");
    insta::assert_snapshot!(errors, @"
    error[cloud.quota-exceeded]: aws could not create host `FAILED`: a limit of the account is reached: You have requested more vCPU capacity than your current vCPU limit of 4 allows for the instance bucket that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit (VcpuLimitExceeded) (request [id])
      hint: see Service Quotas in the AWS console, and ask there for a higher quota
      note: `KEPT` is kept; run `stagecraft infra up --no-bootstrap` again to go on
    [exit status: 10]
    ");
    scene.cloud.at_aws().change_habits(|habits| habits.vcpus = None);
    scene.converges_to(&["prod-app-1", "prod-app-2"]);
}

#[test]
fn what_is_sold_out_in_every_zone_fails_its_host_alone() {
    let scene = Scene::aws(&["app-1: { role: app }", "db-1: { role: db, size: medium }"]);
    let short = Shortage { instance_type: Some("c5.xlarge".to_owned()), ..Shortage::default() };
    scene.cloud.at_aws().change_habits(|habits| habits.no_capacity.push(short));
    insta::assert_snapshot!(errors(&scene.run(UP)), @"
    error[cloud.sold-out]: aws could not create host `db-1`: sold out: We currently do not have sufficient c5.xlarge capacity in the Availability Zone you requested (us-east-1f). Our system will be working on provisioning additional capacity. Elsewhere in this Region: [] (InsufficientInstanceCapacity); tried were us-east-1a, us-east-1b, us-east-1c, us-east-1d, us-east-1e, us-east-1f (request [id])
      hint: choose another `size` or `region`, or try again later
      note: `app-1` is kept; run `stagecraft infra up --no-bootstrap` again to go on
    [exit status: 10]
    ");
    assert_eq!(scene.cloud.names(), ["prod-app-1"]);
    scene.cloud.at_aws().change_habits(|habits| habits.no_capacity.clear());
    scene.converges_to(&["prod-app-1", "prod-db-1"]);
}

#[test]
fn a_zone_without_room_is_no_trouble() {
    let scene = Scene::aws(APP);
    let short = Shortage { zone: Some("us-east-1a".to_owned()), ..Shortage::default() };
    scene.cloud.at_aws().change_habits(|habits| habits.no_capacity.push(short));
    scene.converges_to(&["prod-app-1"]);
}

#[test]
fn too_many_requests_are_waited_for() {
    let scene = Scene::aws(APP);
    let limited = Effect::RateLimited { after_seconds: None };
    for action in ["/RunInstances", "/DescribeInstances"] {
        scene.cloud.inject(Rule::new("POST", action, limited.clone()).when(When::Nth(1)));
    }
    let told = scene.outcome(UP);
    assert!(told.contains("[cloud]: rate limit reached, going on in "), "{told}");
    assert!(told.ends_with("[exit status: 0]"), "{told}");
    scene.converges_to(&["prod-app-1"]);
}

#[test]
fn an_order_whose_answer_is_lost_is_found_and_not_repeated() {
    for effect in [
        Effect::LostAnswer,
        Effect::Truncated,
        Effect::NotJson,
        Effect::Status { code: 500, with_effect: true },
        Effect::Html { code: 502, with_effect: true },
    ] {
        let scene = Scene::aws(APP);
        scene.cloud.inject(scene.cloud.fault("POST", "", effect.clone()).when(When::Nth(1)));
        let told = scene.outcome(UP);
        assert!(told.contains("unclear whether the machine was made, looking in 1 s"), "{told}");
        assert_eq!(scene.cloud.record().of("POST", "/RunInstances").len(), 1, "{effect}");
        scene.converges_to(&["prod-app-1"]);
    }
}

#[test]
fn a_removal_and_a_change_whose_answers_are_lost_are_made_again() {
    for effect in [Effect::LostAnswer, Effect::Cut, status(503)] {
        let scene = Scene::aws(APP);
        scene.succeed(UP);
        scene.write(&["app-1: { role: web, tags: [blue, green] }"]);
        for action in ["/CreateTags", "/TerminateInstances"] {
            scene.cloud.inject(Rule::new("POST", action, effect.clone()).when(When::Nth(1)));
        }
        let told = scene.outcome(UP);
        assert!(told.contains(", trying again in 1 s\napp-1: updated\n"), "{told}");
        let told = scene.outcome("infra down --yes");
        assert!(told.contains(", trying again in 1 s\napp-1: removed\n"), "{told}");
        assert_eq!(scene.cloud.names(), [""; 0]);
        scene.converges_to(&["prod-app-1"]);
    }
}

#[test]
fn a_machine_that_is_late_everywhere_is_waited_for() {
    let scene = Scene::aws(APP);
    scene.cloud.world.with(|world, _| {
        let behaviour = world.behaviour();
        behaviour.visible = Delay::Both(Duration::from_millis(300), 3);
        behaviour.boot = Delay::Time(Duration::from_millis(300));
        behaviour.address = Delay::Time(Duration::from_millis(700));
    });
    let told = scene.outcome(UP);
    assert!(told.contains("app-1: running at 127.0.0.1\n"), "{told}");
    assert_eq!(scene.cloud.names(), ["prod-app-1"], "ordered once");
    scene.rests();
}

#[test]
fn a_machine_that_fails_to_boot_is_told_and_the_next_run_makes_another() {
    let scene = Scene::aws(APP);
    scene.cloud.world.with(|world, _| {
        world.behaviour().boot = Delay::Time(Duration::from_millis(300));
        world.decide_fate("prod-app-1", Fate::FailsToBoot);
    });
    insta::assert_snapshot!(errors(&scene.run("infra up --no-bootstrap --wait-timeout 2s")), @"
    error[wait.instance-gone]: the instance of `app-1` disappeared while it was waited for: Internal error on launch (Server.InternalError)
      hint: run the command again; a host without an instance is created anew
      note: `app-1` is kept; run `stagecraft infra up --no-bootstrap` again to go on
    [exit status: 10]
    ");
    scene.converges_to(&["prod-app-1"]);
}

#[test]
fn a_group_that_cannot_be_removed_is_told_and_removed_by_the_next_run() {
    let scene = Scene::aws(APP);
    scene.succeed(UP);
    scene.cloud.at_aws().change_habits(|habits| {
        habits.denied.insert("DeleteSecurityGroup".to_owned());
    });
    insta::assert_snapshot!(scene.run("infra down --yes"), @"
    Plan for `shop/prod`

      - delete  app-1  aws  t3.small in us-east-1, ubuntu-22.04, amd64  running

    1 to remove.

    HOST   ROLE  PROVIDER  ADDRESS  RESULT
    app-1  app   aws       -        removed

    1 removed.
    ------- stderr -------
    app-1: removing
    app-1: removed
    aws: listing
    note: aws could not remove the security groups of `shop/prod`: not permitted: You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/emulated is not authorized to perform: ec2:DeleteSecurityGroup because no identity-based policy allows the ec2:DeleteSecurityGroup action. Encoded authorization failure message: Xq0kYb3m9dVvSLkD1pXyB7gqWzv5Jw0Uo2nH4rT6 (UnauthorizedOperation) (request [id]); `stagecraft infra down` tries again
    [exit status: 0]
    ");
    assert_eq!(scene.cloud.at_aws().groups(), [GROUP]);
    scene.cloud.at_aws().change_habits(|habits| habits.denied.clear());
    scene.succeed("infra down --yes");
    assert_eq!(scene.cloud.at_aws().groups(), [""; 0]);
}

#[test]
fn a_key_pair_and_a_network_that_are_missing_are_told_with_what_to_do() {
    let scene = Scene::aws(APP);
    scene.write_with("ssh_key_name: deployment", APP);
    insta::assert_snapshot!(scene.in_all_forms(SECRET, UP), @"
    ------- stderr -------
    aws: listing
    error[order.invalid]: cannot order `app-1`: the aws account has no SSH key named `deployment`
      --> stagecraft.yml:11:21
       |
    11 |       ssh_key_name: deployment
       |                     ^^^^^^^^^^
       |
       = hint: there is `deploy`: change `ssh_key_name`, or add the key to the account
    [exit status: 1]
    ");
    scene.write(APP);
    scene.cloud.at_aws().change_habits(|habits| habits.no_default_vpc = true);
    insta::assert_snapshot!(errors(&scene.run(UP)), @"
    error[order.invalid]: cannot order `app-1`: nothing can be ordered: `us-east-1` has no default VPC
      --> stagecraft.yml:10:23
       |
    10 |       default_region: us-east-1
       |                       ^^^^^^^^^
       |
       = hint: give the `subnet_id` of a subnet there, or make a default VPC by `aws ec2 create-default-vpc --region us-east-1`
    [exit status: 1]
    ");
    scene.cloud.at_aws().change_habits(|habits| habits.no_default_vpc = false);
    scene.converges_to(&["prod-app-1"]);
}

#[test]
fn a_subnet_that_is_not_there_is_told_before_anything_is_ordered() {
    let scene = Scene::aws(APP);
    scene.write_with("ssh_key_name: deploy\nsubnet_id: subnet-0", APP);
    for command in ["infra plan", "validate --online", UP] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(errors(&scene.run(command)), @"
            error[order.invalid]: cannot order `app-1`: nothing can be ordered: there is no subnet `subnet-0` in `us-east-1`
              --> stagecraft.yml:10:23
               |
            10 |       default_region: us-east-1
               |                       ^^^^^^^^^
               |
               = hint: a subnet belongs to a region: change `subnet_id`, or the `region` of the host; `aws ec2 describe-subnets --region us-east-1` lists those there
            [exit status: 1]
            ");
        }
    }
    assert!(scene.cloud.machines().is_empty());
}

#[test]
fn a_cloud_that_does_not_work_is_asked_again_and_then_told() {
    let scene = Scene::aws(APP);
    scene.cloud.inject(Rule::new("POST", "/DescribeInstances", status(503)));
    insta::assert_snapshot!(calm(&scene.run(UP)), @"
    ------- stderr -------
    aws: listing
    aws: cloud.provider-fault, trying again in [n] s
    error[plan.blind]: aws could not list the hosts of `shop/prod`: it failed: The service is unavailable. Please try again shortly (Unavailable) (request [id]); without that, what exists is unknown and nothing is done
      hint: this is at AWS's end: see https://health.aws.amazon.com/health/status, and run the command again later
    [exit status: 2]
    ");
    scene.converges_to(&["prod-app-1"]);
}
