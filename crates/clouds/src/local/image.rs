//! Images that boot as hosts, built on first use.
//!
//! ```text
//! engine has the tag? ── yes ──> done
//!        │ no
//!        v  one builder at a time, of all processes of this user on this machine
//! base: made before? > engine has `debian:12`? > pull it > make it from this machine's packages
//!        v
//! Dockerfile on top of the base, tagged at its end
//! ```
//!
//! The tag holds a digest of everything an image is made from, so a changed recipe is another
//! image. A build that was killed leaves no tag, and untagged leftovers are removed by the next.

mod base;
mod bootstrap;
mod lock;
mod recipe;
mod sources;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{BuildInfo, CreateImageInfo, ImageInspect};
use bollard::query_parameters::{BuildImageOptions, ListImagesOptions, RemoveImageOptions};
use futures_util::{Stream, StreamExt as _};
use stagecraft_core::cloud::{CloudError, CloudErrorKind};
use tokio::sync::Mutex;

use super::engine::Engine;
use super::exchange::label_filters;
use super::fault::Fault;
use super::host::NETWORK;
use super::labels::IMAGE_ROLE;
use super::network;
use crate::Doing;

pub use recipe::Recipe;

/// How many lines of a failed build are shown.
const TAIL: usize = 8;

/// Is told what a long build does, a line at a time.
pub trait Progress: std::fmt::Debug + Send + Sync {
    /// One line, without its end.
    fn line(&self, text: &str);
}

/// Where images are built, and who watches.
#[derive(Debug)]
pub struct Workshop {
    cache: PathBuf,
    progress: Arc<dyn Progress>,
    environment: Vec<(String, String)>,
    building: Mutex<Option<Failed>>,
    failures: AtomicU64,
}

/// The last build that failed in this process.
#[derive(Debug)]
struct Failed {
    tag: String,
    number: u64,
    why: ImageError,
}

/// Why there is no image.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ImageError {
    kind: CloudErrorKind,
    hints: Vec<String>,
}

impl Workshop {
    /// A workshop that keeps its lock and log in `cache` and gives `environment` to the programs it runs.
    #[must_use]
    pub fn new(
        cache: PathBuf,
        environment: Vec<(String, String)>,
        progress: Arc<dyn Progress>,
    ) -> Self {
        Self {
            cache,
            progress,
            environment,
            building: Mutex::new(None),
            failures: AtomicU64::new(0),
        }
    }

    /// Makes sure that the engine has the image, and returns its tag. Takes about a minute the
    /// first time, milliseconds from then on; of several callers one builds and the others wait.
    ///
    /// # Errors
    /// [`CloudErrorKind::NotFound`] with what was tried for a base, [`CloudErrorKind::QuotaExceeded`]
    /// when the disk is full.
    pub async fn ensure(
        &self,
        engine: &Engine,
        recipe: &Recipe,
        doing: &Doing,
    ) -> Result<String, CloudError> {
        let failed = |error: Error| Fault::from(error).explain(doing, &engine.address);
        let tag = recipe.tag();
        if inspect(&engine.docker, &tag).await.map_err(failed)?.is_some() {
            return Ok(tag);
        }
        let seen = self.failures.load(Ordering::Acquire);
        let mut last = self.building.lock().await;
        // Those who waited for a build that failed share its failure instead of repeating it.
        if let Some(shared) = last.as_ref().filter(|last| last.tag == tag && last.number > seen) {
            return Err(explain(shared.why.clone(), doing));
        }
        let _alone = self.wait_for_other_processes(doing).await?;
        if inspect(&engine.docker, &tag).await.map_err(failed)?.is_some() {
            return Ok(tag);
        }
        // Builds use the hosts' network: its packets fit this machine's uplink.
        network::ensure(engine, doing).await?;
        match self.build(engine, recipe).await {
            Ok(()) => Ok(tag),
            Err(why) => {
                let number = self.failures.fetch_add(1, Ordering::AcqRel) + 1;
                *last = Some(Failed { tag, number, why: why.clone() });
                Err(explain(why, doing))
            }
        }
    }

    async fn wait_for_other_processes(&self, doing: &Doing) -> Result<std::fs::File, CloudError> {
        let path = self.cache.join("local-image.lock");
        let waiting = || self.progress.line("waiting for another process that builds an image");
        lock::acquire(&path, waiting).await.map_err(|error| {
            doing
                .failed(CloudErrorKind::ProviderFault(format!(
                    "the lock `{}` cannot be taken: {error}",
                    path.display()
                )))
                .with_hint(format!("make `{}` a folder you can write to", self.cache.display()))
        })
    }

    async fn build(&self, engine: &Engine, recipe: &Recipe) -> Result<(), ImageError> {
        let docker = engine.for_builds();
        sweep(&docker).await;
        let name = recipe.name();
        self.progress.line(&format!("building the image `{name}`, once for this engine"));
        let base = self.base(engine, &docker, recipe).await?;
        let options = BuildImageOptions {
            t: Some(recipe.tag()),
            platform: recipe.platform(),
            networkmode: Some(NETWORK.to_owned()),
            rm: true,
            forcerm: true,
            ..BuildImageOptions::default()
        };
        let context = bollard::body_full(recipe.context(&base).into());
        let mut answers = docker.build_image(options, None, Some(context));
        let mut tail = Tail::default();
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(BuildInfo { stream: Some(text), .. }) => {
                    for line in text.lines().map(plain).filter(|line| !line.is_empty()) {
                        self.progress.line(&line);
                        tail.push(&line);
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    let why = format!("its last step failed: {}", said(error));
                    return Err(ImageError::of(recipe, &[tail.with(why)], Vec::new()));
                }
            }
        }
        self.progress.line(&format!("the image `{name}` is ready"));
        Ok(())
    }
}

