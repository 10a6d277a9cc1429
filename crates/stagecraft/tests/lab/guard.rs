//! A change to sshd that locks everybody out undoes itself: on a real host, by the host alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use stagecraft_clouds::local::{EngineAddress, LocalProvider, LocalSettings, Progress};
use stagecraft_core::converge::{Assessment, Change, Step};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::Code;
use stagecraft_core::event::{Event, EventKind, HostEnd, HostEvent, Reporter};
use stagecraft_core::guard::Guard;
use stagecraft_core::inventory::Instance;
use stagecraft_core::name::Scope;
use stagecraft_core::remote::{Command, Output};
use stagecraft_engine::{Cancel, Engine, Limits, Parts, TokioClock};
use stagecraft_remote::{SshConnector, SshSettings};

use crate::stage::{Stage, docker};

const FILE: &str = "/etc/ssh/sshd_config.d/lab.conf";
/// How long the host waits for a confirmation; longer than a fresh connection is tried for.
const WINDOW: u64 = 45;

#[test]
fn a_change_of_sshd_that_locks_everybody_out_undoes_itself() {
    let Some(stage) = Stage::new("{ app-1: { role: app } }") else { return };
    stage.run(&["infra", "up"]).assert_code(0);

    // One that does no harm stays.
    let end = converge(&stage, "ClientAliveInterval 33", 0);
    assert_eq!(end, HostEnd::Ready);
    assert_eq!(stage.inside("app-1", &format!("cat {FILE}")), "ClientAliveInterval 33\n");
    assert_eq!(stage.inside("app-1", "ls /var/lib/stagecraft/guards").trim(), "lock");

    // One that fails by itself is undone at once.
    let end = converge(&stage, "ClientAliveInterval 44", 1);
    let HostEnd::Failed(failure) = end else { panic!("{end:?}") };
    assert_eq!(failure.message, "changing sshd failed, and was undone", "{failure:?}");
    assert_eq!(failure.output, ["it ended with status 1"]);
    assert_eq!(stage.inside("app-1", &format!("cat {FILE}")), "ClientAliveInterval 33\n");

    shuts_and_opens_again(&stage, || ());
    assert_eq!(stage.inside("app-1", &format!("cat {FILE}")), "ClientAliveInterval 33\n");
    stage.run(&["infra", "up"]).assert_code(0);
}

#[test]
fn it_undoes_itself_also_when_the_host_restarts_meanwhile() {
    let Some(stage) = Stage::new("{ app-1: { role: app } }") else { return };
    stage.run(&["infra", "up"]).assert_code(0);
    let container = stage.containers(Some("app-1")).remove(0);
    shuts_and_opens_again(&stage, || drop(docker(&["restart", "--time", "5", &container])));
    assert_eq!(
        stage.inside("app-1", &format!("ls {FILE} 2>/dev/null || echo none")).trim(),
        "none"
    );
}

/// A change that shuts the door: nobody can come back to mend it, and nobody has to.
fn shuts_and_opens_again(stage: &Stage, meanwhile: impl FnOnce()) {
    let end = converge(stage, "AllowUsers nobody", 0);
    let HostEnd::Failed(failure) = end else { panic!("{end:?}") };
    assert_eq!(failure.code, Code::CHANGE_UNDONE, "{failure:?}");
    assert!(failure.message.contains(&format!("within {WINDOW} s")), "{failure:?}");
    let shut = stage.inside("app-1", &format!("cat {FILE}"));
    assert_eq!(shut, "AllowUsers nobody\n", "the door is shut");
    meanwhile();
    stage.run(&["exec", "--", "true"]).assert_code(10);

    let began = Instant::now();
    while stage.run(&["exec", "--", "true"]).code != 0 {
        let waited = began.elapsed().as_secs();
        assert!(waited < WINDOW + 20, "the host did not undo it: {}", journal(stage));
        std::thread::sleep(Duration::from_secs(1));
    }
    let units = "ls /etc/systemd/system | grep stagecraft-undo || echo none";
    assert_eq!(stage.inside("app-1", units).trim(), "none");
}

