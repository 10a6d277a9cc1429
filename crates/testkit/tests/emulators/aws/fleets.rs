use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use stagecraft_testkit::emulators::aws::Shortage;

use super::stage::{NOBLE, Reply, Stage, refused};

#[tokio::test]
async fn a_fleet_answers_with_its_instances() {
    let stage = Stage::new().await;
    let template = template(&stage).await;
    let reply = fleet(&stage, &template, &["us-east-1b"], "spot", &[]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.text("fleetId").starts_with("fleet-0"));
    assert_eq!((reply.text("lifecycle").as_str(), reply.text("errorSet")), ("spot", String::new()));
    assert_eq!(reply.text("availabilityZone"), "us-east-1b");
    let id = reply.between("instanceIds").text("item");
    let shown = stage.ec2("DescribeInstances", &[]).await;
    assert_eq!(shown.text("instanceId"), id);
    assert_eq!(shown.text("instanceLifecycle"), "spot");
    assert!(shown.body.contains("<key>aws:ec2:fleet-id</key>"), "{}", shown.body);
    assert!(shown.body.contains("<key>stack</key><value>shop</value>"));
    assert_eq!(stage.aws.user_data(&id).as_deref(), Some("#!/bin/sh"));
}

#[tokio::test]
async fn no_capacity_is_an_answer_that_succeeded() {
    let stage = Stage::new().await;
    let template = template(&stage).await;
    stage.habits(|habits| {
        habits.no_capacity = vec![Shortage { spot: Some(true), ..Shortage::default() }];
    });
    let zones = ["us-east-1a", "us-east-1b"];
    let reply = fleet(&stage, &template, &zones, "spot", &[]).await;
    assert_eq!((reply.status, reply.text("fleetInstanceSet")), (200, String::new()));
    assert_eq!(reply.texts("errorCode"), ["InsufficientInstanceCapacity"; 2]);
    assert_eq!(reply.between("errorSet").texts("availabilityZone"), zones);
    assert!(stage.listed(&[]).await.is_empty());
    let reply = fleet(&stage, &template, &zones, "on-demand", &[]).await;
    assert_eq!(
        (reply.texts("errorCode").len(), reply.text("lifecycle").as_str()),
        (0, "on-demand")
    );
}

#[tokio::test]
async fn there_may_be_errors_beside_instances() {
    let stage = Stage::new().await;
    let template = template(&stage).await;
    let reply = fleet(&stage, &template, &["us-east-1e", "us-east-1a"], "spot", &[]).await;
    assert_eq!(reply.text("errorCode"), "Unsupported");
    assert_eq!(reply.between("fleetInstanceSet").text("availabilityZone"), "us-east-1a");
    stage.habits(|habits| habits.spot_vcpus = Some(2));
    let reply = fleet(&stage, &template, &["us-east-1a"], "spot", &[]).await;
    assert_eq!(
        (reply.status, reply.text("errorCode").as_str()),
        (200, "MaxSpotInstanceCountExceeded")
    );
    stage.habits(|habits| (habits.spot_vcpus, habits.no_spot_role) = (None, true));
    let reply = fleet(&stage, &template, &["us-east-1a"], "spot", &[]).await;
    assert_eq!(reply.text("errorCode"), "AuthFailure.ServiceLinkedRoleCreationNotPermitted");
}

#[tokio::test]
async fn a_fleet_is_made_once_for_a_token() {
    let stage = Stage::new().await;
    let template = template(&stage).await;
    let once = [("ClientToken", "once")];
    let first = fleet(&stage, &template, &["us-east-1a"], "spot", &once).await;
    let again = fleet(&stage, &template, &["us-east-1a"], "spot", &once).await;
    assert_eq!(again.text("fleetId"), first.text("fleetId"));
    assert_eq!(stage.listed(&[]).await.len(), 1);
    let other = fleet(&stage, &template, &["us-east-1b"], "spot", &once).await;
    assert_eq!(other.refusal(), refused(400, "IdempotentParameterMismatch"));
}

