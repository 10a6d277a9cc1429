use std::io::Read as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stagecraft_clouds::local::{EngineAddress, LocalProvider, LocalSettings, Progress};
use stagecraft_core::cloud::{CloudProvider as _, CreateInstance};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Diagnose as _, Retry};
use stagecraft_core::inventory::{Instance, Lifecycle, Marks, Owner, Spec};
use stagecraft_core::name::{InstanceId, Scope};
use stagecraft_testkit::samples;

/// A project of its own on the engine; its hosts go when it is dropped.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) cloud: Arc<LocalProvider>,
    pub(crate) scope: Scope,
}

impl Bench {
    pub(crate) async fn new(project: &str) -> Option<Self> {
        let lab = std::env::var("STAGECRAFT_TEST_LAB");
        if !matches!(lab.as_deref(), Ok("on" | "local")) {
            eprintln!(
                "skipped: real hosts are used only when STAGECRAFT_TEST_LAB is on or local, as ./test sets it"
            );
            return None;
        }
        let host = std::env::var("DOCKER_HOST").ok();
        let cloud = Arc::new(provider(EngineAddress::parse(host.as_deref(), None).unwrap()));
        cloud.validate_credentials().await.unwrap();
        let project = format!("test-{project}-{}", std::process::id());
        let scope =
            Scope { project: project.parse().unwrap(), environment: "test".parse().unwrap() };
        Some(Self { cloud, scope })
    }

    pub(crate) fn owner(&self, host: &str) -> Owner {
        Owner { scope: self.scope.clone(), host: host.parse().unwrap() }
    }

    pub(crate) fn order(&self, host: &str) -> CreateInstance {
        let (owner, order) = (self.owner(host), samples::order(ProviderId::Local, host));
        let spec = Spec { arch: native(), ..order.spec };
        let marks = Marks { name: owner.scope.cloud_name(&owner.host), ..order.marks };
        CreateInstance { owner, spec, marks, ..order }
    }

    /// Creates as the engine of the product does: what may be tried again is.
    pub(crate) async fn create(&self, host: &str) -> Instance {
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

    pub(crate) async fn list(&self) -> Vec<Instance> {
        self.cloud.list(&self.scope).await.unwrap()
    }

    pub(crate) async fn only(&self) -> Instance {
        let mut all = self.list().await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    pub(crate) async fn get(&self, host: &str) -> Instance {
        let mut all = self.list().await;
        all.retain(|instance| instance.owner.host.as_str() == host);
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    pub(crate) async fn wait_for_banner(&self, host: &str) -> Instance {
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
    pub(crate) fn docker_create_like(&self, template: &Instance, host: &str) -> InstanceId {
        let format = "{{range $k, $v := .Config.Labels}}{{$k}}={{$v}}\n{{end}}";
        let labels = docker(&["inspect", "-f", format, template.id.as_str()]);
        let image = docker(&["inspect", "-f", "{{.Config.Image}}", template.id.as_str()]);
        let name = format!("{}.{}.{host}", self.scope.project, self.scope.environment);
        let mut args = vec!["create", "--name", &name, "--network", "stagecraft"];
        let own = format!("stagecraft.host={host}");
        for label in labels.lines().filter(|label| !label.is_empty()) {
            let label = if label.starts_with("stagecraft.host=") { own.as_str() } else { label };
            args.extend(["--label", label]);
        }
        args.extend([image.as_str(), "sleep", "60"]);
        InstanceId(docker(&args))
    }

    pub(crate) fn label(&self) -> String {
        format!("label=stagecraft.project={}", self.scope.project)
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

/// Runs Docker's own client, which must succeed.
pub(crate) fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub(crate) fn provider(engine: EngineAddress) -> LocalProvider {
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
