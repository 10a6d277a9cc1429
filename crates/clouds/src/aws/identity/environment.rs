//! What AWS's usual chain is told by the environment of the process, which the binary reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

/// Variables that say where credentials are, or are credentials. One that is empty counts as not set.
pub(super) const KEY_ID: &str = "AWS_ACCESS_KEY_ID";
pub(super) const KEY: &str = "AWS_SECRET_ACCESS_KEY";
pub(super) const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";
pub(super) const PROFILE: &str = "AWS_PROFILE";
const CONFIG_FILE: &str = "AWS_CONFIG_FILE";
const CREDENTIALS_FILE: &str = "AWS_SHARED_CREDENTIALS_FILE";
pub(super) const TOKEN_FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
pub(super) const ROLE_ARN: &str = "AWS_ROLE_ARN";
pub(super) const SESSION_NAME: &str = "AWS_ROLE_SESSION_NAME";
pub(super) const CONTAINER_PATH: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
pub(super) const CONTAINER_URL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
pub(super) const CONTAINER_TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
pub(super) const CONTAINER_TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
pub(super) const NO_METADATA: &str = "AWS_EC2_METADATA_DISABLED";
pub(super) const METADATA_URL: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
pub(super) const STS_URL: &str = "AWS_ENDPOINT_URL_STS";
pub(super) const SSO_URL: &str = "AWS_ENDPOINT_URL_SSO";
pub(super) const OIDC_URL: &str = "AWS_ENDPOINT_URL_SSO_OIDC";

/// The environment as AWS's usual chain looks at it. Holds secrets, so it never shows itself.
#[derive(Clone, Default)]
pub struct AwsEnvironment {
    /// The variables of [`Self::VARIABLES`] that are set.
    pub variables: BTreeMap<String, String>,
    /// The user's home directory.
    pub home: Option<PathBuf>,
    /// Variables that a program which is asked for credentials does not get.
    pub withheld: BTreeSet<String>,
}

impl AwsEnvironment {
    /// The variables that count.
    pub const VARIABLES: [&str; 18] = [
        KEY_ID,
        KEY,
        SESSION_TOKEN,
        PROFILE,
        CONFIG_FILE,
        CREDENTIALS_FILE,
        TOKEN_FILE,
        ROLE_ARN,
        SESSION_NAME,
        CONTAINER_PATH,
        CONTAINER_URL,
        CONTAINER_TOKEN,
        CONTAINER_TOKEN_FILE,
        NO_METADATA,
        METADATA_URL,
        STS_URL,
        SSO_URL,
        OIDC_URL,
    ];

    /// Whether credentials can be expected, by what is seen without asking anybody.
    #[must_use]
    pub fn may_lead_somewhere(&self) -> bool {
        let ways = [KEY_ID, PROFILE, TOKEN_FILE, CONTAINER_PATH, CONTAINER_URL];
        let files = [self.config_file(), self.credentials_file()];
        ways.iter().any(|name| self.get(name).is_some())
            || files.iter().flatten().any(|file| file.exists())
    }

    /// Whether it has keys itself, or half of one.
    pub(super) fn has_keys(&self) -> bool {
        self.get(KEY_ID).or_else(|| self.get(KEY)).is_some()
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    /// Where profiles are, whether or not there is a file.
    pub(super) fn config_file(&self) -> Option<PathBuf> {
        self.file(CONFIG_FILE, "config")
    }

    /// Where keys of profiles are, likewise.
    pub(super) fn credentials_file(&self) -> Option<PathBuf> {
        self.file(CREDENTIALS_FILE, "credentials")
    }

    /// Where AWS's command-line tool keeps a token of single sign-on, by what it is known as.
    pub(super) fn sign_on_file(&self, digest: &str) -> Option<PathBuf> {
        Some(self.home.as_ref()?.join(".aws/sso/cache").join(format!("{digest}.json")))
    }

    /// A path of a variable or of a profile, in which `~/` is the home directory.
    pub(super) fn expand(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), &self.home) {
            (Some(below), Some(home)) => home.join(below),
            _ => Path::new(path).to_owned(),
        }
    }

    fn file(&self, variable: &str, name: &str) -> Option<PathBuf> {
        let given = self.get(variable).map(|path| self.expand(path));
        given.or_else(|| Some(self.home.as_ref()?.join(".aws").join(name)))
    }
}

impl fmt::Debug for AwsEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsEnvironment").field("home", &self.home).finish_non_exhaustive()
    }
}
