use narrows_core::Group;
use serde::{Deserialize, Deserializer, Serialize};

use super::digest::SessionDigest;

/// What is broadcast to all nodes when sessions end. Any process can send it: see `docs/identity.md`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub(crate) enum Notice {
    #[serde(rename = "session.end")]
    SessionEnd { session: SessionDigest },
    #[serde(rename = "user.end")]
    UserEnd {
        #[serde(deserialize_with = "text_or_number")]
        user: String,
        /// The one session that goes on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        except: Option<SessionDigest>,
    },
    #[serde(rename = "user.check")]
    UserCheck {
        #[serde(deserialize_with = "text_or_number")]
        user: String,
    },
}

/// The one group for the notices of all sessions and users.
pub(crate) fn notices() -> Group<Notice> {
    Group::new("narrows.ends").expect("the name is legal")
}

/// A primary key is a number to Django, and is easily sent as one.
fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum User {
        Text(String),
        Unsigned(u64),
        Signed(i64),
    }
    Ok(match User::deserialize(deserializer)? {
        User::Text(text) => text,
        User::Unsigned(number) => number.to_string(),
        User::Signed(number) => number.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use narrows_core::PayloadFormat;
    use serde_json::{Value, json};

    use super::*;

    const FORMATS: [PayloadFormat; 2] = [PayloadFormat::MsgPack, PayloadFormat::Json];

    fn read(value: &Value) -> Vec<Option<Notice>> {
        let read = |format: PayloadFormat| format.decode::<Notice>(&format.encode(value).unwrap()).ok();
        FORMATS.into_iter().map(read).collect()
    }

    #[test]
    fn the_notices_are_the_maps_that_the_documentation_shows() {
        let (digest, hex) = (SessionDigest::of("abc"), SessionDigest::of("abc").to_string());
        let user = || "42".to_owned();
        for (notice, map) in [
            (Notice::SessionEnd { session: digest }, json!({"type": "session.end", "session": hex})),
            (Notice::UserEnd { user: user(), except: None }, json!({"type": "user.end", "user": "42"})),
            (
                Notice::UserEnd { user: user(), except: Some(digest) },
                json!({"type": "user.end", "user": "42", "except": hex}),
            ),
            (Notice::UserCheck { user: user() }, json!({"type": "user.check", "user": "42"})),
        ] {
            assert_eq!(serde_json::to_value(&notice).unwrap(), map);
            assert_eq!(read(&map), [Some(notice.clone()), Some(notice)]);
        }
    }

    #[test]
    fn a_number_for_a_user_null_for_no_exception_and_other_keys_are_understood() {
        let map = json!({"type": "user.end", "user": 42, "except": null, "__asgi_group__": "narrows.ends"});
        let notice = Some(Notice::UserEnd { user: "42".to_owned(), except: None });
        assert_eq!(read(&map), [notice.clone(), notice]);
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            json!({}),
            json!({"type": "session.begin"}),
            json!({"type": 1}),
            json!({"type": "session.end"}),
            json!({"type": "session.end", "session": "abc"}),
            json!({"type": "session.end", "session": 5}),
            json!({"type": "user.end", "user": ["42"]}),
            json!({"type": "user.end", "user": "42", "except": "abc"}),
            json!({"type": "user.check"}),
        ] {
            assert_eq!(read(&bad), [None, None], "{bad}");
        }
    }
}
