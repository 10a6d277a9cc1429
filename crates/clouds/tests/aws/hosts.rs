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
