//! The Secret Service of a session, spoken to over D-Bus. What is sent is encrypted for the session.

use std::collections::HashMap;
use std::time::Duration;

use secret_service::{Collection, EncryptionType, Error, Item, SecretService};
use stagecraft_core::name::KeyringName;
use zbus::Address;
use zbus::address::Transport;
use zbus::address::transport::{Unix, UnixSocket};
use zeroize::Zeroizing;

use super::SessionBus;
use crate::error::KeyringError;

/// The collection that is gone when the session ends.
const VOLATILE: &str = "/org/freedesktop/secrets/collection/session";
const CONTENT: &str = "text/plain";

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For an answer.
    pub(super) answer: Duration,
    /// For a person who may be asked for the keyring's password first.
    pub(super) person: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { answer: Duration::from_secs(10), person: Duration::from_secs(120) }
    }
}

/// Does work in a session with the service, and ends the session.
pub(super) fn with_session<T>(
    bus: Option<&SessionBus>,
    patience: Patience,
    work: impl AsyncFnOnce(&Session<'_>) -> Result<T, KeyringError>,
) -> Result<T, KeyringError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| KeyringError::NoBus(error.to_string()))?;
    let done = runtime.block_on(async { work(&Session::open(bus, patience).await?).await });
    // What does not end by itself is not waited for.
    runtime.shutdown_background();
    done
}

/// A session with the service.
pub(super) struct Session<'a> {
    service: SecretService<'a>,
    patience: Patience,
}

impl Session<'_> {
    async fn open(bus: Option<&SessionBus>, patience: Patience) -> Result<Self, KeyringError> {
        let no_bus = |error: zbus::Error| KeyringError::NoBus(error.to_string());
        let address: Address = match bus {
            Some(SessionBus::Address(text)) => text.parse().map_err(no_bus)?,
            Some(SessionBus::Socket(path)) => {
                Address::new(Transport::Unix(Unix::new(UnixSocket::File(path.clone()))))
            }
            None => return Err(KeyringError::NoSession),
        };
        let connecting = zbus::connection::Builder::address(address).map_err(no_bus)?.build();
        let connection = within(patience.answer, connecting).await?.map_err(no_bus)?;
        let opening = SecretService::connect_with_existing(EncryptionType::Dh, connection);
        // Whoever keeps secrets may have to be started for that.
        let service = within(patience.answer, opening).await?.map_err(told)?;
        Ok(Self { service, patience })
    }

    /// What the item of this name holds; `None` when there is none.
    pub(super) async fn read(
        &self,
        name: &KeyringName,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        match self.item(name).await? {
            Some(item) => Ok(Some(Zeroizing::new(self.answer(item.get_secret()).await?))),
            None => Ok(None),
        }
    }

    /// Puts this into the item of this name, be it there or not.
    pub(super) async fn write(
        &self,
        name: &KeyringName,
        secret: &[u8],
    ) -> Result<(), KeyringError> {
        if let Some(item) = self.item(name).await? {
            if item.item_path.as_str().starts_with(VOLATILE) {
                return Err(KeyringError::Volatile);
            }
            return self.answer(item.set_secret(secret, CONTENT)).await;
        }
        let collection = self.default_collection().await?.ok_or(KeyringError::NoCollection)?;
        if collection.collection_path.as_str() == VOLATILE {
            return Err(KeyringError::Volatile);
        }
        let label = format!("Stagecraft: the key `{name}` of a credential store");
        let making = collection.create_item(&label, attributes(name), secret, false, CONTENT);
        self.person(making).await.map(drop)
    }

    /// The item of this name, unlocked.
    async fn item(&self, name: &KeyringName) -> Result<Option<Item<'_>>, KeyringError> {
        let mut found = self.found(name).await?;
        if found.is_empty()
            && let Some(collection) = self.default_collection().await?
            && self.answer(collection.is_locked()).await?
        {
            // Not every keyring says what there is in one that is locked.
            self.person(collection.unlock()).await?;
            found = self.found(name).await?;
        }
        let item = match (found.pop(), found.len()) {
            (None, _) => return Ok(None),
            (Some(item), 0) => item,
            (Some(_), others) => return Err(KeyringError::Ambiguous(others + 1)),
        };
        if self.answer(item.is_locked()).await? {
            self.person(item.unlock()).await?;
        }
        Ok(Some(item))
    }

    async fn found(&self, name: &KeyringName) -> Result<Vec<Item<'_>>, KeyringError> {
        let mut found = self.answer(self.service.search_items(attributes(name))).await?;
        found.unlocked.append(&mut found.locked);
        Ok(found.unlocked)
    }

    async fn default_collection(&self) -> Result<Option<Collection<'_>>, KeyringError> {
        match within(self.patience.answer, self.service.get_default_collection()).await? {
            Ok(collection) => Ok(Some(collection)),
            Err(Error::NoResult) => Ok(None),
            Err(error) => Err(told(error)),
        }
    }

    async fn answer<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, KeyringError> {
        within(self.patience.answer, work).await?.map_err(told)
    }

    async fn person<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, KeyringError> {
        within(self.patience.person, work).await?.map_err(told)
    }
}

