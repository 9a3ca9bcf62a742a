//! Entries of access lists: what stands behind `permit` and `deny`.
//!
//! Order of words and options: Cisco IOS Security Command Reference, `permit (IP)`, `permit (IPv6)`, `access-list (IP
//! standard)`.

use super::super::model::Family;
use super::address::{self, Interval};
use super::names;
use super::service::{self, ALL_PORTS, Flags, Ports, Protocol};
use super::words::{Fault, Words};

/// Addresses that an entry names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Addresses<'t> {
    /// An interval of them.
    One(Interval),
    /// Several intervals, from a wildcard mask.
    Many(Vec<Interval>),
    /// Those of an object group.
    Group(&'t str),
}

/// What an entry matches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Body<'t> {
    pub(super) source: Addresses<'t>,
    pub(super) destination: Addresses<'t>,
    pub(super) protocol: Protocol<'t>,
    /// Source ports, or ICMP types; no interval stands for all.
    pub(super) source_ports: Vec<Ports>,
    /// Destination ports, or ICMP codes; no interval stands for all.
    pub(super) destination_ports: Vec<Ports>,
    pub(super) flags: Option<Flags>,
    /// The name of a time range.
    pub(super) time: Option<&'t str>,
    /// True with `fragments`.
    pub(super) fragments: bool,
    /// Conditions that the model has no field for, and that later fragments show too.
    pub(super) opaque: Vec<String>,
    /// Conditions that the model has no field for, and that later fragments do not show.
    pub(super) opaque_transport: Vec<String>,
}

impl Body<'_> {
    fn new(protocol: Protocol) -> Body {
        let everything = Addresses::One((0, u128::MAX));
        Body {
            source: everything.clone(),
            destination: everything,
            protocol,
            source_ports: Vec::new(),
            destination_ports: Vec::new(),
            flags: None,
            time: None,
            fragments: false,
            opaque: Vec::new(),
            opaque_transport: Vec::new(),
        }
    }

    /// True if it asks for something that only the first fragment of a packet shows.
    pub(super) fn looks_at_transport(&self) -> bool {
        !self.source_ports.is_empty()
            || !self.destination_ports.is_empty()
            || self.flags.is_some()
            || !self.opaque_transport.is_empty()
    }
}

fn all(family: Family) -> Interval {
    (0, family.last_address())
}

/// Reads an entry of a standard list.
pub(super) fn standard<'t>(words: &mut Words<'_, 't>) -> Result<Body<'t>, Fault> {
    let mut body = Body::new(Protocol::All);
    let single = |word| address::address(word).map(|one| Addresses::One((one.into(), one.into())));
    body.source = match words.required("an address")? {
        "any" => Addresses::One(all(Family::V4)),
        "host" => single(words.required("an address")?)?,
        "object-group" => Addresses::Group(words.required("the name of an object group")?),
        word => match words.peek().filter(|next| address::is_dotted(next)) {
            Some(mask) => {
                words.next();
                many(address::wildcard(word, mask)?)
            }
            None => single(word)?,
        },
    };
    body.destination = Addresses::One(all(Family::V4));
    words.take("log");
    words.finish()?;
    Ok(body)
}

fn many<'t>(mut intervals: Vec<Interval>) -> Addresses<'t> {
    match intervals.as_mut_slice() {
        [one] => Addresses::One(*one),
        _ => Addresses::Many(intervals),
    }
}

/// Reads addresses of an extended list or a list for IPv6.
fn addresses<'t>(words: &mut Words<'_, 't>, family: Family) -> Result<Addresses<'t>, Fault> {
    let word = words.required("an address")?;
    let one = |single: u128| Addresses::One((single, single));
    match (family, word) {
        (_, "any") => Ok(Addresses::One(all(family))),
        (Family::V4, "host") => Ok(one(address::address(words.required("an address")?)?.into())),
        (Family::V6, "host") => Ok(one(address::address_v6(words.required("an address")?)?)),
        (Family::V4, "object-group") => Ok(Addresses::Group(words.required("the name of an object group")?)),
        (Family::V4, _) if word.contains('/') => {
            Err(format!("`{word}`: an access list of IOS takes an address and a wildcard mask"))
        }
        (Family::V4, _) if address::is_dotted(word) => {
            Ok(many(address::wildcard(word, words.required("a wildcard mask")?)?))
        }
        (Family::V4, _) => Err(format!(
            "`{word}` is no address; write `any`, `host`, `object-group`, or an address and a wildcard mask"
        )),
        (Family::V6, _) => Ok(Addresses::One(address::prefix_v6(word)?)),
    }
}