fn journal(stage: &Stage) -> String {
    stage
        .inside("app-1", "journalctl --no-pager | tail -40; systemctl list-timers --all --no-pager")
}

/// A step that wants `line` in sshd's configuration; the change ends with `status`.
#[derive(Debug)]
struct Sshd {
    line: &'static str,
    status: u8,
}

impl Step for Sshd {
    fn name(&self) -> &'static str {
        "sshd"
    }

    fn probe(&self) -> Vec<Command> {
        vec![Command::new("grep").args(["-qxF", self.line, FILE])]
    }

    fn assess(&self, seen: &[Output]) -> Assessment {
        if seen.iter().all(Output::success) {
            return Assessment::Satisfied;
        }
        // Told to reload, the sshd from before may let in whoever comes to confirm.
        let restart = "systemctl restart ssh.service";
        let undo = format!(
            "if [ -e {FILE}.old ]; then mv {FILE}.old {FILE}; else rm -f {FILE}; fi; {restart}"
        );
        let change = format!(
            "set -e; if [ -e {FILE} ]; then cp -p {FILE} {FILE}.old; fi\n\
             printf '%s\\n' '{}' >{FILE}; {restart}; exit {}",
            self.line, self.status
        );
        let done = Command::new("grep").args(["-qxF", self.line, FILE]);
        let window = Duration::from_secs(WINDOW);
        let guard = Guard::new("sshd", window, done, Command::script(undo))
            .with_cleanup(Command::new("rm").args(["-f", &format!("{FILE}.old")]));
        Assessment::Needs(vec![
            Change::new("changing sshd", Command::script(change)).guarded(guard),
        ])
    }

    fn failure_code(&self) -> Code {
        Code::CONFIG_INVALID
    }
}

/// Makes the step true on the host of the stage, and says how that ended.
fn converge(stage: &Stage, line: &'static str, status: u8) -> HostEnd {
    let ends = Arc::new(Ends::default());
    let settings = LocalSettings {
        engine: EngineAddress::parse(None, None).expect("the usual engine"),
        authorized_keys: Vec::new(),
        cache: stage.path().to_owned(),
        environment: Vec::new(),
        progress: Arc::new(Silence),
    };
    let mut ssh = SshSettings::new(stage.path().join("known_hosts"));
    ssh.host_keys = stagecraft_core::config::HostKeys::Pinned;
    let key = stage.path().join("home/.local/share/stagecraft/local/id_ed25519");
    ssh.provider_keys.insert(ProviderId::Local, key);
    let engine = Engine::new(Parts {
        providers: [(ProviderId::Local, Arc::new(LocalProvider::new(settings)) as _)].into(),
        mint: None,
        network: None,
        connector: Arc::new(SshConnector::new(ssh)),
        clock: Arc::new(TokioClock::new()),
        reporters: vec![Arc::clone(&ends) as Arc<dyn Reporter>],
        limits: Limits::default(),
        cancel: Cancel::new(),
        seed: 1,
    });
    let scope = Scope {
        project: stage.project().parse().expect("a name"),
        environment: "dev".parse().expect("a name"),
    };
    tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let hosts: Vec<Instance> = engine.observe(&scope).await.instances().cloned().collect();
        let steps = move |_: &Instance| vec![Box::new(Sshd { line, status }) as Box<dyn Step>];
        engine.bootstrap(hosts, Vec::new(), &steps).await;
    });
    let mut ended = ends.0.lock().expect("not poisoned");
    ended.pop().expect("the host ended")
}

/// How hosts ended.
#[derive(Debug, Default)]
struct Ends(std::sync::Mutex<Vec<HostEnd>>);

impl Reporter for Ends {
    fn report(&self, event: &Event) {
        if let EventKind::Host(_, HostEvent::Ended(end)) = &event.kind {
            self.0.lock().expect("not poisoned").push(end.clone());
        }
    }
}

#[derive(Debug)]
struct Silence;

impl Progress for Silence {
    fn line(&self, _: &str) {}
}
