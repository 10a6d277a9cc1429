//! The provider `local` against a real Docker Engine: the one of `DOCKER_HOST`, else the one of this
//! machine. Without one the tests say so and pass.
//!
//! Every test has a project of its own and removes its hosts, also when it fails.

#![expect(clippy::print_stderr, reason = "a test that is skipped says why")]
#![expect(clippy::unwrap_used, reason = "these helpers belong to tests")]

use std::io::Read as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stagecraft_clouds::local::{EngineAddress, LocalProvider, LocalSettings, Progress};
use stagecraft_core::cloud::{CloudErrorKind, CloudProvider, CreateInstance, Termination};
use stagecraft_core::error::{Diagnose as _, Retry};
use stagecraft_core::inventory::{Instance, Lifecycle, Marks, Owner, Spec};
use stagecraft_core::name::{InstanceId, Scope};

#[tokio::test]
async fn a_host_lives_from_create_to_terminate() {
    let Some(bench) = Bench::new("lives").await else { return };
    let created = bench.create("db-1").await;
    assert_eq!(created.owner, bench.owner("db-1"));
    assert!(matches!(created.lifecycle, Lifecycle::Running | Lifecycle::Pending));

    let running = bench.wait_for_banner("db-1").await;
    assert_eq!(running.id, created.id);
    assert_eq!(bench.cloud.get(&created.id).await.unwrap(), Some(running.clone()));
    assert_eq!(bench.create("db-1").await.id, created.id, "a second create finds the first");

    let marks = Marks {
        protected: true,
        tags: ["blue".to_owned(), "a, \"b\"".to_owned()].into(),
        ..running.marks.clone()
    };
    for _ in 0..2 {
        bench.cloud.update(&created.id, &marks).await.unwrap();
        assert_eq!(bench.only().await.marks, marks);
    }
    for round in 0..3 {
        let marks = Marks { name: format!("name-{round}"), ..marks.clone() };
        bench.cloud.update(&created.id, &marks).await.unwrap();
        assert_eq!(bench.only().await.marks, marks);
    }

    bench.docker(&["stop", created.id.as_str()]);
    assert_eq!(bench.only().await.lifecycle, Lifecycle::Stopped);
    bench.cloud.start(&created.id).await.unwrap();
    bench.cloud.start(&created.id).await.unwrap();
    let again = bench.wait_for_banner("db-1").await;
    assert_eq!(again.marks.name, "name-2", "marks survive a stop");

    assert_eq!(bench.cloud.terminate(&created.id).await.unwrap(), Termination::Started);
    assert_eq!(bench.cloud.get(&created.id).await.unwrap(), None);
    assert_eq!(bench.cloud.terminate(&created.id).await.unwrap(), Termination::AlreadyGone);
    assert_eq!(bench.docker(&["volume", "ls", "-q", "--filter", &bench.label()]), "");
    let gone = bench.cloud.start(&created.id).await.unwrap_err();
    assert!(matches!(gone.kind, CloudErrorKind::NotFound(_)), "{gone}");
}

#[tokio::test]
async fn a_foreign_container_is_never_listed_or_terminated() {
    let Some(bench) = Bench::new("foreign").await else { return };
    let host = bench.create("db-1").await;
    let name = format!("{}-{}-db-2", bench.scope.project, bench.scope.environment);
    let image = bench.docker(&["inspect", "-f", "{{.Config.Image}}", host.id.as_str()]);
    let foreign = InstanceId(bench.docker(&["create", "--name", &name, &image, "true"]));

    assert_eq!(bench.only().await.id, host.id);
    assert_eq!(bench.cloud.get(&foreign).await.unwrap(), None);
    let refused = bench.cloud.terminate(&foreign).await.unwrap_err();
    assert!(matches!(refused.kind, CloudErrorKind::NotFound(_)), "{refused}");
    let taken = bench.cloud.create(&bench.order("db-2")).await.unwrap_err();
    assert!(matches!(&taken.kind, CloudErrorKind::Conflict(why) if why.contains(&name)), "{taken}");
    assert!(!taken.maybe_done);
    let still = bench.docker(&["inspect", "-f", "{{.State.Status}}", foreign.as_str()]);
    bench.docker(&["rm", foreign.as_str()]);
    assert_eq!(still, "created");
}

