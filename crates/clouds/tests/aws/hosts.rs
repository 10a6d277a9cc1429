use stagecraft_clouds::aws::{AwsProvider, AwsSettings};
use stagecraft_core::cloud::CloudProvider as _;
use stagecraft_core::desired::Arch;
use stagecraft_core::inventory::{Instance, Lifecycle};
use stagecraft_core::name::{Image, Size};

use crate::stage::{Stage, order, scope};

#[tokio::test]
async fn the_catalogue_knows_types_images_and_keys_of_all_regions_and_no_prices() {
    let Some(stage) = Stage::new().await else { return };
    let catalogue = stage.provider().catalogue().await.unwrap();
    assert!(catalogue.regions.contains(&"ap-southeast-2".into()));
    let sizes: Vec<_> = ["small", "medium", "large"].map(Size::from).into();
    for arch in [Arch::Amd64, Arch::Arm64] {
        for size in &sizes {
            assert!(catalogue.portable_sizes.contains_key(&(size.clone(), arch)), "{size} {arch}");
        }
        for image in ["ubuntu-22.04", "ubuntu-24.04", "debian-12"].map(Image::from) {
            assert!(catalogue.images.contains(&(image.clone(), arch)), "{image} {arch}");
        }
    }
    let small = catalogue.sizes.iter().find(|of| of.size.as_str() == "t3.small").unwrap();
    let regions: Vec<_> = small.regions.iter().map(|(of, price)| (of.as_str(), price)).collect();
    assert_eq!(regions, [("eu-west-1", &None), ("us-east-1", &None)]);
    assert_eq!(catalogue.ssh_keys, Some(["deploy".to_owned()].into()));
}

#[tokio::test]
async fn hosts_of_all_regions_are_listed_and_found_by_id_alone() {
    let Some(stage) = Stage::new().await else { return };
    let provider = stage.provider();
    let mut there = order("db-1");
    there.spec.region = "eu-west-1".into();
    let made = [provider.create(&order("web-1")).await, provider.create(&there).await];
    let made = made.map(Result::unwrap);
    let provider = stage.provider();
    for instance in &made {
        let found = provider.get(&instance.id).await.unwrap().unwrap();
        assert_eq!(found.spec, instance.spec);
    }
    let listed = stage.provider().list(&scope()).await.unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|of| of.lifecycle == Lifecycle::Running), "{listed:?}");
}

#[tokio::test]
async fn a_second_order_of_a_host_gives_the_instance_of_the_first() {
    let Some(stage) = Stage::new().await else { return };
    let first = stage.provider().create(&order("db-1")).await.unwrap();
    let second = stage.provider().create(&order("db-1")).await.unwrap();
    assert_eq!(first.id, second.id);
}

#[tokio::test]
async fn an_environment_has_one_group_that_opens_ssh_and_the_mesh_until_its_last_host_is_gone() {
    let Some(stage) = Stage::new().await else { return };
    let provider = stage.provider();
    let mut made: Vec<Instance> = Vec::new();
    for host in ["db-1", "web-1"] {
        made.push(provider.create(&order(host)).await.unwrap());
    }
    let groups = "Action=DescribeSecurityGroups&Filter.1.Name=group-name&Filter.1.Value.1=stagecraft.shop.staging";
    let shown = stage.ec2("us-east-1", groups).await;
    assert_eq!(shown.matches("<groupId>").count(), 1, "{shown}");
    for rule in ["<fromPort>22</fromPort>", "<fromPort>51820</fromPort>", "<ipProtocol>udp<"] {
        assert!(shown.contains(rule), "{shown}");
    }
    provider.tidy(&scope()).await.unwrap();
    assert!(stage.ec2("us-east-1", groups).await.contains("<groupId>"), "it is in use");
    for instance in &made {
        provider.terminate(&instance.id).await.unwrap();
    }
    provider.tidy(&scope()).await.unwrap();
    let shown = stage.ec2("us-east-1", groups).await;
    assert!(!shown.contains("<groupId>"), "{shown}");
    provider.tidy(&scope()).await.unwrap();
    stage.provider().create(&order("db-1")).await.unwrap();
}

