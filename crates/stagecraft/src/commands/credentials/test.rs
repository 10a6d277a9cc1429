use futures_util::future::join_all;
use stagecraft_core::cloud::Identity;
use stagecraft_core::config::Config;
use stagecraft_core::credential::Issuer;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{ExitCode, Failure};
use stagecraft_core::name::CredentialName;
use stagecraft_engine::Engine;
use stagecraft_vault::{Entry, Vault, VaultError};

use super::{Place, stopped};
use crate::app::App;
use crate::args::{Output, Test};
use crate::documents::{CredentialTest, CredentialTestDocument, TestResult};
use crate::run::{engine_for, interruptible};
use crate::stop::{Stop, Trouble};
use crate::ui::{BAD, BOLD, Cell, Columns, GOOD, PLAIN, Progress};
use crate::wire;

/// What is asked for one entry.
enum Question {
    Ask(Box<Engine>),
    Told(TestResult),
}

/// Asks the providers of entries whether they accept them.
pub(super) fn run(app: &App, args: &Test) -> Result<ExitCode, Stop> {
    let place = Place::of(app)?;
    let (entries, mut vault) = chosen(app, &place, &args.names)?;
    let config = match &place.config {
        Some(config) => config.clone(),
        // Where there is no file, every provider is asked at its own address.
        None => Config::of_project("none".parse().expect("it is a name")),
    };
    let progress = Progress::new(&app.ui, "");
    let registry = wire::registry(&app.environment, &config, None, &progress);
    let questions: Vec<(Entry, Question)> = entries
        .into_iter()
        .map(|entry| {
            let question = match opened(&mut vault, &entry) {
                Ok((_, None)) => Question::Told(TestResult::Opened),
                Ok((identity, Some(id))) => match registry.client(id, &identity) {
                    Ok(client) => Question::Ask(Box::new(engine_for(id, client, &progress))),
                    Err(error) => told(Failure::from(&error)),
                },
                Err(failure) => told(failure),
            };
            (entry, question)
        })
        .collect();
    let asking = questions.into_iter().map(async |(Entry { name, issuer }, question)| {
        let result = match question {
            Question::Told(result) => result,
            Question::Ask(engine) => accepted(&engine).await,
        };
        CredentialTest { name, provider: issuer, result }
    });
    let document = interruptible(join_all(asking));
    progress.finish();
    let document = document?;
    let exit = exit_of(&document);
    show(app, document, exit)?;
    Ok(exit)
}

/// What the only provider of an engine says to its credentials.
async fn accepted(engine: &Engine) -> TestResult {
    match engine.validate_credentials().await.into_values().next() {
        Some(Ok(account)) => TestResult::Accepted { account: account.name },
        Some(Err(error)) => TestResult::Failed { failure: Failure::from(&error) },
        None => TestResult::Opened,
    }
}

fn told(failure: Failure) -> Question {
    Question::Told(TestResult::Failed { failure })
}

/// The entries that are meant, and the store they are in.
fn chosen(app: &App, place: &Place, names: &[CredentialName]) -> Result<(Vec<Entry>, Vault), Stop> {
    let Some(mut vault) = place.existing(app)? else {
        let error = match names.first() {
            Some(name) => VaultError::NotFound { name: name.clone(), known: Vec::new() },
            None => return Err(Stop::usage("the credential store has no entries to test")),
        };
        return Err(stopped(&error));
    };
    let all = vault.list().map_err(|error| stopped(&error))?;
    if let Some(missing) = names.iter().find(|name| all.iter().all(|entry| entry.name != **name)) {
        let known = all.into_iter().map(|entry| entry.name).collect();
        return Err(stopped(&VaultError::NotFound { name: missing.clone(), known }));
    }
    let chosen = all.into_iter().filter(|entry| names.is_empty() || names.contains(&entry.name));
    let chosen: Vec<Entry> = chosen.collect();
    if chosen.is_empty() {
        return Err(Stop::usage("the credential store has no entries to test"));
    }
    Ok((chosen, vault))
}

