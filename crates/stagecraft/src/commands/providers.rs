use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::ExitCode;

use crate::app::App;
use crate::args::Output;
use crate::documents::ProvidersDocument;
use crate::stop::Stop;
use crate::ui::{BOLD, Cell, Columns};
use crate::wire;

/// Lists the providers.
pub(super) fn run(app: &App) -> Result<ExitCode, Stop> {
    let providers = ProviderId::ALL.map(wire::provider_facts).to_vec();
    match app.ui.output {
        Output::Json => app.ui.document(&ProvidersDocument { providers })?,
        Output::Human => {
            let mut columns =
                Columns::with_heading(&["PROVIDER", "HOSTS ARE", "ARM64", "SPOT", "CREDENTIALS"]);
            for provider in providers {
                columns.row(vec![
                    Cell::styled(BOLD, provider.provider.as_str()),
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
