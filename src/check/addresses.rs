//! Addresses, ranges and prefixes as written, turned into sets.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

use super::error::CheckError;
use crate::diag::Diagnostics;
use crate::set::{AddressRange, AddressSet, Set};
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
                .map_err(|error| diagnostics.push(error))
                .ok()
                .map(|range| (word.clone(), range))
        });
        parsed.collect()
    };
    let listed = parse_all(&names.list, diagnostics);
    let removed = parse_all(&names.except, diagnostics);
    let set: AddressSet = listed.iter().map(|(_, range)| *range).collect();
    for (word, range) in &removed {
        let range: AddressSet = std::iter::once(*range).collect();
        if range.is_disjoint(&set) {
            diagnostics.push(CheckError::IdleExcept { text: word.node.clone(), span: word.span });
        }
    }
    let removed: AddressSet = removed.iter().map(|(_, range)| *range).collect();
    (set.difference(&removed), listed)
}

/// One address, range or prefix.
fn parse(word: &Word, accepts: Accepts) -> Result<AddressRange, CheckError> {
    let text = word.node.as_str();
    let bad = |problem: &str, help: Option<String>| CheckError::BadAddress {
        text: text.to_owned(),
        expected: accepts.expected(),
        span: word.span,
        problem: problem.to_owned(),
        help,
    };
    if let Some((first, last)) = text.split_once('-') {
        if accepts == Accepts::Prefixes {
            return Err(bad("a range", Some("a zone is made of prefixes".to_owned())));
        }
        let (Ok(first), Ok(last)) = (first.parse::<IpAddr>(), last.parse::<IpAddr>()) else {
            return Err(bad("not two addresses", Some("a range is `FIRST-LAST`".to_owned())));
        };
        refuse_mapped(word, first)?;
        refuse_mapped(word, last)?;
        return AddressRange::new(first, last).ok_or_else(|| {
            let problem = if first.is_ipv4() == last.is_ipv4() {
                "ends before it starts"
            } else {
                "mixes IPv4 and IPv6"
            };
            bad(problem, Some("a range is `FIRST-LAST`, both of one family".to_owned()))
        });
    }
    if text.contains('/') {
        let net: IpNet = text.parse().map_err(|_| bad("not an address and a prefix length", None))?;
        refuse_mapped(word, net.addr())?;
        if net.addr() != net.network() {
            return Err(CheckError::HostBits {
                text: text.to_owned(),
                network: net.trunc().to_string(),
                address: net.addr().to_string(),
                span: word.span,
            });
        }
        return Ok(AddressRange::from(net));
    }
    let address: IpAddr = text.parse().map_err(|_| bad("cannot be read as one", None))?;
    refuse_mapped(word, address)?;
    if accepts == Accepts::Prefixes {
        let length = if address.is_ipv4() { 32 } else { 128 };
        return Err(bad(
            "a single address",
            Some(format!("for this one address, write `{address}/{length}`")),
        ));
    }
    Ok(AddressRange::from(address))
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
