//! The file `stagecraft init` writes.

use super::is_supported;
use crate::desired::ProviderId;

const LOCAL: &str = include_str!("template/local.yml");
const CLOUD: &str = include_str!("template/cloud.yml");

/// A commented file without problems whose hosts live at `provider`.
#[must_use]
pub fn template(provider: ProviderId) -> String {
    let (credentials, region) = match provider {
        ProviderId::Local => return LOCAL.to_owned(),
        ProviderId::Aws => {
            ("credentials: aws            # an entry of the credential store", "us-east-1")
        }
        ProviderId::DigitalOcean => {
            ("token_env: DO_TOKEN         # the variable that holds the token", "nyc3")
        }
        ProviderId::Hetzner => {
            ("token_env: HCLOUD_TOKEN     # the variable that holds the token", "nbg1")
        }
    };
    let note = if is_supported(provider) {
        String::new()
    } else {
        format!(
            "#\n# This version checks the file, but cannot create hosts on {provider} yet.\n\
             # `stagecraft init --provider local` gives hosts that it can create.\n"
        )
    };
    CLOUD
        .replace("@note@\n", &note)
        .replace("@credentials@", credentials)
        .replace("@provider@", provider.as_str())
        .replace("@region@", region)
}
