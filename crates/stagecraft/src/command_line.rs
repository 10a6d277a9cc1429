//! From the command line to an exit code.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Parser as _};
use stagecraft_core::error::{Code, ExitCode, Failure};
use stagecraft_core::remote::quote;

use crate::app::App;
use crate::args::{Args, Global, Output};
use crate::commands;
use crate::stop::Stop;
use crate::ui::{Text, Ui};
use crate::wire::Environment;

/// Runs one command line to its end.
pub(crate) fn run(line: Vec<OsString>, environment: Environment) -> ExitCode {
    let args = match Args::try_parse_from(&line) {
        Ok(args) => args,
        Err(error) => return not_understood(&error, &line, &environment),
    };
    let ui = Ui::new(&args.global, &environment);
    let app = App { global: args.global, ui, environment };
    commands::run(&app, &args.command).unwrap_or_else(|stop| {
        app.ui.stop(&stop);
        stop.exit
    })
}

/// Shows what was asked for instead of a command, or why there is no command.
fn not_understood(error: &clap::Error, line: &[OsString], environment: &Environment) -> ExitCode {
    let output = if asks_for_json(line) { Output::Json } else { Output::Human };
    let ui = Ui::new(&Global::plain(output), environment);
    let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let no_command = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    let rendered = error.render();
    let outcome = if asked_for {
        ui.styled_result(&rendered.ansi().to_string())
    } else if no_command && output == Output::Human {
        ui.say(Text::new().append_trusted(&rendered.ansi().to_string()));
        return ExitCode::Usage;
    } else {
        Err(explained(error, line, &rendered.to_string()))
    };
    match outcome {
        Ok(()) => ExitCode::Done,
        Err(stop) => {
            ui.stop(&stop);
            stop.exit
        }
    }
}

/// What is wrong with a line, and what to type instead.
fn explained(error: &clap::Error, line: &[OsString], rendered: &str) -> Stop {
    let unknown = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(word)) if error.kind() == ErrorKind::UnknownArgument => word,
        _ => "",
    };
    let may_be_secret = !unknown.is_empty() && !unknown.starts_with('-');
    if may_be_secret && line.iter().any(|word| word == "credentials") {
        let message = "there is an argument too many, which is not repeated here";
        return Stop::new(
            ExitCode::Usage,
            Failure::new(Code::USAGE, message).with_hint(
                "secrets are read from the terminal or from standard input; one that was typed as an argument \
                 is in the history of your shell: replace it",
            ),
        );
    }
    let stop = usage(rendered);
    if let Some(command) = elsewhere(error, line) {
        return without_guesses(stop).with_hint(format!("the command is `{command}`"));
    }
    if may_be_secret && let Some(command) = behind_dashes(line, unknown) {
        return stop.with_hint(format!("a command for hosts stands behind `--`: `{command}`"));
    }
    if unknown == "--out" {
        return without_guesses(stop).with_hint(
            "a plan is not kept: `stagecraft infra up` makes one of what is there then, and shows it",
        );
    }
    match of_others(unknown) {
        Some(ours) => without_guesses(stop).with_hint(format!("that is `{ours}` here")),
        None => stop,
    }
}

/// The line up to the word that was not expected, with `--` before it, of a command that takes one for hosts.
fn behind_dashes(line: &[OsString], unexpected: &str) -> Option<String> {
    let words: Vec<String> =
        line.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    if !words.iter().any(|word| word == "exec" || word == "ssh") {
        return None;
    }
    let at = words.iter().position(|word| word == unexpected)?;
    let ours: String = words[..at].iter().map(|word| format!("{} ", quote(word))).collect();
    let more = if at + 1 < words.len() { " ..." } else { "" };
    Some(format!("stagecraft {ours}-- {}{more}", quote(unexpected)))
}

/// What an option of other tools is called here.
fn of_others(option: &str) -> Option<&'static str> {
    match option {
        "-y" | "--auto-approve" => Some("--yes"),
        "--json" => Some("--output json"),
        "--target" => Some("--host"),
        _ => None,
    }
}

/// The command of that name on the other level, or of what other tools call so: `infra validate` is `validate`,
/// `up` is `infra up`, `infra apply` too.
fn elsewhere(error: &clap::Error, line: &[OsString]) -> Option<String> {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    // Whoever asks for a list of credentials does not mean hosts.
    let of_hosts = !line.iter().any(|word| word == "credentials");
    match name.as_str() {
        "apply" => return Some("stagecraft infra up".to_owned()),
        "destroy" => return Some("stagecraft infra down".to_owned()),
        "ls" | "list" if of_hosts => return Some("stagecraft infra status".to_owned()),
        _ => {}
    }
    let all = Args::command();
    if all.find_subcommand(name).is_some() {
        return Some(format!("stagecraft {name}"));
    }
    let infra = all.find_subcommand("infra")?;
    infra.find_subcommand(name).map(|_| format!("stagecraft infra {name}"))
}

/// The same without what the parser takes for alike by its letters.
fn without_guesses(mut stop: Stop) -> Stop {
    for trouble in &mut stop.troubles {
        trouble.failure.hints.retain(|hint| !hint.contains("a similar "));
    }
    stop
}

/// The parser's words in our form: the first paragraph is the message, the tips are hints. It does not know that
/// nobody is to agree by mistake, and that what begins with a dash is no value of ours.
fn usage(rendered: &str) -> Stop {
    let rendered = rendered.strip_prefix("error: ").unwrap_or(rendered);
    let (message, rest) = rendered.split_once("\n\n").unwrap_or((rendered, ""));
    let words: Vec<&str> = message.split_whitespace().collect();
    let mut failure = Failure::new(Code::USAGE, words.join(" "));
    for line in rest.lines().map(str::trim) {
        if let Some(tip) = line.strip_prefix("tip: ") {
            if !tip.contains("'--yes'") && !tip.contains("as a value, use") {
                failure = failure.with_hint(tip);
            }
        } else if let Some(usage) = line.strip_prefix("Usage: ") {
            failure = failure.with_hint(format!("usage: {}", usage.replace(" --yes", "")));
        }
    }
    Stop::new(ExitCode::Usage, failure)
}

/// Whether a line that is not understood asks for JSON all the same.
fn asks_for_json(line: &[OsString]) -> bool {
    let ours = line.iter().take_while(|word| *word != "--");
    let words: Vec<&OsString> = ours.collect();
    words.iter().any(|word| *word == "--output=json")
        || words.windows(2).any(|pair| pair[0] == "--output" && pair[1] == "json")
}

impl Global {
    /// The options of a line that was not understood.
    fn plain(output: Output) -> Self {
        Self {
            config: crate::args::DEFAULT_CONFIG.into(),
            env: None,
            output,
            verbose: false,
            color: crate::args::Color::Auto,
            yes: false,
        }
    }
}
