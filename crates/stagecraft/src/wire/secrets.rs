use std::cell::{OnceCell, RefCell};
use std::path::Path;

use stagecraft_core::config::StoreConfig;
use stagecraft_core::credential::{Credential, Issuer};
use stagecraft_core::error::{Code, Failure};
use stagecraft_core::name::CredentialName;
use stagecraft_vault::{Vault, VaultError};

use super::Environment;
use super::vault::{existing_vault, no_store};

/// Where the secrets of a run come from: variables, and the credential store, which is opened when its
/// first entry is needed.
#[derive(Debug)]
pub(crate) struct Secrets<'a> {
    pub(super) environment: &'a Environment,
    store: &'a StoreConfig,
    base: &'a Path,
    vault: OnceCell<Result<RefCell<Vault>, Failure>>,
}

impl<'a> Secrets<'a> {
    /// The secrets of a file in the folder `base`. Reads nothing yet.
    pub(crate) fn new(
        environment: &'a Environment,
        store: &'a StoreConfig,
        base: &'a Path,
    ) -> Self {
        Self { environment, store, base, vault: OnceCell::new() }
    }

    /// An entry of the credential store, for this issuer.
    ///
    /// # Errors
    /// When there is none, it cannot be opened, or it is of somebody else.
    pub(crate) fn stored(
        &self,
        name: &CredentialName,
        issuer: Issuer,
    ) -> Result<Credential, Failure> {
        let opened = self.vault.get_or_init(|| {
            match existing_vault(self.environment, self.store, self.base)? {
                Some(vault) => Ok(RefCell::new(vault)),
                None => Err(no_store(self.environment, self.store, self.base, name, issuer)),
            }
        });
        let vault = opened.as_ref().map_err(Clone::clone)?;
        let got = vault.borrow_mut().get(name);
        let credential = got.map_err(|error| {
            let failure = Failure::from(&error);
            if !matches!(error, VaultError::NotFound { .. }) {
                return failure;
            }
            failure.with_hint(format!(
                "add it by `stagecraft credentials add {name} --provider {issuer}`"
            ))
        })?;
        let of = credential.issuer();
        if of == issuer {
            return Ok(credential);
        }
        let message = format!(
            "the entry `{name}` of the credential store is of {of}, and the file uses it for {issuer}"
        );
        Err(Failure::new(Code::CREDENTIAL_INVALID, message).with_hint(format!(
            "name an entry of {issuer}; `stagecraft credentials list` shows them"
        )))
    }
}
