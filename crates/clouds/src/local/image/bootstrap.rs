//! A base image out of packages, for machines that reach a mirror but no registry.
//!
//! `mmdebstrap` writes the file system as an archive to its output, which goes straight into the
//! engine. An archive that was cut short is an error for the engine, and nothing is tagged before
//! `mmdebstrap` has ended well.
//!
//! What it says goes to a file, and not to a pipe to this process: when this process is killed,
//! `mmdebstrap` notices that nobody takes its archive, and removes its temporary files and mounts.
//! With a broken pipe to complain to it would die before it gets to that.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use bollard::query_parameters::{CreateImageOptions, TagImageOptions};
use bytes::Bytes;
use futures_util::{Stream, stream};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::recipe::PACKAGES;
use super::{Recipe, Tail, Workshop, imported_id, plain, said, sources};
use crate::local::labels::IMAGE_ROLE;

/// Where programs are looked for; the user's own `PATH` is not passed on.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// How much of the archive is handed over at once.
const PIECE: usize = 256 * 1024;

/// How often new lines of the log are looked for.
const LOOK: Duration = Duration::from_millis(200);

/// Why there is no base, and what helps.
#[derive(Debug)]
pub(super) struct NoBase {
    pub(super) why: String,
    pub(super) hints: Vec<String>,
}

impl NoBase {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), hints: Vec::new() }
    }
}

impl Workshop {
    /// Makes a base and tags it.
    pub(super) async fn bootstrap(&self, docker: &Docker, recipe: &Recipe) -> Result<(), NoBase> {
        let sources = sources_of_this_machine(recipe)?;
        let path = self.cache.join("local-image.log");
        let log = File::create(&path).and_then(|writer| Ok((writer, File::open(&path)?)));
        let (writer, reader) =
            log.map_err(|error| NoBase::new(format!("`{}`: {error}", path.display())))?;
        let mut child = self.start(recipe, &sources, writer)?;
        let group = Group::of(&child);
        let Some(output) = child.stdout.take() else {
            return Err(NoBase::new("`mmdebstrap` has no output"));
        };
        let (ended_well, well) = oneshot::channel();
        let import = async {
            let imported = import(docker, recipe, archive(output, well)).await;
            if imported.is_err() {
                group.stop();
            }
            imported
        };
        let (imported, ended) =
            tokio::join!(import, self.supervise(child, reader, &group, ended_well));
        match (ended, imported) {
            // What the engine says then is only that its input ended early.
            (Err(why), Err(engine)) if group.was_stopped() => {
                Err(NoBase::new(format!("the engine refused the archive: {engine} ({why})")))
            }
            (Err(why), _) => {
                let hints = hints_on(&why, &path, recipe);
                Err(NoBase { why, hints })
            }
            (Ok(()), Err(engine)) => Err(NoBase::new(format!("the engine refused it: {engine}"))),
            (Ok(()), Ok(id)) => tag(docker, recipe, &id)
                .await
                .map_err(|error| NoBase::new(format!("it cannot be tagged: {}", said(error)))),
        }
    }

    fn start(&self, recipe: &Recipe, sources: &[String], log: File) -> Result<Child, NoBase> {
        Command::new("mmdebstrap")
            .args(["--variant=minbase", "--format=tar"])
            .arg(format!("--include={}", PACKAGES.join(",")))
            .arg(format!("--architectures={}", recipe.arch()))
            .arg("--dpkgopt=force-unsafe-io")
            .arg("--dpkgopt=path-exclude=/usr/share/man/*")
            .arg("--dpkgopt=path-exclude=/usr/share/locale/*")
            .arg("--dpkgopt=path-exclude=/usr/share/doc/*")
            .arg("--dpkgopt=path-include=/usr/share/doc/*/copyright")
            .arg(r#"--customize-hook=rm -f "$1"/etc/dpkg/dpkg.cfg.d/99mmdebstrap "$1"/etc/resolv.conf"#)
            .args([recipe.codename(), "-"])
            .args(sources)
            .env_clear()
            .env("PATH", PATH)
            .env("LC_ALL", "C.UTF-8")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            // An interrupt typed for us is not for it: what is in flight is finished.
            .process_group(0)
            .spawn()
            .map_err(|error| {
                if error.kind() != io::ErrorKind::NotFound {
                    return NoBase::new(format!("`mmdebstrap` cannot be started: {error}"));
                }
                NoBase {
                    why: "`mmdebstrap` is not installed".to_owned(),
                    hints: vec!["run `sudo apt-get install mmdebstrap uidmap`".to_owned(), recipe.pull_hint()],
                }
            })
    }

    /// Passes on what it says, and tells how it ended.
    async fn supervise(
        &self,
        mut child: Child,
        mut log: File,
        group: &Group,
        ended_well: oneshot::Sender<()>,
    ) -> Result<(), String> {
        let mut tail = Tail::default();
        let mut unfinished = Vec::new();
        let ended = loop {
            let ended = timeout(LOOK, child.wait()).await;
            log.read_to_end(&mut unfinished).map_err(|error| format!("its log: {error}"))?;
            for line in whole_lines(&mut unfinished) {
                self.progress.line(&line);
                tail.push(&line);
            }
            if let Ok(ended) = ended {
                break ended;
            }
        };
        group.is_gone();
        match ended {
            Ok(status) if status.success() => {
                // Nobody listens when the engine gave up first; that error is reported instead.
                let _receiver_gone = ended_well.send(());
                Ok(())
            }
            Ok(status) => Err(tail.with(format!("`mmdebstrap` failed ({status})"))),
            Err(error) => Err(format!("`mmdebstrap` was lost: {error}")),
        }
    }
}

/// What helps against a failure of `mmdebstrap`, whose log is at `log`.
fn hints_on(why: &str, log: &Path, recipe: &Recipe) -> Vec<String> {
    // Who is not root needs a range of user ids to build with, and the tool that grants it.
    let help = if why.contains("unable to pick chroot mode") {
        "run `sudo apt-get install uidmap`, which lets users who are not root build images"
            .to_owned()
    } else {
        format!("see `{}`", log.display())
    };
    vec![help, recipe.pull_hint()]
}

/// Takes the lines that are complete, without empty ones.
fn whole_lines(bytes: &mut Vec<u8>) -> Vec<String> {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let whole: Vec<u8> = bytes.drain(..end).collect();
    let text = String::from_utf8_lossy(&whole);
    text.lines().map(plain).filter(|line| !line.is_empty()).collect()
}

fn sources_of_this_machine(recipe: &Recipe) -> Result<Vec<String>, NoBase> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let release = read("/etc/os-release").unwrap_or_default();
    let field = |name| sources::os_release_field(&release, name).unwrap_or("unknown");
    let (id, own) = (field("ID"), field("VERSION_CODENAME"));
    if id != recipe.distribution() {
        return Err(NoBase {
            why: format!("this machine runs `{id}` and has no packages for `{}`", recipe.name()),
            hints: vec![recipe.pull_hint()],
        });
    }
    let files = source_files();
    let found = sources::for_release(&files, id, own, recipe.codename(), read);
    if found.is_empty() {
        return Err(NoBase {
            why: format!("no source of `{id}` packages for `{own}` is configured in /etc/apt"),
            hints: vec![recipe.pull_hint()],
        });
    }
    Ok(found)
}

