//! Tokens of single sign-on, which AWS's command-line tool gets by `aws sso login` and keeps in files.
//! One that has expired is renewed where that tool left what is needed for it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use serde_json::Value;
use sha1::{Digest as _, Sha1};

use super::exchange::Renewed;
use crate::http::{Token, since_1970};

/// What a kept token is good for.
#[derive(Debug)]
pub(super) enum Kept {
    /// It counts.
    Fresh(Token),
    /// It has expired, and can be renewed with these.
    Renewable { client_id: String, client_secret: Token, refresh_token: Token },
    /// It has expired, or is none.
    Useless,
}

/// How the file of a token is called, by what it is kept as.
pub(super) fn file_name(kept_as: &str) -> String {
    Sha1::digest(kept_as.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a file says that was read at `now`.
pub(super) fn kept(file: &Value, now: SystemTime) -> Kept {
    let text = |key: &str| file[key].as_str().filter(|text| !text.is_empty());
    let counts = |key: &str| {
        let until = text(key).and_then(moment);
        until.is_some_and(|until| now + super::BEFORE_EXPIRY < until)
    };
    if let (Some(token), true) = (text("accessToken"), counts("expiresAt")) {
        return Kept::Fresh(Token::made(token));
    }
    match (text("clientId"), text("clientSecret"), text("refreshToken")) {
        (Some(id), Some(secret), Some(refresh)) if counts("registrationExpiresAt") => {
            Kept::Renewable {
                client_id: id.to_owned(),
                client_secret: Token::made(secret),
                refresh_token: Token::made(refresh),
            }
        }
        _ => Kept::Useless,
    }
}

/// What the file says with a token that was renewed at `now`.
pub(super) fn with_renewed(mut file: Value, renewed: &Renewed, now: SystemTime) -> Value {
    file["accessToken"] = renewed.access_token.as_str().into();
    if let Some(refresh) = &renewed.refresh_token {
        file["refreshToken"] = refresh.as_str().into();
    }
    let until = now + Duration::from_secs(renewed.expires_in);
    let seconds = until.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let until = i64::try_from(seconds).ok().and_then(|at| Timestamp::from_second(at).ok());
    file["expiresAt"] = until.unwrap_or_default().to_string().into();
    file
}

/// Old versions of the tool wrote `UTC` for `Z`.
fn moment(text: &str) -> Option<SystemTime> {
    let text = text.strip_suffix("UTC").map_or_else(|| text.to_owned(), |time| format!("{time}Z"));
    UNIX_EPOCH.checked_add(since_1970(&text)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_kept_by_the_digest_of_its_session() {
        assert_eq!(file_name("my-sso"), "0ad374308c5a4e22f723adf10145eafad7c4031c");
    }

    #[test]
    fn a_token_counts_until_shortly_before_it_expires_and_is_renewed_where_it_can_be() {
        let mut file = json!({ "accessToken": "t0k3n", "expiresAt": "1970-01-01T01:00:00UTC" });
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert!(matches!(kept(&file, at(3400)), Kept::Fresh(token) if token.reveal() == "t0k3n"));
        assert!(matches!(kept(&file, at(3500)), Kept::Useless));
        file["clientId"] = "id".into();
        file["clientSecret"] = "s3cr3t-client".into();
        file["refreshToken"] = "r3fr3sh".into();
        assert!(matches!(kept(&file, at(3500)), Kept::Useless), "the client has no end");
        file["registrationExpiresAt"] = "1970-01-02T00:00:00Z".into();
        let renewable = kept(&file, at(3500));
        assert!(matches!(&renewable, Kept::Renewable { client_id, .. } if client_id == "id"));
        assert!(!format!("{renewable:?}").contains("s3cr3t"));
        assert!(matches!(kept(&file, at(90_000)), Kept::Useless));
        assert!(matches!(kept(&json!({}), at(0)), Kept::Useless));
    }

    #[test]
    fn what_was_renewed_is_kept_beside_what_the_tool_wrote() {
        let file = json!({ "startUrl": "https://a", "accessToken": "old", "refreshToken": "r1" });
        let renewed = Renewed {
            access_token: "new".to_owned(),
            expires_in: 3600,
            refresh_token: Some("r2".to_owned()),
        };
        let expected = json!({
            "startUrl": "https://a",
            "accessToken": "new",
            "refreshToken": "r2",
            "expiresAt": "1970-01-01T01:00:00Z",
        });
        assert_eq!(with_renewed(file, &renewed, UNIX_EPOCH), expected);
    }
}
