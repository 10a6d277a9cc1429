//! One run of the engine: its parts, its progress, and the user's wish to stop.

mod ask;
mod job;
mod key;
mod sight;
mod signals;

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;

use async_trait::async_trait;
use stagecraft_core::bootstrap;
use stagecraft_core::config::BootstrapConfig;
use stagecraft_core::converge::Step;
use stagecraft_core::desired::DesiredHost;
use stagecraft_core::error::Failure;
use stagecraft_core::inventory::Instance;
use stagecraft_core::name::HostName;
use stagecraft_core::network::{Member, NetworkProvider};
use stagecraft_core::plan::Plan;
use stagecraft_core::remote::{Connector, Remote, RemoteError, Target};
use stagecraft_engine::{Cancel, Engine, Parts, TokioClock};
use stagecraft_remote::{Passphrases, Presented, SshConnector, StoreError};

pub(crate) use ask::engine_for;
pub(crate) use job::{Job, Logins, Networks};
pub(crate) use signals::Ended;

use crate::app::App;
use crate::project::Project;
use crate::stop::Stop;
use crate::ui::{Answer, AskPassphrase, Progress, TerminalModes, Text, Ui, ask, can_ask};
use crate::wire::{self, Access, Clouds};
use signals::Signals;

/// Everything a command needs to act.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    /// The command's surroundings.
    pub(crate) app: &'a App,
    /// The file and environment.
    pub(crate) project: &'a Project,
    /// What acts.
    pub(crate) engine: Engine,
    /// What is shown meanwhile, and the report.
    pub(crate) progress: Progress,
    /// The private network of the file, if this run has to do with it.
    pub(crate) network: Option<Arc<dyn NetworkProvider>>,
    clouds: Clouds,
    access: Option<Access>,
    ssh: Option<Arc<SshConnector>>,
    cancel: Cancel,
    signals: Signals,
}

/// Does `work` with an engine for `project`.
///
/// # Errors
/// When there can be no engine, or `work` stops.
pub(crate) fn with_engine<'a, T>(
    app: &'a App,
    project: &'a Project,
    logins: Logins,
    work: impl AsyncFnOnce(&Run<'a>) -> Result<T, Stop>,
) -> Result<T, Stop> {
    with_job(app, project, Job::new(logins), work)
}

/// The same for a job other than the usual ones.
///
/// # Errors
/// As [`with_engine`].
pub(crate) fn with_job<'a, T>(
    app: &'a App,
    project: &'a Project,
    job: Job,
    work: impl AsyncFnOnce(&Run<'a>) -> Result<T, Stop>,
) -> Result<T, Stop> {
    let Job { logins, networks, limits } = job;
    let config = &project.file.config;
    let _terminal = TerminalModes::keep();
    let secrets = wire::Secrets::new(&app.environment, &config.store, &project.folder);
    let clouds = Clouds::of(config, &project.scope.environment, &secrets)?;
    let network = match networks {
        Networks::Off => None,
        Networks::Known => wire::network(&secrets, config, false)?,
        Networks::Joined => wire::network(&secrets, config, true)?,
    };
    let access = || wire::access(&app.environment, config, &clouds, &project.folder);
    let access = match logins {
        Logins::Needed | Logins::ForCommand => Some(access()?),
        Logins::IfNeeded if network.is_some() => match access() {
            Ok(access) => Some(access),
            Err(stop) => {
                let why = stop.troubles.first().map(|trouble| trouble.failure.message.clone());
                let why = why.unwrap_or_default();
                app.ui.say(Text::new().line(&format!("note: hosts are not logged in to: {why}")));
                None
            }
        },
        Logins::IfNeeded | Logins::None => None,
    };
    let logged_in = match logins {
        Logins::Needed | Logins::IfNeeded | Logins::None => "logged in, looking",
        Logins::ForCommand => "running the command",
    };
    let progress = Progress::new(&app.ui, logged_in);
    let providers = wire::providers(&app.environment, config, &clouds, access.as_ref(), &progress)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Stop::machine("start", &error))?;
    let forget = Arc::new(wire::ForgetKeys::new(&project.folder));
    let outcome = runtime.block_on(async {
        let cancel = Cancel::new();
        let ssh =
            access.as_ref().map(|access| wire::connector(access, passphrases(&app.ui, &progress)));
        let engine = Engine::new(Parts {
            providers,
            mint: wire::mint(config),
            network: network.clone(),
            connector: match &ssh {
                Some(ssh) => Arc::clone(ssh) as _,
                None => Arc::new(NoLogins),
            },
            clock: Arc::new(TokioClock::new()),
            reporters: vec![Arc::new(progress.clone()), Arc::clone(&forget) as _],
            limits,
            cancel: cancel.clone(),
            seed: seed(),
        });
        let signals =
            Signals::listen().map_err(|error| Stop::machine("listen for signals", &error))?;
        let run =
            Run { app, project, engine, progress, network, clouds, access, ssh, cancel, signals };
        let outcome = work(&run).await;
        run.progress.finish();
        outcome
    });
    // A question that still waits for its answer must not keep the process.
    runtime.shutdown_background();
    if let Err(error) = forget.forget() {
        let note = format!("note: host keys of machines that are gone stay remembered: {error}");
        app.ui.say(Text::new().line(&note));
        if let StoreError::Unsafe { mend, .. } = &error {
            app.ui.say(Text::new().line(&format!("hint: {mend}")));
        }
    }
    outcome
}