/// The contents of all source files, in the order of their names.
fn source_files() -> Vec<String> {
    let mut paths = vec!["/etc/apt/sources.list".into()];
    let entries = std::fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten();
    let mut more: Vec<std::path::PathBuf> = entries.map(|entry| entry.path()).collect();
    more.retain(|path| path.extension().is_some_and(|end| end == "list" || end == "sources"));
    more.sort();
    paths.extend(more);
    paths.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect()
}

async fn import(
    docker: &Docker,
    recipe: &Recipe,
    archive: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> Result<String, String> {
    let options = CreateImageOptions {
        from_src: Some("-".to_owned()),
        changes: vec![format!("LABEL {IMAGE_ROLE}=base")],
        platform: recipe.platform(),
        ..CreateImageOptions::default()
    };
    let body = bollard::body_try_stream(archive);
    imported_id(docker.create_image(Some(options), Some(body), None)).await
}

async fn tag(docker: &Docker, recipe: &Recipe, id: &str) -> Result<(), Error> {
    let tag = recipe.base_tag();
    let (repo, tag) = tag
        .split_once(':')
        .map_or((None, None), |(repo, tag)| (Some(repo.to_owned()), Some(tag.to_owned())));
    docker.tag_image(id, Some(TagImageOptions { repo, tag })).await
}

/// The archive as it comes. It ends with an error unless `well` says that its maker ended well.
fn archive(
    output: ChildStdout,
    well: oneshot::Receiver<()>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::unfold(Some((output, well)), async |state| {
        let (mut output, well) = state?;
        let mut piece = Vec::with_capacity(PIECE);
        match (&mut output).take(PIECE as u64).read_to_end(&mut piece).await {
            Ok(0) => {
                let cut = |_| io::Error::other("the archive is incomplete");
                well.await.map_err(cut).err().map(|error| (Err(error), None))
            }
            Ok(_) => Some((Ok(piece.into()), Some((output, well)))),
            Err(error) => Some((Err(error), None)),
        }
    })
}

/// The child and what it started; stopped when this is dropped before it ended. It is asked, not
/// killed, because it removes its temporary files then.
#[derive(Debug)]
struct Group {
    leader: Option<Pid>,
    gone: AtomicBool,
    stopped: AtomicBool,
}

impl Group {
    fn of(child: &Child) -> Self {
        let leader = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Self { leader, gone: AtomicBool::new(false), stopped: AtomicBool::new(false) }
    }

    fn is_gone(&self) {
        self.gone.store(true, Ordering::Release);
    }

    fn was_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    fn stop(&self) {
        if let Some(leader) = self.leader.filter(|_| !self.gone.load(Ordering::Acquire)) {
            self.stopped.store(true, Ordering::Release);
            // It may have ended by itself just now.
            let _ended = kill_process_group(leader, Signal::TERM);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_passed_on_when_it_is_complete() {
        let mut seen = b"I: one\n\nI: two\nI: thr".to_vec();
        assert_eq!(whole_lines(&mut seen), ["I: one", "I: two"]);
        seen.extend(b"ee\n");
        assert_eq!(whole_lines(&mut seen), ["I: three"]);
        assert!(whole_lines(&mut seen).is_empty());
    }

    #[test]
    fn who_may_not_build_is_told_what_is_missing() {
        let arch = stagecraft_core::desired::Arch::Amd64;
        let recipe = Recipe::of(&"debian-12".into(), arch).expect("a known image");
        let why = "`mmdebstrap` failed: E: unable to pick chroot mode automatically";
        let hints = hints_on(why, Path::new("/c/log"), &recipe);
        assert!(hints[0].contains("apt-get install uidmap"), "{hints:?}");
        assert_eq!(hints_on("else", Path::new("/c/log"), &recipe)[0], "see `/c/log`");
    }
}
