//! What a field is compared with: one value of a set or of a rule.

use std::net::{Ipv4Addr, Ipv6Addr};

use jiff::civil::{self, Date};

use super::field::Kind;
use super::names;
use super::scan::{Piece, Token, render};
use crate::read::States;

/// The last second of a day.
pub(super) const LAST_SECOND_OF_DAY: u128 = 24 * 60 * 60 - 1;

/// A value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Value {
    /// Numbers, both ends included.
    Range(u128, u128),
    /// An interface, or with a `*` at the end all whose names start so.
    Name(String),
    /// Something that is only written down.
    Text(String),
}

/// Reads a value; ranges are one word, or two with a `-` between them.
pub(super) fn value(kind: Kind, tokens: &[Token]) -> Result<Value, String> {
    match kind {
        Kind::Name | Kind::Number => return interface(kind, tokens),
        Kind::Other => return Ok(Value::Text(render(tokens))),
        Kind::State | Kind::TcpFlags => {
            return flags(kind, tokens).map(|bits| Value::Range(bits.into(), bits.into()));
        }
        Kind::V4
        | Kind::V6
        | Kind::Port
        | Kind::Protocol
        | Kind::StackFamily
        | Kind::FrameFamily
        | Kind::IcmpType
        | Kind::IcmpCode
        | Kind::Icmpv6Type
        | Kind::Icmpv6Code
        | Kind::Hour
        | Kind::Day
        | Kind::Time => {}
    }
    let texts: Option<Vec<&str>> = tokens
        .iter()
        .map(|token| match &token.piece {
            Piece::Word(text) | Piece::Text(text) => Some(text.as_ref()),
            Piece::Symbol("-") => Some("-"),
            Piece::Symbol(_) | Piece::List(_) | Piece::Lines(_) | Piece::Bad(_) => None,
        })
        .collect();
    let (low, high) = match texts.as_deref() {
        Some([word]) => return one_word(kind, word),
        Some([low, "-", high]) => (single(kind, low)?, single(kind, high)?),
        _ => return Err(format!("`{}` is not {}", render(tokens), described(kind))),
    };
    ordered(kind, low, high)
}

fn one_word(kind: Kind, word: &str) -> Result<Value, String> {
    if let Some((low, high)) = prefix(kind, word)? {
        return Ok(Value::Range(low, high));
    }
    let whole = single(kind, word);
    if whole.is_ok() || !word.contains('-') {
        return whole.map(|number| Value::Range(number, number));
    }
    let splits = word.match_indices('-').filter_map(|(place, _)| {
        let (low, high) = (word.get(..place)?, word.get(place + 1..)?);
        Some((single(kind, low).ok()?, single(kind, high).ok()?))
    });
    match splits.into_iter().next() {
        Some((low, high)) => ordered(kind, low, high),
        None => whole.map(|number| Value::Range(number, number)),
    }
}

fn ordered(kind: Kind, low: u128, high: u128) -> Result<Value, String> {
    if low <= high {
        return Ok(Value::Range(low, high));
    }
    // nft takes a range of hours that ends before it starts for all but what lies between, and prints one whose end is
    // behind midnight in the same way, so the text does not say what is meant.
    Err(match kind {
        Kind::Hour => {
            "the range of hours ends before it starts; write two ranges that meet at midnight, and dump \
                       a ruleset with TZ=UTC"
                .to_owned()
        }
        Kind::V4
        | Kind::V6
        | Kind::Port
        | Kind::Protocol
        | Kind::Name
        | Kind::Number
        | Kind::State
        | Kind::StackFamily
        | Kind::FrameFamily
        | Kind::IcmpType
        | Kind::IcmpCode
        | Kind::Icmpv6Type
        | Kind::Icmpv6Code
        | Kind::TcpFlags
        | Kind::Day
        | Kind::Time
        | Kind::Other => "the range ends before it starts".to_owned(),
    })
}

