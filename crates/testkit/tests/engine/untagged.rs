use std::rc::Rc;
use std::sync::Arc;

use async_trait::async_trait;
use stagecraft_core::cloud::{
    Account, Catalogue, CloudError, CloudErrorKind, CloudProvider, CreateInstance, Termination,
};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::event::HostEnd;
use stagecraft_core::identity::Pins;
use stagecraft_core::inventory::{Instance, Marks};
use stagecraft_core::name::{InstanceId, Scope};
use stagecraft_testkit::world::Behaviour;
use stagecraft_testkit::{Flaw, MockCloud};

use crate::stage::{Stage, Verb, host};

#[tokio::test(start_paused = true)]
async fn a_machine_that_was_made_without_its_labels_is_not_made_again() {
    let mut stage = Stage::new(Behaviour::names_are_free(), 3).wants(["web-1"]);
    stage.provider = Rc::new(|cloud, process| {
        Arc::new(Unlabelled(MockCloud::new(cloud, process).with_flaw(Flaw::DropsLabels)))
    });
    let before = stage.effects();
    let ends = stage.run(Verb::Up).await.expect("it was not killed");
    let HostEnd::Failed(failure) = &ends[&host("web-1")] else { panic!("{ends:?}") };
    assert!(failure.message.contains("has other labels"), "{failure:?}");
    assert_eq!(stage.effects() - before, 1, "one machine was ordered");
}

/// It sees that its labels are not on what it made.
#[derive(Debug)]
struct Unlabelled(MockCloud);

#[async_trait]
impl CloudProvider for Unlabelled {
    fn id(&self) -> ProviderId {
        self.0.id()
    }

    async fn validate_credentials(&self) -> Result<Account, CloudError> {
        self.0.validate_credentials().await
    }

    async fn catalogue(&self) -> Result<Catalogue, CloudError> {
        self.0.catalogue().await
    }

    async fn list(&self, scope: &Scope) -> Result<Vec<Instance>, CloudError> {
        self.0.list(scope).await
    }

    async fn get(&self, id: &InstanceId) -> Result<Option<Instance>, CloudError> {
        self.0.get(id).await
    }

    async fn create(&self, request: &CreateInstance) -> Result<Instance, CloudError> {
        drop(self.0.create(request).await);
        let kind = CloudErrorKind::UnexpectedAnswer("machine 7 has other labels".to_owned());
        Err(CloudError::new(self.id(), "create", kind).maybe_done().lasting())
    }

    async fn start(&self, id: &InstanceId) -> Result<(), CloudError> {
        self.0.start(id).await
    }

    async fn update(&self, id: &InstanceId, marks: &Marks) -> Result<(), CloudError> {
        self.0.update(id, marks).await
    }

    async fn pin(&self, instance: &Instance, pins: &Pins) -> Result<(), CloudError> {
        self.0.pin(instance, pins).await
    }

    async fn terminate(&self, id: &InstanceId) -> Result<Termination, CloudError> {
        self.0.terminate(id).await
    }

    async fn tidy(&self, scope: &Scope) -> Result<(), CloudError> {
        self.0.tidy(scope).await
    }
}
