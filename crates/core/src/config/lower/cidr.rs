//! Ranges of addresses.

use std::net::IpAddr;

use crate::config::problem::Problem;
use crate::config::source::quoted;
use crate::error::Code;

/// Whether a text is a range of addresses written by its first address.
pub(super) fn check(text: &str) -> Result<(), Problem> {
    let invalid = || {
        Problem::new(
            Code::CONFIG_INVALID_VALUE,
            format!("{} is not a range of addresses", quoted(text)),
        )
        .with_label("not an address and a prefix length")
        .with_help("write it like `10.66.0.0/16`")
    };
    let (address, length) = text.split_once('/').ok_or_else(invalid)?;
    let address: IpAddr = address.parse().map_err(|_| invalid())?;
    let length: u32 = length.parse().map_err(|_| invalid())?;
    let (first, width) = match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(length)).unwrap_or(0);
            (IpAddr::from((u32::from(v4) & mask).to_be_bytes()), 32)
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(length)).unwrap_or(0);
            (IpAddr::from((u128::from(v6) & mask).to_be_bytes()), 128)
        }
    };
    if length > width {
        return Err(invalid());
    }
    if first != address {
        return Err(Problem::new(
            Code::CONFIG_INVALID_VALUE,
            format!("{} does not start at the first address of its range", quoted(text)),
        )
        .with_label(format!("did you mean `{first}/{length}`?")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_written_by_its_first_address() {
        for good in ["10.66.0.0/16", "10.0.0.1/32", "0.0.0.0/0", "fd00::/8", "::/0", "::1/128"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["10.66.0.0", "10.66.0/16", "10.66.0.0/33", "fd00::/129", "x/8", "10.0.0.0/"] {
            assert!(check(bad).unwrap_err().message.contains("not a range"), "{bad}");
        }
        let label = |text| check(text).unwrap_err().label.unwrap();
        assert_eq!(label("10.66.1.7/16"), "did you mean `10.66.0.0/16`?");
        assert_eq!(label("fd00::1/64"), "did you mean `fd00::/64`?");
    }
}
