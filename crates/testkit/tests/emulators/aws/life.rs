use std::sync::Arc;
use std::time::Duration;

use stagecraft_testkit::emulators::{NoHosts, Options};
use stagecraft_testkit::world::{Delay, Fate};

use super::stage::{NOBLE, Stage, refused};

#[tokio::test]
async fn an_instance_runs_before_it_has_an_address() {
    let stage = Stage::new().await;
    let id = stage.instance("web-1").await;
    let look = async || {
        let shown = stage.ec2("DescribeInstances", &[("InstanceId.1", &id)]).await;
        (shown.between("instanceState").text("name"), !shown.text("ipAddress").is_empty())
    };
    let mut seen = vec![look().await];
    for _ in 0..3 {
        stage.listed(&[]).await;
        seen.push(look().await);
    }
    let states: Vec<(&str, bool)> = seen.iter().map(|(name, known)| (&**name, *known)).collect();
    let expected = [("pending", false), ("pending", false), ("running", false), ("running", true)];
    assert_eq!(states, expected);
    let shown = stage.ec2("DescribeInstances", &[]).await;
    let address = shown.text("ipAddress");
    assert_eq!(shown.between("association").text("publicIp"), address);
    assert_eq!(
        shown.text("dnsName"),
        format!("ec2-{}.compute-1.amazonaws.com", address.replace('.', "-"))
    );
}

#[tokio::test]
async fn an_instance_is_stopped_and_started() {
    let stage = Stage::new().await;
    let id = stage.instance("web-1").await;
    let this = [("InstanceId.1", id.as_str())];
    assert_eq!(
        stage.ec2("StopInstances", &this).await.refusal(),
        refused(400, "IncorrectInstanceState")
    );
    stage.boot().await;
    let reply = stage.ec2("StopInstances", &this).await;
    assert_eq!(reply.between("previousState").text("name"), "running");
    assert_eq!(reply.between("currentState").text("code"), "64");
    let reply = stage.ec2("StartInstances", &this).await;
    assert_eq!(reply.refusal(), refused(400, "IncorrectInstanceState"), "it is stopping");
    stage.listed(&[]).await;
    stage.listed(&[]).await;
    assert_eq!(stage.state(&id).await, "stopped");
    let shown = stage.ec2("DescribeInstances", &this).await;
    assert_eq!(shown.text("ipAddress"), "");
    let reply = stage.ec2("StartInstances", &this).await;
    assert_eq!(reply.between("currentState").text("name"), "pending");
    stage.boot().await;
    assert_eq!(stage.state(&id).await, "running");
    stage.ec2("TerminateInstances", &this).await;
    let reply = stage.ec2("StartInstances", &this).await;
    assert_eq!(reply.refusal(), refused(400, "IncorrectInstanceState"));
}

#[tokio::test]
async fn terminating_twice_is_no_error_and_a_bad_id_spoils_the_batch() {
    let stage = Stage::new().await;
    let (one, two) = (stage.instance("web-1").await, stage.instance("web-2").await);
    for bad in ["i-0123456789abcdef0", "i-12", "web-1"] {
        let batch = [("InstanceId.1", one.as_str()), ("InstanceId.2", bad)];
        let code = if bad == "i-0123456789abcdef0" { "NotFound" } else { "Malformed" };
        let reply = stage.ec2("TerminateInstances", &batch).await;
        assert_eq!(reply.refusal(), refused(400, &format!("InvalidInstanceID.{code}")));
    }
    assert_eq!(stage.state(&one).await, "pending");
    let batch = [("InstanceId.1", one.as_str()), ("InstanceId.2", two.as_str())];
    let reply = stage.ec2("TerminateInstances", &batch).await;
    assert_eq!(reply.texts("instanceId"), [one.as_str(), two.as_str()]);
    assert_eq!(reply.between("previousState").text("name"), "pending");
    assert_eq!(reply.between("currentState").text("name"), "shutting-down");
    let again = stage.ec2("TerminateInstances", &batch).await;
    assert_eq!(again.between("previousState").text("name"), "shutting-down");
    stage.boot().await;
    let again = stage.ec2("TerminateInstances", &batch).await;
    assert_eq!(again.between("currentState").text("name"), "terminated");
    assert_eq!(
        stage.ec2("TerminateInstances", &[]).await.refusal(),
        refused(400, "MissingParameter")
    );
}