/// Another number in each process, so that two that are refused at once do not come back at once. The
/// number of the process would be the same in every container.
fn seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Does work that changes nothing and needs no engine; the first signal ends it.
///
/// # Errors
/// When the user interrupts, or this machine has no room for it.
pub(crate) fn interruptible<T>(work: impl Future<Output = T>) -> Result<T, Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::machine("start", &error))?;
    let outcome = runtime.block_on(async {
        let signals =
            Signals::listen().map_err(|error| Stop::machine("listen for signals", &error))?;
        signals.interruptible(work).await
    });
    // A question that still waits for its answer must not keep the process.
    runtime.shutdown_background();
    outcome
}

impl Run<'_> {
    /// How to log in.
    ///
    /// # Errors
    /// In a run that was begun with [`Logins::None`].
    pub(crate) fn access(&self) -> Result<&Access, Stop> {
        self.access.as_ref().ok_or_else(|| Stop::bootstrap("this command does not log in to hosts"))
    }

    /// The host key that a host presents, whatever it is; one that is silent is given a little time.
    ///
    /// # Errors
    /// When it cannot be reached, or this is a run that was begun with [`Logins::None`].
    pub(crate) async fn scan(&self, target: &Target) -> Result<Presented, Failure> {
        let attempt = async || match &self.ssh {
            Some(ssh) => ssh.scan(target).await,
            None => Err(NoLogins::refusal(target)),
        };
        self.engine.until_reached(&target.host, attempt).await
    }

    /// The steps that make a host of this project ready.
    pub(crate) fn steps(&self) -> impl Fn(&Instance) -> Vec<Box<dyn Step>> + Send + Sync + 'static {
        let bootstrap = self.project.file.config.bootstrap.clone();
        steps_of(bootstrap, self.project.hosts.clone(), self.network.clone())
    }

    /// The same plan, with what it does to the network.
    pub(crate) fn with_network(&self, plan: Plan) -> Plan {
        match &self.network {
            Some(network) => plan.with_network(network.as_ref()),
            None => plan,
        }
    }

    /// Says which providers of the file are not looked at, for commands that show what exists.
    pub(crate) fn say_left_out(&self) {
        if let Some(note) = self.clouds.left_out_note(&self.project.scope.environment) {
            self.app.ui.say(Text::new().line(&note));
        }
    }

    /// Does work that changes nothing; the first signal ends it.
    ///
    /// # Errors
    /// When the user interrupts.
    pub(crate) async fn interruptible<T>(&self, work: impl Future<Output = T>) -> Result<T, Stop> {
        self.signals.interruptible(work).await
    }

    /// Does work that changes nothing; the first signal ends it with what it has by then.
    pub(crate) async fn stoppable<T>(&self, work: impl Future<Output = T>) -> T {
        self.signals.stoppable(&self.cancel, work).await
    }

    /// Does work that changes things; the first signal asks it to end, the second drops it.
    pub(crate) async fn guarded<T>(&self, work: impl Future<Output = T>) -> Ended<T> {
        let stopping = || {
            let mut text = Text::new();
            text.line("stopping: nothing new is started; press Ctrl-C again to stop at once");
            self.progress.note(&text);
        };
        self.signals.guarded(&self.cancel, stopping, work).await
    }

    /// Asks on the terminal; see [`ask`].
    ///
    /// # Errors
    /// When the user interrupts.
    pub(crate) async fn ask(&self, question: Text, wanted: Vec<String>) -> Result<Answer, Stop> {
        let ui = self.app.ui.clone();
        let asking = tokio::task::spawn_blocking(move || ask(&ui, &question, &wanted));
        let answer = self.signals.interruptible(asking).await;
        if answer.is_err() {
            // The cursor still stands behind the question.
            self.app.ui.say(Text::new().end_line());
        }
        Ok(answer?.unwrap_or(Answer::No))
    }
}

