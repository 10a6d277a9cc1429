//! The file `stagecraft init` writes.

use crate::desired::ProviderId;

const LOCAL: &str = include_str!("template/local.yml");
const CLOUD: &str = include_str!("template/cloud.yml");

/// The environment variable that holds the token in the file of [`template`], where there is one.
#[must_use]
pub fn token_variable(provider: ProviderId) -> Option<&'static str> {
    match provider {
        ProviderId::DigitalOcean => Some("DO_TOKEN"),
        ProviderId::Hetzner => Some("HCLOUD_TOKEN"),
        ProviderId::Aws | ProviderId::Local => None,
    }
}

/// A commented file without problems whose hosts live at `provider`.
#[must_use]
pub fn template(provider: ProviderId) -> String {
    let region = match provider {
        ProviderId::Local => return LOCAL.to_owned(),
        ProviderId::Aws => "us-east-1",
        ProviderId::DigitalOcean => "nyc3",
        ProviderId::Hetzner => "nbg1",
    };
    let credentials = match token_variable(provider) {
        Some(name) => {
            let key = format!("token_env: {name}");
            format!("{key:<27} # the environment variable that holds the API token")
        }
        None => "# Credentials are found as AWS's own tools find them; `profile: NAME` chooses a profile."
            .to_owned(),
    };
    let user = match provider {
        // Each image of AWS has a user of its own, who is known by the image.
        ProviderId::Aws => {
            "# user: ubuntu              # default: `ubuntu`, or `admin` of debian-12"
        }
        ProviderId::DigitalOcean | ProviderId::Hetzner | ProviderId::Local => "user: root",
    };
    CLOUD
        .replace("@credentials@", &credentials)
        .replace("@provider@", provider.as_str())
        .replace("@region@", region)
        .replace("@user@", user)
}
