use std::collections::BTreeMap;

use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{ExitCode, Failure};
use stagecraft_core::inventory::Inventory;

use crate::app::App;
use crate::args::{Output, Validate};
use crate::documents::{EnvironmentItem, OnlineItem, ValidationDocument};
use crate::project::{File, Project};
use crate::run::{Logins, Run, with_engine};
use crate::stop::{Stop, Trouble};
use crate::ui::{GOOD, Text, count};

/// Checks the file.
pub(super) fn run(app: &App, args: &Validate) -> Result<ExitCode, Stop> {
    let (file, online) = if args.online {
        let project = Project::load(app)?;
        let online = with_engine(app, &project, Logins::None, async |run| online(run).await)?;
        (project.file, Some(online))
    } else {
        (offline(app)?, None)
    };
    let document = ValidationDocument {
        project: file.config.project.clone(),
        environments: file
            .config
            .environments
            .iter()
            .map(|(name, hosts)| EnvironmentItem { name: name.clone(), hosts: hosts.len() })
            .collect(),
        online,
    };
    match app.ui.output {
        Output::Json => app.ui.document(&document)?,
        Output::Human => app.ui.result(&screen(&file, &document))?,
    }
    Ok(ExitCode::Done)
}

/// The file by itself, and whether it has the environment that was named.
fn offline(app: &App) -> Result<File, Stop> {
    let file = File::load(app)?;
    if let Some(name) = &app.global.env {
        let chosen = file.config.environment(Some(name.as_str()));
        chosen.map_err(|problem| file.problems(vec![problem]))?;
    }
    Ok(file)
}

/// What the providers say to the chosen environment.
async fn online(run: &Run<'_>) -> Result<Vec<OnlineItem>, Stop> {
    let accounts = run.interruptible(run.engine.validate_credentials()).await?;
    let mut troubles: Vec<Trouble> = Vec::new();
    let mut items: BTreeMap<ProviderId, OnlineItem> = BTreeMap::new();
    for (provider, account) in accounts {
        match account {
            Ok(account) => {
                let hosts = run.project.hosts.values();
                let hosts = hosts.filter(|host| host.provider == provider).count();
                items.insert(provider, OnlineItem { provider, account: account.name, hosts });
            }
            Err(error) => troubles.push(Failure::from(&error).into()),
        }
    }
    if !troubles.is_empty() {
        return Err(Stop { exit: ExitCode::Cloud, troubles });
    }
    let providers = items.keys().copied().collect();
    let catalogues = run.interruptible(run.engine.catalogues(&providers)).await?;
    let catalogues = catalogues.map_err(|error| Stop::from(&error))?;
    let Project { file, scope, hosts, .. } = run.project;
    // As if nothing were there: whether all of the file can be ordered today.
    let (nothing, all) = (Inventory::default(), hosts.keys().cloned().collect());
    file.resolved(scope, hosts, &catalogues, &nothing, &all)?;
    Ok(items.into_values().collect())
}

fn screen(file: &File, document: &ValidationDocument) -> Text {
    let mut text = Text::new();
    let environments: Vec<String> = document
        .environments
        .iter()
        .map(|item| format!("`{}` with {}", item.name, count(item.hosts, "host")))
        .collect();
    text.styled(GOOD, &format!("`{}` is valid", file.name));
    let environments = match environments.as_slice() {
        [] => "no environments yet".to_owned(),
        all => all.join(", "),
    };
    text.put(&format!(": project `{}`, {environments}.", document.project));
    text.end_line();
    for item in document.online.iter().flatten() {
        let hosts = count(item.hosts, "host");
        text.line(&format!(
            "{}: logged in as {}, {hosts} can be ordered.",
            item.provider, item.account
        ));
    }
    text
}