#[tokio::test]
async fn a_mesh_that_comes_later_opens_its_port_and_leaves_rules_of_others_alone() {
    let Some(stage) = Stage::new().await else { return };
    let settings = |mesh_port| AwsSettings {
        mesh_port,
        ..stage.settings("AKIDEXAMPLE", "s3cr3t-s3cr3t-s3cr3t")
    };
    let without = AwsProvider::new(settings(None));
    without.create(&order("db-1")).await.unwrap();
    without.prepare(&scope()).await.unwrap();
    let groups = "Action=DescribeSecurityGroups&Filter.1.Name=group-name&Filter.1.Value.1=stagecraft.shop.staging";
    let rules = async || {
        let shown = stage.ec2("us-east-1", groups).await;
        let ports = shown.split("<fromPort>").skip(1).filter_map(|of| of.split_once('<'));
        let mut ports: Vec<String> = ports.map(|(port, _)| port.to_owned()).collect();
        ports.retain(|port| port != "-1");
        (ports, shown)
    };
    assert_eq!(rules().await.0, ["22"]);
    for _ in 0..2 {
        AwsProvider::new(settings(Some(51820))).prepare(&scope()).await.unwrap();
        assert_eq!(rules().await.0, ["22", "51820"]);
    }
    let (_, shown) = rules().await;
    let id = shown.split_once("<groupId>").unwrap().1.split_once('<').unwrap().0;
    let few = format!(
        "Action=AuthorizeSecurityGroupIngress&GroupId={id}&IpPermissions.1.IpProtocol=udp&IpPermissions.1.FromPort=4000&IpPermissions.1.ToPort=4000&IpPermissions.1.IpRanges.1.CidrIp=192.0.2.0/24"
    );
    stage.ec2("us-east-1", &few).await;
    AwsProvider::new(settings(Some(4000))).prepare(&scope()).await.unwrap();
    let (ports, shown) = rules().await;
    assert_eq!(ports.iter().filter(|port| *port == "4000").count(), 1, "{shown}");
    let everybody = shown.matches("0.0.0.0/0").count();
    assert_eq!(everybody, 3, "SSH, the mesh before, and what goes out: {shown}");
}

#[tokio::test]
async fn an_instance_needs_tokens_for_its_metadata_and_its_volume_is_tagged() {
    let Some(stage) = Stage::new().await else { return };
    let made = stage.provider().create(&order("db-1")).await.unwrap();
    let one = format!("Action=DescribeInstances&InstanceId.1={}", made.id);
    let shown = stage.ec2("us-east-1", &one).await;
    assert!(shown.contains("<httpTokens>required</httpTokens>"), "{shown}");
    let volumes = stage.ec2("us-east-1", "Action=DescribeVolumes").await;
    assert!(volumes.contains("stagecraft.host"), "{volumes}");
}

#[tokio::test]
async fn a_protected_instance_is_not_removed_and_the_error_says_what_to_do() {
    let Some(stage) = Stage::new().await else { return };
    let provider = stage.provider();
    let made = provider.create(&order("db-1")).await.unwrap();
    let protect = format!(
        "Action=ModifyInstanceAttribute&InstanceId={}&DisableApiTermination.Value=true",
        made.id
    );
    stage.ec2("us-east-1", &protect).await;
    let error = provider.terminate(&made.id).await.unwrap_err();
    assert!(error.hints[0].contains("termination protection"), "{error} {:?}", error.hints);
}

#[tokio::test]
async fn a_spot_host_is_as_asked() {
    let Some(stage) = Stage::new().await else { return };
    let mut asked = order("builder-1");
    asked.spec.spot = true;
    let made = stage.provider().create(&asked).await.unwrap();
    assert_eq!(made.spec, asked.spec);
    let one = format!("Action=DescribeInstances&InstanceId.1={}", made.id);
    let shown = stage.ec2("us-east-1", &one).await;
    assert!(shown.contains("<instanceLifecycle>spot</instanceLifecycle>"), "{shown}");
}
