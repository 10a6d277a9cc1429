use stagecraft_core::cloud::CloudErrorKind;
use stagecraft_testkit::emulators::faults::{Effect, Rule, When};
use stagecraft_testkit::world::{Fault, RequestKind};

use super::stage::{Stage, refused};

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn what_is_not_known_is_refused_as_such() {
    let stage = Stage::new().await;
    for (kind, body, code) in [
        (FORM, "Action=DescribeMoons&Version=2016-11-15", "InvalidAction"),
        (FORM, "Action=GetCallerIdentity&Version=2016-11-15", "InvalidAction"),
        (FORM, "Version=2016-11-15", "MissingAction"),
        (FORM, "Action=DescribeRegions", "MissingParameter"),
        (FORM, "Action=DescribeRegions&Version=2014-10-01", "NoSuchVersion"),
        (FORM, "Action=DescribeRegions&Version=2016-11-15&X=1&X=2", "MalformedQueryString"),
        (FORM, "Action=DescribeRegions&Version=2016-11-15&AllRegion=true", "UnknownParameter"),
        ("application/json", "Action=DescribeRegions&Version=2016-11-15", "MalformedQueryString"),
    ] {
        let reply = stage.send(kind, body).await.unwrap();
        assert_eq!(reply.refusal(), refused(400, code), "{body}");
    }
}

#[tokio::test]
async fn every_action_knows_its_parameters_and_no_others() {
    let stage = Stage::new().await;
    let id = stage.instance("web-1").await;
    for (action, name) in [
        ("AuthorizeSecurityGroupIngress", "IpPermission.1.IpProtocol"),
        ("CreateFleet", "LaunchTemplateConfig.1.Overrides.1.InstanceType"),
        ("CreateSecurityGroup", "Description"),
        ("CreateTags", "Resource.1"),
        ("DeleteTags", "Tags.1.Key"),
        ("DescribeAvailabilityZones", "MaxResults"),
        ("DescribeImages", "OwnerId.1"),
        ("DescribeInstanceTypeOfferings", "InstanceType.1"),
        ("DescribeInstanceTypes", "InstanceTypes.1"),
        ("DescribeInstances", "InstanceIds.1"),
        ("DescribeKeyPairs", "KeyNames.1"),
        ("DescribeLaunchTemplates", "LaunchTemplateIds.1"),
        ("DescribeRegions", "Region.1"),
        ("DescribeSecurityGroups", "GroupIds.1"),
        ("DescribeSubnets", "Subnet.1"),
        ("DescribeVpcs", "Vpc.1"),
        ("ModifyInstanceAttribute", "DisableApiTermination.value"),
        ("StartInstances", "Force"),
        ("StopInstances", "Forced"),
        ("TerminateInstances", "DryRunn"),
    ] {
        let known: &[(&str, &str)] = match action {
            "AuthorizeSecurityGroupIngress" => &[("GroupId", "sg-1")],
            "CreateFleet" => &[("TargetCapacitySpecification.TotalTargetCapacity", "1")],
            "CreateSecurityGroup" => &[("GroupName", "a"), ("GroupDescription", "a")],
            "CreateTags" | "DeleteTags" => &[("ResourceId.1", "i-1"), ("Tag.1.Key", "a")],
            "ModifyInstanceAttribute" => &[("InstanceId", &id)],
            "StartInstances" | "StopInstances" | "TerminateInstances" => &[("InstanceId.1", &id)],
            _ => &[],
        };
        let params = [known, &[(name, "true")]].concat();
        let reply = stage.ec2(action, &params).await;
        assert_eq!(reply.refusal(), refused(400, "UnknownParameter"), "{action}: {}", reply.body);
        assert!(reply.text("Message").contains(name), "{}", reply.body);
    }
    for name in ["SecurityGroupIds.1", "Tag.1.Key", "UserDate", "NetworkInterface.1.Groups.1"] {
        let reply = stage.run(&[("NetworkInterface.1.DeviceIndex", "0"), (name, "x")]).await;
        assert_eq!(reply.refusal(), refused(400, "UnknownParameter"), "{name}: {}", reply.body);
    }
    assert_eq!(stage.state(&id).await, "pending");
}

#[tokio::test]
async fn a_rehearsal_says_what_would_happen_and_does_nothing() {
    let stage = Stage::new().await;
    let reply = stage.run(&[("DryRun", "true")]).await;
    assert_eq!(reply.refusal(), refused(412, "DryRunOperation"));
    let reply = stage.run(&[("DryRun", "true"), ("KeyName", "nobody")]).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidKeyPair.NotFound"));
    let reply = stage.run(&[("DryRun", "true"), ("InstanceTyp", "x")]).await;
    assert_eq!(reply.refusal(), refused(400, "UnknownParameter"));
    let reply = stage.ec2("DescribeInstances", &[("DryRun", "true")]).await;
    assert_eq!(reply.refusal(), refused(412, "DryRunOperation"));
    assert!(stage.listed(&[]).await.is_empty());
}