#[tokio::test]
async fn two_creates_at_once_make_one_instance() {
    let Some(bench) = Bench::new("twice").await else { return };
    let (one, two) = tokio::join!(bench.create("db-1"), bench.create("db-1"));
    assert_eq!(one.id, two.id);
    assert_eq!(bench.only().await.id, one.id);
}

#[tokio::test]
async fn a_host_that_was_created_and_not_started_is_gone_on_with() {
    let Some(bench) = Bench::new("halfway").await else { return };
    let template = bench.create("db-1").await;
    let left = bench.docker_create_like(&template, "db-2");
    let halfway = bench.get("db-2").await;
    assert_eq!((&halfway.id, halfway.lifecycle), (&left, Lifecycle::Stopped));
    assert_eq!(bench.create("db-2").await.id, left);
    assert_ne!(bench.get("db-2").await.lifecycle, Lifecycle::Stopped);
}

#[tokio::test]
async fn two_updates_at_once_leave_one_of_both_and_no_mixture() {
    let Some(bench) = Bench::new("updates").await else { return };
    let host = bench.create("db-1").await;
    let marks = |name: &str| Marks {
        name: name.to_owned(),
        tags: [name.to_owned()].into(),
        ..host.marks.clone()
    };
    let (red, blue) = (marks("red"), marks("blue"));
    let (one, two) =
        tokio::join!(bench.cloud.update(&host.id, &red), bench.cloud.update(&host.id, &blue));
    one.unwrap();
    two.unwrap();
    let left = bench.only().await.marks;
    assert!(left == red || left == blue, "{left:?}");
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_unreachable_with_a_hint() {
    let cloud = provider(EngineAddress::Unix("/nowhere/docker.sock".into()));
    let error = cloud.validate_credentials().await.unwrap_err();
    assert!(matches!(error.kind, CloudErrorKind::Unreachable(_)), "{error}");
    assert_eq!(error.hints.len(), 1);

    let nobody = EngineAddress::parse(Some("tcp://127.0.0.1:9"), None).unwrap();
    let error = provider(nobody).validate_credentials().await.unwrap_err();
    assert!(matches!(error.kind, CloudErrorKind::Unreachable(_)), "{error}");
    assert!(error.hints[0].contains("DOCKER_HOST"), "{:?}", error.hints);
}

/// One project on a real engine.
#[derive(Debug)]
struct Bench {
    cloud: LocalProvider,
    scope: Scope,
}

impl Bench {
    async fn new(project: &str) -> Option<Self> {
        let host = std::env::var("DOCKER_HOST").ok();
        let cloud = provider(EngineAddress::parse(host.as_deref(), None).unwrap());
        if let Err(error) = cloud.validate_credentials().await {
            eprintln!("skipped: {error}");
            return None;
        }
        let project = format!("test-{project}-{}", std::process::id());
        let scope =
            Scope { project: project.parse().unwrap(), environment: "test".parse().unwrap() };
        Some(Self { cloud, scope })
    }

    fn owner(&self, host: &str) -> Owner {
        Owner { scope: self.scope.clone(), host: host.parse().unwrap() }
    }

    fn order(&self, host: &str) -> CreateInstance {
        let owner = self.owner(host);
        CreateInstance {
            marks: Marks {
                name: owner.scope.cloud_name(&owner.host),
                role: "db".parse().unwrap(),
                protected: false,
                tags: ["blue".to_owned()].into(),
            },
            owner,
            spec: Spec {
                region: "local".into(),
                size: "small".into(),
                image: "debian-12".into(),
                arch: native(),
                spot: false,
            },
        }
    }

    /// Creates as the engine of the product does: what may be tried again is.
    async fn create(&self, host: &str) -> Instance {
        for _ in 0..20 {
            match self.cloud.create(&self.order(host)).await {
                Ok(instance) => return instance,
                Err(error) if error.retry() == Retry::Never => panic!("{error}: {:?}", error.hints),
                Err(error) => eprintln!("again: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("`{host}` could not be created");
    }

    async fn list(&self) -> Vec<Instance> {
        self.cloud.list(&self.scope).await.unwrap()
    }

    async fn only(&self) -> Instance {
        let mut all = self.list().await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    async fn get(&self, host: &str) -> Instance {
        let mut all = self.list().await;
        all.retain(|instance| instance.owner.host.as_str() == host);
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    async fn wait_for_banner(&self, host: &str) -> Instance {
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(60) {
            let instance = self.get(host).await;
            if instance.lifecycle == Lifecycle::Running && says_ssh(&instance) {
                eprintln!("`{host}` answers after {:.2} s", since.elapsed().as_secs_f32());
                return instance;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("`{host}` never answered");
    }

    /// What is left of a create that was killed before the start.
    fn docker_create_like(&self, template: &Instance, host: &str) -> InstanceId {
        let format = "{{range $k, $v := .Config.Labels}}{{$k}}={{$v}}\n{{end}}";
        let labels = self.docker(&["inspect", "-f", format, template.id.as_str()]);
        let image = self.docker(&["inspect", "-f", "{{.Config.Image}}", template.id.as_str()]);
        let name = format!("{}-{}-{host}", self.scope.project, self.scope.environment);
        let mut args = vec!["create", "--name", &name, "--network", "stagecraft"];
        let own = format!("stagecraft.host={host}");
        for label in labels.lines().filter(|label| !label.is_empty()) {
            let label = if label.starts_with("stagecraft.host=") { own.as_str() } else { label };
            args.extend(["--label", label]);
        }
        args.extend([image.as_str(), "sleep", "60"]);
        InstanceId(self.docker(&args))
    }

    fn label(&self) -> String {
        format!("label=stagecraft.project={}", self.scope.project)
    }

    fn docker(&self, args: &[&str]) -> String {
        let output = Command::new("docker").args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        for (list, remove) in [
            (&["ps", "-aq", "--no-trunc"][..], &["rm", "-fv"][..]),
            (&["volume", "ls", "-q"], &["volume", "rm"]),
        ] {
            let label = self.label();
            let found = Command::new("docker").args(list).args(["--filter", &label]).output();
            let found = found.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
            for id in found.unwrap_or_default().lines() {
                drop(Command::new("docker").args(remove).arg(id).output());
            }
        }
    }
}

#[derive(Debug)]
struct ToStderr;

impl Progress for ToStderr {
    fn line(&self, text: &str) {
        eprintln!("{text}");
    }
}

fn provider(engine: EngineAddress) -> LocalProvider {
    LocalProvider::new(LocalSettings {
        engine,
        authorized_keys: vec!["ssh-ed25519 AAAA nobody".to_owned()],
        cache: Path::new(env!("CARGO_TARGET_TMPDIR")).join("local-engine"),
        environment: Vec::new(),
        progress: Arc::new(ToStderr),
    })
}

fn native() -> stagecraft_core::desired::Arch {
    if cfg!(target_arch = "aarch64") {
        stagecraft_core::desired::Arch::Arm64
    } else {
        stagecraft_core::desired::Arch::Amd64
    }
}

fn says_ssh(instance: &Instance) -> bool {
    let Some(endpoint) = instance.endpoint() else { return false };
    let Ok(mut stream) = TcpStream::connect((endpoint.host.as_str(), endpoint.port.unwrap_or(22)))
    else {
        return false;
    };
    let mut start = [0; 4];
    stream.set_read_timeout(Some(Duration::from_secs(2))).is_ok()
        && stream.read_exact(&mut start).is_ok()
        && &start == b"SSH-"
}
