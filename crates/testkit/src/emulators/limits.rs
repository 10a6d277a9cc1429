//! How many requests a token may make, as pure functions of time.
//!
//! A request that is refused uses nothing up.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// A limit on requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// How many requests are taken.
    pub most: u32,
    /// When they are taken again.
    pub refill: Refill,
    /// Which requests it counts: a method and a path without the version prefix; `None` for all.
    pub only: Option<(&'static str, &'static str)>,
}

/// How requests become free again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refill {
    /// Each, this long after it was made: a sliding window.
    Sliding(Duration),
    /// One at a time, this far apart.
    OneEvery(Duration),
}

/// How much of a rule is used. Times are in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The rule.
    pub rule: Rule,
    /// How many more requests would be taken now.
    pub remaining: u32,
    /// When the next of those made is forgotten; now when there are none.
    pub next_at: u64,
    /// When all are forgotten; now when there are none.
    pub full_at: u64,
}

/// A request that is one too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// The rule it is over; `None` when the world or an injected fault says so.
    pub rule: Option<Rule>,
    /// When a request would be taken again, from now; `None` when that is not to be told.
    pub after: Option<Duration>,
}

/// The requests of all tokens.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    rules: Vec<Rule>,
    /// By token, per rule: when each counted request is forgotten, in milliseconds, ascending.
    used: BTreeMap<String, Vec<VecDeque<u64>>>,
}

impl Rule {
    /// At most `most` in any stretch of time this long.
    #[must_use]
    pub const fn sliding(most: u32, within: Duration) -> Self {
        Self { most, refill: Refill::Sliding(within), only: None }
    }

    /// At most `most` at once, and then one more each time this long has passed.
    #[must_use]
    pub const fn refilled(most: u32, every: Duration) -> Self {
        Self { most, refill: Refill::OneEvery(every), only: None }
    }

    /// Counts only these requests.
    #[must_use]
    pub const fn only(self, method: &'static str, path: &'static str) -> Self {
        Self { only: Some((method, path)), ..self }
    }

    fn counts(&self, method: &str, path: &str) -> bool {
        self.only.is_none_or(|only| only == (method, path))
    }
}

impl Limits {
    /// No request was made yet.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        Self { rules, used: BTreeMap::new() }
    }

    /// Takes a request of `token`, or says what it is over: of several rules the one that takes
    /// longest to take requests again.
    ///
    /// # Errors
    /// It is one too many.
    pub fn take(&mut self, token: &str, method: &str, path: &str, now: u64) -> Result<(), Over> {
        let rules = &self.rules;
        let used = self.used.entry(token.to_owned()).or_default();
        used.resize(rules.len(), VecDeque::new());
        for forgotten in used.iter_mut() {
            while forgotten.front().is_some_and(|&at| at <= now) {
                forgotten.pop_front();
            }
        }
        let counting = || rules.iter().enumerate().filter(|(_, rule)| rule.counts(method, path));
        let over = counting()
            .filter(|(index, rule)| used[*index].len() >= rule.most as usize)
            .map(|(index, rule)| (used[index].front().copied().unwrap_or(now), rule))
            .max_by_key(|(free_at, _)| *free_at);
        if let Some((free_at, rule)) = over {
            let after = Duration::from_millis(free_at.saturating_sub(now));
            return Err(Over { rule: Some(*rule), after: Some(after) });
        }
        for (index, rule) in counting() {
            let forgotten = match rule.refill {
                Refill::Sliding(within) => now + millis(within),
                Refill::OneEvery(pause) => {
                    used[index].back().copied().unwrap_or(now) + millis(pause)
                }
            };
            used[index].push_back(forgotten);
        }
        Ok(())
    }

    /// How much `token` has used of each rule that counts such requests.
    #[must_use]
    pub fn usage(&self, token: &str, method: &str, path: &str, now: u64) -> Vec<Usage> {
        let used = self.used.get(token);
        let of = |(index, rule): (usize, &Rule)| {
            let forgotten = used.and_then(|used| used.get(index));
            let pending: Vec<u64> =
                forgotten.into_iter().flatten().copied().filter(|&at| at > now).collect();
            Usage {
                rule: *rule,
                remaining: rule
                    .most
                    .saturating_sub(u32::try_from(pending.len()).unwrap_or(u32::MAX)),
                next_at: pending.first().copied().unwrap_or(now),
                full_at: pending.last().copied().unwrap_or(now),
            }
        };
        self.rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.counts(method, path))
            .map(of)
            .collect()
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_window_slides_and_frees_each_request_by_itself() {
        let mut limits = Limits::new(vec![Rule::sliding(2, MINUTE)]);
        assert_eq!([0, 10_000].map(|now| take(&mut limits, now)), [None, None]);
        assert_eq!(take(&mut limits, 20_000), Some(secs(40)));
        assert_eq!(
            take(&mut limits, 60_000),
            None,
            "the first is forgotten, the refused never counted"
        );
        assert_eq!(take(&mut limits, 60_001), Some(Duration::from_millis(9_999)));
    }

    #[test]
    fn a_bucket_takes_a_burst_and_then_one_at_a_time() {
        let mut limits = Limits::new(vec![Rule::refilled(3, secs(1))]);
        assert!((0..3).all(|_| take(&mut limits, 0).is_none()));
        assert_eq!(take(&mut limits, 500), Some(Duration::from_millis(500)));
        assert_eq!(
            [1_000, 1_100].map(|now| take(&mut limits, now)),
            [None, Some(Duration::from_millis(900))]
        );
        let usage = limits.usage("t", "GET", "/x", 1_100)[0];
        assert_eq!((usage.remaining, usage.next_at, usage.full_at), (0, 2_000, 4_000));
        assert_eq!(limits.usage("t", "GET", "/x", 9_000)[0].remaining, 3);
    }

    #[test]
    fn of_two_limits_the_longer_wait_is_told() {
        let mut limits = Limits::new(vec![Rule::sliding(1, MINUTE), Rule::sliding(1, HOUR)]);
        assert_eq!(take(&mut limits, 0), None);
        let over = limits.take("t", "GET", "/x", 1_000).unwrap_err();
        assert_eq!((over.rule, over.after), (Some(Rule::sliding(1, HOUR)), Some(secs(3599))));
    }

    #[test]
    fn tokens_do_not_use_up_each_other_and_a_rule_counts_only_its_own_requests() {
        let mut limits = Limits::new(vec![Rule::sliding(1, MINUTE).only("GET", "/account/keys")]);
        assert_eq!(take(&mut limits, 0), None);
        assert!(limits.take("t", "GET", "/account/keys", 0).is_ok());
        assert!(limits.take("t", "GET", "/account/keys", 0).is_err());
        assert!(limits.take("t", "POST", "/account/keys", 0).is_ok());
        assert!(limits.take("other", "GET", "/account/keys", 0).is_ok());
        assert_eq!(limits.usage("t", "GET", "/x", 0), []);
    }

    fn take(limits: &mut Limits, now: u64) -> Option<Duration> {
        limits.take("t", "GET", "/x", now).err().map(|over| over.after.unwrap())
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }
}
