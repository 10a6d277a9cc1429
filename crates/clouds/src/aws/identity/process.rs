//! Credentials that a program prints, by `credential_process` of a profile.

use std::process::Stdio;
use std::time::Duration;

use aws_credential_types::Credentials;
use tokio::process::Command;

use super::environment::AwsEnvironment;
use super::exchange::Told;
use super::source::Trouble;
use crate::http::words;

/// How long a program may think; some open a browser.
const PATIENCE: Duration = Duration::from_secs(120);
const RUN_IT: &str = "run the program of `credential_process` by itself and see what it says";

/// Runs a program and reads what it prints. It gets no secret of the file's variables.
pub(super) async fn credentials(
    environment: &AwsEnvironment,
    command: &str,
) -> Result<Credentials, Trouble> {
    let mut program = Command::new("sh");
    program.args(["-c", command]).stdin(Stdio::null()).kill_on_drop(true);
    for name in &environment.withheld {
        program.env_remove(name);
    }
    let trouble = |why: String| Trouble::new(format!("its `credential_process` {why}"), RUN_IT);
    let ended = tokio::time::timeout(PATIENCE, program.output())
        .await
        .map_err(|_| trouble(format!("did not end within {} s", PATIENCE.as_secs())))?
        .map_err(|error| trouble(format!("could not be started: {error}")))?;
    if !ended.status.success() {
        let said = words(&String::from_utf8_lossy(&ended.stderr));
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        return Err(trouble(format!("ended with {}{said}", ended.status)));
    }
    // Whatever is wrong with it, it may hold a secret.
    let told: Result<Told, _> = serde_json::from_slice(&ended.stdout);
    told.map(Credentials::from).map_err(|_| {
        trouble(
            "printed something else than credentials in JSON, with `AccessKeyId` and \
                 `SecretAccessKey`"
                .to_owned(),
        )
    })
}
