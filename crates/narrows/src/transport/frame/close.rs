use super::ProtocolError;

/// Whether a close frame may carry this code.
///
/// 1004 is undefined; 1005, 1006 and 1015 are how an endpoint reports what no frame said; 1016–2999 wait for
/// later versions of the protocol; the rest below 1000 and above 4999 is nobody's.
pub fn is_sendable_close_code(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Reads a close frame's payload: nothing, or a code and a reason.
pub(super) fn parse_close(payload: &[u8]) -> Result<Option<(u16, &str)>, ProtocolError> {
    let (code, reason) = match payload {
        [] => return Ok(None),
        [_] => return Err(ProtocolError::TruncatedCloseCode),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
    };
    if !is_sendable_close_code(code) {
        return Err(ProtocolError::InvalidCloseCode(code));
    }
    let reason = str::from_utf8(reason).map_err(|_| ProtocolError::InvalidUtf8)?;
    Ok(Some((code, reason)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_defined_and_free_codes_may_be_sent() {
        for code in [1000, 1001, 1002, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999] {
            assert!(is_sendable_close_code(code), "{code}");
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, u16::MAX] {
            assert!(!is_sendable_close_code(code), "{code}");
            assert_eq!(parse_close(&code.to_be_bytes()), Err(ProtocolError::InvalidCloseCode(code)));
        }
    }

    #[test]
    fn a_close_payload_is_empty_or_has_a_code_and_a_reason() {
        assert_eq!(parse_close(b""), Ok(None));
        assert_eq!(parse_close(b"\x03"), Err(ProtocolError::TruncatedCloseCode));
        assert_eq!(parse_close(b"\x03\xe8"), Ok(Some((1000, ""))));
        assert_eq!(parse_close(b"\x0f\xa1kicked"), Ok(Some((4001, "kicked"))));
        assert_eq!(parse_close(b"\x03\xe8\xff"), Err(ProtocolError::InvalidUtf8));
    }
}
