//! `storm-control` on the ports of a switch.
//!
//! The form is that of Catalyst 3750-X and 3650 (command references, `storm-control`): `{broadcast | multicast | unicast}
//! level {LEVEL [LOW] | bps BPS [LOW] | pps PPS [LOW]}`, and `action {shutdown | trap}`, which are independent of each
//! other. Numbers have a decimal and may end in `k`, `m` or `g`; `show running-config` writes 3000 as `3k`. Without a lower
//! level, frames pass again below the upper one, so naming it twice changes nothing. What has another form is kept word for
//! word, so that it is no rate that a policy names.

use super::super::model::{StormControl, StormLevel};

/// Digits behind the point that are read of a number.
const DECIMALS: usize = 9;

/// Takes a command behind `storm-control` into what a port does.
pub(super) fn read(port: &mut StormControl, line: usize, words: &[&str]) {
    match words {
        ["action", "shutdown"] => port.shutdown = Some(line),
        ["action", "trap"] => port.trap = Some(line),
        [kind, rest @ ..] => {
            let level = match rest {
                ["level", "pps", high] => packets(high, high),
                ["level", "pps", high, low] => packets(high, low),
                _ => None,
            };
            let level = StormLevel { packets_per_second: level, text: rest.join(" "), line };
            port.levels.insert((*kind).to_owned(), level);
        }
        [] => {}
    }
}

/// Takes back what stands behind `no storm-control`.
pub(super) fn remove(port: &mut StormControl, words: &[&str]) {
    match words {
        ["action", "shutdown"] => port.shutdown = None,
        ["action", "trap"] => port.trap = None,
        ["action"] => (port.shutdown, port.trap) = (None, None),
        [kind, ..] => {
            port.levels.remove(*kind);
        }
        [] => {}
    }
}

/// One rate for both levels; nothing if they differ, or if it is no whole number.
fn packets(high: &str, low: &str) -> Option<u64> {
    let (high, low) = (whole(high)?, whole(low)?);
    (high == low).then_some(high)
}

/// A number such as `100`, `99.0`, `1.5k` or `2m`, if it is a whole one.
fn whole(text: &str) -> Option<u64> {
    let (digits, scale) = match text.char_indices().last()? {
        (at, 'k') => (text.get(..at)?, 3),
        (at, 'm') => (text.get(..at)?, 6),
        (at, 'g') => (text.get(..at)?, 9),
        _ => (text, 0),
    };
    let (number, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if number.is_empty() || !plain(number) || !plain(fraction) || fraction.len() > DECIMALS {
        return None;
    }
    let tail = fraction.get(scale.min(fraction.len())..)?;
    let moved = format!("{number}{:0<scale$}", fraction.get(..scale.min(fraction.len()))?);
    tail.bytes().all(|byte| byte == b'0').then(|| moved.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn numbers_are_read_with_their_suffix() {
        let read = [("100", 100), ("99.0", 99), ("3k", 3_000), ("1.5k", 1_500), ("2m", 2_000_000), ("0", 0)];
        for (text, number) in read {
            assert_eq!(whole(text), Some(number), "{text}");
        }
        for text in ["", "k", "1.5", "-1", "1.25x", "1.2345k", "+3", "1..2", "99999999999999999999k", "."] {
            assert_eq!(whole(text), None, "{text}");
        }
    }
}
