use stagecraft_testkit::emulators::aws::Shortage;

use super::stage::{Stage, refused};

#[tokio::test]
async fn zones_sell_different_types() {
    let mut stage = Stage::new().await;
    let zone = ("Placement.AvailabilityZone", "us-east-1e");
    let reply = stage.run(&[zone]).await;
    assert_eq!(reply.refusal(), refused(400, "Unsupported"));
    assert!(reply.text("Message").contains("choosing us-east-1a, us-east-1b"), "{}", reply.body);
    assert_eq!(stage.run(&[zone, ("InstanceType", "m5.large")]).await.status, 200);
    let only = stage.run(&[("InstanceType", "p4d.24xlarge")]).await;
    assert_eq!(only.text("availabilityZone"), "us-east-1d", "the one zone that has it");
    stage.move_to("eu-north-1");
    let reply = stage.run(&[("InstanceType", "p4d.24xlarge")]).await;
    assert_eq!(reply.refusal(), refused(400, "Unsupported"));
}

#[tokio::test]
async fn there_may_be_no_room_in_a_zone_for_a_type_or_a_market() {
    let stage = Stage::new().await;
    let text = |text: &str| Some(text.to_owned());
    stage.habits(|habits| {
        habits.no_capacity = vec![
            Shortage { zone: text("us-east-1a"), ..Shortage::default() },
            Shortage { instance_type: text("t3.small"), spot: Some(true), zone: None },
        ];
    });
    let sold_out = refused(500, "InsufficientInstanceCapacity");
    let reply = stage.run(&[("Placement.AvailabilityZone", "us-east-1a")]).await;
    assert_eq!(reply.refusal(), sold_out);
    assert!(reply.text("Message").contains("us-east-1b"), "{}", reply.body);
    assert_eq!(stage.run(&[]).await.text("availabilityZone"), "us-east-1b");
    let spot = ("InstanceMarketOptions.MarketType", "spot");
    assert_eq!(stage.run(&[spot]).await.refusal(), sold_out);
    assert_eq!(stage.run(&[spot, ("InstanceType", "t3.micro")]).await.status, 200);
    stage.world.with(|world, _| {
        world.behaviour().sold_out.insert(("t3.small".into(), "us-east-1".into()));
    });
    assert_eq!(stage.run(&[]).await.refusal(), sold_out, "in the whole region");
    stage.habits(|habits| habits.no_addresses = ["us-east-1c".to_owned()].into());
    let order = [("Placement.AvailabilityZone", "us-east-1c"), ("InstanceType", "t3.micro")];
    assert_eq!(
        stage.run(&order).await.refusal(),
        refused(400, "InsufficientFreeAddressesInSubnet")
    );
}

#[tokio::test]
async fn a_stopped_instance_may_find_no_room_to_start() {
    let stage = Stage::new().await;
    let id = stage.instance("web-1").await;
    let this = [("InstanceId.1", id.as_str())];
    stage.boot().await;
    stage.ec2("StopInstances", &this).await;
    stage.boot().await;
    stage.habits(|habits| habits.no_capacity = vec![Shortage::default()]);
    let reply = stage.ec2("StartInstances", &this).await;
    assert_eq!(reply.refusal(), refused(500, "InsufficientInstanceCapacity"));
    assert_eq!(stage.state(&id).await, "stopped");
}

#[tokio::test]
async fn quotas_count_processors_of_what_runs_in_a_region() {
    let mut stage = Stage::new().await;
    stage.habits(|habits| (habits.vcpus, habits.spot_vcpus) = (Some(4), Some(2)));
    let first = stage.instance("web-1").await;
    let too_large = stage.run(&[("InstanceType", "c5.xlarge")]).await;
    assert_eq!(too_large.refusal(), refused(400, "VcpuLimitExceeded"));
    stage.instance("web-2").await;
    assert_eq!(stage.run(&[]).await.refusal(), refused(400, "VcpuLimitExceeded"));
    let spot = [("InstanceMarketOptions.MarketType", "spot")];
    assert_eq!(stage.run(&spot).await.status, 200, "spot instances have a quota of their own");
    let reply = stage.run(&spot).await;
    assert_eq!(reply.refusal(), refused(400, "MaxSpotInstanceCountExceeded"));
    stage.ec2("TerminateInstances", &[("InstanceId.1", &first)]).await;
    assert_eq!(stage.run(&[]).await.status, 200);
    stage.move_to("eu-west-1");
    assert_eq!(stage.run(&[]).await.status, 200);
}

#[tokio::test]
async fn the_quota_of_the_world_does_not_count_what_has_ended() {
    let stage = Stage::new().await;
    stage.world.with(|world, _| world.behaviour().quota = Some(1));
    let first = stage.instance("web-1").await;
    assert_eq!(stage.run(&[]).await.refusal(), refused(400, "InstanceLimitExceeded"));
    stage.ec2("TerminateInstances", &[("InstanceId.1", &first)]).await;
    stage.boot().await;
    assert_eq!(stage.run(&[]).await.status, 200);
}

#[tokio::test]
async fn spot_instances_need_their_role_and_a_type_that_is_offered() {
    let stage = Stage::new().await;
    let spot = ("InstanceMarketOptions.MarketType", "spot");
    let reply = stage.run(&[spot, ("InstanceType", "t2.micro")]).await;
    assert_eq!(reply.refusal(), refused(400, "Unsupported"));
    stage.habits(|habits| habits.no_spot_role = true);
    let code = "AuthFailure.ServiceLinkedRoleCreationNotPermitted";
    assert_eq!(stage.run(&[spot]).await.refusal(), refused(403, code));
    assert_eq!(stage.run(&[]).await.status, 200);
}

#[tokio::test]
async fn a_batch_that_does_not_fit_leaves_nothing() {
    let stage = Stage::new().await;
    stage.world.with(|world, _| world.behaviour().quota = Some(2));
    let reply = stage.run(&[("MinCount", "3"), ("MaxCount", "3")]).await;
    assert_eq!(reply.refusal(), refused(400, "InstanceLimitExceeded"));
    assert!(stage.listed(&[]).await.is_empty());
    assert_eq!(
        stage.run(&[("MinCount", "1"), ("MaxCount", "3")]).await.texts("instanceId").len(),
        2
    );
}
