mod add;
mod list;
mod remove;
mod rotate;
mod test;

use std::path::PathBuf;

use stagecraft_core::config::{Config, StoreConfig};
use stagecraft_core::error::{ExitCode, Failure};
use stagecraft_vault::{Vault, VaultError};

use crate::app::App;
use crate::args::{Credentials, DEFAULT_CONFIG};
use crate::project::{File, folder_of};
use crate::stop::Stop;
use crate::wire;

/// Runs one command of the credential store.
pub(super) fn run(app: &App, command: &Credentials) -> Result<ExitCode, Stop> {
    match command {
        Credentials::Add(args) => add::run(app, args),
        Credentials::List => list::run(app),
        Credentials::Test(args) => test::run(app, args),
        Credentials::Remove(args) => remove::run(app, args),
        Credentials::RotateKey(_) => rotate::run(app),
    }
}

/// Which store a command works on.
struct Place {
    /// What the file says, where there is one.
    config: Option<Config>,
    store: StoreConfig,
    base: PathBuf,
}

impl Place {
    /// The store of the file, or the user's own where there is no file: secrets may come first.
    fn of(app: &App) -> Result<Self, Stop> {
        let path = &app.global.config;
        let config = match path == std::path::Path::new(DEFAULT_CONFIG) && !path.exists() {
            true => None,
            false => Some(File::load(app)?.config),
        };
        let base = folder_of(path).map_err(|error| Stop::machine("find its folder", &error))?;
        let store = config.as_ref().map(|config| config.store.clone()).unwrap_or_default();
        Ok(Self { config, store, base })
    }

    /// The store, if there is one yet.
    fn existing(&self, app: &App) -> Result<Option<Vault>, Stop> {
        wire::existing_vault(&app.environment, &self.store, &self.base).map_err(refused)
    }

    /// The store, made where there is none yet.
    fn made(&self, app: &App) -> Result<Vault, Stop> {
        wire::vault(&app.environment, &self.store, &self.base).map_err(refused)
    }
}

/// The store does not do what was asked; no cloud was asked for anything.
fn refused(failure: Failure) -> Stop {
    Stop::new(ExitCode::Usage, failure)
}

fn stopped(error: &VaultError) -> Stop {
    refused(Failure::from(error))
}
