//! Who is let in: the credentials, the date, the signature, the region, the account, the permission.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::action::{Action, Service};
use super::habits::{AccessKey, Clock, Habits, Standing};
use super::network::ACCOUNT;
use super::places::Place;
use super::problem::Problem;
use super::sign::{Signature, Signed};
use crate::emulators::call::{Access, Call};

/// The access key every account begins with.
pub(super) const FIRST_KEY: (&str, &str) =
    ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
/// How far the date of a request may be from the time it arrives.
const SKEW: Duration = Duration::from_secs(15 * 60);

/// Who asks, and where.
#[derive(Clone, Debug)]
pub(super) struct Admitted {
    pub(super) place: &'static Place,
    pub(super) service: Service,
    /// Who it is among everything there is.
    pub(super) caller: String,
}

/// The service a request is signed for; EC2 when nobody can tell.
pub(super) fn service_of(call: &Call) -> Service {
    let signature = call.authorization.as_deref().map(Signature::read);
    let named = signature.and_then(Result::ok).and_then(|found| Service::named(&found.service));
    named.unwrap_or(Service::Ec2)
}

/// Lets a request in whose sender is who it says.
///
/// # Errors
/// Its credentials, its date, its signature, or its region cannot be accepted.
pub(super) fn identify(call: &Call, habits: &Habits, now: Duration) -> Result<Admitted, Problem> {
    let Some(authorization) = &call.authorization else {
        let message = "The request must contain either a valid (registered) AWS access key ID or \
                       X.509 certificate.";
        return Err(Problem::new(403, "MissingAuthenticationToken", message));
    };
    let incomplete = |message: String| Problem::new(400, "IncompleteSignature", message);
    let signature = Signature::read(authorization).map_err(incomplete)?;
    let vague = |problem: Problem| if habits.vague_credentials { Problem::auth() } else { problem };
    let unknown = || {
        let message = "The security token included in the request is invalid.";
        vague(Problem::new(401, "AuthFailure", message))
    };
    if call.access == Access::Unknown || call.access == Access::Missing {
        return Err(unknown());
    }
    let key = key(habits, &signature.key_id).ok_or_else(unknown)?;
    if call.header("x-amz-security-token") != key.session_token.as_deref() {
        return Err(unknown());
    }
    if key.expired {
        return Err(vague(Problem::new(400, "RequestExpired", "Request has expired.")));
    }
    let unsigned = call.headers.iter().find(|(name, _)| {
        let must = name == "host" || name == "content-type" || name.starts_with("x-amz-");
        must && !signature.covers(name)
    });
    if let Some((name, _)) = unsigned {
        return Err(incomplete(format!("'{name}' must be a 'SignedHeader' in the Authorization.")));
    }
    let date = call.header("x-amz-date").unwrap_or_default();
    let dated = read_date(date).ok_or_else(|| {
        incomplete(format!("Date must be in ISO-8601 'basic format'. Got '{date}'."))
    })?;
    if !date.starts_with(&signature.day) {
        let message = format!("Date in Credential scope does not match '{date}'.");
        return Err(Problem::new(403, "SignatureDoesNotMatch", message));
    }
    if habits.clock != Clock::None && dated.abs_diff(now) > SKEW {
        return Err(vague(Problem::new(400, "RequestExpired", "Request has expired.")));
    }
    let request = Signed {
        method: &call.method,
        path: "/",
        query: &call.query,
        headers: &call.headers,
        body: &call.body,
    };
    if !signature.is_of(&key.secret, date, request) {
        let message = "The request signature we calculated does not match the signature you \
                       provided. Check your AWS Secret Access Key and signing method. Consult the \
                       service documentation for details.";
        return Err(vague(Problem::new(403, "SignatureDoesNotMatch", message)));
    }
    let place = Place::find(&signature.region).filter(|place| place.opted_in);
    let place = place.ok_or_else(Problem::auth)?;
    let service = Service::named(&signature.service).ok_or_else(|| {
        let message = format!(
            "Credential should be scoped to correct service: 'ec2', not '{}'.",
            signature.service
        );
        Problem::new(403, "SignatureDoesNotMatch", message)
    })?;
    let caller = format!("arn:aws:iam::{ACCOUNT}:user/emulated");
    Ok(Admitted { place, service, caller })
}

/// Lets somebody do something who may.
///
/// # Errors
/// The account is not in order, or the permission is missing.
pub(super) fn permit(
    admitted: &Admitted,
    action: Action,
    access: Access,
    habits: &Habits,
) -> Result<(), Problem> {
    if action.service() == Service::Sts {
        // Everybody may ask who he is.
        return Ok(());
    }
    match habits.standing {
        Standing::Good => {}
        Standing::NotSignedUp => {
            let message = "You are not subscribed to this service. Please go to http://aws.amazon.com \
                           to subscribe.";
            return Err(Problem::new(401, "OptInRequired", message));
        }
        Standing::Pending => {
            let message = "Your account is currently being verified. Verification normally takes less \
                           than 2 hours.";
            return Err(Problem::new(400, "PendingVerification", message));
        }
        Standing::Blocked => {
            let message =
                "This account is currently blocked and not recognized as a valid account.";
            return Err(Problem::new(400, "Blocked", message));
        }
    }
    let may = match access {
        Access::Full | Access::WithoutTags => true,
        Access::ReadOnly => action.only_reads(),
        Access::Nothing | Access::Missing | Access::Unknown => false,
    };
    let is_closed = habits.closed_regions.contains(admitted.place.region);
    if may && !is_closed && !habits.denied.contains(action.name()) {
        return Ok(());
    }
    if admitted.service == Service::Ssm {
        let message = format!(
            "User: {} is not authorized to perform: ssm:{} because no identity-based policy allows the \
             ssm:{} action",
            admitted.caller,
            action.name(),
            action.name()
        );
        return Err(Problem::new(400, "AccessDeniedException", message));
    }
    Err(Problem::unauthorized(action.name(), &admitted.caller))
}

/// What an access key is signed with.
fn key(habits: &Habits, id: &str) -> Option<AccessKey> {
    let first = || AccessKey { secret: FIRST_KEY.1.to_owned(), ..AccessKey::default() };
    let known = habits.access_keys.get(id).cloned();
    known.or_else(|| (id == FIRST_KEY.0).then(first))
}

/// The time that signatures are compared with, since 1970; `world` is the world's.
#[expect(clippy::disallowed_methods, reason = "clients sign by the clock on the wall")]
pub(super) fn time(habits: &Habits, world: Duration) -> Duration {
    let wall = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let time = match habits.clock {
        Clock::Wall | Clock::None => wall(),
        Clock::World => world,
    };
    let ahead = Duration::from_secs(habits.clock_ahead_seconds.unsigned_abs());
    if habits.clock_ahead_seconds < 0 { time.saturating_sub(ahead) } else { time + ahead }
}

/// A time as `20150830T123600Z`, since 1970.
fn read_date(text: &str) -> Option<Duration> {
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    let time = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(Duration::from_secs(u64::try_from(time.as_second()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_as_it_is_signed() {
        assert_eq!(read_date("20150830T123600Z"), Some(Duration::from_secs(1_440_938_160)));
        for wrong in ["", "2015-08-30T12:36:00Z", "20150830T123600", "20151330T123600Z"] {
            assert_eq!(read_date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let key = AccessKey { secret: "sesame".to_owned(), ..AccessKey::default() };
        assert!(!format!("{key:?}").contains("sesame"));
    }
}
