//! What only `aws` has: an access key of two or three variables, a profile, and needing neither.

use super::{Lowering, Provider};
use crate::config::CredentialSource;
use crate::config::problem::Problem;
use crate::config::raw::RawAwsOnly;
use crate::error::Code;

impl Lowering<'_> {
    /// Where credentials come from: exactly one way.
    pub(super) fn aws_credentials(&mut self, provider: &Provider) -> Option<CredentialSource> {
        let RawAwsOnly {
            access_key_id_env, secret_access_key_env, session_token_env, profile, ..
        } = &provider.raw.aws;
        let keys = [
            ("access_key_id_env", access_key_id_env.is_some()),
            ("secret_access_key_env", secret_access_key_env.is_some()),
            ("session_token_env", session_token_env.is_some()),
        ];
        let key = keys.into_iter().find(|(_, is_given)| *is_given).map(|(key, _)| key);
        let profile_key = profile.as_ref().map(|_| "profile");
        let stored_key = provider.raw.credentials.as_ref().map(|_| "credentials");
        let mut given = [key, profile_key, stored_key].into_iter().flatten();
        if let (Some(first), Some(second)) = (given.next(), given.next()) {
            self.one_too_many(&provider.path, first, second);
            return None;
        }
        if let Some(name) = &provider.raw.credentials {
            return Some(CredentialSource::Stored(name.clone()));
        }
        let (id, secret) = match (access_key_id_env, secret_access_key_env) {
            (Some(id), Some(secret)) => (id.0.clone(), secret.0.clone()),
            (None, None) => {
                if session_token_env.is_some() {
                    self.lacks(provider, "session_token_env", "access_key_id_env");
                }
                let profile = profile.as_ref().map(|name| name.0.clone());
                return Some(CredentialSource::Chain { profile });
            }
            (Some(_), None) => {
                self.lacks(provider, "access_key_id_env", "secret_access_key_env");
                return None;
            }
            (None, Some(_)) => {
                self.lacks(provider, "secret_access_key_env", "access_key_id_env");
                return None;
            }
        };
        let session = session_token_env.as_ref().map(|name| name.0.clone());
        Some(CredentialSource::AccessKey { id, secret, session })
    }

    fn lacks(&mut self, provider: &Provider, given: &str, missing: &str) {
        if self.is_incomplete(&provider.path) {
            return;
        }
        self.report(
            Problem::new(
                Code::CONFIG_MISSING_KEY,
                format!("`cloud.providers.aws` has `{given}` and no `{missing}`"),
            )
            .at(self.key(&provider.below(&[given])))
            .with_label(format!("`{missing}` belongs to it"))
            .with_help("give both, or neither: then AWS's usual chain of credentials is used"),
        );
    }
}