#[tokio::test]
async fn fleets_are_closed_to_some_accounts_and_need_a_template() {
    let stage = Stage::new().await;
    let template = template(&stage).await;
    for (id, code) in [
        ("lt-0123456789abcdef0", "InvalidLaunchTemplateId.NotFound"),
        (template.as_str(), "MaxFleetCountExceeded"),
    ] {
        let reply = fleet(&stage, id, &["us-east-1a"], "spot", &[]).await;
        assert_eq!(reply.refusal(), refused(400, code));
        stage.habits(|habits| habits.fleets_closed = true);
    }
    assert_eq!(stage.run(&[]).await.status, 200, "orders work all the same");
    stage.habits(|habits| habits.fleets_closed = false);
    let target = [("Type", "instant"), ("TargetCapacitySpecification.TotalTargetCapacity", "1")];
    let reply = stage.ec2("CreateFleet", &target).await;
    assert_eq!(reply.refusal(), refused(400, "MissingParameter"));
    let reply = fleet(&stage, &template, &["us-east-1a"], "spot", &[("Type", "maintain")]).await;
    assert_eq!(reply.refusal(), refused(400, "UnsupportedOperation"));
}

#[tokio::test]
async fn templates_have_unique_names_and_can_be_ordered_from() {
    let stage = Stage::new().await;
    let id = template(&stage).await;
    let same = [("LaunchTemplateName", "spot"), ("LaunchTemplateData.InstanceType", "t3.small")];
    let reply = stage.ec2("CreateLaunchTemplate", &same).await;
    let taken = "InvalidLaunchTemplateName.AlreadyExistsException";
    assert_eq!(reply.refusal(), refused(400, taken));
    let by_name = [("LaunchTemplateName.1", "spot")];
    assert_eq!(stage.ec2("DescribeLaunchTemplates", &by_name).await.text("launchTemplateId"), id);
    let order =
        [("LaunchTemplate.LaunchTemplateId", id.as_str()), ("ImageId", ""), ("InstanceType", "")];
    let reply = stage.run(&order).await;
    assert_eq!((reply.status, reply.text("instanceType").as_str()), (200, "t3.small"));
    let this = [("LaunchTemplateId", id.as_str())];
    assert_eq!(stage.ec2("DeleteLaunchTemplate", &this).await.text("launchTemplateName"), "spot");
    let reply = stage.ec2("DeleteLaunchTemplate", &this).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidLaunchTemplateId.NotFound"));
    let reply = stage.ec2("DescribeLaunchTemplates", &by_name).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidLaunchTemplateName.NotFoundException"));
}

/// A template for a `t3.small` with user data; its id.
async fn template(stage: &Stage) -> String {
    let (image, data) = (stage.image(NOBLE).await, STANDARD.encode("#!/bin/sh"));
    let order = [
        ("LaunchTemplateName", "spot"),
        ("LaunchTemplateData.ImageId", image.as_str()),
        ("LaunchTemplateData.InstanceType", "t3.small"),
        ("LaunchTemplateData.UserData", data.as_str()),
        ("LaunchTemplateData.KeyName", "deploy"),
    ];
    let reply = stage.ec2("CreateLaunchTemplate", &order).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.text("launchTemplateId")
}

/// A fleet of one instance in any of some zones.
async fn fleet(
    stage: &Stage,
    template: &str,
    zones: &[&str],
    kind: &str,
    besides: &[(&str, &str)],
) -> Reply {
    let names: Vec<String> = (1..=zones.len())
        .map(|number| format!("LaunchTemplateConfigs.1.Overrides.{number}.AvailabilityZone"))
        .collect();
    let mut order = vec![
        ("Type", "instant"),
        ("SpotOptions.AllocationStrategy", "price-capacity-optimized"),
        ("TargetCapacitySpecification.TotalTargetCapacity", "1"),
        ("TargetCapacitySpecification.DefaultTargetCapacityType", kind),
        ("LaunchTemplateConfigs.1.LaunchTemplateSpecification.LaunchTemplateId", template),
        ("LaunchTemplateConfigs.1.LaunchTemplateSpecification.Version", "$Latest"),
        ("TagSpecification.1.ResourceType", "instance"),
        ("TagSpecification.1.Tag.1.Key", "stack"),
        ("TagSpecification.1.Tag.1.Value", "shop"),
    ];
    order.extend(names.iter().zip(zones).map(|(name, zone)| (name.as_str(), *zone)));
    order.retain(|(known, _)| !besides.iter().any(|(name, _)| name == known));
    order.extend(besides);
    stage.ec2("CreateFleet", &order).await
}
