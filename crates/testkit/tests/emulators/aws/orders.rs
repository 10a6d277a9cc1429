use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::stage::{NOBLE, Stage, named, refused};

#[tokio::test]
async fn an_order_is_answered_by_a_reservation_of_pending_instances() {
    let stage = Stage::new().await;
    let data = STANDARD.encode("#cloud-config\n");
    let order = [("KeyName", "deploy"), ("UserData", data.as_str())];
    let reply = stage.run(&[&order[..], &named("web-1")].concat()).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let id = reply.text("instanceId");
    assert!(id.len() == 19 && id.starts_with("i-0"), "{id}");
    assert!(reply.text("reservationId").starts_with("r-0"));
    let state = reply.between("instanceState");
    assert_eq!((state.text("code").as_str(), state.text("name").as_str()), ("0", "pending"));
    for (name, value) in [
        ("imageId", stage.image(NOBLE).await.as_str()),
        ("instanceType", "t3.small"),
        ("keyName", "deploy"),
        ("architecture", "x86_64"),
        ("availabilityZone", "us-east-1a"),
        ("httpTokens", "optional"),
        ("rootDeviceName", "/dev/sda1"),
        ("ipAddress", ""),
    ] {
        assert_eq!(reply.text(name), value, "{name}");
    }
    let launched = reply.text("launchTime");
    assert!(launched.starts_with("2023-11-14T22:1") && launched.ends_with(".000Z"), "{launched}");
    assert_eq!(reply.between("tagSet").body, "<item><key>Name</key><value>web-1</value></item>");
    assert_eq!(stage.aws.user_data(&id).as_deref(), Some("#cloud-config\n"));
    assert_eq!(stage.aws.keys_of(&id).len(), 1);
    let seen = stage.world.with(|world, now| world.machines(now)).remove(0);
    assert_eq!((seen.name.as_str(), seen.spec.region.0.as_str()), ("web-1", "us-east-1"));
    assert_eq!(
        (seen.spec.size.0.as_str(), seen.spec.image.0.as_str()),
        ("t3.small", "ubuntu-24.04")
    );
}

#[tokio::test]
async fn what_an_order_must_say_and_how() {
    let stage = Stage::new().await;
    for (name, code) in [
        ("ImageId", "MissingParameter"),
        ("InstanceType", "MissingParameter"),
        ("MinCount", "MissingParameter"),
        ("MaxCount", "MissingParameter"),
    ] {
        assert_eq!(stage.run(&[(name, "")]).await.refusal(), refused(400, code), "{name}");
    }
    for (name, value, code) in [
        ("MinCount", "0", "InvalidParameterValue"),
        ("MinCount", "2", "InvalidParameterValue"),
        ("MaxCount", "many", "InvalidParameterValue"),
        ("ImageId", "ubuntu-24.04", "InvalidAMIID.Malformed"),
        ("ImageId", "ami-0123456789abcdef0", "InvalidAMIID.NotFound"),
        ("ImageId", "resolve:ssm:/no/such", "InvalidAMIID.NotFound"),
        ("InstanceType", "t3.tiny", "InvalidParameterValue"),
        ("InstanceType", "t4g.small", "InvalidParameterValue"),
        ("KeyName", "nobody", "InvalidKeyPair.NotFound"),
        ("SubnetId", "subnet-0123456789abcdef0", "InvalidSubnetID.NotFound"),
        ("SecurityGroupId.1", "sg-0123456789abcdef0", "InvalidGroup.NotFound"),
        ("SecurityGroup.1", "nobodys", "InvalidGroup.NotFound"),
        ("Placement.AvailabilityZone", "eu-central-1a", "InvalidParameterValue"),
        ("UserData", "#cloud-config", "InvalidUserData.Malformed"),
        ("MetadataOptions.HttpTokens", "yes", "InvalidParameterValue"),
        ("MetadataOptions.HttpPutResponseHopLimit", "65", "InvalidParameterValue"),
        ("InstanceMarketOptions.MarketType", "block", "InvalidParameterValue"),
        ("InstanceMarketOptions.SpotOptions.MaxPrice", "1", "MissingParameter"),
        ("DisableApiTermination", "yes", "InvalidParameterValue"),
        ("ClientToken", &"x".repeat(65), "InvalidParameterValue"),
    ] {
        let reply = stage.run(&[(name, value)]).await;
        assert_eq!(reply.refusal(), refused(400, code), "{name}: {}", reply.body);
    }
    let reply = stage.run(&[("InstanceType", "t4g.small")]).await;
    assert!(reply.text("Message").contains("that have matching architectures"), "{}", reply.body);
    assert!(stage.listed(&[]).await.is_empty());
}

