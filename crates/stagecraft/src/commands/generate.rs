//! What is made from the program itself: schemas, completions, manual pages.

use std::io::ErrorKind;
use std::path::Path;

use clap::{Command, CommandFactory as _};
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
    let mut command = Args::command().disable_help_subcommand(true);
    command.build();
    match &args.dir {
        Some(dir) => write_pages(&command, dir)?,
        None => app.ui.artefact(&page(&command)?.1)?,
    }
    Ok(ExitCode::Done)
}

fn write_pages(command: &Command, dir: &Path) -> Result<(), Stop> {
    let (file, text) = page(command)?;
    std::fs::write(dir.join(file), text).map_err(|error| {
        let stop = Stop::output(&format!("to `{}`", dir.display()), &error);
        stop.with_hint(if error.kind() == ErrorKind::NotFound {
            "make this folder first"
        } else {
            "name a folder you may write to with `--dir`"
        })
    })?;
    command.get_subcommands().try_for_each(|command| write_pages(command, dir))
}

/// The name and the text of a command's page.
fn page(command: &Command) -> Result<(String, String), Stop> {
    let man = clap_mangen::Man::new(command.clone());
    let mut page = Vec::new();
    man.render(&mut page).map_err(|error| Stop::output("the manual page", &error))?;
    let mut text = String::from_utf8_lossy(&page).into_owned();
    // The synopsis names options without their values.
    for option in command.get_opts() {
        if let (Some(long), Some([value, ..])) = (option.get_long(), option.get_value_names()) {
            let long = long.replace('-', "\\-");
            let with_value = format!("[\\fB\\-\\-{long}\\fR \\fI{value}\\fR]");
            text = text.replace(&format!("[\\fB\\-\\-{long}\\fR]"), &with_value);
        }
    }
    // And it leaves out what stands before arguments that may look like options.
    for argument in command.get_positionals().filter(|argument| argument.is_last_set()) {
        for value in argument.get_value_names().into_iter().flatten() {
            let shown = format!("<\\fI{value}\\fR>");
            text = text.replacen(&shown, &format!("\\-\\- {shown}"), 1);
        }
    }
    Ok((man.get_filename(), text))
}
