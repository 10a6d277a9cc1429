//! Amounts as the API writes them: decimal strings, without and with value added tax.

use serde_json::{Value, json};

/// The account's currency.
pub(super) const CURRENCY: &str = "EUR";
/// Hours after which the monthly price caps the hourly one.
const HOURS: u64 = 624;
/// Value added tax in hundredths.
const VAT: u64 = 19;

/// A net amount in millionths of the account's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Money(u64);

impl Money {
    /// This many hundredths.
    pub(super) const fn cents(cents: u64) -> Self {
        Self(cents * 10_000)
    }

    /// Whole hundredths with tax, rounded up.
    pub(super) fn gross_cents(self) -> u64 {
        (self.0 * (100 + VAT)).div_ceil(1_000_000)
    }

    /// The hourly price that goes with this monthly one, in ten-thousandths rounded up.
    pub(super) fn hourly(self) -> Self {
        Self(self.0.div_ceil(HOURS).next_multiple_of(100))
    }

    /// As the API writes it.
    pub(super) fn shown(self) -> Value {
        let (net, gross) = (self.0, self.0 * (100 + VAT));
        json!({
            "net": format!("{}.{:06}0000", net / 1_000_000, net % 1_000_000),
            "gross": format!("{}.{:08}00000000", gross / 100_000_000, gross % 100_000_000),
        })
    }
}

/// The rate of value added tax as the API writes it.
pub(super) fn vat_rate() -> String {
    format!("{VAT}.000000")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_decimal_strings_without_and_with_tax() {
        let monthly = Money::cents(349);
        assert_eq!(
            monthly.shown(),
            json!({ "net": "3.4900000000", "gross": "4.1531000000000000" })
        );
        assert_eq!(monthly.gross_cents(), 416);
        assert_eq!(
            monthly.hourly().shown(),
            json!({ "net": "0.0056000000", "gross": "0.0066640000000000" })
        );
        assert_eq!(Money::cents(0).shown()["net"], "0.0000000000");
    }
}