#[tokio::test]
async fn user_data_is_at_most_sixteen_kibibytes_before_it_is_encoded() {
    let stage = Stage::new().await;
    let most = STANDARD.encode("x".repeat(16 * 1024));
    assert_eq!(stage.run(&[("UserData", &most)]).await.status, 200);
    let more = STANDARD.encode("x".repeat(16 * 1024 + 1));
    let reply = stage.run(&[("UserData", &more)]).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidParameterValue"));
}

#[tokio::test]
async fn an_image_may_be_named_by_its_parameter() {
    let stage = Stage::new().await;
    let reply = stage.run(&[("ImageId", &format!("resolve:ssm:{NOBLE}"))]).await;
    assert_eq!(reply.text("imageId"), stage.image(NOBLE).await);
}

#[tokio::test]
async fn a_network_interface_goes_with_no_subnet_or_groups_beside_it() {
    let stage = Stage::new().await;
    let subnets = stage.ec2("DescribeSubnets", &[]).await.texts("subnetId");
    let (own, default) = (&subnets[0], &subnets[1]);
    let interface = ("NetworkInterface.1.DeviceIndex", "0");
    for besides in
        [("SubnetId", default.as_str()), ("SecurityGroupId.1", "sg-1"), ("SecurityGroup.1", "a")]
    {
        let reply = stage.run(&[interface, besides]).await;
        assert_eq!(reply.refusal(), refused(400, "InvalidParameterCombination"), "{besides:?}");
    }
    let reply = stage.run(&[("NetworkInterface.1.SubnetId", default)]).await;
    assert_eq!(reply.refusal(), refused(400, "MissingParameter"));
    let reply = stage.run(&[("NetworkInterface.1.DeviceIndex", "1")]).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidParameterCombination"));
    let public = ("NetworkInterface.1.AssociatePublicIpAddress", "true");
    for (subnet, besides, addressed) in [
        (default, None, true),
        (default, Some(("NetworkInterface.1.AssociatePublicIpAddress", "false")), false),
        (own, None, false),
        (own, Some(public), true),
    ] {
        let mut order = vec![interface, ("NetworkInterface.1.SubnetId", subnet)];
        order.extend(besides);
        let id = stage.run(&order).await.text("instanceId");
        stage.boot().await;
        let shown = stage.ec2("DescribeInstances", &[("InstanceId.1", &id)]).await;
        assert_eq!(!shown.text("ipAddress").is_empty(), addressed, "{order:?}");
        assert_eq!(&shown.text("subnetId"), subnet);
        assert!(shown.text("privateIpAddress").starts_with("172.31."));
    }
}

#[tokio::test]
async fn a_subnet_a_zone_and_groups_must_go_together() {
    let stage = Stage::new().await;
    let subnets = stage.ec2("DescribeSubnets", &[]).await.texts("subnetId");
    let zone = ("Placement.AvailabilityZone", "us-east-1c");
    let reply = stage.run(&[("SubnetId", &subnets[1]), zone]).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidParameterValue"));
    let reply = stage.run(&[zone]).await;
    assert_eq!(reply.text("availabilityZone"), "us-east-1c");
    let groups = stage.ec2("DescribeSecurityGroups", &[]).await.texts("groupId");
    let reply = stage.run(&[("SubnetId", &subnets[0]), ("SecurityGroupId.1", &groups[0])]).await;
    let other = stage.run(&[("SubnetId", &subnets[1]), ("SecurityGroupId.1", &groups[0])]).await;
    let statuses = [reply.status, other.status];
    assert!(statuses.contains(&200) && statuses.contains(&400), "{statuses:?}");
    let refused_one = if reply.status == 400 { reply } else { other };
    assert_eq!(refused_one.code(), "InvalidParameter");
}

#[tokio::test]
async fn a_root_disk_holds_its_image_and_other_disks_have_sizes() {
    let stage = Stage::new().await;
    let device = ("BlockDeviceMapping.1.DeviceName", "/dev/sda1");
    let sized = |size| [device, ("BlockDeviceMapping.1.Ebs.VolumeSize", size)];
    assert_eq!(stage.run(&sized("20")).await.status, 200);
    let reply = stage.run(&sized("7")).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidBlockDeviceMapping"));
    let reply = stage.run(&[("BlockDeviceMapping.1.DeviceName", "/dev/sdb")]).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidBlockDeviceMapping"));
}

#[tokio::test]
async fn a_name_is_only_a_tag() {
    let stage = Stage::new().await;
    let one = stage.instance("web-1").await;
    let two = stage.instance("web-1").await;
    let three = stage.instance("Not a DNS label!").await;
    let mut all = vec![one, two, three];
    all.sort();
    assert_eq!(stage.listed(&[]).await, all);
}
