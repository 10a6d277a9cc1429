use std::io::{IsTerminal as _, Read as _};

use stagecraft_core::Secret;
use stagecraft_core::credential::{Credential, Field, Issuer};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Code, ExitCode, Failure};
use stagecraft_vault::Put;
use zeroize::Zeroizing;

use super::{Place, refused, stopped};
use crate::app::App;
use crate::args::{Add, Output};
use crate::documents::{CredentialChange, CredentialDocument};
use crate::run::interruptible;
use crate::stop::Stop;
use crate::ui::{GOOD, TerminalModes, Text, can_ask, hidden_line};
use crate::wire::check_credential;

/// More than all parts of a credential take.
const TOO_MUCH: usize = 64 * 1024;

/// Adds an entry.
pub(super) fn run(app: &App, args: &Add) -> Result<ExitCode, Stop> {
    let place = Place::of(app)?;
    let default = place.config.as_ref().and_then(|config| config.default_provider);
    let issuer = issuer(args.provider, default)?;
    // Whoever is asked for a secret does not want to hear afterwards that it is not wanted.
    if let (false, Some(mut vault)) = (args.replace, place.existing(app)?) {
        let entries = vault.list().map_err(|error| stopped(&error))?;
        if let Some(entry) = entries.into_iter().find(|entry| entry.name == args.name) {
            let (name, issuer) = (entry.name, entry.issuer);
            return Err(stopped(&stagecraft_vault::VaultError::Exists { name, issuer }));
        }
    }
    let credential = given(app, issuer)?;
    check_credential(&credential, None).map_err(refused)?;
    let mut vault = place.made(app)?;
    let put = vault.put(&args.name, &credential, args.replace).map_err(|error| stopped(&error))?;
    let (change, words) = match put {
        Put::Added => (CredentialChange::Added, "added"),
        Put::Replaced => (CredentialChange::Replaced, "replaced"),
    };
    match app.ui.output {
        Output::Json => app.ui.document(&CredentialDocument {
            name: args.name.clone(),
            provider: issuer,
            change,
        })?,
        Output::Human => {
            let mut text = Text::new();
            text.styled(GOOD, &format!("`{}` is {words}", args.name));
            text.line(&format!(
                ". Use it by `credentials: {}` under `{}` in the file.",
                args.name, issuer
            ));
            app.ui.result(&text)?;
        }
    }
    Ok(ExitCode::Done)
}

/// Whose credential it is: who is named, else the default of the file.
fn issuer(named: Option<Issuer>, default: Option<ProviderId>) -> Result<Issuer, Stop> {
    let known = Issuer::ALL.map(Issuer::as_str).join(", ");
    match (named, default) {
        (Some(issuer), _) => Ok(issuer),
        (None, Some(provider)) => Issuer::of(provider).ok_or_else(|| {
            Stop::usage(format!(
                "`cloud.provider` in the file is `{provider}`, which needs no credential"
            ))
            .with_hint(format!("name whose it is with `--provider`: {known}"))
        }),
        (None, None) => Err(Stop::usage("it was not said whose credential this is")
            .with_hint(format!("name whose it is with `--provider`: {known}"))
            .with_hint(
                "or set `cloud.provider` in the file to the provider that is meant by default",
            )),
    }
}

/// The credential, from whoever is at the terminal or from standard input.
fn given(app: &App, issuer: Issuer) -> Result<Credential, Stop> {
    let fields = if can_ask(&app.ui) {
        asked(app, issuer)?
    } else if std::io::stdin().is_terminal() {
        return Err(Stop::usage("the credential is read from standard input, which is a terminal")
            .with_hint("write it into the command by a pipe or from a file: `... < FILE`"));
    } else {
        read(issuer)?
    };
    Credential::new(issuer, fields).map_err(|misfit| {
        let message = format!("what was given is no credential of {issuer}: {misfit}");
        refused(Failure::new(Code::CREDENTIAL_INVALID, message)).with_hint(form(issuer))
    })
}

fn asked(app: &App, issuer: Issuer) -> Result<Vec<(Field, Secret)>, Stop> {
    // A signal while somebody types ends the question, and the terminal is as it was.
    let _terminal = TerminalModes::keep();
    let ui = app.ui.clone();
    let asking = async move {
        let answers = tokio::task::spawn_blocking(move || {
            let answers = issuer.fields().iter().map(|field| {
                Some((*field, Secret::new(&hidden_line(&ui, &question(issuer, *field))?)))
            });
            answers.collect::<Option<Vec<_>>>()
        });
        answers.await.ok().flatten()
    };
    let answers = interruptible(asking).inspect_err(|_| {
        // The cursor still stands behind the question.
        app.ui.say(Text::new().end_line());
    })?;
    answers.ok_or_else(Stop::interrupted)
}

/// Asks for one part by its name, and says how it is told from the others.
fn question(issuer: Issuer, field: Field) -> String {
    let mut notes: Vec<&str> = field.looks().into_iter().collect();
    if field.is_optional() {
        notes.push("empty if there is none");
    }
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
    format!("{} of {issuer}{notes}: ", field.words())
}

/// One line for each part.
fn read(issuer: Issuer) -> Result<Vec<(Field, Secret)>, Stop> {
    // Room for all of it: a text that grows leaves copies of itself behind.
    let mut text = Zeroizing::new(String::with_capacity(TOO_MUCH));
    let reading = std::io::stdin().lock().take(TOO_MUCH as u64).read_to_string(&mut text);
    let unreadable = |why: &str| {
        let message = format!("standard input holds no credential: {why}");
        refused(Failure::new(Code::CREDENTIAL_INVALID, message)).with_hint(form(issuer))
    };
    reading.map_err(|_| unreadable("it is not a text"))?;
    if text.len() == TOO_MUCH {
        return Err(unreadable("it is too long"));
    }
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let fields = issuer.fields();
    if lines.len() > fields.len() {
        let why = format!("it has {} lines instead of {}", lines.len(), fields.len());
        return Err(unreadable(&why));
    }
    Ok(fields.iter().copied().zip(lines.into_iter().map(Secret::new)).collect())
}

fn form(issuer: Issuer) -> String {
    let words: Vec<String> = issuer
        .fields()
        .iter()
        .map(|field| match field.is_optional() {
            true => format!("a {} if there is one", field.words()),
            false => format!("the {}", field.words()),
        })
        .collect();
    match words.as_slice() {
        [only] => format!("give {only} on one line"),
        several => format!("give {}, each on a line of its own", several.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_asked_for_by_its_name_and_looks() {
        let asked = |issuer: Issuer| {
            issuer.fields().iter().map(|field| question(issuer, *field)).collect::<Vec<_>>()
        };
        assert_eq!(
            asked(Issuer::Aws),
            [
                "access key id of aws (begins with AKIA or ASIA): ",
                "secret access key of aws (40 characters): ",
                "session token of aws (empty if there is none): ",
            ]
        );
        assert_eq!(asked(Issuer::Hetzner), ["API token of hetzner: "]);
    }
}
