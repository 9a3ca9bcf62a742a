//! Addresses, ranges and prefixes as written, turned into sets.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

use super::error::CheckError;
use crate::diag::Diagnostics;
use crate::edit::Edit;
use crate::set::{AddressRange, AddressSet, Interval, IntervalSet, Point, Set};
use crate::syntax::ast::{Names, Word};

/// What a list of addresses may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Accepts {
    /// Prefixes only, as in `net`.
    Prefixes,
    /// Addresses, ranges and prefixes, as in `hosts`.
    Hosts,
}

impl Accepts {
    fn expected(self) -> &'static str {
        match self {
            Accepts::Prefixes => "a prefix",
            Accepts::Hosts => "an address, a range or a prefix",
        }
    }
}

/// The set that a list of addresses stands for, and each listed word with its part of it.
pub(super) fn resolve(
    names: &Names,
    accepts: Accepts,
    diagnostics: &mut Diagnostics,
) -> (AddressSet, Vec<(Word, AddressRange)>) {
    let parse_all = |words: &[Word], diagnostics: &mut Diagnostics| -> Vec<(Word, AddressRange)> {
        let parsed = words.iter().filter_map(|word| {
            parse(word, accepts)
                .map_err(|error| {
                    let fix = fix_of(&error);
                    diagnostics.push_with_fix(error, fix);
                })
                .ok()
                .map(|range| (word.clone(), range))
        });
        parsed.collect()
    };
    let listed = parse_all(&names.list, diagnostics);
    let removed = parse_all(&names.except, diagnostics);
    let set: AddressSet = listed.iter().map(|(_, range)| *range).collect();
    // What a list holds of which a part could not be read is not known.
    let known = listed.len() == names.list.len();
    for (word, _) in removed.iter().filter(|(_, range)| known && !meets(&set, *range)) {
        diagnostics.push(CheckError::IdleExcept { text: word.node.clone(), span: word.span });
    }
    let removed: AddressSet = removed.iter().map(|(_, range)| *range).collect();
    (set.difference(&removed), listed)
}

/// True if `set` holds an address of `range`.
pub(super) fn meets(set: &AddressSet, range: AddressRange) -> bool {
    match range {
        AddressRange::V4(range) => overlapping(&set.v4, range).next().is_some(),
        AddressRange::V6(range) => overlapping(&set.v6, range).next().is_some(),
    }
}

/// What of `range` is not in `set`. Only the part of the set around the range is looked at.
pub(super) fn outside(set: &AddressSet, range: AddressRange) -> AddressSet {
    let near: AddressSet = match range {
        AddressRange::V4(range) => overlapping(&set.v4, range).map(AddressRange::V4).collect(),
        AddressRange::V6(range) => overlapping(&set.v6, range).map(AddressRange::V6).collect(),
    };
    AddressSet::from_iter([range]).difference(&near)
}

/// The intervals of a set that overlap `range`.
fn overlapping<T: Point>(set: &IntervalSet<T>, range: Interval<T>) -> impl Iterator<Item = Interval<T>> {
    let start = set.entries().partition_point(|(held, _)| held.last() < range.first());
    let beyond = set.entries().iter().skip(start).map(|(held, _)| *held);
    beyond.take_while(move |held| held.overlaps(range))
}

/// The first few ranges of a set, and how many more there are.
pub(super) fn in_words(set: &AddressSet) -> String {
    const SHOWN: usize = 4;
    let mut shown: Vec<String> = set.ranges().take(SHOWN).map(|range| range.to_string()).collect();
    let more = (set.v4.entries().len() + set.v6.entries().len()).saturating_sub(SHOWN);
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
}

/// The change that corrects a mistake, if only one does: a v4-mapped address, or a prefix of them, names one IPv4 host or
/// prefix. Of a range only one end is known.
fn fix_of(error: &CheckError) -> Vec<Edit> {
    let CheckError::V4Mapped { text, plain, span } = error else { return Vec::new() };
    let is_whole = !text.contains('-') && text.contains('/') == plain.contains('/');
    if is_whole { vec![Edit { span: *span, text: plain.clone() }] } else { Vec::new() }
}

/// What is wrong with a word, and what would be right.
type Problem = (String, Option<String>);

