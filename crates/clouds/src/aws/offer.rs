//! What one region offers, from six kinds of questions at once.

use futures_util::future::try_join_all;
use stagecraft_core::cloud::CloudError;
use stagecraft_core::desired::Arch;
use stagecraft_core::name::{Image, Region};

use super::account::all;
use super::query::Query;
use super::refusal::NO_PARAMETER;
use super::{AwsProvider, catalogue, exchange, wire};
use crate::Doing;

impl AwsProvider {
    /// What a region offers now; the ids of its images are remembered.
    pub(super) async fn offer(
        &self,
        doing: &Doing,
        region: &Region,
    ) -> Result<catalogue::Offer, CloudError> {
        let api = self.account.ec2(doing, region)?;
        let families = catalogue::families(&self.sizes);
        let images = catalogue::images().map(|(image, arch)| async move {
            let id = self.find_image(doing, region, &image, arch).await?;
            Ok::<_, CloudError>(id.map(|id| ((region.clone(), image, arch), id)))
        });
        let ((types, _), (offerings, _), keys, images, (subnets, _)) = tokio::try_join!(
            async { Ok(all::<wire::Types>(&api, doing, catalogue::types(&families)).await?) },
            async {
                Ok(all::<wire::Offerings>(&api, doing, catalogue::offerings(&families)).await?)
            },
            async { Ok(api.ask::<wire::KeyPairs>(doing, &exchange::key_pairs()).await?) },
            try_join_all(images),
            async { Ok(all::<wire::Subnets>(&api, doing, self.subnets_to_use()).await?) },
        )?;
        let images: Vec<_> = images.into_iter().flatten().collect();
        let keys = wire::Page::turn(keys).0;
        let offer = catalogue::Offer {
            types: catalogue::architectures(&types),
            zones: catalogue::zones(offerings),
            images: images.iter().map(|((_, image, arch), _)| (image.clone(), *arch)).collect(),
            key_pairs: keys.into_iter().map(|pair| pair.key_name).collect(),
            subnets,
        };
        self.images.lock().await.extend(images);
        Ok(offer)
    }

    /// Asks for the subnets that hosts may be in.
    pub(super) fn subnets_to_use(&self) -> Query {
        self.subnet_id.as_deref().map_or_else(exchange::default_subnets, exchange::subnet)
    }

    /// The AMI of an image in a region.
    pub(super) async fn find_image(
        &self,
        doing: &Doing,
        region: &Region,
        image: &Image,
        arch: Arch,
    ) -> Result<Option<String>, CloudError> {
        let api = self.account.ssm(doing, region)?;
        for name in catalogue::parameters(image, arch) {
            match api.ask::<wire::Parameter>(doing, &exchange::parameter(&name)).await {
                Ok(found) => return Ok(Some(found.parameter.value)),
                Err(failed) if failed.is_code(NO_PARAMETER) => {}
                Err(failed) => return Err(failed.into()),
            }
        }
        Ok(None)
    }
}
