use super::stage::{NOBLE, Stage, refused};

#[tokio::test]
async fn there_is_a_default_network_and_one_of_somebodys_own() {
    let stage = Stage::new().await;
    let vpcs = stage.ec2("DescribeVpcs", &[]).await;
    assert_eq!(vpcs.texts("isDefault"), ["false", "true"]);
    let default = [("Filter.1.Name", "is-default"), ("Filter.1.Value.1", "true")];
    let vpc = stage.ec2("DescribeVpcs", &default).await.text("vpcId");
    let of_it = [("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", vpc.as_str())];
    let subnets = stage.ec2("DescribeSubnets", &of_it).await;
    assert_eq!(subnets.texts("availabilityZone").len(), 6);
    assert!(subnets.texts("mapPublicIpOnLaunch").iter().all(|public| public == "true"));
    for (action, name, id, code) in [
        ("DescribeVpcs", "VpcId.1", "vpc-0", "InvalidVpcID.NotFound"),
        ("DescribeSubnets", "SubnetId.1", "subnet-0", "InvalidSubnetID.NotFound"),
        ("DescribeSecurityGroups", "GroupId.1", "sg-0", "InvalidGroup.NotFound"),
    ] {
        assert_eq!(stage.ec2(action, &[(name, id)]).await.refusal(), refused(400, code));
    }
}

#[tokio::test]
async fn without_a_default_network_a_subnet_must_be_named() {
    let stage = Stage::new().await;
    stage.habits(|habits| habits.no_default_vpc = true);
    assert_eq!(stage.ec2("DescribeVpcs", &[]).await.texts("isDefault"), ["false"]);
    assert_eq!(stage.run(&[]).await.refusal(), refused(400, "VPCIdNotSpecified"));
    let group = [("GroupName", "ssh"), ("GroupDescription", "ssh")];
    let reply = stage.ec2("CreateSecurityGroup", &group).await;
    assert_eq!(reply.refusal(), refused(400, "VPCIdNotSpecified"));
    let subnet = stage.ec2("DescribeSubnets", &[]).await.text("subnetId");
    let reply = stage.run(&[("SubnetId", &subnet)]).await;
    assert_eq!((reply.status, reply.text("subnetId")), (200, subnet));
}

#[tokio::test]
async fn a_group_lets_in_nobody_until_it_is_told_to() {
    let stage = Stage::new().await;
    let order = [("GroupName", "ssh"), ("GroupDescription", "lets SSH in")];
    let made = stage.ec2("CreateSecurityGroup", &order).await;
    let id = made.text("groupId");
    assert!(id.starts_with("sg-0"), "{}", made.body);
    assert_eq!(
        stage.ec2("CreateSecurityGroup", &order).await.refusal(),
        refused(400, "InvalidGroup.Duplicate")
    );
    let rule = [
        ("GroupId", id.as_str()),
        ("IpPermissions.1.IpProtocol", "tcp"),
        ("IpPermissions.1.FromPort", "22"),
        ("IpPermissions.1.ToPort", "22"),
        ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0"),
        ("IpPermissions.1.Ipv6Ranges.1.CidrIpv6", "::/0"),
    ];
    let shown = async || stage.ec2("DescribeSecurityGroups", &[("GroupId.1", &id)]).await;
    assert_eq!(shown().await.text("ipPermissions"), "");
    let reply = stage.ec2("AuthorizeSecurityGroupIngress", &rule).await;
    assert_eq!(
        (reply.status, reply.texts("securityGroupRuleId").len()),
        (200, 2),
        "{}",
        reply.body
    );
    let reply = stage.ec2("AuthorizeSecurityGroupIngress", &rule).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidPermission.Duplicate"));
    let permissions = shown().await.between("ipPermissions");
    assert_eq!(permissions.texts("fromPort"), ["22", "22"]);
    assert_eq!(
        (permissions.text("cidrIp"), permissions.text("cidrIpv6")),
        ("0.0.0.0/0".into(), "::/0".into())
    );
    for (name, value) in [
        ("IpPermissions.1.FromPort", "23"),
        ("IpPermissions.1.ToPort", "70000"),
        ("IpPermissions.1.IpProtocol", "tpc"),
        ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0"),
    ] {
        let mut wrong = rule.to_vec();
        wrong.retain(|(known, _)| *known != name);
        wrong.push((name, value));
        let reply = stage.ec2("AuthorizeSecurityGroupIngress", &wrong).await;
        assert_eq!(reply.refusal(), refused(400, "InvalidParameterValue"), "{name}");
    }
    let reply = stage.ec2("AuthorizeSecurityGroupIngress", &[("GroupId", "sg-0")]).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidGroup.NotFound"));
}

#[tokio::test]
async fn a_group_cannot_go_while_it_is_used() {
    let stage = Stage::new().await;
    let order = [("GroupName", "ssh"), ("GroupDescription", "ssh")];
    let group = stage.ec2("CreateSecurityGroup", &order).await.text("groupId");
    let instance = stage.run(&[("SecurityGroupId.1", &group)]).await.text("instanceId");
    let this = [("GroupId", group.as_str())];
    let used = refused(400, "DependencyViolation");
    assert_eq!(stage.ec2("DeleteSecurityGroup", &this).await.refusal(), used);
    stage.ec2("TerminateInstances", &[("InstanceId.1", &instance)]).await;
    assert_eq!(stage.ec2("DeleteSecurityGroup", &this).await.refusal(), used, "shutting down");
    stage.boot().await;
    assert_eq!(stage.ec2("DeleteSecurityGroup", &this).await.status, 200);
    let gone = refused(400, "InvalidGroup.NotFound");
    assert_eq!(stage.ec2("DeleteSecurityGroup", &this).await.refusal(), gone);
    let default = [("Filter.1.Name", "group-name"), ("Filter.1.Value.1", "default")];
    let default = stage.ec2("DescribeSecurityGroups", &default).await.text("groupId");
    let reply = stage.ec2("DeleteSecurityGroup", &[("GroupId", &default)]).await;
    assert_eq!(reply.refusal(), refused(400, "CannotDelete"));
}

#[tokio::test]
async fn an_image_belongs_to_a_region() {
    let mut stage = Stage::new().await;
    let here = stage.image(NOBLE).await;
    stage.move_to("eu-central-1");
    assert_ne!(stage.image(NOBLE).await, here);
    let reply = stage.run(&[("ImageId", &here)]).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidAMIID.NotFound"));
}