/// Who can be asked for the passphrases of keys.
fn passphrases(ui: &Ui, progress: &Progress) -> Option<Arc<dyn Passphrases>> {
    can_ask(ui).then(|| Arc::new(AskPassphrase::new(ui, progress)) as _)
}

/// What must be true on the host of an instance, by what the file wants of it.
fn steps_of(
    config: BootstrapConfig,
    hosts: BTreeMap<HostName, DesiredHost>,
    network: Option<Arc<dyn NetworkProvider>>,
) -> impl Fn(&Instance) -> Vec<Box<dyn Step>> + Send + Sync + 'static {
    move |instance| {
        let host = &instance.owner.host;
        let emulate = hosts.get(host).and_then(|wanted| bootstrap::emulated(wanted, instance));
        let member = Member::of(instance);
        let network = network.as_deref().map(|network| (network, &member));
        bootstrap::steps(host, &config, emulate, network)
    }
}

/// The connector of a run that never logs in.
#[derive(Debug)]
struct NoLogins;

impl NoLogins {
    fn refusal(target: &Target) -> RemoteError {
        RemoteError::Local {
            host: target.host.clone(),
            why: "this command does not log in".to_owned(),
        }
    }
}

#[async_trait]
impl Connector for NoLogins {
    async fn connect(&self, target: &Target) -> Result<Box<dyn Remote>, RemoteError> {
        Err(Self::refusal(target))
    }
}

#[cfg(test)]
mod tests {
    use stagecraft_core::desired::ProviderId;

    use super::*;
    use crate::ui::samples::running;

    #[test]
    fn a_machine_of_another_architecture_than_the_file_asks_for_emulates_it() {
        let text = "project: { name: shop }\n\
                    cloud: { providers: { digitalocean: { token_env: T, ssh_key_name: k,\n\
                    \x20 default_region: nyc3, hosts: { dev: {\n\
                    \x20   a: { role: app, arch: arm64 }, b: { role: app } } } } } }\n";
        let config = stagecraft_core::config::parse("stagecraft.yml", text.as_bytes()).unwrap();
        let hosts = config.environments.into_values().next().unwrap();
        let steps = steps_of(config.bootstrap, hosts, None);
        let last = |name: &str| {
            let mut there = running(name, "203.0.113.7");
            there.provider = ProviderId::DigitalOcean;
            steps(&there).last().map(|step| step.name())
        };
        assert_eq!(last("a"), Some("emulation"));
        assert_eq!(last("b"), Some("docker-verify"));
        assert_eq!(last("not-in-the-file"), Some("docker-verify"));
    }
}
