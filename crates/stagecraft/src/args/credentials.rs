//! Arguments of `credentials`.

use clap::{Args as ClapArgs, Subcommand};
use stagecraft_core::credential::Issuer;
use stagecraft_core::name::CredentialName;

/// Keep the credentials of clouds and networks, sealed
#[derive(Debug, Subcommand)]
pub(crate) enum Credentials {
    Add(Add),
    /// List the entries; opens none of them
    List,
    Test(Test),
    Remove(Remove),
    RotateKey(RotateKey),
}

/// Add a credential to the store
///
/// Asks for it on the terminal, where it is not shown; where standard input is no terminal, it is read
/// from there: one line for each part, for aws the access key id, the secret access key, and the session
/// token of a temporary key. The first entry makes the store, and its key.
#[derive(Debug, ClapArgs)]
pub(crate) struct Add {
    /// What `credentials` in the file calls it
    #[arg(value_name = "NAME")]
    pub(crate) name: CredentialName,
    /// Whose it is: aws, digitalocean, hetzner or tailscale; by default what `cloud.provider` in the file
    /// says
    #[arg(long, value_name = "PROVIDER")]
    pub(crate) provider: Option<Issuer>,
    /// Put it in the place of an entry of that name
    #[arg(long)]
    pub(crate) replace: bool,
}

/// Open entries, and ask their providers whether they accept them
///
/// Changes nothing. An auth key of Tailscale is only opened: whether it is accepted shows when a host
/// joins.
#[derive(Debug, ClapArgs)]
pub(crate) struct Test {
    /// The entries; all of them when none is named
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<CredentialName>,
}

/// Remove a credential from the store
///
/// Asks for its name first, unless --yes is given. The secret stays valid at the provider.
#[derive(Debug, ClapArgs)]
pub(crate) struct Remove {
    /// The entry
    #[arg(value_name = "NAME")]
    pub(crate) name: CredentialName,
}

/// Seal everything with a new key
///
/// All entries change at once or none does. Wherever it is killed, everything can still be opened, and
/// running it again goes on.
#[derive(Debug, ClapArgs)]
pub(crate) struct RotateKey {}