/// What an item is found by. Anybody in the session may read it.
fn attributes(name: &KeyringName) -> HashMap<&str, &str> {
    HashMap::from([("application", "stagecraft"), ("name", name.as_str())])
}

async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, KeyringError> {
    tokio::time::timeout(limit, work).await.map_err(|_| KeyringError::Silent(limit))
}

/// What an error of the service means to whoever wants a key.
fn told(error: Error) -> KeyringError {
    match error {
        Error::Locked | Error::Prompt => KeyringError::Locked,
        Error::Unavailable => KeyringError::NoService,
        Error::NoResult => KeyringError::NoCollection,
        Error::Zbus(zbus::Error::MethodError(name, detail, _)) => {
            method_error(name.as_str(), detail.as_deref())
        }
        Error::Zbus(zbus::Error::FDO(error)) => fdo_error(&error),
        Error::ZbusFdo(error) => fdo_error(&error),
        Error::Zbus(error) => KeyringError::Refused(error.to_string()),
        Error::Crypto(_) | Error::Zvariant(_) => {
            KeyringError::Refused("its answer cannot be read".to_owned())
        }
        Error::PromptDisconnected => {
            KeyringError::Refused("it went away while somebody was asked".to_owned())
        }
        error => KeyringError::Refused(error.to_string()),
    }
}

fn fdo_error(error: &zbus::fdo::Error) -> KeyringError {
    use zbus::DBusError as _;
    method_error(error.name().as_str(), error.description())
}

fn method_error(name: &str, detail: Option<&str>) -> KeyringError {
    match name {
        "org.freedesktop.DBus.Error.ServiceUnknown"
        | "org.freedesktop.DBus.Error.NameHasNoOwner" => KeyringError::NoService,
        "org.freedesktop.Secret.Error.IsLocked" => KeyringError::Locked,
        name => KeyringError::Refused(match detail {
            Some(detail) => format!("{detail} ({name})"),
            None => name.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_service_are_told_by_what_they_mean() {
        let refused = |text: &str| KeyringError::Refused(text.to_owned());
        for (error, meaning) in [
            (Error::Prompt, KeyringError::Locked),
            (Error::Locked, KeyringError::Locked),
            (Error::Unavailable, KeyringError::NoService),
            (Error::Crypto("cut"), refused("its answer cannot be read")),
            (
                Error::ZbusFdo(zbus::fdo::Error::ServiceUnknown("gone".to_owned())),
                KeyringError::NoService,
            ),
            (
                Error::Zbus(zbus::fdo::Error::AccessDenied("no".to_owned()).into()),
                refused("no (org.freedesktop.DBus.Error.AccessDenied)"),
            ),
        ] {
            assert_eq!(told(error), meaning);
        }
        assert_eq!(
            method_error("org.freedesktop.Secret.Error.IsLocked", None),
            KeyringError::Locked
        );
        assert_eq!(method_error("a.b", None), refused("a.b"));
    }
}
