use std::fmt::Write;

use axum::http::StatusCode;
use narrows::{Group, Reject};
use narrows_web::Site;
use narrows_web::narrows_django::User;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::accounts::{Addressee, addressee};
use crate::notifications::Inbox;
use crate::rooms::protocol::{Problem, check_name};

/// What guests are called who chose no name, with a number behind it.
pub(crate) const GUEST: &str = "guest-";

/// Who somebody in a room is, on whichever device.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) name: String,
    /// The id of the account, for somebody who is logged in; otherwise the name is a guest's.
    pub(crate) user: Option<String>,
    /// Which guest: names are anybody's, this is one browser's. Half of it is told to others.
    number: String,
}

/// What others see of somebody who is in the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Here {
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) account: bool,
}

impl Person {
    pub(super) fn account(user: User) -> Self {
        Self { name: user.username, user: Some(user.id.as_str().to_owned()), number: String::new() }
    }

    /// A guest by the name that it asked for, and by the secret that its browser keeps. The name of an account is none: who
    /// asks for it is a guest with a number, and is told why.
    pub(super) async fn guest(
        asked: &str,
        secret: &str,
        site: &Site,
    ) -> Result<(Self, Option<Problem>), Reject> {
        let (name, problem) = match asked.trim() {
            "" => (guest_name(), None),
            asked => {
                let asked = check_name(asked)
                    .map_err(|problem| Reject::new(StatusCode::BAD_REQUEST).body(problem.to_string()))?;
                match addressee(site, &asked).await {
                    Ok(Addressee::Guest) => (asked, None),
                    Ok(_) => (guest_name(), Some(Problem::NameTaken)),
                    Err(error) => {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "a guest's name is not checked"
                        );
                        (guest_name(), Some(Problem::NameUnchecked))
                    }
                }
            }
        };
        Ok((Self { name, user: None, number: number(secret) }, problem))
    }

    pub(crate) fn is_account(&self) -> bool {
        self.user.is_some()
    }

    /// Where this person is reached, on each device.
    pub(crate) fn inbox(&self) -> Group<Inbox> {
        match &self.user {
            Some(user) => Inbox::of(user),
            // All guests who use the name share it, as anybody may use it.
            None => Inbox::of_guests(&self.name),
        }
    }

    /// Whose messages these are, as the database has it: ASCII, and nobody else's.
    pub(crate) fn sender(&self) -> String {
        match &self.user {
            Some(user) => reader(user),
            None => format!("guest.{}", self.number),
        }
    }

    /// Under which key this person is in a room: once for all devices. No account has that of a guest.
    pub(crate) fn key(&self) -> String {
        match &self.user {
            // A key has 256 bytes at the most, and a name of Django's 150 characters.
            Some(_) if self.name.len() > 200 => format!("account:_{}", hex(&Sha256::digest(&self.name))),
            Some(_) => format!("account:{}", self.name),
            None => format!("guest:{}:{}", self.name, &self.number[..8]),
        }
    }

    pub(crate) fn here(&self) -> Here {
        Here { name: self.name.clone(), account: self.is_account() }
    }
}

/// An account as the database knows it: by the name of its inbox, which has at most 99 characters of ASCII.
pub(crate) fn reader(user: &str) -> String {
    Inbox::of(user).name().to_owned()
}

/// A guest's number: the same for all of a browser's connections, and no way back to its secret. Without one it is
/// another for each connection.
fn number(secret: &str) -> String {
    if !(16..=64).contains(&secret.len()) {
        return format!("{:032x}", rand::random::<u128>());
    }
    let digest = Sha256::digest([b"a guest of the chat site: ", secret.as_bytes()].concat());
    hex(&digest[..16])
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all that is written");
        text
    })
}

/// A name for somebody who gave none.
fn guest_name() -> String {
    format!("{GUEST}{:04x}", rand::random::<u16>())
}