/// The addresses of a prefix. Bits behind its length do not matter (measured: `10.11.12.5/8` is loaded as `10.0.0.0/8`,
/// in rules and in sets).
fn prefix(kind: Kind, word: &str) -> Result<Option<(u128, u128)>, String> {
    let width: u32 = match kind {
        Kind::V4 => 32,
        Kind::V6 => 128,
        Kind::Port
        | Kind::Protocol
        | Kind::Name
        | Kind::Number
        | Kind::State
        | Kind::StackFamily
        | Kind::FrameFamily
        | Kind::IcmpType
        | Kind::IcmpCode
        | Kind::Icmpv6Type
        | Kind::Icmpv6Code
        | Kind::TcpFlags
        | Kind::Hour
        | Kind::Day
        | Kind::Time
        | Kind::Other => return Ok(None),
    };
    let Some((address, length)) = word.split_once('/') else { return Ok(None) };
    let address = single(kind, address)?;
    let length = decimal(length).and_then(|length| u32::try_from(length).ok());
    let Some(behind) = length.and_then(|length| width.checked_sub(length)) else {
        return Err(format!("`{word}` is not {}", described(kind)));
    };
    let mask = u128::MAX.checked_shr(128 - behind).unwrap_or(0);
    Ok(Some((address & !mask, address | mask)))
}

/// A single number.
fn single(kind: Kind, word: &str) -> Result<u128, String> {
    let named = |names: &[(&str, u16)], last: u128| match names::number(names, word) {
        Some(number) => Some(number.into()),
        None => number(word).filter(|number| *number <= last),
    };
    let found = match kind {
        Kind::V4 => word.parse::<Ipv4Addr>().ok().map(|address| u32::from(address).into()),
        Kind::V6 => word.parse::<Ipv6Addr>().ok().map(u128::from),
        Kind::Port => named(&names::SERVICES, u16::MAX.into()),
        Kind::Protocol => named(&names::PROTOCOLS, u8::MAX.into()),
        Kind::StackFamily => named(&names::STACK_FAMILIES, u8::MAX.into()),
        Kind::FrameFamily => named(&names::ETHER_TYPES, u16::MAX.into()),
        Kind::IcmpType => named(&names::ICMP_TYPES, u8::MAX.into()),
        Kind::IcmpCode => named(&names::ICMP_CODES, u8::MAX.into()),
        Kind::Icmpv6Type => named(&names::ICMPV6_TYPES, u8::MAX.into()),
        Kind::Icmpv6Code => named(&names::ICMPV6_CODES, u8::MAX.into()),
        Kind::Day => named(&names::DAYS, 6),
        Kind::Hour => clock(word).or_else(|| number(word)).filter(|second| *second <= LAST_SECOND_OF_DAY),
        Kind::Time => date(word).or_else(|| number(word)),
        Kind::Name | Kind::Number | Kind::State | Kind::TcpFlags | Kind::Other => None,
    };
    found.ok_or_else(|| format!("`{word}` is not {}", described(kind)))
}

/// A number in decimal or, behind `0x`, hexadecimal digits. One that starts with another zero would be octal
/// (measured: `022` is 18).
pub(super) fn number(word: &str) -> Option<u128> {
    match word.strip_prefix("0x") {
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            u128::from_str_radix(digits, 16).ok()
        }
        Some(_) => None,
        None => decimal(word),
    }
}

fn decimal(word: &str) -> Option<u128> {
    let digits = !word.is_empty() && word.bytes().all(|digit| digit.is_ascii_digit());
    (digits && (word == "0" || !word.starts_with('0'))).then(|| word.parse().ok()).flatten()
}

/// A time of the day, `HH:MM` or `HH:MM:SS`, as seconds.
fn clock(word: &str) -> Option<u128> {
    let parts: Option<Vec<u128>> = word
        .split(':')
        .map(|part| {
            let digits = (1..=2).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_digit());
            digits.then(|| part.parse().ok()).flatten()
        })
        .collect();
    let (hour, minute, second) = match parts?.as_slice() {
        [hour, minute] => (*hour, *minute, 0),
        [hour, minute, second] => (*hour, *minute, *second),
        _ => return None,
    };
    (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)
}

