use stagecraft_core::error::{ExitCode, Failure};
use stagecraft_core::remote::RemoteError;

use super::Run;
use crate::stop::Stop;
use crate::wire;

impl Run<'_> {
    /// That the private key the file names can be used, before anything is made that needs it.
    ///
    /// # Errors
    /// When it has a passphrase that nobody can give.
    pub(crate) async fn check_private_key(&self) -> Result<(), Stop> {
        let Some(ssh) = &self.ssh else { return Ok(()) };
        let hosts = self.project.hosts.values();
        let hosts = hosts.map(|host| (host.name.clone(), host.provider)).collect();
        let Err(error) = self.interruptible(ssh.check_private_key(&hosts)).await? else {
            return Ok(());
        };
        let stop = Stop::new(ExitCode::Bootstrap, Failure::from(&error));
        let is_locked = matches!(error, RemoteError::Locked { .. });
        let ssh = &self.project.file.config.bootstrap.ssh;
        Err(if is_locked { wire::or_by_variable(stop, ssh) } else { stop })
    }
}
