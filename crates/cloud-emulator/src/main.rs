//! The clouds' APIs on this machine: for tests, for clients in other languages, and for trying a
//! `stagecraft.yml` without an account.
//!
//! ```text
//! stagecraft, or any client --HTTP--> emulator (testkit) --> World (machines that only seem to be)
//!                                                       \-> Lab   (with --lab: real containers)
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for a terminal")]

mod args;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use stagecraft_core::error::chain;
use stagecraft_testkit::emulators::aws::{self, Aws};
use stagecraft_testkit::emulators::digitalocean::{self, DigitalOcean};
use stagecraft_testkit::emulators::hetzner::{self, Hetzner};
use stagecraft_testkit::emulators::{Emulator, Exchange, Hosts, NoHosts, Options, Running, Script};
use stagecraft_testkit::world::{Behaviour, Delay};
use stagecraft_testkit::{SharedWorld, World};
use tokio::signal::unix::{SignalKind, signal};

use args::{Args, NamedKey, Provider};
use cloud_emulator::{Lab, settings};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), String> {
    let mut stop = [SignalKind::interrupt(), SignalKind::terminate()]
        .map(|kind| signal(kind).map_err(|error| error.to_string()));
    let lab = if args.lab { Some(open_lab(&args).await?) } else { None };
    let running = start(&args, lab.clone()).await?;
    println!("{}", running.url());
    // Whoever reads the URL from a pipe waits for it.
    std::io::stdout().flush().map_err(|error| error.to_string())?;
    eprintln!(
        "{} emulator; use it as `api_url: {}`, with {}. Ctrl-C ends it.",
        args.provider.name(),
        running.url(),
        args.provider.credentials()
    );
    let [interrupt, terminate] = &mut stop;
    let (interrupt, terminate) = (
        interrupt.as_mut().map_err(|error| error.clone())?,
        terminate.as_mut().map_err(|error| error.clone())?,
    );
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    drop(running);
    match lab {
        Some(lab) => lab.clear().await.map_err(|error| chain(&error)),
        None => Ok(()),
    }
}

async fn open_lab(args: &Args) -> Result<Lab, String> {
    // Tells apart what runs at once; with a port of its own it finds what a killed run left.
    let run = match args.listen.port() {
        0 => format!("run-{}", std::process::id()),
        port => format!("port-{port}"),
    };
    let opened = Lab::open(settings()?, args.provider.id(), &run).await;
    opened.map_err(|error| chain(&error))
}

async fn start(args: &Args, lab: Option<Lab>) -> Result<Running, String> {
    let script = match &args.faults {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("could not read {}: {error}", path.display()))?;
            Script::read(&text)?
        }
        None => Script::default(),
    };
    let mut behaviour = match args.provider {
        Provider::Aws | Provider::Digitalocean => Behaviour::names_are_free(),
        Provider::Hetzner => Behaviour::names_are_unique(),
    };
    behaviour.boot = Delay::Time(Duration::from_secs(args.boot));
    let seed = u64::from(std::process::id());
    let world = SharedWorld::new(World::new(args.provider.id(), behaviour, seed));
    let hosts: Arc<dyn Hosts> = match lab {
        Some(lab) => Arc::new(lab),
        None => Arc::new(NoHosts),
    };
    let quiet = args.quiet;
    let options = Options {
        tokens: script.tokens.clone(),
        faults: script.rules.clone(),
        beyond_loopback: !args.listen.ip().is_loopback(),
        limited: !args.no_limits,
        records: false,
        watcher: Some(Arc::new(move |exchange: &Exchange| {
            if !quiet {
                eprintln!("{exchange}");
            }
        })),
        ..Options::default()
    };
    let emulator = match args.provider {
        Provider::Aws => {
            let front = Aws::new(&world).with_hosts(hosts);
            let habits = script.account::<aws::Habits>()?;
            front.change_habits(|of| *of = habits);
            put_keys(&args.ssh_keys, |name, key| front.put_key(name, key))?;
            Emulator::new(&world, front, options)
        }
        Provider::Digitalocean => {
            let front = DigitalOcean::new(&world).with_hosts(hosts);
            let habits = script.account::<digitalocean::Habits>()?;
            front.change_habits(|of| *of = habits);
            put_keys(&args.ssh_keys, |name, key| front.put_key(name, key))?;
            Emulator::new(&world, front, options)
        }
        Provider::Hetzner => {
            let front = Hetzner::new(&world).with_hosts(hosts);
            let habits = script.account::<hetzner::Habits>()?;
            front.change_habits(|of| *of = habits);
            put_keys(&args.ssh_keys, |name, key| front.put_key(name, key))?;
            Emulator::new(&world, front, options)
        }
    };
    world.with(|world, _| script.world.apply(world));
    let listening = emulator.listen(args.listen).await;
    listening.map_err(|error| format!("could not listen at {}: {error}", args.listen))
}

fn put_keys(
    keys: &[NamedKey],
    put: impl Fn(&str, &str) -> Result<(), String>,
) -> Result<(), String> {
    for NamedKey { name, path } in keys {
        let key = std::fs::read_to_string(path)
            .map_err(|error| format!("could not read {}: {error}", path.display()))?;
        put(name, key.trim()).map_err(|why| format!("the key `{name}`: {why}"))?;
    }
    Ok(())
}
