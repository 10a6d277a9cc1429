use super::stage::{Stage, refused};

#[tokio::test]
async fn regions_are_those_the_account_may_use() {
    let stage = Stage::new().await;
    let regions = stage.ec2("DescribeRegions", &[]).await;
    let names = ["eu-central-1", "eu-north-1", "eu-west-1", "us-east-1", "us-west-2"];
    assert_eq!(regions.texts("regionName"), names);
    let all = stage.ec2("DescribeRegions", &[("AllRegions", "true")]).await;
    assert!(all.texts("regionName").contains(&"ap-southeast-3".to_owned()));
    assert!(all.texts("optInStatus").contains(&"not-opted-in".to_owned()));
    let reply = stage.ec2("DescribeRegions", &[("RegionName.1", "mars-1")]).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidParameterValue"));
    let zones = stage.ec2("DescribeAvailabilityZones", &[]).await;
    assert_eq!(zones.texts("zoneName").len(), 6);
    assert_ne!(zones.texts("zoneId")[0], "use1-az1", "letters are not numbers");
}

#[tokio::test]
async fn types_are_those_sold_in_the_region() {
    let mut stage = Stage::new().await;
    let all = stage.ec2("DescribeInstanceTypes", &[]).await.texts("instanceType");
    assert!(all.contains(&"p4d.24xlarge".to_owned()));
    let one = stage.ec2("DescribeInstanceTypes", &[("InstanceType.1", "t4g.small")]).await;
    for (name, value) in [
        ("supportedArchitectures", "<item>arm64</item>"),
        ("supportedUsageClasses", "<item>on-demand</item><item>spot</item>"),
        ("defaultVCpus", "2"),
        ("sizeInMiB", "2048"),
    ] {
        assert_eq!(one.text(name), value);
    }
    let arm =
        [("Filter.1.Name", "processor-info.supported-architecture"), ("Filter.1.Value.1", "arm64")];
    let arm = stage.ec2("DescribeInstanceTypes", &arm).await.texts("instanceType");
    assert!(arm.iter().all(|name| name.contains('g')) && arm.len() == 6, "{arm:?}");
    let page = stage.ec2("DescribeInstanceTypes", &[("MaxResults", "5")]).await;
    assert_eq!(page.texts("instanceType").len(), 5);
    let next = page.text("nextToken");
    let rest = stage.ec2("DescribeInstanceTypes", &[("NextToken", &next)]).await;
    assert_eq!([page.texts("instanceType"), rest.texts("instanceType")].concat(), all);
    let reply = stage.ec2("DescribeInstanceTypes", &[("MaxResults", "101")]).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidParameterValue"));
    stage.move_to("eu-north-1");
    let reply = stage.ec2("DescribeInstanceTypes", &[("InstanceType.1", "p4d.24xlarge")]).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidInstanceType"));
}

#[tokio::test]
async fn offerings_say_which_zone_sells_a_type() {
    let stage = Stage::new().await;
    let of = async |kind: &str, location: &str| {
        let params = [
            ("LocationType", location),
            ("Filter.1.Name", "instance-type"),
            ("Filter.1.Value.1", kind),
        ];
        stage.ec2("DescribeInstanceTypeOfferings", &params).await.texts("location")
    };
    assert_eq!(of("p4d.24xlarge", "availability-zone").await, ["us-east-1d"]);
    assert_eq!(of("p4d.24xlarge", "region").await, ["us-east-1"]);
    assert_eq!(of("t3.small", "availability-zone").await.len(), 5);
    assert_eq!(of("c7i.xlarge", "availability-zone-id").await, ["use1-az2", "use1-az3"]);
}

#[tokio::test]
async fn parameters_name_the_newest_image_of_a_region() {
    let stage = Stage::new().await;
    let ubuntu = "/aws/service/canonical/ubuntu/server";
    let mut images = Vec::new();
    for parameter in [
        format!("{ubuntu}/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"),
        format!("{ubuntu}/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id"),
        format!("{ubuntu}/22.04/stable/current/arm64/hvm/ebs-gp2/ami-id"),
        "/aws/service/debian/release/12/latest/amd64".to_owned(),
        "/aws/service/debian/release/12/latest/arm64".to_owned(),
    ] {
        let image = stage.image(&parameter).await;
        let shown = stage.ec2("DescribeImages", &[("ImageId.1", &image)]).await;
        assert_eq!(shown.text("imageState"), "available");
        assert!(shown.text("name").contains("20260801"), "the newest: {}", shown.body);
        images.push(image);
    }
    images.sort();
    images.dedup();
    assert_eq!(images.len(), 5);
    let by_name = format!("{ubuntu}/noble/stable/current/amd64/hvm/ebs-gp3/ami-id");
    assert!(images.contains(&stage.image(&by_name).await));
    let gp3 = format!("{ubuntu}/22.04/stable/current/amd64/hvm/ebs-gp3/ami-id");
    for unknown in [gp3.as_str(), "/mine"] {
        let reply = stage.parameter(unknown).await;
        assert_eq!(reply.header("content-type"), Some("application/x-amz-json-1.1"));
        assert_eq!((reply.status, &reply.json()["__type"]), (400, &"ParameterNotFound".into()));
    }
    for (body, code) in [
        ("[", "SerializationException"),
        ("{}", "ValidationException"),
        (r#"{"Name":"/x","Nam":1}"#, "ValidationException"),
    ] {
        assert_eq!(stage.ssm(body).await.json()["__type"], code);
    }
}

#[tokio::test]
async fn images_are_found_by_owner_and_name() {
    let stage = Stage::new().await;
    let debian = [
        ("Owner.1", "136693071363"),
        ("Filter.1.Name", "name"),
        ("Filter.1.Value.1", "debian-12-*"),
        ("Filter.2.Name", "architecture"),
        ("Filter.2.Value.1", "arm64"),
    ];
    let found = stage.ec2("DescribeImages", &debian).await;
    assert_eq!(found.texts("imageId").len(), 2, "two releases");
    assert_eq!(found.text("rootDeviceName"), "/dev/xvda");
    let mine = stage.ec2("DescribeImages", &[("Owner.1", "self")]).await;
    assert_eq!(mine.text("imagesSet"), "");
    let reply = stage.ec2("DescribeImages", &[("ImageId.1", "ami-0123456789abcdef0")]).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidAMIID.NotFound"));
}

#[tokio::test]
async fn key_pairs_are_shown_with_the_fingerprint_of_their_kind() {
    let stage = Stage::new().await;
    let key = stage.ec2("DescribeKeyPairs", &[("KeyName.1", "deploy")]).await;
    assert_eq!((key.text("keyType").as_str(), key.text("publicKey")), ("ed25519", String::new()));
    assert_eq!(key.text("keyFingerprint").len(), 44, "SHA-256 in base64");
    let whole = [("KeyName.1", "deploy"), ("IncludePublicKey", "true")];
    assert!(
        stage.ec2("DescribeKeyPairs", &whole).await.text("publicKey").starts_with("ssh-ed25519 ")
    );
    let reply = stage.ec2("DescribeKeyPairs", &[("KeyName.1", "nobody")]).await;
    assert_eq!(reply.refusal(), refused(400, "InvalidKeyPair.NotFound"));
    assert!(stage.aws.put_key("bad", "no key").is_err());
}