#[tokio::test]
async fn what_the_world_refuses_is_said_in_the_words_of_the_api() {
    let stage = Stage::new().await;
    let text = || "because".to_owned();
    for (error, status, code) in [
        (CloudErrorKind::InvalidCredentials(text()), 401, "AuthFailure"),
        (CloudErrorKind::Forbidden(text()), 403, "UnauthorizedOperation"),
        (CloudErrorKind::QuotaExceeded(text()), 400, "InstanceLimitExceeded"),
        (CloudErrorKind::SoldOut(text()), 500, "InsufficientInstanceCapacity"),
        (CloudErrorKind::InvalidInput(text()), 400, "InvalidParameterValue"),
        (CloudErrorKind::RateLimited { after: None, message: text() }, 503, "RequestLimitExceeded"),
        (CloudErrorKind::ProviderFault(text()), 500, "InternalError"),
        (CloudErrorKind::Unsupported(text()), 400, "UnsupportedOperation"),
    ] {
        let fault = Fault::FailNext { kind: RequestKind::Create, times: 1, error };
        stage.world.with(|world, _| world.inject(fault));
        assert_eq!(stage.run(&[]).await.refusal(), refused(status, code));
    }
    let error = CloudErrorKind::Unreachable(text());
    let fault = Fault::FailNext { kind: RequestKind::List, times: 1, error };
    stage.world.with(|world, _| world.inject(fault));
    assert!(stage.ask("DescribeInstances", &[]).await.is_none());
    assert!(stage.world.with(|world, now| world.machines(now)).is_empty());
}

#[tokio::test]
async fn faults_pick_requests_by_action_and_the_record_names_it() {
    let stage = Stage::new().await;
    let failing = |code| Effect::Status { code, with_effect: false };
    stage.inject(Rule::new("POST", "/RunInstances", failing(500)).when(When::Nth(1)));
    stage.inject(Rule::new("POST", "/RunInstances", failing(503)).when(When::Nth(2)));
    stage.inject(Rule::new("POST", "/GetParameter", failing(500)).when(When::Nth(4)));
    assert_eq!(stage.run(&[]).await.refusal(), refused(500, "InternalError"));
    assert_eq!(stage.run(&[]).await.refusal(), refused(503, "Unavailable"));
    assert_eq!(stage.run(&[]).await.status, 200);
    let reply = stage.parameter("/x").await;
    assert_eq!((reply.status, &reply.json()["__type"]), (500, &"InternalServerError".into()));
    let lines: Vec<String> = stage.exchanges().iter().map(ToString::to_string).collect();
    assert!(lines[1].starts_with("POST /RunInstances 500 (injected: "), "{lines:?}");
    assert_eq!(lines[5], "POST /RunInstances 200");
}

#[tokio::test]
async fn answers_are_lost_cut_and_spoiled_as_everywhere() {
    let stage = Stage::new().await;
    let image = stage.image(super::stage::NOBLE).await;
    let order = [
        ("ImageId", image.as_str()),
        ("InstanceType", "t3.small"),
        ("MinCount", "1"),
        ("MaxCount", "1"),
        ("ClientToken", "once"),
    ];
    for (effect, made) in [(Effect::Cut, 0), (Effect::LostAnswer, 1)] {
        stage.inject(Rule::new("POST", "/RunInstances", effect));
        assert!(stage.ask("RunInstances", &order).await.is_none());
        stage.heal();
        assert_eq!(stage.listed(&[]).await.len(), made);
    }
    let again = stage.ec2("RunInstances", &order).await;
    assert_eq!(vec![again.text("instanceId")], stage.listed(&[]).await);
    stage.inject(Rule::new(
        "POST",
        "/DescribeVpcs",
        Effect::RateLimited { after_seconds: Some(4) },
    ));
    let reply = stage.ec2("DescribeVpcs", &[]).await;
    assert_eq!(reply.refusal(), refused(503, "RequestLimitExceeded"));
    assert_eq!(reply.header("retry-after"), Some("4"));
    stage.inject(Rule::new("POST", "/DescribeSubnets", Effect::NotJson));
    let reply = stage.ec2("DescribeSubnets", &[]).await;
    assert!(reply.status == 200 && !reply.body.contains("<subnetSet>"), "{}", reply.body);
    stage.inject(Rule::new("POST", "/DescribeImages", Effect::Truncated));
    let cut = stage.ask("DescribeImages", &[]).await;
    assert!(cut.is_none_or(|reply| !reply.body.contains("</DescribeImagesResponse>")));
}

#[tokio::test]
async fn an_order_whose_answer_the_world_loses_is_remembered_by_its_token() {
    let stage = Stage::new().await;
    stage.world.with(|world, _| world.inject(Fault::LoseAnswer { effect: 1 }));
    let image = stage.image(super::stage::NOBLE).await;
    let order = [
        ("ImageId", image.as_str()),
        ("InstanceType", "t3.small"),
        ("MinCount", "1"),
        ("MaxCount", "1"),
        ("ClientToken", "once"),
        ("KeyName", "deploy"),
    ];
    assert!(stage.ask("RunInstances", &order).await.is_none());
    let again = stage.ec2("RunInstances", &order).await;
    assert_eq!(again.text("keyName"), "deploy");
    assert_eq!(
        stage
            .listed(&[("Filter.1.Name", "client-token"), ("Filter.1.Value.1", "once")])
            .await
            .len(),
        1
    );
    assert_eq!(stage.world.with(|world, now| world.machines(now)).len(), 1);
}

#[tokio::test]
async fn only_a_post_to_the_root_is_served_and_whoever_comes_by_is_told_so() {
    let stage = Stage::new().await;
    let reply = stage.raw("GET", "/", &[("host".to_owned(), "x".to_owned())], "").await.unwrap();
    assert!(reply.json()["message"].as_str().unwrap().contains("AKIAIOSFODNN7EXAMPLE"));
    let body = "Action=DescribeRegions&Version=2016-11-15";
    let headers = super::signer::Signer { date: stage.date(0), ..stage.signer.clone() };
    let headers = headers.headers(FORM, body);
    for path in ["/v2", "/?Action=DescribeRegions"] {
        let reply = stage.raw("POST", path, &headers, body).await.unwrap();
        assert_eq!(reply.refusal(), refused(400, "InvalidQueryParameter"), "{path}");
    }
}
