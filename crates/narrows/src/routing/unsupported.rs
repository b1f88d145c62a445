/// Names what Python's regular expressions have and those of the `regex` crate have not.
///
/// It is asked about patterns that did not compile only, so that it may be wrong about odd ones.
pub(super) fn unsupported(pattern: &str) -> Option<&'static str> {
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        if c == '\\' {
            let mut escaped = rest[1..].chars();
            match escaped.next() {
                Some('1'..='9') if !in_class => return Some("back-references"),
                _ => rest = escaped.as_str(),
            }
            continue;
        }
        match c {
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => {
                let known = GROUPS.iter().find(|(start, _)| rest.starts_with(start));
                if let Some((_, feature)) = known {
                    return Some(feature);
                }
            }
            _ => {}
        }
        rest = &rest[c.len_utf8()..];
    }
    None
}

const GROUPS: [(&str, &str); 8] = [
    ("(?=", "look-ahead"),
    ("(?!", "look-ahead"),
    ("(?<=", "look-behind"),
    ("(?<!", "look-behind"),
    ("(?P=", "back-references"),
    ("(?(", "conditional groups"),
    ("(?>", "atomic groups"),
    ("(?#", "comments in groups"),
];
