use super::stage::{Stage, refused};

#[tokio::test]
async fn tags_are_added_replaced_and_removed() {
    let stage = Stage::new().await;
    let id = stage.instance("web-1").await;
    let this = ("ResourceId.1", id.as_str());
    let add = [
        this,
        ("Tag.1.Key", "role"),
        ("Tag.1.Value", "web"),
        ("Tag.2.Key", "Name"),
        ("Tag.2.Value", "web-2"),
    ];
    assert_eq!(stage.ec2("CreateTags", &add).await.text("return"), "true");
    let tags = async || stage.ec2("DescribeInstances", &[]).await.between("tagSet").texts("value");
    assert_eq!(tags().await, ["web-2", "web"]);
    let seen = stage.world.with(|world, now| world.machines(now)).remove(0);
    assert_eq!(seen.name, "web-2");
    let other = [this, ("Tag.1.Key", "role"), ("Tag.1.Value", "db")];
    stage.ec2("DeleteTags", &other).await;
    assert_eq!(tags().await, ["web-2", "web"], "the value is another");
    stage.ec2("DeleteTags", &[this, ("Tag.1.Key", "role")]).await;
    assert_eq!(tags().await, ["web-2"]);
    stage.ec2("DeleteTags", &[this]).await;
    assert!(tags().await.is_empty());
}

#[tokio::test]
async fn there_are_tags_that_cannot_be() {
    let stage = Stage::new().await;
    let id = stage.instance("web-1").await;
    let this = ("ResourceId.1", id.as_str());
    let long = "k".repeat(129);
    for tag in [
        vec![("Tag.1.Key", "aws:mine"), ("Tag.1.Value", "x")],
        vec![("Tag.1.Key", long.as_str()), ("Tag.1.Value", "x")],
        vec![("Tag.1.Key", "a"), ("Tag.2.Key", "a")],
    ] {
        let reply = stage.ec2("CreateTags", &[&[this][..], &tag].concat()).await;
        assert_eq!(reply.refusal(), refused(400, "InvalidParameterValue"), "{tag:?}");
    }
    let keys: Vec<String> = (1..=50).map(|number| format!("Tag.{number}.Key")).collect();
    let names: Vec<String> = (1..=50).map(|number| format!("key-{number}")).collect();
    let many: Vec<(&str, &str)> =
        keys.iter().zip(&names).map(|(key, name)| (key.as_str(), name.as_str())).collect();
    let reply = stage.ec2("CreateTags", &[&[this][..], &many].concat()).await;
    assert_eq!(reply.refusal(), refused(400, "TagLimitExceeded"), "with the name they are 51");
    let reply = stage.ec2("CreateTags", &[&[this][..], &many[..49]].concat()).await;
    assert_eq!(reply.status, 200);
    let reply = stage.ec2("CreateTags", &[this]).await;
    assert_eq!(reply.refusal(), refused(400, "MissingParameter"));
    for (id, code) in [
        ("i-0123456789abcdef0", "InvalidInstanceID.NotFound"),
        ("sg-0123456789abcdef0", "InvalidGroup.NotFound"),
        ("vol-0123456789abcdef0", "InvalidVolume.NotFound"),
        ("moon-1", "InvalidID"),
    ] {
        let reply = stage.ec2("CreateTags", &[("ResourceId.1", id), ("Tag.1.Key", "a")]).await;
        assert_eq!(reply.refusal(), refused(400, code));
    }
}

#[tokio::test]
async fn an_order_tags_what_it_makes_and_nothing_else() {
    let stage = Stage::new().await;
    let of = |kind: &'static str, spot: bool| {
        let mut order = vec![
            ("TagSpecification.1.ResourceType", kind),
            ("TagSpecification.1.Tag.1.Key", "a"),
            ("TagSpecification.1.Tag.1.Value", "b"),
        ];
        if spot {
            order.push(("InstanceMarketOptions.MarketType", "spot"));
        }
        order
    };
    for kind in ["instance", "volume", "network-interface"] {
        assert_eq!(stage.run(&of(kind, false)).await.status, 200, "{kind}");
    }
    assert_eq!(stage.run(&of("spot-instances-request", true)).await.status, 200);
    let reply = stage.run(&of("spot-instances-request", false)).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidParameterCombination"));
    for kind in ["vpc", "instances"] {
        let reply = stage.run(&of(kind, false)).await;
        assert_eq!(reply.refusal(), refused(400, "InvalidParameterValue"), "{kind}");
    }
    let twice = [
        &of("instance", false)[..],
        &[("TagSpecification.2.ResourceType", "instance"), ("TagSpecification.2.Tag.1.Key", "c")],
    ]
    .concat();
    assert_eq!(stage.run(&twice).await.refusal(), refused(400, "InvalidParameterValue"));
}
