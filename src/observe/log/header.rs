//! What stands before a message: when it was written, and by which host.
//!
//! Known are the two forms of syslog (RFC 3164, 4.1.1; RFC 5424, 6.2) with and without their priority, what `journalctl -o
//! short` and `-o short-iso` print, which look the same, and `dmesg` with seconds or dates in brackets. Times are never
//! calculated with, only shown as they are written.

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// How long `Nov 28 07:35:03` is, in bytes.
const BSD_TIME: usize = 15;

/// The time and the host of the text before a message. A host is a word that ends in no colon, as the name of a program
/// does: pfSense leaves its host out of what it sends.
pub(super) fn header(before: &str) -> (&str, Option<&str>) {
    let mut rest = before.trim_start();
    if let Some(after) = rest.strip_prefix('<')
        && let Some((priority, after)) = after.split_once('>')
        && priority.bytes().all(|byte| byte.is_ascii_digit())
    {
        rest = after.strip_prefix("1 ").unwrap_or(after);
    }
    let is_month = rest.get(..3).is_some_and(|month| MONTHS.contains(&month));
    if let Some(bracketed) = rest.strip_prefix('[') {
        return (bracketed.split(']').next().unwrap_or_default().trim(), None);
    }
    let (time, rest) = if is_month {
        let split = rest.get(..BSD_TIME).zip(rest.get(BSD_TIME..));
        match split {
            Some(split) => split,
            None => return ("", None),
        }
    } else if rest.starts_with(|c: char| c.is_ascii_digit()) {
        rest.split_once(' ').unwrap_or((rest, ""))
    } else {
        return ("", None);
    };
    // The year that some devices write behind the day belongs to neither.
    let host =
        rest.split_whitespace().next().filter(|word| !word.ends_with(':') && !word.contains(['[', '%']));
    (time, host)
}

#[cfg(test)]
mod tests {
    use super::header;

    #[test]
    fn each_form_gives_its_time_and_its_host() {
        for (text, time, host) in [
            ("Nov 28 07:35:03 core kernel: ", "Nov 28 07:35:03", Some("core")),
            ("<134>Nov  8 07:35:03 filterlog[12]: ", "Nov  8 07:35:03", None),
            ("<4>1 2026-11-28T07:35:03Z core kernel - - - ", "2026-11-28T07:35:03Z", Some("core")),
            (
                "2026-11-28T07:35:03.123456+01:00 core kernel: [1.2] ",
                "2026-11-28T07:35:03.123456+01:00",
                Some("core"),
            ),
            ("[  123.456789] ", "123.456789", None),
            ("[Sat Nov 28 07:35:03 2026] ", "Sat Nov 28 07:35:03 2026", None),
            ("", "", None),
            ("kernel: ", "", None),
            ("Nov", "", None),
            ("Növ 28 07:35:0é", "", None),
        ] {
            assert_eq!(header(text), (time, host), "{text}");
        }
    }
}
