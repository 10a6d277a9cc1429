//! Finding something to build on.

use std::time::Duration;

use bollard::Docker;
use bollard::models::CreateImageInfo;
use bollard::query_parameters::CreateImageOptions;
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::{ImageError, Recipe, Workshop, inspect, said};
use crate::local::engine::Engine;
use crate::local::labels;

/// How long a registry may stay silent before it counts as out of reach.
const FIRST_SIGN: Duration = Duration::from_secs(10);
/// How long a download may stand still.
const STALLED: Duration = Duration::from_secs(60);

impl Workshop {
    /// What to build on.
    pub(super) async fn base(
        &self,
        engine: &Engine,
        docker: &Docker,
        recipe: &Recipe,
    ) -> Result<String, ImageError> {
        let reference = recipe.reference();
        for present in [recipe.base_tag(), reference.to_owned()] {
            if let Ok(Some(image)) = inspect(docker, &present).await
                && image.architecture.as_deref().and_then(labels::arch) == Some(recipe.arch())
            {
                return Ok(present);
            }
        }
        let pull = match self.pull(docker, recipe).await {
            Ok(()) => return Ok(reference.to_owned()),
            Err(why) => format!("pulling `{reference}`: {why}"),
        };
        self.progress.line(&format!("{pull}; trying this machine's packages"));
        if !engine.same_machine {
            let why = "bootstrapping it: the engine does not run on this machine".to_owned();
            return Err(ImageError::of(recipe, &[pull, why], vec![recipe.pull_hint()]));
        }
        let failed = match self.bootstrap(docker, recipe).await {
            Ok(()) => return Ok(recipe.base_tag()),
            Err(failed) => failed,
        };
        let why = format!("bootstrapping it: {}", failed.why);
        Err(ImageError::of(recipe, &[pull, why], failed.hints))
    }

    async fn pull(&self, docker: &Docker, recipe: &Recipe) -> Result<(), String> {
        self.progress.line(&format!("pulling `{}`", recipe.reference()));
        let options = CreateImageOptions {
            from_image: Some(recipe.reference().to_owned()),
            platform: recipe.platform(),
            ..CreateImageOptions::default()
        };
        let mut answers = docker.create_image(Some(options), None, None);
        let mut patience = FIRST_SIGN;
        loop {
            match timeout(patience, answers.next()).await {
                Ok(None) => return Ok(()),
                Ok(Some(Ok(info))) => {
                    if let Some(line) = milestone(&info) {
                        self.progress.line(&line);
                    }
                }
                Ok(Some(Err(error))) => return Err(said(error)),
                Err(_) => return Err(format!("nothing came for {} s", patience.as_secs())),
            }
            patience = STALLED;
        }
    }
}

/// A line of a download worth showing: not the ones that count bytes.
fn milestone(info: &CreateImageInfo) -> Option<String> {
    let counts = info.progress_detail.as_ref().is_some_and(|detail| detail.total.is_some());
    let status = info.status.as_deref().filter(|_| !counts)?;
    match info.id.as_deref() {
        Some(id) if status == "Pull complete" => Some(format!("{id}: {status}")),
        Some(_) => None,
        None => Some(status.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use bollard::models::ProgressDetail;

    use super::*;

    #[test]
    fn a_download_is_shown_by_its_milestones() {
        let line = |id: Option<&str>, status: &str, total| {
            milestone(&CreateImageInfo {
                id: id.map(str::to_owned),
                status: Some(status.to_owned()),
                progress_detail: Some(ProgressDetail { current: None, total }),
                ..CreateImageInfo::default()
            })
        };
        assert_eq!(line(None, "Digest: sha256:1", None).as_deref(), Some("Digest: sha256:1"));
        assert_eq!(line(Some("4f"), "Pull complete", None).as_deref(), Some("4f: Pull complete"));
        assert_eq!(line(Some("4f"), "Downloading", Some(7)), None);
        assert_eq!(line(Some("4f"), "Waiting", None), None);
    }
}
