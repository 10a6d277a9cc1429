use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use stagecraft_core::cloud::{Catalogue, CloudProvider};
use stagecraft_core::desired::Arch;
use stagecraft_core::inventory::Spec;
use stagecraft_core::name::InstanceId;
use stagecraft_testkit::conformance::{Pace, Subject, checks, conformance};

use crate::stage::Stage;

#[tokio::test]
async fn the_aws_provider_keeps_every_promise_that_moto_can_show() {
    let Some(stage) = Stage::new().await else { return };
    let verdict = conformance(&OnTrial(stage)).await;
    assert_eq!((verdict.violations(), verdict.skipped()), (vec![], vec![]), "{verdict}");
    assert_eq!(verdict.0.len(), checks().count());
}

struct OnTrial(Stage);

#[async_trait]
impl Subject for OnTrial {
    fn provider(&self) -> Arc<dyn CloudProvider> {
        Arc::new(self.0.provider())
    }

    fn run(&self) -> String {
        "c1".to_owned()
    }

    fn unique_names(&self) -> bool {
        false
    }

    fn repeats_are_recognised(&self) -> bool {
        true
    }

    fn unknown_id(&self) -> InstanceId {
        "i-0123456789abcdef0".into()
    }

    fn pace(&self) -> Pace {
        Pace { poll: Duration::from_millis(50), patience: Duration::from_secs(20) }
    }

    fn spec(&self, _: &Catalogue) -> Option<Spec> {
        Some(Spec {
            region: "us-east-1".into(),
            size: "t3.small".into(),
            image: "debian-12".into(),
            arch: Arch::Amd64,
            spot: false,
        })
    }

    async fn stop(&self, id: &InstanceId) -> bool {
        self.0.ec2("us-east-1", &format!("Action=StopInstances&InstanceId.1={id}")).await;
        true
    }

    async fn plant_foreign(&self, name: &str) -> Option<InstanceId> {
        let images = self.0.ec2("us-east-1", "Action=DescribeImages").await;
        let image = between(&images, "<imageId>", "<")?;
        let made = self
            .0
            .ec2(
                "us-east-1",
                &format!(
                    "Action=RunInstances&ImageId={image}&InstanceType=t3.small&MinCount=1&MaxCount=1\
                     &TagSpecification.1.ResourceType=instance\
                     &TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value={name}"
                ),
            )
            .await;
        between(&made, "<instanceId>", "<").map(Into::into)
    }

    async fn has_foreign(&self, id: &InstanceId) -> bool {
        let one = format!("Action=DescribeInstances&InstanceId.1={id}");
        self.0.ec2("us-east-1", &one).await.contains("<name>running</name>")
    }

    async fn remove_foreign(&self, id: &InstanceId) {
        self.0.ec2("us-east-1", &format!("Action=TerminateInstances&InstanceId.1={id}")).await;
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(inside, _)| inside)
}
