use std::collections::VecDeque;
use std::time::Duration;

use stagecraft_core::cloud::CloudErrorKind;

/// How many requests an account takes in any stretch of time, whoever makes them. Refused requests
/// count too, so that asking again at once only makes it worse.
#[derive(Clone, Debug, Default)]
pub struct RequestLimits {
    rules: Vec<Rule>,
    keeps_silent: bool,
    /// When requests came, as far back as any rule looks.
    came: VecDeque<Duration>,
    refused: Vec<Duration>,
}

#[derive(Clone, Copy, Debug)]
struct Rule {
    most: usize,
    within: Duration,
}

impl RequestLimits {
    /// Takes at most this many requests, at least 1, within this long, for each pair.
    #[must_use]
    pub fn new(rules: impl IntoIterator<Item = (usize, Duration)>) -> Self {
        let rules = rules.into_iter().map(|(most, within)| Rule { most: most.max(1), within });
        Self { rules: rules.collect(), ..Self::default() }
    }

    /// Whether it does not say how long to wait.
    #[must_use]
    pub fn silent(self, silent: bool) -> Self {
        Self { keeps_silent: silent, ..self }
    }

    /// When requests were refused for it, in order; not those of other programs.
    #[must_use]
    pub fn refused(&self) -> &[Duration] {
        &self.refused
    }

    /// Counts a request; the error says why it is refused.
    pub(super) fn count(&mut self, now: Duration) -> Result<(), CloudErrorKind> {
        let furthest = self.rules.iter().map(|rule| rule.within).max().unwrap_or_default();
        self.came.push_back(now);
        while self.came.front().is_some_and(|&came| came + furthest <= now) {
            self.came.pop_front();
        }
        let Some(frees) = self.rules.iter().filter_map(|rule| self.frees(*rule, now)).max() else {
            return Ok(());
        };
        Err(CloudErrorKind::RateLimited {
            after: (!self.keeps_silent).then_some(frees - now),
            message: "API rate limit exceeded".to_owned(),
        })
    }

    /// Remembers a request that was refused.
    pub(super) fn remember(&mut self, now: Duration) {
        self.refused.push(now);
    }

    /// When another request would be taken, if this one is one too many.
    fn frees(&self, rule: Rule, now: Duration) -> Option<Duration> {
        let within = self.came.iter().rev().take_while(|&&came| came + rule.within > now).count();
        if within <= rule.most {
            return None;
        }
        // As many must be too old as make the others one less than the most.
        self.came.get(self.came.len() - rule.most).map(|&came| came + rule.within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_taken_as_a_sliding_window_holds() {
        let mut limits = RequestLimits::new([(3, secs(60))]);
        assert!([0, 1, 2].iter().all(|&at| limits.count(secs(at)).is_ok()));
        assert_eq!(hint(&mut limits, 10), Some(Some(secs(51))), "the one at 1 must be gone too");
        assert_eq!(hint(&mut limits, 61), None);
    }

    #[test]
    fn the_longest_wait_of_all_rules_is_told_or_none() {
        let rules = [(2, secs(60)), (3, secs(3600))];
        let mut limits = RequestLimits::new(rules);
        assert!([0, 1].iter().all(|&at| limits.count(secs(at)).is_ok()));
        assert_eq!(hint(&mut limits, 2), Some(Some(secs(59))));
        assert_eq!(hint(&mut limits, 100), Some(Some(secs(3501))));
        let mut silent = RequestLimits::new(rules).silent(true);
        assert!([0, 1].iter().all(|&at| silent.count(secs(at)).is_ok()));
        assert_eq!(hint(&mut silent, 2), Some(None));
    }

    #[test]
    fn without_rules_everything_is_taken() {
        let mut limits = RequestLimits::default();
        assert!((0..1000).all(|_| limits.count(secs(0)).is_ok()));
    }

    fn hint(limits: &mut RequestLimits, at: u64) -> Option<Option<Duration>> {
        match limits.count(secs(at)) {
            Ok(()) => None,
            Err(CloudErrorKind::RateLimited { after, .. }) => Some(after),
            Err(other) => panic!("{other}"),
        }
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }
}
