use super::HostKey;

/// The host keys written on an instance: what its host may present, and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pins {
    /// The key made for its first boot; gone once the host has its own.
    pub first: Option<HostKey>,
    /// The key the host made itself.
    pub own: Option<HostKey>,
}

/// What a key is to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The key made for its first boot.
    First,
    /// The key the host made itself.
    Own,
}

impl Pins {
    /// Those of an instance that is being ordered.
    #[must_use]
    pub fn of_order(first: HostKey) -> Self {
        Self { first: Some(first), own: None }
    }

    /// Those of a host that has its own key, or is believed to have it by its owner.
    #[must_use]
    pub fn of_own(own: HostKey) -> Self {
        Self { first: None, own: Some(own) }
    }

    /// Whether nothing is pinned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What a presented key is to the host; `None` when it must be refused.
    #[must_use]
    pub fn standing(&self, presented: &HostKey) -> Option<Standing> {
        if self.own.as_ref() == Some(presented) {
            Some(Standing::Own)
        } else if self.first.as_ref() == Some(presented) {
            Some(Standing::First)
        } else {
            None
        }
    }

    /// The key to tell a user of who is presented another: the host's own if there is one.
    #[must_use]
    pub fn expected(&self) -> Option<HostKey> {
        self.own.or(self.first)
    }

    /// All keys that are pinned.
    pub fn keys(&self) -> impl Iterator<Item = HostKey> {
        [self.own, self.first].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: HostKey = HostKey::new([1; 32]);
    const OWN: HostKey = HostKey::new([2; 32]);

    #[test]
    fn only_what_is_pinned_is_admitted() {
        let both = Pins { first: Some(FIRST), own: Some(OWN) };
        assert_eq!(both.standing(&FIRST), Some(Standing::First));
        assert_eq!(both.standing(&OWN), Some(Standing::Own));
        assert_eq!(both.standing(&HostKey::new([3; 32])), None);
        assert_eq!(Pins::of_own(OWN).standing(&FIRST), None, "the first key is worthless then");
        assert_eq!(Pins::default().standing(&FIRST), None, "nothing pinned admits nobody");
    }

    #[test]
    fn all_keys_that_are_pinned_are_told_the_own_one_first() {
        let both = Pins { first: Some(FIRST), own: Some(OWN) };
        for (pins, keys) in [
            (both, vec![OWN, FIRST]),
            (Pins::of_own(OWN), vec![OWN]),
            (Pins::of_order(FIRST), vec![FIRST]),
            (Pins::default(), vec![]),
        ] {
            assert_eq!(pins.is_empty(), keys.is_empty(), "{pins:?}");
            assert_eq!(pins.keys().collect::<Vec<_>>(), keys);
        }
    }

    #[test]
    fn the_hosts_own_key_is_the_expected_one() {
        assert_eq!(Pins { first: Some(FIRST), own: Some(OWN) }.expected(), Some(OWN));
        assert_eq!(Pins::of_order(FIRST).expected(), Some(FIRST));
        assert_eq!(Pins::default().expected(), None);
    }
}
