use std::io::Write as _;

use stagecraft_core::config;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Code, ExitCode, Failure};

use crate::app::App;
use crate::args::{Init, Output};
use crate::documents::InitDocument;
use crate::next::Next;
use crate::stop::Stop;
use crate::ui::Text;

/// Writes a first file.
pub(super) fn run(app: &App, args: &Init) -> Result<ExitCode, Stop> {
    let path = &app.global.config;
    let name = format!("`{}`", path.display());
    let text = config::template(args.provider);
    // Of two that come at once, one makes the file and the other is refused.
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| {
            if error.kind() == std::io::ErrorKind::AlreadyExists {
                let failure = Failure::new(Code::OUTPUT_FAILED, format!("{name} exists already"));
                Stop::new(ExitCode::Usage, failure)
                    .with_hint("it is never overwritten; name another file with `--config`")
            } else if error.kind() == std::io::ErrorKind::NotFound {
                Stop::output(&name, &error).with_hint("make its folder first")
            } else {
                Stop::output(&name, &error)
                    .with_hint("name a file in a folder you may write to with `--config`")
            }
        })?;
    if let Err(error) = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()) {
        // Half a file would be in the way of the next attempt. If it stays, that says so.
        let _left_behind = std::fs::remove_file(path);
        return Err(Stop::output(&name, &error));
    }
    match app.ui.output {
        Output::Json => {
            app.ui.document(&InitDocument { provider: args.provider })?;
        }
        Output::Human => {
            let next = Next::new(&app.global);
            let mut said = Text::new();
            said.line(&format!("Wrote {name} with hosts on {}.", args.provider));
            let (check, up) = (next.command("validate"), next.command("infra up"));
            if let Some(variable) = config::token_variable(args.provider) {
                let check = next.command("validate --online");
                said.line(&format!(
                    "Next: read it, set `{variable}` to an API token, check both with {check}, \
                     make it real with {up}."
                ));
            } else if args.provider == ProviderId::Aws {
                let check = next.command("validate --online");
                said.line(&format!(
                    "Next: read it, sign in as for AWS's own tools, e.g. by `export \
                     AWS_PROFILE=NAME`, check both with {check}, make it real with {up}."
                ));
            } else {
                said.line(&format!(
                    "Next: read it, check it with {check}, make it real with {up}."
                ));
            }
            app.ui.result(&said)?;
        }
    }
    Ok(ExitCode::Done)
}
