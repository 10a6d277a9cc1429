//! A command on hosts, and its limit: it begins with the first attempt to log in.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use stagecraft_core::error::{Code, Failure};
use stagecraft_core::identity::HostKey;
use stagecraft_core::name::HostName;
use stagecraft_core::remote::{Command, Connector, Output, Remote, RemoteError, Target};
use stagecraft_engine::{Clock as _, Engine, ExecEvent, Parts};
use stagecraft_testkit::Process;
use stagecraft_testkit::world::Behaviour;

use crate::clock::WorldClock;
use crate::stage::{Stage, Verb, host, ours};
use crate::tape::Tape;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn the_limit_ends_an_attempt_to_log_in_that_nobody_answers() {
    let host = Host { answers_after: None, ..Host::default() };
    let (failure, took) = run(host, 3 * SECOND).await;
    assert_eq!(failure.code, Code::SSH_FAILED);
    assert_eq!(failure.message, "could not log in to `web-1` within 3 s");
    assert_eq!(failure.hints, ["`--timeout` waits longer"], "who is silent is not known");
    assert_eq!(took.as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_answers_nobody_is_given_up_long_before_a_long_limit() {
    let host = Host { answers_after: Some(10 * SECOND), refuses: true, ..Host::default() };
    let (failure, took) = run(host, 600 * SECOND).await;
    assert!(failure.message.ends_with(": refused; gave up after 20 s"), "{}", failure.message);
    assert!(!failure.hints.iter().any(|hint| hint.contains("--timeout")), "{failure:?}");
    assert_eq!(took.as_secs(), 20, "it says how long it was");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_not_there_is_tried_until_the_time_is_up() {
    let host = Host { answers_after: Some(Duration::ZERO), refuses: true, ..Host::default() };
    let (failure, took) = run(host, 600 * SECOND).await;
    assert!(failure.message.ends_with(": refused; gave up after 15 s"), "{}", failure.message);
    assert_eq!(took.as_secs(), 15);
}

#[tokio::test(start_paused = true)]
async fn a_command_has_the_time_that_the_login_left_and_what_it_printed_is_kept() {
    let host = Host { answers_after: Some(2 * SECOND), refuses: false, ..Host::default() };
    let (failure, took) = run(host, 5 * SECOND).await;
    assert!(failure.message.ends_with(" within 5 s"), "{}", failure.message);
    assert_eq!(failure.output, ["half"]);
    assert_eq!(failure.hints, ["it may still run there; `--timeout` waits longer"]);
    assert_eq!(took.as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn the_time_in_which_the_user_types_a_passphrase_is_not_that_of_the_command() {
    let host = Host { asks: 60 * SECOND, answers_after: Some(2 * SECOND), ..Host::default() };
    let (failure, took) = run(host, 5 * SECOND).await;
    assert!(failure.message.ends_with(" within 5 s"), "{}", failure.message);
    assert_eq!(failure.output, ["half"], "it ran");
    assert_eq!(took.as_secs(), 60 + 5);
}

#[tokio::test(start_paused = true)]
async fn what_no_time_mends_is_not_said_to_need_more() {
    let host = Host { knows_us: false, answers_after: Some(SECOND), ..Host::default() };
    let (failure, _) = run(host, 5 * SECOND).await;
    assert!(failure.message.contains("host key"), "{}", failure.message);
    assert!(!failure.hints.iter().any(|hint| hint.contains("--timeout")), "{failure:?}");
}

#[tokio::test(start_paused = true)]
async fn who_only_looks_at_a_key_waits_for_a_host_a_little_too() {
    let stage = Stage::new(Behaviour::names_are_free(), 5);
    let tape = Tape::new();
    let engine = stage.engine(&Process::new(), &tape, 1);
    let tries = AtomicU32::new(0);
    let look = async |answers: u32| {
        let attempt = async || {
            let made = tries.fetch_add(1, Ordering::Relaxed) + 1;
            if made < answers { Err(refused(&host("web-1"))) } else { Ok(made) }
        };
        engine.until_reached(&host("web-1"), attempt).await
    };
    assert_eq!(look(3).await.expect("it answers"), 3);
    let failure = look(u32::MAX).await.expect_err("it never answers");
    assert!(failure.message.ends_with(": refused; gave up after 15 s"), "{}", failure.message);
    assert!(failure.hints.iter().any(|hint| hint.contains("firewall")), "{failure:?}");
}

/// Why a command failed on a host that is there, and how long that took.
async fn run(host: Host, limit: Duration) -> (Failure, Duration) {
    let stage = Stage::new(Behaviour::names_are_free(), 5).wants(["web-1"]);
    stage.run_until_quiet(Verb::Up).await.expect("it comes up");
    let clock = Arc::new(WorldClock::new(&stage.cloud));
    let cloud = (stage.provider)(&stage.cloud, &Process::new());
    let engine = Engine::new(Parts {
        providers: [(cloud.id(), Arc::clone(&cloud))].into(),
        mint: None,
        network: None,
        connector: Arc::new(Slow {
            host,
            clock: Arc::clone(&clock),
            asking: AtomicBool::default(),
        }),
        clock: Arc::clone(&clock) as _,
        reporters: Vec::new(),
        limits: stage.limits.clone(),
        cancel: Tape::new().cancel().clone(),
        seed: 1,
    });
    let instances = cloud.list(&ours()).await.expect("they are listed");
    let ended = Mutex::new(None);
    let tell = |_: &HostName, what| {
        if let ExecEvent::Ended(result) = what {
            *ended.lock().expect("nobody panicked") = Some(result);
        }
    };
    let began = clock.now();
    engine.exec(instances, &Command::new("hang").with_timeout(limit), &tell).await;
    let took = clock.now() - began;
    let ended = ended.into_inner().expect("nobody panicked").expect("it ends");
    (ended.expect_err("it fails"), took)
}

/// What a host is like. Its commands print something and never end.
#[derive(Clone, Copy, Debug)]
struct Host {
    /// For how long the user is asked for a passphrase first.
    asks: Duration,
    answers_after: Option<Duration>,
    refuses: bool,
    knows_us: bool,
}

impl Default for Host {
    fn default() -> Self {
        Self { asks: Duration::ZERO, answers_after: None, refuses: false, knows_us: true }
    }
}

#[derive(Debug)]
struct Slow {
    host: Host,
    clock: Arc<WorldClock>,
    asking: AtomicBool,
}

#[async_trait]
impl Connector for Slow {
    async fn connect(&self, target: &Target) -> Result<Box<dyn Remote>, RemoteError> {
        if !self.host.asks.is_zero() {
            self.asking.store(true, Ordering::Relaxed);
            self.clock.sleep(self.host.asks).await;
            self.asking.store(false, Ordering::Relaxed);
        }
        match self.host.answers_after {
            Some(pause) => self.clock.sleep(pause).await,
            None => std::future::pending().await,
        }
        if !self.host.knows_us {
            return Err(RemoteError::HostKeyUnknown {
                host: target.host.clone(),
                address: "192.0.2.1:22".to_owned(),
                presented: "SHA256:other".to_owned(),
                may_be_pinned: true,
            });
        }
        if !self.host.refuses {
            let (host, clock) = (target.host.clone(), Arc::clone(&self.clock));
            return Ok(Box::new(Hanging { host, clock }));
        }
        Err(refused(&target.host))
    }

    fn is_asking(&self) -> bool {
        self.asking.load(Ordering::Relaxed)
    }
}

fn refused(host: &HostName) -> RemoteError {
    RemoteError::Unreachable {
        host: host.clone(),
        address: "192.0.2.1:22".to_owned(),
        why: "refused".to_owned(),
        on_the_way: false,
    }
}

#[derive(Debug)]
struct Hanging {
    host: HostName,
    clock: Arc<WorldClock>,
}

#[async_trait]
impl Remote for Hanging {
    async fn run(&self, command: &Command) -> Result<Output, RemoteError> {
        self.clock.sleep(command.timeout()).await;
        Err(RemoteError::TimedOut {
            host: self.host.clone(),
            command: command.display(),
            limit: command.timeout(),
            printed: vec!["half".to_owned()],
        })
    }

    fn host_key(&self) -> Option<HostKey> {
        None
    }

    async fn close(&self) {}
}