fn opened(vault: &mut Vault, entry: &Entry) -> Result<(Identity, Option<ProviderId>), Failure> {
    let credential = vault.get(&entry.name).map_err(|error| Failure::from(&error))?;
    wire::check_credential(&credential, Some(&entry.name))?;
    let cloud = Issuer::cloud(credential.issuer());
    Ok((Identity::Owner(credential), cloud))
}

fn failure(test: &CredentialTest) -> Option<&Failure> {
    match &test.result {
        TestResult::Failed { failure } => Some(failure),
        TestResult::Accepted { .. } | TestResult::Opened => None,
    }
}

/// A provider that refuses is a failure of the cloud; what does not open is one of the store.
fn exit_of(tests: &[CredentialTest]) -> ExitCode {
    let mut failures = tests.iter().filter_map(failure).peekable();
    if failures.peek().is_none() {
        ExitCode::Done
    } else if failures.any(|failure| failure.code.is_cloud()) {
        ExitCode::Cloud
    } else {
        ExitCode::Usage
    }
}

fn show(app: &App, credentials: Vec<CredentialTest>, exit: ExitCode) -> Result<(), Stop> {
    if app.ui.output == Output::Json {
        return app.ui.document(&CredentialTestDocument { credentials, exit_code: exit as u8 });
    }
    let mut columns = Columns::with_heading(&["NAME", "PROVIDER", "RESULT"]);
    for test in &credentials {
        let result = match &test.result {
            TestResult::Accepted { account } => {
                Cell::styled(GOOD, format!("accepted as {account}"))
            }
            TestResult::Opened => {
                Cell::styled(PLAIN, "opened; whether it is accepted shows when a host joins")
            }
            TestResult::Failed { failure } => {
                Cell::styled(BAD, format!("failed: {}", failure.code))
            }
        };
        let name = Cell::styled(BOLD, test.name.as_str());
        columns.row(vec![name, test.provider.as_str().into(), result]);
    }
    app.ui.result(&columns.render(app.ui.width()))?;
    let troubles: Vec<Trouble> =
        credentials.iter().filter_map(failure).map(|failure| failure.clone().into()).collect();
    if !troubles.is_empty() {
        app.ui.say(&app.ui.errors(&Stop { exit, troubles }));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use stagecraft_core::Secret;
    use stagecraft_core::credential::{Credential, Field};
    use stagecraft_core::error::Code;

    use super::*;

    #[test]
    fn an_entry_that_cannot_be_right_is_told_without_asking() {
        let folder = tempfile::tempdir().unwrap();
        let file = "project: { name: p }\ncredentials: { path: store.db, key_file: key }\n\
                    cloud: { providers: {} }\n";
        let config = stagecraft_core::config::parse("f", file.as_bytes()).unwrap();
        let environment = wire::Environment::for_tests("/home/ada", &[]);
        let mut vault = wire::vault(&environment, &config.store, folder.path()).unwrap();
        let mut opened_with = |name: &str, id: String, secret: String| {
            let parts = [(Field::AccessKeyId, id), (Field::SecretAccessKey, secret)];
            let parts = parts.map(|(field, text)| (field, Secret::new(&text)));
            let credential = Credential::new(Issuer::Aws, parts).unwrap();
            let name: CredentialName = name.parse().unwrap();
            vault.put(&name, &credential, false).unwrap();
            opened(&mut vault, &Entry { name, issuer: Issuer::Aws }).map(|(_, cloud)| cloud)
        };
        let (id, secret) = ("AKIA".repeat(5), "a".repeat(40));
        assert_eq!(opened_with("a", id.clone(), secret.clone()), Ok(Some(ProviderId::Aws)));
        let failure = opened_with("b", secret, id).unwrap_err();
        assert_eq!(failure.code, Code::CREDENTIAL_INVALID);
        assert!(failure.message.contains("the entry `b`"), "{failure:?}");
    }
}
