//! Numbers as the API writes them, without rounding on the way.

use std::iter::Sum;

/// How many digits after the point are kept; prices have up to 16.
const DIGITS: u32 = 18;
const ONE: u128 = 10_u128.pow(DIGITS);

/// A decimal number that is not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Decimal(u128);

impl Decimal {
    /// Reads digits with at most one point. What is beyond the digits kept is cut off.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) {
            return None;
        }
        let kept = fraction.get(..DIGITS as usize).unwrap_or(fraction);
        let missing = DIGITS - u32::try_from(kept.len()).ok()?;
        let fraction = kept.parse::<u128>().ok()? * 10_u128.pow(missing);
        Some(Self(whole.parse::<u128>().ok()?.checked_mul(ONE)?.checked_add(fraction)?))
    }

    /// Whether it is this whole number.
    pub(super) fn is(self, whole: u32) -> bool {
        self.0 == u128::from(whole) * ONE
    }

    /// As hundredths, rounded to the nearest.
    pub(super) fn cents(self) -> Option<u64> {
        let cent = ONE / 100;
        u64::try_from(self.0.checked_add(cent / 2)? / cent).ok()
    }
}

impl Sum for Decimal {
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        Self(numbers.fold(0, |sum, number| sum.saturating_add(number.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_rounded_to_the_nearest_cent_and_only_at_the_end() {
        let cents = |text| Decimal::parse(text).unwrap().cents();
        assert_eq!(cents("4.1531000000000000"), Some(415));
        assert_eq!(cents("4.1550000000000000"), Some(416));
        assert_eq!(cents("4.1549999999999999"), Some(415));
        assert_eq!(cents("0.595"), Some(60));
        assert_eq!(cents("1"), Some(100));
        assert_eq!(cents("0.0000000000"), Some(0));
        assert_eq!(cents("192.4999999999999999999999"), Some(19250));
        let sum: Decimal =
            ["4.154", "0.504"].into_iter().map(|text| Decimal::parse(text).unwrap()).sum();
        assert_eq!(sum.cents(), Some(466), "each alone would be rounded down");
    }

    #[test]
    fn what_is_no_price_is_none() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "1.2.3", "NaN", " 1"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        assert_eq!(Decimal::parse(&"9".repeat(60)), None);
        assert_eq!(Decimal::parse("99999999999999999999").and_then(Decimal::cents), None);
    }

    #[test]
    fn whole_numbers_are_recognised_however_they_are_written() {
        let is = |text, whole| Decimal::parse(text).is_some_and(|number| number.is(whole));
        assert!(is("4", 4) && is("4.0", 4) && is("4.000", 4));
        assert!(!is("4.1", 4) && !is("40", 4));
    }
}
