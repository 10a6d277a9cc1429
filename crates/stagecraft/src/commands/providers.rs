use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::ExitCode;

use crate::app::App;
use crate::args::Output;
use crate::documents::{ProviderItem, ProvidersDocument};
use crate::stop::Stop;
use crate::ui::{BOLD, Cell, Columns, PLAIN, Text};
use crate::wire;

/// Lists the providers.
pub(super) fn run(app: &App) -> Result<ExitCode, Stop> {
    let providers = ProviderId::ALL.map(wire::provider_facts).to_vec();
    match app.ui.output {
        Output::Json => app.ui.document(&ProvidersDocument { providers })?,
        Output::Human => {
            app.ui.result(&screen(providers, app.ui.width()))?;
        }
    }
    Ok(ExitCode::Done)
}

/// A table, or where that has no room a paragraph for each.
fn screen(providers: Vec<ProviderItem>, width: usize) -> Text {
    let mut table =
        Columns::with_heading(&["PROVIDER", "HOSTS ARE", "ARM64", "SPOT", "CREDENTIALS"]);
    let mut paragraphs = Text::new();
    for item in providers {
        let ProviderItem { provider, hosts, credentials, arm64, spot } = item;
        paragraphs.styled(BOLD, provider.as_str()).end_line();
        for (name, fact) in [
            ("hosts are", &hosts),
            ("arm64", &arm64),
            ("spot", &spot),
            ("credentials", &credentials),
        ] {
            let words = format!("{name}: {fact}");
            paragraphs.space(2).wrapped(PLAIN, &words, 2, 4, width);
        }
        table.row(vec![
            Cell::styled(BOLD, provider.as_str()),
            hosts.into(),
            arm64.into(),
            spot.into(),
            credentials.into(),
        ]);
    }
    if table.fit(width) { table.render(width) } else { paragraphs }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_as_a_table_is_told_in_paragraphs() {
        let shown =
            |width| screen(ProviderId::ALL.map(wire::provider_facts).to_vec(), width).plain();
        for (width, is_table) in [(40, false), (60, true), (80, true), (120, true)] {
            let text = shown(width);
            assert_eq!(text.starts_with("PROVIDER"), is_table, "{text}");
            let fits = |line: &str| line.chars().count() <= width;
            assert!(text.lines().all(fits), "{width}\n{text}");
        }
    }
}
