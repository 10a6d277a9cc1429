//! The list of error codes. A code exists only here, so each one has its documentation.

use std::borrow::Cow;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Stable, documented identifier of a failure; part of the public interface.
///
/// Adding a code is fine; renaming one is a breaking change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(&'static str);

/// What the error reference says of one code.
#[derive(Clone, Copy, Debug)]
pub struct CodeDoc {
    /// The code.
    pub code: Code,
    /// When it appears.
    pub meaning: &'static str,
    /// What the user can do.
    pub remedy: &'static str,
}

impl Code {
    /// Whether a provider, not a host, is to blame.
    #[must_use]
    pub fn is_cloud(self) -> bool {
        self.0.starts_with("cloud.")
    }

    /// The code as printed between brackets, e.g. `cloud.sold-out`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        ALL.iter()
            .map(|doc| doc.code)
            .find(|code| code.0 == text)
            .ok_or_else(|| D::Error::custom(format!("`{text}` is not an error code")))
    }
}

impl schemars::JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let codes: Vec<&str> = ALL.iter().map(|doc| doc.code.0).collect();
        schemars::json_schema!({ "type": "string", "enum": codes })
    }
}

macro_rules! codes {
    ($($name:ident = $text:literal, $meaning:literal, $remedy:literal;)*) => {
        impl Code {
            $(#[doc = $meaning] pub const $name: Self = Self($text);)*
        }

        /// Every code there is, in the order of the error reference.
        pub const ALL: &[CodeDoc] = &[
            $(CodeDoc { code: Code::$name, meaning: $meaning, remedy: $remedy },)*
        ];
    };
}

codes! {
    CONFIG_UNREADABLE = "config.unreadable",
        "The configuration file is missing, not a file, not permitted to be read, or too large.",
        "Check the path given with `--config`; `stagecraft init` writes a first file.";
    CONFIG_SYNTAX = "config.syntax",
        "The configuration file is not well-formed YAML, or not UTF-8.",
        "Mend the marked line; YAML is indented with spaces, never with tabs.";
    CONFIG_UNKNOWN_KEY = "config.unknown-key",
        "A key is not known at this place.",
        "Use the suggested key, or see `docs/config.md` for the keys there are.";
    CONFIG_DUPLICATE_KEY = "config.duplicate-key",
        "A key stands twice in one mapping.",
        "Remove one of the two.";
    CONFIG_WRONG_TYPE = "config.wrong-type",
        "A value has the wrong type, for example a number where a text is needed.",
        "Write a value of the type named in the message; quote texts that look like numbers.";
    CONFIG_MISSING_KEY = "config.missing-key",
        "A required key is missing.",
        "Add it; the message names the mapping.";
    CONFIG_INVALID_VALUE = "config.invalid-value",
        "A value has the right type but is impossible.",
        "Use one of the values the message names.";
    CONFIG_DUPLICATE_HOST = "config.duplicate-host",
        "Two entries of one environment give the same host name, possibly by way of `count`.",
        "Rename one of the two.";
    CONFIG_UNKNOWN_ENVIRONMENT = "config.unknown-environment",
        "The environment named by `--env` is not in the file, or none was named and there are several.",
        "Name one of the environments of the message with `--env`.";
    USAGE = "usage",
        "The command line is wrong, or a command cannot go on without an answer it may not ask for.",
        "See `--help` of the command, or add the flag the message names.";
    CLOUD_UNAUTHENTICATED = "cloud.unauthenticated",
        "The credentials are missing or malformed, or the provider refused them.",
        "Check the token or key where the file says it is: in its variable, in the credential store (`stagecraft credentials test`), or where AWS's own tools look.";
    CLOUD_FORBIDDEN = "cloud.forbidden",
        "The credentials are valid but may not do this.",
        "Give the token or user the missing permission. For Docker Engine: join the group `docker`.";
    CLOUD_QUOTA_EXCEEDED = "cloud.quota-exceeded",
        "A limit of the account is reached.",
        "Remove what is not needed, or ask the provider for a higher limit.";
    CLOUD_SOLD_OUT = "cloud.sold-out",
        "The provider has no machine of this size in this region now.",
        "Choose another region or size.";
    CLOUD_INVALID_REQUEST = "cloud.invalid-request",
        "The provider refused the request as wrong.",
        "Read the provider's own words in the message.";
    CLOUD_NOT_FOUND = "cloud.not-found",
        "Something the request names does not exist at the provider.",
        "Create it there, or name another.";
    CLOUD_CONFLICT = "cloud.conflict",
        "Something of that name exists already and is not ours.",
        "Rename the host or the environment, or remove the other by hand.";
    CLOUD_RATE_LIMITED = "cloud.rate-limited",
        "The provider's limit on requests left no room for a request, however long it waited.",
        "Run the command again later; see whether another program uses up the limit of the same token.";
    CLOUD_UNREACHABLE = "cloud.unreachable",
        "The provider did not answer.",
        "Check the network, or whether Docker Engine runs.";
    CLOUD_PROVIDER_FAULT = "cloud.provider-fault",
        "The provider answered that it failed itself.",
        "Run the command again later; see the provider's status page.";
    CLOUD_UNEXPECTED_ANSWER = "cloud.unexpected-answer",
        "The provider's answer was not understood.",
        "Look for a newer version of Stagecraft; report the message.";
    CLOUD_UNSUPPORTED = "cloud.unsupported",
        "The provider cannot do this, or `DOCKER_HOST` names a way to an engine that is not supported.",
        "Use another provider for this host, or leave the setting out.";
    ORDER_INVALID = "order.invalid",
        "A host asks for a region, size, image or SSH key the provider does not have.",
        "Use one of the values the message names.";
    PLAN_BLIND = "plan.blind",
        "A provider could not be listed, so what exists there is unknown and nothing may be created or removed.",
        "Mend the cause the message names, and run the command again.";
    PLAN_STALE = "plan.stale",
        "What exists changed between the plan and its execution.",
        "Run the command again and read the new plan.";
    WAIT_TIMED_OUT = "wait.timed-out",
        "An instance was ordered but did not come up within the limit.",
        "Run the command again to go on waiting, or replace the host.";
    INSTANCE_GONE = "wait.instance-gone",
        "An instance disappeared or failed while it was waited for.",
        "Run the command again; a host without an instance is created anew.";
    HOST_MISSING = "host.missing",
        "The host is in the file and has no running instance.",
        "Run `stagecraft infra up`.";
    INTERRUPTED = "interrupted",
        "The run was interrupted before this host was done.",
        "Run the command again; it goes on where it stopped.";
    SSH_FAILED = "ssh_failed",
        "The host could not be reached or logged in to by SSH, or the connection was lost, or a command did not end in time.",
        "Check the address, the port, the user and the key; see the message for what was tried. A command that had begun may have run: look before you run it again.";
    HOST_KEY_MISMATCH = "host_key_mismatch",
        "The host presented another SSH host key than the one known. Nothing was sent, nothing was run.",
        "If the host was rebuilt on purpose, `stagecraft infra trust HOST` pins its new key, or replace it; if not, somebody may be in between.";
    HOST_KEY_UNKNOWN = "host_key_unknown",
        "No SSH host key is pinned or known for the host, and none is believed on first contact. Nothing was sent, nothing was run.",
        "`stagecraft infra trust HOST` shows the key and pins it if you agree; with `host_keys: known-hosts` add it to your known_hosts.";
    KNOWN_HOSTS_UNSAFE = "known_hosts_unsafe",
        "The keys of hosts that were remembered on first contact, or the folder they are in, belong to somebody else or may be changed by everybody, so they are not believed. Nothing was sent, nothing was run.",
        "Find out who wrote there; then remove `.stagecraft/` beside the file, or run the command of the message.";
    HOST_IDENTITY_FAILED = "host_identity_failed",
        "The host was verified by the key made for its first boot, but could not be given a key of its own.",
        "See the output in the message; run `stagecraft infra bootstrap --host HOST` again, which goes on from there.";
    CHANGE_UNDONE = "change_undone",
        "After a change the host could not be reached over a fresh connection, so it undoes the change by itself.",
        "Wait for the time the message names, mend the cause, and run the command again.";
    UNSUPPORTED_OS = "unsupported_os",
        "The host runs an operating system that bootstrap does not support.",
        "Use ubuntu-22.04, ubuntu-24.04 or debian-12.";
    BOOT_NOT_FINISHED = "boot_not_finished",
        "The host's own first-boot set-up (cloud-init) did not finish or failed.",
        "Log in with `stagecraft ssh HOST` and read `cloud-init status --long`.";
    HOSTNAME_FAILED = "hostname_failed",
        "The hostname could not be set.",
        "See the output in the message.";
    DOCKER_DETECT_FAILED = "docker_detect_failed",
        "It could not be found out whether Docker is installed, or it is missing or unfinished and may not be installed, or it is a snap.",
        "Do what the message says; where only the looking failed, run `stagecraft infra bootstrap --host HOST` again.";
    DOCKER_INSTALL_FAILED = "docker_install_failed",
        "Docker could not be installed.",
        "See the output in the message: a full disk, a broken apt, or no network are usual.";
    DOCKER_VERIFY_FAILED = "docker_verify_failed",
        "Docker is installed but does not run or does not answer.",
        "Log in with `stagecraft ssh HOST` and read `journalctl -u docker`.";
    EMULATION_FAILED = "emulation_failed",
        "The host cannot run programs of the architecture it was asked for with, which its machine has to emulate.",
        "See the output in the message. A kernel without `binfmt_misc` cannot emulate: use another image, or take `arch` off the host.";
    NETWORK_INSTALL_FAILED = "network_install_failed",
        "The mesh client could not be installed.",
        "See the output in the message.";
    NETWORK_JOIN_FAILED = "network_join_failed",
        "A host could not join its private network or leave it, or the auth key for that is missing or cannot be one.",
        "Do what the message and its hints say.";
    NETWORK_RANGE_TAKEN = "network_range_taken",
        "The mesh's range of addresses is not free on this host: something else there uses some of them. Nothing was changed.",
        "Set `network.providers.wireguard.cidr` to a range that no host uses otherwise.";
    NETWORK_PEER_SILENT = "network_peer_silent",
        "The host has joined the mesh, and another member that is up was not heard from.",
        "Let the mesh's UDP port (51820, if the file does not say otherwise) through between the hosts: in the firewalls of their clouds, and in their own.";
    CONFIG_INVALID = "config_invalid",
        "The bootstrap configuration is impossible for this host, the private key it names cannot be used, or no key for local hosts could be made.",
        "Mend the setting the message names.";
    COMMAND_FAILED = "command_failed",
        "A command given to `exec` ended with a status other than 0.",
        "Read the command's own output.";
    CREDENTIAL_NOT_FOUND = "credential.not-found",
        "The credential store has no entry of that name, or there is no store yet.",
        "Use one of the names the hint lists, or run `stagecraft credentials add NAME --provider PROVIDER`.";
    CREDENTIAL_EXISTS = "credential.exists",
        "The credential store has an entry of that name already.",
        "Choose another name, or add `--replace`.";
    CREDENTIAL_INVALID = "credential.invalid",
        "What was given cannot be a credential of that provider, or an entry is used for another provider than its own.",
        "Give the whole secret and nothing else; use an entry of the provider the message names.";
    CREDENTIAL_WRONG_KEY = "credential.wrong-key",
        "The credential store is sealed with a key that is not there, for example because somebody changed it.",
        "Get the key the message names from whoever changed it.";
    CREDENTIAL_TAMPERED = "credential.tampered",
        "An entry of the credential store was changed after it was sealed.",
        "Find out who can write to the store; bring back a copy, or add the entry again with a new secret.";
    CREDENTIAL_CUT = "credential.cut",
        "An entry of the credential store is cut off.",
        "Bring back a copy of the store, or add the entry again.";
    CREDENTIAL_MISPLACED = "credential.misplaced",
        "An entry of the credential store holds the record of another entry or provider.",
        "Find out who can write to the store; bring back a copy, or add the entry again with a new secret.";
    CREDENTIAL_DOWNGRADED = "credential.downgraded",
        "An entry of the credential store says it is of a format that is too old to be believed.",
        "Find out who can write to the store; bring back a copy, or add the entry again with a new secret.";
    KEY_MISSING = "key.missing",
        "The credential store is sealed, and its key is not where it should be.",
        "Bring the key back; without it nobody can open the store.";
    KEY_UNSAFE = "key.unsafe",
        "Others than its owner may read or change the key file of the credential store.",
        "Run `chmod 600` on it, and `stagecraft credentials rotate-key` if somebody may have read it.";
    KEY_INVALID = "key.invalid",
        "What should hold the key of the credential store holds none, or that of another store, or cannot be read or written.",
        "See the place the message names, and its permissions. A key is 32 random bytes in Base64, as `openssl rand -base64 32` makes them; each store has its own.";
    KEY_UNREACHABLE = "key.unreachable",
        "The keyring that holds the key of the credential store is not there, is locked, refuses or does not answer.",
        "Unlock it, or run this in the session that has it. A key in a file works without any keyring.";
    KEY_NOT_ROTATED = "key.not-rotated",
        "The key of the credential store was not changed, or not to the end.",
        "See the message for what is missing, and run `stagecraft credentials rotate-key` again.";
    STORE_UNREACHABLE = "store.unreachable",
        "The credential store could not be opened, reached, read or written.",
        "Check `credentials` in the file, the permissions, and whether PostgreSQL answers.";
    STORE_DAMAGED = "store.damaged",
        "The credential store is not as it was written.",
        "Bring back a copy of it, or add its entries to a new one.";
    STORE_NEWER = "store.newer",
        "The credential store, or an entry of it, was written by a newer version of Stagecraft.",
        "Use the newest version that works on this store.";
    STORE_UNPROTECTED = "store.unprotected",
        "The connection to the credential store would not be encrypted.",
        "Take `sslmode=disable` out of the URL.";
    OUTPUT_FAILED = "output.failed",
        "The result could not be written.",
        "Check the disk and the permissions of the place named; a file that is there already is never overwritten.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_is_used_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for doc in ALL {
            assert!(seen.insert(doc.code), "{} stands twice", doc.code);
        }
    }

    #[test]
    fn codes_of_providers_are_told_from_others() {
        assert!(Code::CLOUD_NOT_FOUND.is_cloud());
        assert!(!Code::WAIT_TIMED_OUT.is_cloud());
    }

    #[test]
    fn a_code_is_read_back_as_it_was_written_and_no_other_text_is_one() {
        for doc in ALL {
            let text = serde_json::to_string(&doc.code).unwrap();
            assert_eq!(text, format!("\"{}\"", doc.code));
            assert_eq!(serde_json::from_str::<Code>(&text).unwrap(), doc.code);
        }
        let error = serde_json::from_str::<Code>("\"cloud.sold_out\"").unwrap_err();
        assert!(error.to_string().starts_with("`cloud.sold_out` is not an error code"), "{error}");
    }

    #[test]
    fn the_schema_of_codes_lists_them_all_under_their_name() {
        let schema = schemars::schema_for!(Vec<Code>);
        let codes = schema.pointer("/$defs/Code/enum").and_then(|codes| codes.as_array()).unwrap();
        assert!(codes.iter().map(|code| code.as_str().unwrap()).eq(ALL.iter().map(|d| d.code.0)));
    }
}
