use std::fmt::Write;

/// Reads `0aFF`, with spaces allowed between bytes.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut digits = text.chars().filter(|c| !c.is_whitespace());
    while let Some(high) = digits.next() {
        let low = digits.next().ok_or("the last byte has only one hexadecimal digit")?;
        bytes.push(digit(high)? << 4 | digit(low)?);
    }
    Ok(bytes)
}

fn digit(c: char) -> Result<u8, String> {
    let value = c.to_digit(16).and_then(|value| u8::try_from(value).ok());
    value.ok_or_else(|| format!("`{}` is no hexadecimal digit", c.escape_default()))
}

pub(super) fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_back_as_they_were_written() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&all)).unwrap(), all);
        assert_eq!(decode("0a FF\t00").unwrap(), [10, 255, 0]);
        assert!(decode("").unwrap().is_empty());
    }

    #[test]
    fn what_is_wrong_with_them_is_said() {
        assert!(decode("abc").unwrap_err().contains("only one"));
        assert!(decode("0x12").unwrap_err().contains("`x`"));
        assert!(decode("ä0").is_err());
    }
}
