//! The bot: background work, by a typed channel and a worker.

use std::error::Error;
use std::hash::{BuildHasher, RandomState};

use narrows::{Channel, Channels, Worker};
use narrows_web::Site;
use serde::{Deserialize, Serialize};

use super::Messages;
use super::consumers;
use super::messages::{Draft, Kept, RoomKey};
use super::protocol::now;

/// Under which the bot speaks.
pub(crate) const NAME: &str = "bot";

const MAX_DICE: u64 = 20;
const MAX_SIDES: u64 = 1000;

/// A message that begins with `@bot`, on its way to the bot.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename = "chat.bot")]
pub(crate) struct Mention {
    pub(crate) room: String,
    pub(crate) from: String,
    pub(crate) message: String,
    /// Names the question: however often it is asked, it has one answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) once: Option<String>,
}

/// Where the bot hears of what is said to it.
#[derive(Debug, Clone)]
pub(crate) struct BotChannel(Channel<Mention>);

impl BotChannel {
    /// The channel of this process.
    ///
    /// A site that runs the bot itself has a channel of its own: with several such sites on one channel layer each
    /// question still gets one answer. Bots in processes of their own share the channel `chat-bot`.
    pub(crate) fn of(site: &Site) -> Self {
        site.shared(|site| {
            let name = match is_here(site) && !site.is_worker() {
                true => format!("chat-bot.{:016x}", RandomState::new().hash_one(())),
                false => "chat-bot".to_owned(),
            };
            Self(Channel::new(name).expect("the name is legal"))
        })
    }

    /// Asks the bot, if this message is for it. `false` where it has too much to do, or is away.
    pub(crate) async fn ask(&self, channels: &Channels, room: &RoomKey, said: &Kept, once: String) -> bool {
        if command(&said.message).is_none() {
            return true;
        }
        let (from, message) = (said.from.clone(), said.message.clone());
        let mention = Mention { room: room.title.clone(), from, message, once: Some(once) };
        let sent = channels.send(&self.0, &mention).await;
        if let Err(error) = &sent {
            tracing::debug!(%error, "the bot was not asked");
        }
        sent.is_ok()
    }
}

/// Whether this process is to run the bot, if it serves: the setting `bot`.
fn is_here(site: &Site) -> bool {
    site.settings().text("bot") == "here"
}

/// The bot, where this process runs it: it answers in the room, as everybody else there would.
pub(crate) fn worker(site: &Site) -> Option<Worker> {
    if !is_here(site) && !site.is_worker() {
        return None;
    }
    let (channels, messages) = (site.channels().clone(), Messages::of(site));
    let worker = Worker::new(&channels);
    Some(
        worker.handle(BotChannel::of(site).0, move |mention| {
            answer(channels.clone(), messages.clone(), mention)
        }),
    )
}

/// What to do instead of something that the program did once.
pub(crate) async fn check(site: Site) -> Result<(), BotOnly> {
    match site.settings().text("bot") == "only" && !site.is_worker() {
        true => Err(BotOnly),
        false => Ok(()),
    }
}

/// The setting `bot` asks for a command.
#[derive(Debug, thiserror::Error)]
#[error("a process that is nothing but the bot is started with the command `worker`: chat worker")]
pub(crate) struct BotOnly;

async fn answer(
    channels: Channels,
    messages: Messages,
    Mention { room, from, message, once }: Mention,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let Some(command) = command(&message).filter(|_| from != NAME) else { return Ok(()) };
    let group = consumers::group(&room)?;
    let draft = Draft {
        room: RoomKey::new(&group, &room),
        sender: NAME.to_owned(),
        once,
        name: NAME.to_owned(),
        account: false,
        message: reply(command, &from),
    };
    messages.say(&channels, &group, draft, None).await?;
    Ok(())
}

/// What follows `@bot` at the beginning of a text.
pub(crate) fn command(text: &str) -> Option<&str> {
    let (start, rest) = text.trim().split_at_checked("@bot".len())?;
    let ends = !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@'));
    (start.eq_ignore_ascii_case("@bot") && ends).then(|| rest.trim_start_matches([',', ':']).trim())
}

