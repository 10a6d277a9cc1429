//! Which host keys are believed.
//!
//! Where keys are pinned on the instance, only they are. Else the user's known-hosts files are asked
//! first, by address. Our own file is keyed by instance, because addresses are used again. `@cert-authority` lines are not used: certificates are never
//! asked for, so such a host is judged by its plain key, as OpenSSH judges one that presents none.

pub(crate) mod gate;
mod known_hosts;
pub(crate) mod store;

use std::fmt::Write as _;

use stagecraft_core::desired::ProviderId;
use stagecraft_core::name::InstanceId;

/// The name an instance's host key is remembered under: `stagecraft-{provider}-{instance}`.
///
/// Exports give it to OpenSSH as `HostKeyAlias`. Characters that mean something in a known-hosts
/// file, and capitals, which OpenSSH does not tell apart, are written as `_` and their code.
#[must_use]
pub fn alias_of(provider: ProviderId, instance: &InstanceId) -> String {
    let mut alias = format!("stagecraft-{provider}-");
    for byte in instance.as_str().bytes() {
        if byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte) {
            alias.push(char::from(byte));
        } else {
            let _infallible = write!(alias, "_{byte:02x}");
        }
    }
    alias
}

/// How a known-hosts file calls a host at a port.
pub(crate) fn name_at(host: &str, port: u16) -> String {
    if port == 22 { host.to_owned() } else { format!("[{host}]:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_has_no_character_that_means_something_in_the_file() {
        assert_eq!(alias("i-0ab1"), "stagecraft-aws-i-0ab1");
        assert_eq!(alias("a,b *!A_"), "stagecraft-aws-a_2cb_20_2a_21_41_5f");
    }

    fn alias(instance: &str) -> String {
        alias_of(ProviderId::Aws, &instance.into())
    }
}
