//! What is made from the program itself: schemas, completions, manual pages.

use clap::CommandFactory as _;
use stagecraft_core::config;
use stagecraft_core::error::ExitCode;

use crate::app::App;
use crate::args::{Args, Completions, Man, Schema, SchemaOf};
use crate::documents::schema_of;
use crate::stop::Stop;

/// Prints a JSON Schema.
pub(super) fn schema(app: &App, args: &Schema) -> Result<ExitCode, Stop> {
    let schema = match args.of {
        SchemaOf::Config => config::json_schema(),
        SchemaOf::Document(kind) => schema_of(kind),
    };
    app.ui.artefact(&format!("{schema:#}\n"))?;
    Ok(ExitCode::Done)
}

/// Prints a completion script.
pub(super) fn completions(app: &App, args: &Completions) -> Result<ExitCode, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "stagecraft", &mut script);
    app.ui.artefact(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::Done)
}

/// Prints the manual page, or writes one for every command.
pub(super) fn man(app: &App, args: &Man) -> Result<ExitCode, Stop> {
    match &args.dir {
        Some(dir) => {
            clap_mangen::generate_to(Args::command(), dir)
                .map_err(|error| Stop::output(&format!("to `{}`", dir.display()), &error))?;
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Args::command())
                .render(&mut page)
                .map_err(|error| Stop::output("the manual page", &error))?;
            app.ui.artefact(&String::from_utf8_lossy(&page))?;
        }
    }
    Ok(ExitCode::Done)
}
