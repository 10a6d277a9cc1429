use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::ExitCode;

use crate::app::App;
use crate::args::Output;
use crate::documents::ProvidersDocument;
use crate::stop::Stop;
use crate::ui::{BOLD, Cell, Columns, FAINT, GOOD};
use crate::wire;

/// Lists the providers.
pub(super) fn run(app: &App) -> Result<ExitCode, Stop> {
    let providers = ProviderId::ALL.map(wire::provider_facts).to_vec();
    match app.ui.output {
        Output::Json => app.ui.document(&ProvidersDocument { providers })?,
        Output::Human => {
            let mut columns = Columns::with_heading(&[
                "PROVIDER",
                "HERE",
                "HOSTS ARE",
                "ARM64",
                "SPOT",
                "CREDENTIALS",
            ]);
            for provider in providers {
                let here = match provider.available {
                    true => Cell::styled(GOOD, "yes"),
                    false => Cell::styled(FAINT, "no"),
                };
                columns.row(vec![
                    Cell::styled(BOLD, provider.provider.as_str()),
                    here,
                    provider.hosts.into(),
                    provider.arm64.into(),
                    provider.spot.into(),
                    provider.credentials.into(),
                ]);
            }
            app.ui.result(&columns.render(app.ui.width()))?;
        }
    }
    Ok(ExitCode::Done)
}
