use stagecraft_core::error::ExitCode;

use super::{Place, stopped};
use crate::app::App;
use crate::args::Output;
use crate::documents::{CredentialItem, CredentialsDocument};
use crate::next::Next;
use crate::stop::Stop;
use crate::ui::{BOLD, Cell, Columns, Text};

/// Lists the entries.
pub(super) fn run(app: &App) -> Result<ExitCode, Stop> {
    let entries = match Place::of(app)?.existing(app)? {
        Some(mut vault) => vault.list().map_err(|error| stopped(&error))?,
        None => Vec::new(),
    };
    let credentials: Vec<CredentialItem> = entries
        .into_iter()
        .map(|entry| CredentialItem { name: entry.name, provider: entry.issuer })
        .collect();
    match app.ui.output {
        Output::Json => app.ui.document(&CredentialsDocument { credentials })?,
        Output::Human if credentials.is_empty() => {
            let add = Next::new(&app.global).command("credentials add NAME --provider PROVIDER");
            let none = format!("The credential store has no entries. {add} makes the first.");
            app.ui.result(Text::new().line(&none))?;
        }
        Output::Human => {
            let mut columns = Columns::with_heading(&["NAME", "PROVIDER"]);
            for item in credentials {
                let name = Cell::styled(BOLD, item.name.as_str());
                columns.row(vec![name, item.provider.as_str().into()]);
            }
            app.ui.result(&columns.render(app.ui.width()))?;
        }
    }
    Ok(ExitCode::Done)
}