fn reply(command: &str, to: &str) -> String {
    let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    match word.to_lowercase().as_str() {
        "" => format!("Hello, {to}! Ask me with @bot help, @bot time or @bot roll 2d6."),
        "help" => format!(
            "@bot time tells the time, @bot roll 2d6 rolls two dice of six sides: \
             up to {MAX_DICE} dice of up to {MAX_SIDES} sides."
        ),
        "time" => format!("It is {}.", utc(now() / 1000)),
        "roll" => match dice(rest.trim()) {
            Some((count, sides)) => roll(count, sides),
            None => {
                format!("I can roll 1 to {MAX_DICE} dice of 2 to {MAX_SIDES} sides, such as @bot roll 2d6.")
            }
        },
        _ => "I do not know that one. Try @bot help, @bot time or @bot roll 2d6.".to_owned(),
    }
}

/// Reads `2d6`, `d6` or nothing at all.
fn dice(text: &str) -> Option<(u64, u64)> {
    if text.is_empty() {
        return Some((1, 6));
    }
    let (count, sides) = text.split_once(['d', 'D'])?;
    let count = if count.is_empty() { 1 } else { count.parse().ok()? };
    let sides = sides.parse().ok()?;
    let possible = (1..=MAX_DICE).contains(&count) && (2..=MAX_SIDES).contains(&sides);
    possible.then_some((count, sides))
}

fn roll(count: u64, sides: u64) -> String {
    // The standard library's only random numbers are the keys of its hash maps; good enough for a game.
    let random = RandomState::new();
    let rolled: Vec<u64> = (0..count).map(|n| random.hash_one(n) % sides + 1).collect();
    let sum: u64 = rolled.iter().sum();
    let each: Vec<_> = rolled.iter().map(u64::to_string).collect();
    match each.as_slice() {
        [one] => format!("{count}d{sides}: {one}"),
        each => format!("{count}d{sides}: {} = {sum}", each.join(" + ")),
    }
}

/// Seconds since 1970 as a date and time, by the Gregorian calendar
/// (`civil_from_days` of <https://howardhinnant.github.io/date_algorithms.html>).
fn utc(seconds: u64) -> String {
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    // Years begin in March there, so that the odd day comes last; eras are of 400 years.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_text_that_begins_with_the_name_as_a_word_is_for_the_bot() {
        for (text, expected) in [
            ("@bot help", "help"),
            ("  @Bot,  roll 2d6 ", "roll 2d6"),
            ("@bot: time", "time"),
            ("@bot", ""),
            ("@bot 大家好", "大家好"),
        ] {
            assert_eq!(command(text), Some(expected), "{text}");
        }
        for text in ["", "@bo", "@bottle help", "@bot-2", "@bot大", "ask @bot help", "bot help", "@聊天室"]
        {
            assert_eq!(command(text), None, "{text}");
        }
    }

    #[test]
    fn dice_are_bounded() {
        let cases = [
            ("", Some((1, 6))),
            ("d20", Some((1, 20))),
            ("2D6", Some((2, 6))),
            ("20d1000", Some((20, 1000))),
        ];
        for (text, expected) in cases {
            assert_eq!(dice(text), expected, "{text}");
        }
        for text in ["0d6", "21d6", "2d1", "2d1001", "2d", "six", "-1d6", "2d6+1", "99999999999999999999d6"] {
            assert_eq!(dice(text), None, "{text}");
            assert!(reply(&format!("roll {text}"), "Ada").starts_with("I can roll 1 to 20 dice"));
        }
    }

    #[test]
    fn a_roll_is_within_its_dice_and_sums_up() {
        for _ in 0..1000 {
            let text = roll(3, 4);
            let (each, sum) = text.strip_prefix("3d4: ").unwrap().split_once(" = ").unwrap();
            let each: Vec<u64> = each.split(" + ").map(|n| n.parse().unwrap()).collect();
            assert!(each.len() == 3 && each.iter().all(|n| (1..=4).contains(n)), "{text}");
            assert_eq!(each.iter().sum::<u64>().to_string(), sum);
        }
        let seen: std::collections::HashSet<_> = (0..1000).map(|_| roll(1, 6)).collect();
        assert_eq!(seen.len(), 6, "every side comes up: {seen:?}");
    }

    #[test]
    fn the_time_is_that_of_the_calendar() {
        // As `date -u -d @SECONDS` says.
        for (seconds, expected) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_800, "2000-03-01 00:00:00 UTC"),
            (1_735_689_599, "2024-12-31 23:59:59 UTC"),
            (1_735_689_600, "2025-01-01 00:00:00 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(utc(seconds), expected);
        }
    }
}
