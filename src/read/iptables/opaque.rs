//! Conditions that the model has no field for, in one form however they are written.

use super::matching::value;
use super::names::number;
use super::rule::{Choice, Instance};

/// Ticks of a second that the kernel counts rates in (`XT_LIMIT_SCALE`, include/uapi/linux/netfilter/xt_limit.h).
const TICKS: u64 = 10_000;

/// Parts of a second that `hashlimit` counts rates in: microseconds.
const HASH_TICKS: u64 = 1_000_000;

/// Units of a rate, each with its ticks. They can be shortened.
const UNITS: [(&str, u64); 4] =
    [("second", TICKS), ("minute", 60 * TICKS), ("hour", 3_600 * TICKS), ("day", 86_400 * TICKS)];

/// The text of a match.
///
/// # Errors
/// Its values cannot be read.
pub(super) fn text(instance: &Instance) -> Result<String, String> {
    match instance.module.name {
        "limit" => limit(&instance.choices),
        name => {
            let mut text = name.to_owned();
            // What a hash limit counts by comes before the table that it counts in.
            let is_table = |choice: &&Choice| {
                choice.name == "--hashlimit-name" || choice.name.starts_with("--hashlimit-htable")
            };
            let (tables, others): (Vec<&Choice>, Vec<&Choice>) = instance.choices.iter().partition(is_table);
            for choice in others.into_iter().chain(tables) {
                text.push_str(if choice.negated { " ! " } else { " " });
                text.push_str(choice.name);
                for value in &choice.values {
                    text.push(' ');
                    text.push_str(&match choice.name {
                        "--hashlimit" | "--hashlimit-upto" | "--hashlimit-above" => hash_rate(value),
                        _ => shown(name, value),
                    });
                }
            }
            Ok(text)
        }
    }
}

/// A value as the tool writes it: marks in hexadecimal, texts with spaces in quotes.
fn shown(module: &str, value: &str) -> String {
    if matches!(module, "mark" | "connmark") {
        let parts: Vec<String> = value.split('/').map(hexadecimal).collect();
        return parts.join("/");
    }
    if value.is_empty() || value.contains(char::is_whitespace) {
        format!("{value:?}")
    } else {
        value.to_owned()
    }
}

fn hexadecimal(text: &str) -> String {
    number::<u32>(text).map_or_else(|| text.to_owned(), |number| format!("{number:#x}"))
}

/// `limit`: as many as a rate allows, and a burst before that. Without options they are 3 an hour and 5
/// (iptables-extensions(8), limit).
fn limit(choices: &[Choice]) -> Result<String, String> {
    let (mut every, mut burst) = (ticks("3/hour")?, 5);
    for choice in choices {
        let text = value(choice);
        if choice.negated {
            return Err(format!("`{}` cannot be negated", choice.name));
        }
        if choice.name == "--limit" {
            every = ticks(text)?;
        } else {
            burst = number::<u32>(text).ok_or_else(|| format!("`{text}` is not a number of packets"))?;
        }
    }
    // The unit of which the time between two packets is a whole part, if there is one.
    let rate = UNITS.iter().find(|(_, ticks)| ticks % every == 0);
    let rate = match rate {
        Some((unit, ticks)) => format!("{}/{unit}", ticks / every),
        None => format!("{TICKS}/{every} a second"),
    };
    Ok(format!("limit --limit {rate} --limit-burst {burst}"))
}

/// A rate of `hashlimit`, as the time between two packets, which is how the kernel has it (`XT_HASHLIMIT_SCALE_v2`,
/// include/uapi/linux/netfilter/xt_hashlimit.h), and a rate of bytes as the cost of 16 of them.
fn hash_rate(rate: &str) -> String {
    if let Some(bytes) = rate.strip_suffix("b/s") {
        return cost(bytes).map_or_else(|| rate.to_owned(), |cost| format!("cost {cost} for 16 bytes"));
    }
    let between = between(rate, HASH_TICKS / TICKS);
    between.map_or_else(|_| rate.to_owned(), |between| format!("one in {between} us"))
}

/// The cost that the tool makes of a rate of bytes, from which it prints another rate that has the same cost
/// (`bytes_to_cost`, extensions/libxt_hashlimit.c).
fn cost(bytes: &str) -> Option<u64> {
    let (number, unit) = match (bytes.strip_suffix('k'), bytes.strip_suffix('m')) {
        (Some(number), _) => (number, 1 << 10),
        (None, Some(number)) => (number, 1 << 20),
        (None, None) => (bytes, 1),
    };
    let bytes = self::number::<u64>(number)?.checked_mul(unit)?;
    Some(u64::from(u32::MAX) / ((bytes >> 4) + 1))
}

/// The ticks between two packets of a rate of `limit`, rounded down as the tool does it.
fn ticks(rate: &str) -> Result<u64, String> {
    between(rate, 1)
}

/// The time between two packets of a rate, in parts of a tick.
fn between(rate: &str, parts: u64) -> Result<u64, String> {
    let wrong = || format!("`{rate}` is not a rate like `10/second`");
    let (count, unit) = rate.split_once('/').unwrap_or((rate, "second"));
    let count = number::<u64>(count).filter(|count| *count > 0).ok_or_else(wrong)?;
    let unit = unit.to_ascii_lowercase();
    let known = UNITS.iter().find(|(known, _)| !unit.is_empty() && known.starts_with(&unit));
    let every = known.map(|(_, ticks)| ticks * parts / count).filter(|every| *every > 0);
    every.ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> Result<String, String> {
        limit(&[Choice { name: "--limit", negated: false, values: vec![text] }])
    }

    #[test]
    fn rates_have_one_form() {
        for (one, other) in
            [("10/second", "10/sec"), ("60/minute", "1/s"), ("3/hour", "72/day"), ("5", "5/s")]
        {
            assert_eq!(rate(one), rate(other), "{one} {other}");
        }
        assert_eq!(limit(&[]), rate("3/hour"));
        assert_eq!(rate("10/sec"), Ok("limit --limit 10/second --limit-burst 5".to_owned()));
        assert_ne!(rate("90/minute"), rate("1/second"));
        for wrong in ["", "/sec", "0/sec", "x/sec", "10/", "10/year", "20000/second"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rates_of_hash_limits_have_one_form_too() {
        assert_eq!(hash_rate("20/sec"), "one in 50000 us");
        assert_eq!(hash_rate("60/min"), hash_rate("1/second"));
        assert_ne!(hash_rate("500/min"), hash_rate("8/sec"));
        // As iptables 1.8.9 prints what it was given (measured).
        for (given, printed) in [
            ("125000b/s", "124992b/s"),
            ("625000b/s", "624992b/s"),
            ("5000000b/s", "4883kb/s"),
            ("250000000b/s", "239mb/s"),
            ("1250000000b/s", "1213mb/s"),
        ] {
            assert_eq!(hash_rate(given), hash_rate(printed), "{given}");
        }
        assert_ne!(hash_rate("125000b/s"), hash_rate("124000b/s"));
        assert_eq!(hash_rate("manyb/s"), "manyb/s");
    }

    #[test]
    fn marks_are_hexadecimal() {
        assert_eq!(shown("mark", "16/255"), "0x10/0xff");
        assert_eq!(shown("mark", "0x10"), "0x10");
        assert_eq!(shown("string", "a b"), "\"a b\"");
    }
}
