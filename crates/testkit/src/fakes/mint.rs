use std::sync::atomic::{AtomicU64, Ordering};

use stagecraft_core::identity::{HostKey, KeyMint, MintError, OneTimeKey};

/// Makes keys without randomness, no two alike in one process.
#[derive(Clone, Copy, Debug, Default)]
pub struct FakeMint;

static MINTED: AtomicU64 = AtomicU64::new(1);

impl KeyMint for FakeMint {
    fn mint(&self) -> Result<OneTimeKey, MintError> {
        let number = MINTED.fetch_add(1, Ordering::Relaxed);
        let mut bytes = [0x11; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        let private =
            format!("-----BEGIN FAKE KEY-----\nprivate{number:020}\n-----END FAKE KEY-----\n");
        Ok(OneTimeKey::new(HostKey::new(bytes), private.into()))
    }
}