/// Reads an entry of an extended list, or of a list for IPv6.
pub(super) fn extended<'t>(words: &mut Words<'_, 't>, family: Family) -> Result<Body<'t>, Fault> {
    let protocol = service::protocol(words, family)?;
    let number = match protocol {
        Protocol::One(number) => Some(number),
        Protocol::All | Protocol::Group(_) | Protocol::Header(_) => None,
    };
    let mut body = Body::new(protocol);
    if let Protocol::Header(name) = body.protocol {
        body.opaque.push(name.to_owned());
    }
    body.source = addresses(words, family)?;
    body.source_ports = service::ports(words, number)?.unwrap_or_default();
    body.destination = addresses(words, family)?;
    body.destination_ports = service::ports(words, number)?.unwrap_or_default();
    match (family, number) {
        (Family::V4, Some(1)) | (Family::V6, Some(58)) => {
            if let Some((kind, code)) = service::message(words, family)? {
                body.source_ports = vec![kind];
                body.destination_ports = if code == ALL_PORTS { Vec::new() } else { vec![code] };
            }
        }
        (Family::V4, Some(2)) => {
            if let Some(kind) = words.peek().filter(|word| is_igmp(word)) {
                words.next();
                body.opaque_transport.push(format!("igmp {kind}"));
            }
        }
        _ => {}
    }
    while let Some(word) = words.next() {
        option(words, family, number, word, &mut body)?;
    }
    if body.fragments && body.looks_at_transport() {
        return Err(
            "`fragments` matches packets without ports, types and flags; leave one of them out".to_owned()
        );
    }
    Ok(body)
}

fn is_igmp(word: &str) -> bool {
    names::IGMP.contains(&word) || word.parse::<u8>().is_ok()
}

/// Reads one option, whose first word has been taken.
fn option<'t>(
    words: &mut Words<'_, 't>,
    family: Family,
    protocol: Option<u8>,
    word: &'t str,
    body: &mut Body<'t>,
) -> Result<(), Fault> {
    match (family, word) {
        (_, "log" | "log-input") => Ok(()),
        (_, "fragments") => once(&mut body.fragments, word),
        (_, "time-range") => {
            let name = words.required("the name of a time range")?;
            body.time.replace(name).map_or(Ok(()), |_| Err("two time ranges stand here".to_owned()))
        }
        (_, "established" | "ack" | "fin" | "psh" | "rst" | "syn" | "urg" | "match-all" | "match-any") => {
            flags(words, protocol, word, body)
        }
        (_, "dscp") | (Family::V4, "precedence" | "tos" | "option") => {
            let value = words.required("a value")?;
            opaque(body, format!("{word} {}", value.to_ascii_lowercase()))
        }
        (Family::V4, "ttl") => {
            let test = hops(words)?;
            opaque(body, test)
        }
        (Family::V6, "auth" | "hbh" | "routing" | "mobility" | "dest-option" | "undetermined-transport") => {
            opaque(body, word.to_owned())
        }
        (Family::V6, "flow-label" | "routing-type" | "dest-option-type" | "mobility-type") => {
            let value = words.required("a value")?;
            opaque(body, format!("{word} {}", value.to_ascii_lowercase()))
        }
        (_, "reflect") => {
            Err("`reflect` makes entries while packets pass; they are not in the config".to_owned())
        }
        (_, "addrgroup" | "portgroup") => Err(format!("`{word}` is NX-OS; IOS has `object-group`")),
        _ => Err(format!("`{word}` is not understood here")),
    }
}

fn once(done: &mut bool, word: &str) -> Result<(), Fault> {
    if std::mem::replace(done, true) { Err(format!("`{word}` stands here twice")) } else { Ok(()) }
}

fn opaque(body: &mut Body, condition: String) -> Result<(), Fault> {
    if !body.opaque.contains(&condition) {
        body.opaque.push(condition);
    }
    Ok(())
}

fn flags(words: &mut Words, protocol: Option<u8>, word: &str, body: &mut Body) -> Result<(), Fault> {
    if protocol != Some(6) {
        return Err(format!("`{word}` needs `tcp`"));
    }
    let flags = match (word, service::flag(word)) {
        ("match-all", _) => service::signed_flags(words, true)?,
        ("match-any", _) => service::signed_flags(words, false)?,
        (_, Some(bit)) => Flags { all: true, set: bit, clear: 0 },
        (_, None) => Flags::ESTABLISHED,
    };
    match body.flags.replace(flags) {
        None => Ok(()),
        Some(_) => Err(format!("`{word}` comes after another flag; write `match-any` or `match-all`")),
    }
}

/// A test of the hop limit, in its canonical form.
fn hops(words: &mut Words) -> Result<String, Fault> {
    let operator = words.required("`eq`, `neq`, `lt`, `gt` or `range`")?;
    if !matches!(operator, "eq" | "neq" | "lt" | "gt" | "range") {
        return Err(format!("`ttl` takes `eq`, `neq`, `lt`, `gt` or `range`, not `{operator}`"));
    }
    let mut test = format!("ttl {operator}");
    while let Some(value) = words.number::<u8>() {
        test.push_str(&format!(" {value}"));
    }
    let values = test.split(' ').count() - 2;
    let fits = match operator {
        "range" => values == 2,
        "lt" | "gt" => values == 1,
        _ => values >= 1,
    };
    if fits { Ok(test) } else { Err(format!("`ttl {operator}` does not take {values} values")) }
}