/// A date with or without a time of the day, as seconds since 1970 (nft(8), meta expressions).
fn date(word: &str) -> Option<u128> {
    let (day, time) = word.split_once(' ').unwrap_or((word, "00:00"));
    let parts: Vec<&str> = day.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return None };
    let part = |text: &str, length: usize| {
        let digits = text.len() == length && text.bytes().all(|digit| digit.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten()
    };
    let (month, day) = (i8::try_from(part(month, 2)?).ok()?, i8::try_from(part(day, 2)?).ok()?);
    let day = Date::new(part(year, 4)?, month, day).ok()?;
    let days = u128::try_from((day - civil::date(1970, 1, 1)).get_days()).ok()?;
    Some(days * (LAST_SECOND_OF_DAY + 1) + clock(time)?)
}

/// The name of an interface. A `\*` would be a name that ends in a star; no interface has one here.
fn interface(kind: Kind, tokens: &[Token]) -> Result<Value, String> {
    let name = match tokens {
        [Token { piece: Piece::Word(name) | Piece::Text(name), .. }] => name.as_ref(),
        _ => return Err(format!("`{}` is not {}", render(tokens), described(kind))),
    };
    let stem = if kind == Kind::Name { name.strip_suffix('*').unwrap_or(name) } else { name };
    // INVARIANT: a `*` in a value of this kind stands at its end, and means what it means in the model.
    let plain = !stem.is_empty() && stem.len() <= 15 && !stem.contains(['*', '\\', ' ', '$', '/']);
    if !plain {
        return Err(format!("`{name}` is not {}", described(kind)));
    }
    if kind == Kind::Number && name.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(format!("`{name}` is the number of an interface, which does not say which one it is"));
    }
    Ok(Value::Name(name.to_owned()))
}

/// The bits of flags: names and numbers with `|` or `,` between them, in parentheses or not.
pub(super) fn flags(kind: Kind, tokens: &[Token]) -> Result<u16, String> {
    let known: &[(&str, u16)] = if kind == Kind::State { &names::STATES } else { &names::TCP_FLAGS };
    let last = known.iter().fold(0, |all, (_, bit)| all | bit);
    let mut bits = 0;
    let mut expected = true;
    for token in tokens {
        match &token.piece {
            Piece::Word(word) if expected => {
                let bit = names::number(known, word).or_else(|| u16::try_from(number(word)?).ok());
                let bit = bit.filter(|bit| bit & !last == 0);
                bits |= bit.ok_or_else(|| format!("`{word}` is not {}", described(kind)))?;
                expected = false;
            }
            Piece::Symbol("|" | ",") if !expected => expected = true,
            Piece::Symbol("(" | ")") => {}
            Piece::Word(_)
            | Piece::Text(_)
            | Piece::Symbol(_)
            | Piece::List(_)
            | Piece::Lines(_)
            | Piece::Bad(_) => return Err(format!("`{}` is not {}", render(tokens), described(kind))),
        }
    }
    if expected {
        return Err(format!("`{}` is not {}", render(tokens), described(kind)));
    }
    Ok(bits)
}

/// The states of connections whose bits fulfil something.
pub(super) fn states_where(holds: impl Fn(u16) -> bool) -> States {
    let known = [
        (1, States::INVALID),
        (2, States::ESTABLISHED),
        (4, States::RELATED),
        (8, States::NEW),
        (64, States::UNTRACKED),
    ];
    known.iter().filter(|(bit, _)| holds(*bit)).fold(States::NONE, |all, (_, state)| all.union(*state))
}