/// One address, range or prefix.
fn parse(word: &Word, accepts: Accepts) -> Result<AddressRange, CheckError> {
    let text = word.node.as_str();
    let bad = |(problem, help): Problem| {
        let (text, expected, span) = (text.to_owned(), accepts.expected(), word.span);
        CheckError::BadAddress { text, expected, span, problem, help }
    };
    if let Some((first, last)) = text.split_once('-') {
        return parse_range(word, first, last, accepts, bad);
    }
    if let Some((address, length)) = text.split_once('/') {
        let net: IpNet = text.parse().map_err(|_| bad(prefix_problem(address, length)))?;
        refuse_mapped(word, net.addr())?;
        if net.addr() != net.network() {
            let whole = if net.addr().is_ipv4() { 32 } else { 128 };
            let address = match accepts {
                Accepts::Prefixes => format!("{}/{whole}", net.addr()),
                Accepts::Hosts => net.addr().to_string(),
            };
            let (text, network) = (text.to_owned(), net.trunc().to_string());
            return Err(CheckError::HostBits { text, network, address, span: word.span });
        }
        return Ok(AddressRange::from(net));
    }
    let address: IpAddr = text.parse().map_err(|_| bad(address_problem(text)))?;
    refuse_mapped(word, address)?;
    if accepts == Accepts::Prefixes {
        let length = if address.is_ipv4() { 32 } else { 128 };
        let help = format!("for this one address, write `{address}/{length}`");
        return Err(bad(("a single address".to_owned(), Some(help))));
    }
    Ok(AddressRange::from(address))
}

fn parse_range(
    word: &Word,
    first: &str,
    last: &str,
    accepts: Accepts,
    bad: impl Fn(Problem) -> CheckError,
) -> Result<AddressRange, CheckError> {
    let form = || Some("a range is `FIRST-LAST`, two addresses of one family".to_owned());
    let (first, last) = match (first.parse::<IpAddr>(), last.parse::<IpAddr>()) {
        (Ok(first), Ok(last)) => (first, last),
        (Ok(IpAddr::V4(first)), Err(_)) if last.parse::<u8>().is_ok() => {
            let [a, b, c, _] = first.octets();
            let help = format!("write both addresses in full: `{first}-{a}.{b}.{c}.{last}`");
            return Err(bad(("its end is not an address".to_owned(), Some(help))));
        }
        (Ok(_), Err(_)) => return Err(bad(("its end is not an address".to_owned(), form()))),
        (Err(_), Ok(_)) => return Err(bad(("its start is not an address".to_owned(), form()))),
        (Err(_), Err(_)) => return Err(bad(address_problem(&word.node))),
    };
    refuse_mapped(word, first)?;
    refuse_mapped(word, last)?;
    let problem =
        if first.is_ipv4() == last.is_ipv4() { "ends before it starts" } else { "mixes IPv4 and IPv6" };
    let range = AddressRange::new(first, last).ok_or_else(|| bad((problem.to_owned(), form())))?;
    if accepts == Accepts::Prefixes {
        let help = match range.as_prefix() {
            Some(prefix) => format!("write `{prefix}`"),
            None => "a zone is made of prefixes".to_owned(),
        };
        return Err(bad(("a range".to_owned(), Some(help))));
    }
    Ok(range)
}

/// What is wrong with a word that should be an address.
fn address_problem(text: &str) -> Problem {
    let (problem, help) = if text.contains(':') {
        ("not an IPv6 address", None)
    } else if text.contains(|c: char| c.is_ascii_alphabetic()) {
        ("a name", Some("names are not looked up anywhere; write the address"))
    } else if text.split('.').any(|part| part.len() > 1 && part.starts_with('0')) {
        (
            "a number with a zero before it",
            Some("some programs read such a number as octal; leave the zero out"),
        )
    } else {
        ("not an IPv4 address", Some("an IPv4 address is four numbers from 0 to 255 with dots between them"))
    };
    (problem.to_owned(), help.map(str::to_owned))
}

/// What is wrong with a word that should be a prefix.
fn prefix_problem(address: &str, length: &str) -> Problem {
    let Ok(parsed) = address.parse::<IpAddr>() else { return address_problem(address) };
    let bits = if parsed.is_ipv4() { 32 } else { 128 };
    let mask = length.parse::<IpAddr>().ok().and_then(|mask| ipnet::ip_mask_to_prefix(mask).ok());
    match mask {
        Some(bits) => {
            ("a mask, where a length belongs".to_owned(), Some(format!("write `{address}/{bits}`")))
        }
        None => (format!("its length is not a number from 0 to {bits}"), None),
    }
}

/// Refuses `::ffff:a.b.c.d`, and prefixes that hold such addresses alone.
fn refuse_mapped(word: &Word, address: IpAddr) -> Result<(), CheckError> {
    let IpAddr::V6(address) = address else { return Ok(()) };
    let Some(plain) = Ipv6Addr::to_ipv4_mapped(&address) else { return Ok(()) };
    let length = word.node.rsplit_once('/').and_then(|(_, length)| length.parse::<u8>().ok());
    let plain = match length.and_then(|length| length.checked_sub(96)) {
        Some(length) => format!("{plain}/{length}"),
        None => plain.to_string(),
    };
    Err(CheckError::V4Mapped { text: word.node.clone(), plain, span: word.span })
}