#[tokio::test]
async fn a_protected_instance_protects_those_of_its_zone() {
    let stage = Stage::new().await;
    let zone = |zone| ("Placement.AvailabilityZone", zone);
    let protected = stage
        .run(&[zone("us-east-1a"), ("DisableApiTermination", "true")])
        .await
        .text("instanceId");
    let neighbour = stage.run(&[zone("us-east-1a")]).await.text("instanceId");
    let far = stage.run(&[zone("us-east-1b")]).await.text("instanceId");
    let batch = [
        ("InstanceId.1", neighbour.as_str()),
        ("InstanceId.2", protected.as_str()),
        ("InstanceId.3", far.as_str()),
    ];
    let reply = stage.ec2("TerminateInstances", &batch).await;
    assert_eq!(reply.refusal(), refused(400, "OperationNotPermitted"));
    let states =
        [stage.state(&neighbour).await, stage.state(&protected).await, stage.state(&far).await];
    assert_eq!(states, ["pending", "pending", "shutting-down"]);
    let free = [("InstanceId", protected.as_str()), ("DisableApiTermination.Value", "false")];
    assert_eq!(stage.ec2("ModifyInstanceAttribute", &free).await.status, 200);
    assert_eq!(stage.ec2("TerminateInstances", &batch).await.status, 200);
}

#[tokio::test]
async fn attributes_can_be_modified_that_are_emulated() {
    let stage = Stage::new().await;
    let id = stage.instance("web-1").await;
    let named = ("InstanceId", id.as_str());
    let reply = stage.ec2("ModifyInstanceAttribute", &[named]).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidParameterCombination"));
    let reply =
        stage.ec2("ModifyInstanceAttribute", &[named, ("InstanceType.Value", "t3.micro")]).await;
    assert_eq!(reply.refusal(), refused(400, "UnknownParameter"));
    let reply = stage.ec2("ModifyInstanceAttribute", &[named, ("GroupId.1", "sg-0")]).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidGroup.NotFound"));
    let by_name = [named, ("Attribute", "disableApiTermination"), ("Value", "true")];
    assert_eq!(stage.ec2("ModifyInstanceAttribute", &by_name).await.status, 200);
    let reply = stage.ec2("TerminateInstances", &[("InstanceId.1", &id)]).await;
    assert_eq!(reply.refusal(), refused(400, "OperationNotPermitted"));
}

#[tokio::test]
async fn a_launch_may_fail_afterwards_or_the_instance_vanish() {
    let stage = Stage::new().await;
    stage.world.with(|world, _| {
        world.decide_fate("fails", Fate::FailsToBoot);
        world.decide_fate("vanishes", Fate::Vanishes);
        world.decide_fate("hangs", Fate::StaysPending);
    });
    let failed = stage.instance("fails").await;
    let image = stage.image(NOBLE).await;
    let name = super::stage::named("vanishes");
    let order = [
        &[
            ("ImageId", &*image),
            ("InstanceType", "t3.small"),
            ("MinCount", "1"),
            ("MaxCount", "1"),
            ("ClientToken", "v"),
        ][..],
        &name,
    ]
    .concat();
    let vanished = stage.ec2("RunInstances", &order).await.text("instanceId");
    let hanging = stage.instance("hangs").await;
    stage.boot().await;
    assert_eq!(stage.state(&failed).await, "terminated");
    let shown = stage.ec2("DescribeInstances", &[("InstanceId.1", &failed)]).await;
    assert_eq!(shown.between("stateReason").text("code"), "Server.InternalError");
    assert_eq!(stage.state(&vanished).await, "InvalidInstanceID.NotFound");
    assert_eq!(stage.state(&hanging).await, "pending");
    let again = stage.ec2("RunInstances", &order).await;
    assert_eq!(again.text("instanceId"), vanished);
    assert_eq!(again.between("instanceState").text("name"), "terminated");
}

#[tokio::test]
async fn a_spot_instance_is_taken_back_and_listed_with_the_reason() {
    let stage = Stage::new().await;
    let spot = stage.run(&[("InstanceMarketOptions.MarketType", "spot")]).await;
    assert_eq!(spot.text("instanceLifecycle"), "spot");
    assert!(spot.text("spotInstanceRequestId").starts_with("sir-"));
    let id = spot.text("instanceId");
    stage.boot().await;
    let this = [("InstanceId.1", id.as_str())];
    assert_eq!(
        stage.ec2("StopInstances", &this).await.refusal(),
        refused(400, "UnsupportedOperation")
    );
    stage.aws.interrupt(&id);
    let shown = stage.ec2("DescribeInstances", &[]).await;
    assert_eq!(shown.between("instanceState").text("name"), "terminated");
    assert_eq!(shown.between("stateReason").text("code"), "Server.SpotInstanceTermination");
}

#[tokio::test]
async fn spot_instances_may_be_taken_back_after_a_time() {
    let stage = Stage::over(Arc::new(NoHosts), Options::default(), 1000).await;
    stage.world.with(|world, _| world.behaviour().boot = Delay::NONE);
    stage.habits(|habits| habits.spot_interrupted_after_seconds = Some(600));
    let spot = stage.run(&[("InstanceMarketOptions.MarketType", "spot")]).await.text("instanceId");
    let other = stage.run(&[]).await.text("instanceId");
    stage.world.sleep(Duration::from_secs(700)).await;
    assert_eq!(stage.state(&spot).await, "terminated");
    assert_ne!(stage.state(&other).await, "terminated");
}
