use std::time::Duration;

use stagecraft_testkit::emulators::Options;
use stagecraft_testkit::world::{Delay, Labels, Order};

use super::stage::{Reply, Stage, named, refused};

#[tokio::test]
async fn filters_pick_by_tags_state_token_and_network() {
    let stage = Stage::new().await;
    let web = stage.run(&[&named("web-1")[..], &[("ClientToken", "t")]].concat()).await;
    let (web, vpc) = (web.text("instanceId"), web.text("vpcId"));
    let app = stage.instance("app-1").await;
    let bare = stage.run(&[("InstanceType", "t3.micro")]).await.text("instanceId");
    stage.ec2("TerminateInstances", &[("InstanceId.1", &app)]).await;
    stage.boot().await;
    let all = |ids: &[&String]| {
        let mut ids: Vec<String> = ids.iter().map(|id| (*id).clone()).collect();
        ids.sort();
        ids
    };
    for (name, value, ids) in [
        ("tag:Name", "web-1", all(&[&web])),
        ("tag:Name", "*-1", all(&[&web, &app])),
        ("tag:name", "web-1", all(&[])),
        ("tag-key", "Name", all(&[&web, &app])),
        ("instance-state-name", "running", all(&[&web, &bare])),
        ("instance-state-name", "terminated", all(&[&app])),
        ("client-token", "t", all(&[&web])),
        ("instance-id", bare.as_str(), all(&[&bare])),
        ("instance-type", "t3.micro", all(&[&bare])),
        ("vpc-id", vpc.as_str(), all(&[&web, &bare])),
    ] {
        let filter = [("Filter.1.Name", name), ("Filter.1.Value.1", value)];
        assert_eq!(stage.listed(&filter).await, ids, "{name}={value}");
    }
    let both = [
        ("Filter.1.Name", "tag:Name"),
        ("Filter.1.Value.1", "web-1"),
        ("Filter.1.Value.2", "app-1"),
        ("Filter.2.Name", "instance-state-name"),
        ("Filter.2.Value.1", "running"),
    ];
    assert_eq!(stage.listed(&both).await, all(&[&web]));
    for (name, value) in [("tags", "x"), ("instance-state-name", "active")] {
        let filter = [("Filter.1.Name", name), ("Filter.1.Value.1", value)];
        let reply = stage.ec2("DescribeInstances", &filter).await;
        assert_eq!(reply.refusal(), refused(400, "InvalidParameterValue"));
    }
    let reply = stage.ec2("DescribeInstances", &[("Filter.1.Name", "vpc-id")]).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidParameterValue"), "no value is no filter");
}

#[tokio::test]
async fn lists_come_in_pages_in_no_order() {
    let stage = Stage::new().await;
    let made = stage.run(&[("MinCount", "12"), ("MaxCount", "12")]).await;
    let mut made = made.texts("instanceId");
    let (mut seen, mut sizes, mut next) = (Vec::new(), Vec::new(), String::new());
    loop {
        let mut params = vec![("MaxResults", "5")];
        if !next.is_empty() {
            params.push(("NextToken", &next));
        }
        let reply = stage.ec2("DescribeInstances", &params).await;
        assert_eq!(reply.texts("reservationId").len(), 1, "one reservation, however many of it");
        sizes.push(reply.texts("instanceId").len());
        seen.extend(reply.texts("instanceId"));
        next = reply.text("nextToken");
        if next.is_empty() {
            break;
        }
    }
    assert_eq!(sizes, [5, 5, 2]);
    assert_ne!(seen, made, "shuffled");
    seen.sort();
    made.sort();
    assert_eq!(seen, made);
    for (params, code) in [
        ([("MaxResults", "4")], "InvalidParameterValue"),
        ([("MaxResults", "1001")], "InvalidParameterValue"),
        ([("NextToken", "guessed")], "InvalidPaginationToken"),
    ] {
        assert_eq!(stage.ec2("DescribeInstances", &params).await.refusal(), refused(400, code));
    }
    let both = [("InstanceId.1", made[0].as_str()), ("MaxResults", "5")];
    let reply = stage.ec2("DescribeInstances", &both).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidParameterCombination"));
}