/// Nothing else helps then.
const MAKE_SPACE: &str = "free space where temporary files are (`TMPDIR`, else /tmp) and where Docker keeps its \
                          images: `docker system df` shows those";

impl ImageError {
    fn of(recipe: &Recipe, tried: &[String], hints: Vec<String>) -> Self {
        let text = tried.join("; ");
        if text.contains("no space left on device") || text.contains("No space left") {
            let why = format!("no disk space for an image: {text}");
            return Self {
                kind: CloudErrorKind::QuotaExceeded(why),
                hints: vec![MAKE_SPACE.to_owned()],
            };
        }
        let why = format!("no image `{}`: {text}", recipe.name());
        Self { kind: CloudErrorKind::NotFound(why), hints }
    }
}

fn explain(why: ImageError, doing: &Doing) -> CloudError {
    why.hints.into_iter().fold(doing.failed(why.kind), CloudError::with_hint)
}

/// The last lines of something that failed.
#[derive(Debug, Default)]
struct Tail(std::collections::VecDeque<String>);

impl Tail {
    fn push(&mut self, line: &str) {
        if self.0.len() == TAIL {
            self.0.pop_front();
        }
        self.0.push_back(line.to_owned());
    }

    /// `text` and, if there are any, the lines.
    fn with(self, text: String) -> String {
        if self.0.is_empty() {
            return text;
        }
        let lines: Vec<String> = self.0.into();
        format!("{text} (it said: {})", lines.join(" / "))
    }
}

/// A line as it looks in the end: without the colours the builder gives it, and of a counter that
/// is overwritten again and again only the last state.
fn plain(line: &str) -> String {
    let line = line.trim_end().rsplit('\r').next().unwrap_or_default();
    let mut pieces = line.split('\u{1b}');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        text.push_str(piece.split_once('m').map_or("", |(_, rest)| rest));
    }
    text.trim_end().to_owned()
}

/// The engine's own words.
fn said(error: Error) -> String {
    match Fault::from(error) {
        Fault::Answer { message, .. } | Fault::Reported(message) => message,
        Fault::Lost(why)
        | Fault::NotConnected(why)
        | Fault::Misconfigured(why)
        | Fault::Garbled(why) => why,
        Fault::NoSocket | Fault::Denied => "the engine cannot be reached".to_owned(),
        Fault::TimedOut => "the engine did not answer in time".to_owned(),
    }
}

async fn inspect(docker: &Docker, reference: &str) -> Result<Option<ImageInspect>, Error> {
    match docker.inspect_image(reference).await {
        Ok(image) => Ok(Some(image)),
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes bases that a killed build left behind. Best effort: they only take space.
async fn sweep(docker: &Docker) {
    let mut filters = label_filters(vec![format!("{IMAGE_ROLE}=base")]);
    filters.insert("dangling".to_owned(), vec!["true".to_owned()]);
    let options = ListImagesOptions { filters: Some(filters), ..ListImagesOptions::default() };
    for left in docker.list_images(Some(options)).await.unwrap_or_default() {
        drop(docker.remove_image(&left.id, None::<RemoveImageOptions>, None).await);
    }
}

/// Reads the answers to an import; the last one is the id.
async fn imported_id(
    mut answers: impl Stream<Item = Result<CreateImageInfo, Error>> + Unpin,
) -> Result<String, String> {
    let mut id = None;
    while let Some(answer) = answers.next().await {
        id = answer.map_err(said)?.status.filter(|status| status.starts_with("sha256:")).or(id);
    }
    id.ok_or_else(|| "the engine took the image and named none".to_owned())
}

#[cfg(test)]
mod tests {
    use stagecraft_core::desired::ProviderId;

    use super::*;

    #[test]
    fn without_any_base_the_error_says_what_was_tried_and_what_helps() {
        let recipe =
            Recipe::of(&"debian-12".into(), stagecraft_core::desired::Arch::Amd64).unwrap();
        let tried =
            ["pulling `debian:12`: no such host".to_owned(), "bootstrapping it: x".to_owned()];
        let error = explain(
            ImageError::of(&recipe, &tried, vec!["install y".to_owned()]),
            &Doing::changing(ProviderId::Local, "create host `db-1`"),
        );
        assert_eq!(
            error.to_string(),
            "local could not create host `db-1`: no image `debian-12`: pulling `debian:12`: no such host; bootstrapping it: x"
        );
        assert_eq!(error.hints, ["install y"]);
    }

    #[test]
    fn a_full_disk_is_a_limit_and_not_a_missing_image() {
        let recipe =
            Recipe::of(&"debian-12".into(), stagecraft_core::desired::Arch::Amd64).unwrap();
        let tried = ["write /x: no space left on device".to_owned()];
        let error = ImageError::of(&recipe, &tried, vec!["install y".to_owned()]);
        assert!(matches!(error.kind, CloudErrorKind::QuotaExceeded(_)));
        assert_eq!(error.hints, [MAKE_SPACE]);
    }

    #[test]
    fn colours_and_counters_are_taken_off() {
        assert_eq!(plain("\u{1b}[91mrm: cannot remove\u{1b}[0m\n"), "rm: cannot remove");
        assert_eq!(plain("(Reading … 5%\r(Reading … done.)\r\n"), "(Reading … done.)");
        assert_eq!(plain(" ---> 4f"), " ---> 4f");
    }

    #[test]
    fn only_the_last_lines_of_a_failure_are_kept() {
        let mut tail = Tail::default();
        for number in 0..20 {
            tail.push(&number.to_string());
        }
        assert_eq!(tail.with("x".to_owned()), "x (it said: 12 / 13 / 14 / 15 / 16 / 17 / 18 / 19)");
    }
}