/// What values look like, in words.
fn described(kind: Kind) -> &'static str {
    match kind {
        Kind::V4 => "an IPv4 address, a prefix or a range of them",
        Kind::V6 => "an IPv6 address, a prefix or a range of them",
        Kind::Port => "a port, the name of a known service or a range of ports",
        Kind::Protocol => "a known protocol, its number or a range of them",
        Kind::Name | Kind::Number => "the name of an interface",
        Kind::State => "a state of a connection",
        Kind::StackFamily => "`ipv4` or `ipv6`",
        Kind::FrameFamily => "a protocol of frames, such as `ip`",
        Kind::IcmpType => "a type of ICMP messages",
        Kind::IcmpCode => "a code of ICMP messages",
        Kind::Icmpv6Type => "a type of ICMPv6 messages",
        Kind::Icmpv6Code => "a code of ICMPv6 messages",
        Kind::TcpFlags => "a flag of a TCP header",
        Kind::Hour => "a time of the day; a ruleset has to be dumped with TZ=UTC",
        Kind::Day => "a day of the week, such as `Monday`",
        Kind::Time => "a date; a ruleset has to be dumped with TZ=UTC",
        Kind::Other => "understood",
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan::split;
    use super::{Value, value};
    use crate::read::nftables::field::Kind;

    fn range(kind: Kind, text: &str) -> Option<(u128, u128)> {
        match value(kind, &split(text, 1)) {
            Ok(Value::Range(low, high)) => Some((low, high)),
            Ok(Value::Name(_) | Value::Text(_)) | Err(_) => None,
        }
    }

    #[test]
    fn numbers_names_and_ranges() {
        assert_eq!(range(Kind::Port, "22"), Some((22, 22)));
        assert_eq!(range(Kind::Port, "0x16"), Some((22, 22)));
        assert_eq!(range(Kind::Port, "022"), None);
        assert_eq!(range(Kind::Port, "ftp-data"), Some((20, 20)));
        assert_eq!(range(Kind::Port, "ftp-data-ssh"), Some((20, 22)));
        assert_eq!(range(Kind::Port, "1024 - 65535"), Some((1024, 65_535)));
        assert_eq!(range(Kind::Port, "65536"), None);
        assert_eq!(range(Kind::Port, "9-1"), None);
        assert_eq!(range(Kind::Protocol, "0-255"), Some((0, 255)));
        assert_eq!(range(Kind::Day, "\"Monday\"-\"Friday\""), Some((1, 5)));
        assert_eq!(range(Kind::Hour, "\"17:00\"-\"20:59:59\""), Some((61_200, 75_599)));
        assert_eq!(range(Kind::Hour, "61200-75599"), Some((61_200, 75_599)));
        assert_eq!(range(Kind::Hour, "\"1193043:28:15\""), None);
        assert_eq!(range(Kind::Hour, "86400"), None);
        let midnight = Some((1_798_761_600, 1_798_761_600));
        for text in ["1798761600", "\"2027-01-01 00:00:00\"", "\"2027-01-01 00:00\"", "\"2027-01-01\""] {
            assert_eq!(range(Kind::Time, text), midnight, "{text}");
        }
        assert_eq!(range(Kind::Time, "\"2026-12-31 23:59:59\""), Some((1_798_761_599, 1_798_761_599)));
        for text in
            ["\"1969-12-31\"", "\"2027-02-29\"", "\"2027-1-1\"", "\"2027-01-01 24:00\"", "\"2027-01\""]
        {
            assert_eq!(range(Kind::Time, text), None, "{text}");
        }
    }

    #[test]
    fn addresses_and_prefixes() {
        assert_eq!(range(Kind::V4, "10.1.2.3/8"), Some((0x0a00_0000, 0x0aff_ffff)));
        assert_eq!(range(Kind::V4, "0.0.0.0/0"), Some((0, u32::MAX.into())));
        assert_eq!(range(Kind::V4, "10.0.0.1/32"), Some((0x0a00_0001, 0x0a00_0001)));
        assert_eq!(range(Kind::V4, "10.0.0.1/33"), None);
        assert_eq!(range(Kind::V4, "example.org"), None);
        assert_eq!(range(Kind::V6, "::/0"), Some((0, u128::MAX)));
        assert_eq!(range(Kind::V6, "::-::fffe:ffff:ffff"), Some((0, 0xfffe_ffff_ffff)));
        assert_eq!(range(Kind::V6, "::ffff:0.0.0.0/96"), Some((0xffff_0000_0000, 0xffff_ffff_ffff)));
    }
}
