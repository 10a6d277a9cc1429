use stagecraft_core::error::ExitCode;
use stagecraft_vault::VaultError;

use super::{Place, stopped};
use crate::app::App;
use crate::args::{Output, Remove};
use crate::documents::{CredentialChange, CredentialDocument};
use crate::stop::Stop;
use crate::ui::{Answer, BOLD, GOOD, Text, ask, can_ask};

/// Removes an entry.
pub(super) fn run(app: &App, args: &Remove) -> Result<ExitCode, Stop> {
    let name = &args.name;
    let not_found = |known| stopped(&VaultError::NotFound { name: name.clone(), known });
    let Some(mut vault) = Place::of(app)?.existing(app)? else { return Err(not_found(Vec::new())) };
    let entries = vault.list().map_err(|error| stopped(&error))?;
    if !entries.iter().any(|entry| entry.name == *name) {
        return Err(not_found(entries.into_iter().map(|entry| entry.name).collect()));
    }
    if !app.global.yes {
        if !can_ask(&app.ui) {
            let message = format!("this would remove `{name}`, and there is nobody to ask");
            return Err(Stop::usage(message)
                .with_hint("add `--yes` if that is meant")
                .with_note("nothing was changed"));
        }
        let mut question = Text::new();
        question.put("Remove this credential? Type ").styled(BOLD, name.as_str());
        question.put(" to go on: ");
        if ask(&app.ui, &question, &[name.to_string()]) == Answer::No {
            app.ui.say(Text::new().line(&format!("`{name}` was not typed: nothing was changed.")));
            return Ok(ExitCode::Interrupted);
        }
    }
    let provider = vault.remove(name).map_err(|error| stopped(&error))?;
    match app.ui.output {
        Output::Json => app.ui.document(&CredentialDocument {
            name: name.clone(),
            provider,
            change: CredentialChange::Removed,
        })?,
        Output::Human => {
            let mut text = Text::new();
            text.styled(GOOD, &format!("`{name}` is removed"));
            text.line(&format!(". At {provider} it is valid until it is revoked there."));
            app.ui.result(&text)?;
        }
    }
    Ok(ExitCode::Done)
}