#[tokio::test]
async fn a_page_may_be_empty_although_there_are_more() {
    let stage = Stage::new().await;
    stage.habits(|habits| habits.empty_pages = true);
    let id = stage.instance("web-1").await;
    let first = stage.ec2("DescribeInstances", &[]).await;
    let token = first.text("nextToken");
    assert!(first.texts("instanceId").is_empty() && !token.is_empty(), "{}", first.body);
    let second = stage.ec2("DescribeInstances", &[("NextToken", &token)]).await;
    assert_eq!(second.texts("instanceId"), [id.as_str()]);
    assert_eq!(second.text("nextToken"), "");
    let other = stage.ec2("DescribeVpcs", &[("NextToken", &token)]).await;
    assert_eq!(other.refusal(), refused(400, "InvalidPaginationToken"));
    // What is named comes in one answer, and key pairs have no pages.
    let named = stage.ec2("DescribeInstances", &[("InstanceId.1", &id)]).await;
    assert_eq!((named.texts("instanceId"), named.text("nextToken")), (vec![id], String::new()));
    let keys = stage.ec2("DescribeKeyPairs", &[]).await;
    assert_eq!(
        (keys.texts("keyName"), keys.text("nextToken")),
        (vec!["deploy".to_owned()], String::new())
    );
}

#[tokio::test]
async fn what_is_new_is_found_neither_in_lists_nor_by_id_at_first() {
    let stage = Stage::new().await;
    stage.world.with(|world, _| world.behaviour().visible = Delay::Lists(2));
    let id = stage.instance("web-1").await;
    let mut seen: Vec<Reply> = Vec::new();
    for _ in 0..3 {
        seen.push(stage.ec2("DescribeInstances", &[("InstanceId.1", &id)]).await);
        stage.listed(&[]).await;
    }
    assert_eq!(seen[0].refusal(), refused(400, "InvalidInstanceID.NotFound"));
    assert_eq!(seen.iter().map(|reply| reply.status).collect::<Vec<_>>(), [400, 400, 200]);
    assert_eq!(stage.listed(&[]).await, [id.as_str()]);
    for (id, code) in [("web-1", "Malformed"), ("i-0123456789abcdef0", "NotFound")] {
        let reply = stage.ec2("DescribeInstances", &[("InstanceId.1", id)]).await;
        assert_eq!(reply.refusal(), refused(400, &format!("InvalidInstanceID.{code}")));
    }
}

#[tokio::test]
async fn what_is_terminated_stays_for_an_hour_without_a_network() {
    let stage = Stage::over(
        std::sync::Arc::new(stagecraft_testkit::emulators::NoHosts),
        Options::default(),
        1000,
    )
    .await;
    let id = stage.instance("web-1").await;
    stage.boot().await;
    stage.ec2("TerminateInstances", &[("InstanceId.1", &id)]).await;
    let began = stage.world.now();
    stage.listed(&[]).await;
    stage.listed(&[]).await;
    let shown = stage.ec2("DescribeInstances", &[("InstanceId.1", &id)]).await;
    assert_eq!(shown.between("instanceState").text("code"), "48");
    assert_eq!((shown.text("vpcId"), shown.text("ipAddress")), (String::new(), String::new()));
    assert_eq!(shown.between("stateReason").text("code"), "Client.UserInitiatedShutdown");
    assert!(shown.body.contains("<key>Name</key><value>web-1</value>"), "tags stay");
    assert!(stage.world.now() - began < Duration::from_secs(3000), "slow machine");
    stage.world.sleep(Duration::from_secs(3700)).await;
    assert!(stage.listed(&[]).await.is_empty());
    let reply = stage.ec2("DescribeInstances", &[("InstanceId.1", &id)]).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidInstanceID.NotFound"));
}

#[tokio::test]
async fn regions_do_not_see_each_others_instances_and_planted_ones_are_seen() {
    let mut stage = Stage::new().await;
    let id = stage.instance("web-1").await;
    let seen = stage.world.with(|world, now| world.machines(now)).remove(0);
    let mut spec = seen.spec;
    spec.region = "eu-west-1".into();
    let foreign = stage.world.with(|world, now| {
        let labels = Labels::from([("owner".to_owned(), "somebody".to_owned())]);
        world.plant(
            now,
            Order { name: "theirs".to_owned(), labels, tags: [].into(), spec, user_data: None },
        )
    });
    assert_eq!(stage.listed(&[]).await, [id]);
    stage.move_to("eu-west-1");
    let reply = stage.ec2("DescribeInstances", &[]).await;
    let foreign = stagecraft_testkit::emulators::aws::Aws::instance(&foreign);
    assert_eq!(reply.texts("instanceId"), [foreign.as_str()]);
    assert!(reply.body.contains("<key>Name</key><value>theirs</value>"));
    stage.move_to("eu-central-1");
    assert!(stage.listed(&[]).await.is_empty());
    let reply = stage.ec2("TerminateInstances", &[("InstanceId.1", &foreign)]).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidInstanceID.NotFound"));
}

#[tokio::test]
async fn elements_that_nobody_knows_may_be_among_the_others() {
    let stage = Stage::new().await;
    stage.habits(|habits| habits.novelties = true);
    stage.instance("web-1").await;
    let reply = stage.ec2("DescribeInstances", &[]).await;
    assert!(reply.body.contains("<novelty>quantum</novelty>"), "{}", reply.body);
}
