use stagecraft_core::error::ExitCode;
use stagecraft_vault::VaultError;

use super::{Place, stopped};
use crate::app::App;
use crate::args::Output;
use crate::documents::KeyRotationDocument;
use crate::stop::Stop;
use crate::ui::{GOOD, Text};

/// Seals everything with a new key.
pub(super) fn run(app: &App) -> Result<ExitCode, Stop> {
    let Some(mut vault) = Place::of(app)?.existing(app)? else {
        return Err(stopped(&VaultError::Empty));
    };
    let rotation = vault.rotate().map_err(|error| stopped(&error))?;
    match app.ui.output {
        Output::Json => app.ui.document(&KeyRotationDocument {
            entries: rotation.records,
            finished_earlier: rotation.finished_earlier,
        })?,
        Output::Human => {
            let mut text = Text::new();
            let entries = match rotation.records {
                1 => "1 entry is".to_owned(),
                many => format!("{many} entries are"),
            };
            if rotation.finished_earlier {
                text.styled(GOOD, "The change of the key that was begun earlier is finished");
                text.line(&format!(
                    ": {entries} sealed anew, and the old key is gone. For another key run this again."
                ));
            } else {
                text.styled(GOOD, "The key is changed");
                text.line(&format!(": {entries} sealed anew."));
            }
            app.ui.result(&text)?;
        }
    }
    Ok(ExitCode::Done)
}
