use crate::user::KeyKind;

/// How the key of a user is written into a token (`sesame.packers`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Packer {
    /// 2 bytes: `ShortPacker`, for `SmallAutoField`.
    Short,
    /// 2 bytes without a sign: `UnsignedShortPacker`, for `PositiveSmallIntegerField`.
    UnsignedShort,
    /// 4 bytes: `LongPacker`, for `AutoField`.
    Integer,
    /// 4 bytes without a sign: `UnsignedLongPacker`, for `PositiveIntegerField`.
    UnsignedInteger,
    /// 8 bytes: `LongLongPacker`, for `BigAutoField`.
    BigInteger,
    /// 8 bytes without a sign: `UnsignedLongLongPacker`, for `PositiveBigIntegerField`.
    UnsignedBigInteger,
    /// 16 bytes: `UUIDPacker`.
    Uuid,
    /// Up to 255 bytes of UTF-8, after their number: `StrPacker`.
    Text,
}

impl From<KeyKind> for Packer {
    fn from(kind: KeyKind) -> Self {
        match kind {
            KeyKind::Integer => Self::Integer,
            KeyKind::BigInteger => Self::BigInteger,
            KeyKind::Uuid => Self::Uuid,
            KeyKind::Text => Self::Text,
        }
    }
}

impl Packer {
    /// The bytes of a key; `None` where it does not fit.
    pub(super) fn pack(self, key: &str) -> Option<Vec<u8>> {
        Some(match self {
            Self::Short => key.parse::<i16>().ok()?.to_be_bytes().to_vec(),
            Self::UnsignedShort => key.parse::<u16>().ok()?.to_be_bytes().to_vec(),
            Self::Integer => key.parse::<i32>().ok()?.to_be_bytes().to_vec(),
            Self::UnsignedInteger => key.parse::<u32>().ok()?.to_be_bytes().to_vec(),
            Self::BigInteger => key.parse::<i64>().ok()?.to_be_bytes().to_vec(),
            Self::UnsignedBigInteger => key.parse::<u64>().ok()?.to_be_bytes().to_vec(),
            Self::Uuid => parse_uuid(key)?.to_be_bytes().to_vec(),
            Self::Text => {
                let length = u8::try_from(key.len()).ok()?;
                [&[length], key.as_bytes()].concat()
            }
        })
    }

    /// The key at the beginning of these bytes, and what follows it.
    pub(super) fn unpack(self, bytes: &[u8]) -> Option<(String, &[u8])> {
        fn first<const N: usize>(bytes: &[u8]) -> Option<([u8; N], &[u8])> {
            bytes.split_first_chunk().map(|(first, rest)| (*first, rest))
        }
        match self {
            Self::Short => first(bytes).map(|(key, rest)| (i16::from_be_bytes(key).to_string(), rest)),
            Self::UnsignedShort => {
                first(bytes).map(|(key, rest)| (u16::from_be_bytes(key).to_string(), rest))
            }
            Self::Integer => first(bytes).map(|(key, rest)| (i32::from_be_bytes(key).to_string(), rest)),
            Self::UnsignedInteger => {
                first(bytes).map(|(key, rest)| (u32::from_be_bytes(key).to_string(), rest))
            }
            Self::BigInteger => first(bytes).map(|(key, rest)| (i64::from_be_bytes(key).to_string(), rest)),
            Self::UnsignedBigInteger => {
                first(bytes).map(|(key, rest)| (u64::from_be_bytes(key).to_string(), rest))
            }
            Self::Uuid => first(bytes).map(|(key, rest)| (uuid_text(u128::from_be_bytes(key)), rest)),
            Self::Text => {
                let (&length, rest) = bytes.split_first()?;
                let (key, rest) = rest.split_at_checked(length.into())?;
                Some((std::str::from_utf8(key).ok()?.to_owned(), rest))
            }
        }
    }
}

/// A UUID with or without hyphens.
fn parse_uuid(text: &str) -> Option<u128> {
    let digits: String = text.chars().filter(|&c| c != '-').collect();
    let is_uuid = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_uuid { u128::from_str_radix(&digits, 16).ok() } else { None }
}

/// As Python writes it.
fn uuid_text(uuid: u128) -> String {
    let digits = format!("{uuid:032x}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}
