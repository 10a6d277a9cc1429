//! One file per verb; each is the thread from the arguments to an exit code and decides nothing.

mod bootstrap;
mod carry_out;
mod credentials;
mod down;
mod exec;
mod generate;
mod hosts;
mod init;
mod inventory;
mod plan;
mod providers;
mod ssh;
mod status;
mod trust;
mod up;
mod validate;

use stagecraft_core::error::ExitCode;

use crate::app::App;
use crate::args::{Command, Infra};
use crate::stop::Stop;

/// Runs one command.
///
/// # Errors
/// When it could not do its work; a run whose hosts failed is no error but an exit code.
pub(crate) fn run(app: &App, command: &Command) -> Result<ExitCode, Stop> {
    match command {
        Command::Init(args) => init::run(app, args),
        Command::Validate(args) => validate::run(app, args),
        Command::Infra(Infra::Plan(args)) => plan::run(app, args),
        Command::Infra(Infra::Up(args)) => up::run(app, args),
        Command::Infra(Infra::Status) => status::run(app),
        Command::Infra(Infra::Bootstrap(args)) => bootstrap::run(app, args),
        Command::Infra(Infra::Down(args)) => down::run(app, args),
        Command::Infra(Infra::Inventory(args)) => inventory::run(app, args),
        Command::Infra(Infra::Trust(args)) => trust::run(app, args),
        Command::Ssh(args) => ssh::run(app, args),
        Command::Exec(args) => exec::run(app, args),
        Command::Credentials(command) => credentials::run(app, command),
        Command::Providers => providers::run(app),
        Command::Schema(args) => generate::schema(app, args),
        Command::Completions(args) => generate::completions(app, args),
        Command::Man(args) => generate::man(app, args),
    }
}
