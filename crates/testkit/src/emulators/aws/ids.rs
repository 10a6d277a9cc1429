//! Ids as the API writes them: a word and 17 hexadecimal digits, in no order.

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use stagecraft_core::name::InstanceId;

use crate::emulators::ids::{instance as of_number, number};

/// Makes neighbours look unlike each other; odd, so that it can be undone.
const SCATTER: u64 = 0x9e37_79b9_7f4a_7c15;

/// The id of an instance as the API shows it.
pub(super) fn instance(id: &InstanceId) -> String {
    format!("i-0{:016x}", number(id).wrapping_mul(SCATTER))
}

/// The machine whose id is shown so; `None` when no id looks like that.
pub(super) fn machine(shown: &str) -> Option<InstanceId> {
    let digits = shown.strip_prefix("i-")?;
    let hexadecimal = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
    if ![8, 17].contains(&digits.len()) || !digits.bytes().all(hexadecimal) {
        return None;
    }
    // Ids that are not ours become a number no machine has.
    let scattered = digits.strip_prefix('0').and_then(|rest| u64::from_str_radix(rest, 16).ok());
    Some(of_number(scattered.unwrap_or_default().wrapping_mul(inverse())))
}

/// The id of something that is known by the words it comes from.
pub(super) fn derived(prefix: &str, words: &[&str]) -> String {
    let digest = HEXLOWER.encode(&Sha256::digest(words.join("\n").as_bytes()));
    format!("{prefix}-0{}", &digest[..16])
}

/// What undoes [`SCATTER`]: each step doubles how many bits are right.
fn inverse() -> u64 {
    (0..6).fold(SCATTER, |guess, _| {
        guess.wrapping_mul(2_u64.wrapping_sub(SCATTER.wrapping_mul(guess)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_to_its_machine_and_no_other_does() {
        for number in [0, 1, 1001, 8999, u64::MAX] {
            let id = of_number(number);
            assert_eq!(machine(&instance(&id)), Some(id));
        }
        assert!(machine("i-12345678").is_some());
        for malformed in ["", "i-", "i-1234567", "i-0123456789ABCDEF0", "sg-0123456789abcdef0"] {
            assert_eq!(machine(malformed), None, "{malformed}");
        }
    }
}
