use super::stage::{Reply, Stage, refused};

#[tokio::test]
async fn the_same_order_with_the_same_token_is_the_same_instance() {
    let stage = Stage::new().await;
    let first = stage.run(&[("ClientToken", "web-1")]).await;
    stage.boot().await;
    let again = stage.run(&[("ClientToken", "web-1")]).await;
    assert_eq!(id(&again), id(&first));
    assert_eq!(again.text("reservationId"), first.text("reservationId"));
    assert_eq!(again.between("instanceState").text("name"), "running", "the state is that of now");
    assert_eq!(again.text("clientToken"), "web-1");
    assert_eq!(stage.listed(&[]).await.len(), 1);
    assert_ne!(id(&stage.run(&[("ClientToken", "Web-1")]).await), id(&first), "case matters");
    assert_ne!(id(&stage.run(&[]).await), id(&stage.run(&[]).await));
}

#[tokio::test]
async fn another_order_with_the_same_token_is_refused() {
    let stage = Stage::new().await;
    stage.run(&[("ClientToken", "web-1")]).await;
    for besides in [("InstanceType", "t3.micro"), ("MaxCount", "2"), ("KeyName", "deploy")] {
        let reply = stage.run(&[("ClientToken", "web-1"), besides]).await;
        assert_eq!(reply.refusal(), refused(400, "IdempotentParameterMismatch"), "{besides:?}");
    }
    assert_eq!(stage.listed(&[]).await.len(), 1);
}

#[tokio::test]
async fn the_same_token_in_another_zone_or_region_is_another_order() {
    let mut stage = Stage::new().await;
    let token = ("ClientToken", "web-1");
    let somewhere = stage.run(&[token]).await;
    let zone = |zone| ("Placement.AvailabilityZone", zone);
    let here = stage.run(&[token, zone("us-east-1b")]).await;
    let there = stage.run(&[token, zone("us-east-1c")]).await;
    assert_eq!(there.text("availabilityZone"), "us-east-1c");
    let again = stage.run(&[token, zone("us-east-1b")]).await;
    assert_eq!(id(&again), id(&here));
    assert_eq!(id(&stage.run(&[token]).await), id(&somewhere));
    assert_eq!(stage.listed(&[]).await.len(), 3);
    stage.move_to("eu-central-1");
    assert_eq!(stage.run(&[token]).await.status, 200);
    assert_eq!(stage.listed(&[]).await.len(), 1);
}

#[tokio::test]
async fn after_its_termination_an_order_is_answered_by_the_terminated_instance() {
    let stage = Stage::new().await;
    let first = stage.run(&[("ClientToken", "web-1")]).await;
    stage.ec2("TerminateInstances", &[("InstanceId.1", &id(&first))]).await;
    stage.boot().await;
    let again = stage.run(&[("ClientToken", "web-1")]).await;
    assert_eq!(id(&again), id(&first));
    assert_eq!(again.between("instanceState").text("name"), "terminated");
    assert_eq!(stage.world.with(|world, _| world.effects().len()), 2, "one made, one removed");
}

#[tokio::test]
async fn an_order_that_was_refused_may_be_tried_again_otherwise() {
    let stage = Stage::new().await;
    let reply = stage.run(&[("ClientToken", "web-1"), ("KeyName", "nobody")]).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidKeyPair.NotFound"));
    assert_eq!(stage.run(&[("ClientToken", "web-1"), ("KeyName", "deploy")]).await.status, 200);
}

#[tokio::test]
async fn a_range_is_filled_as_far_as_the_quota_goes() {
    let stage = Stage::new().await;
    stage.habits(|habits| habits.vcpus = Some(6));
    let reply = stage.run(&[("MinCount", "1"), ("MaxCount", "9")]).await;
    assert_eq!(reply.texts("instanceId").len(), 3, "{}", reply.body);
    assert_eq!(reply.texts("amiLaunchIndex"), ["0", "1", "2"]);
    assert_eq!(reply.texts("reservationId").len(), 1);
}

fn id(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.text("instanceId")
}
