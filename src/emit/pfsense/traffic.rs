//! Traffic in the words that a rule of pfSense has for it.
//!
//! A rule names one protocol of a short list, or none for all there are, and it cannot say "all but". So what is said of
//! all protocols, less some, becomes blocks of what is missing in front of a pass of everything; what else cannot be said
//! is given back, to be reported.

use super::rectangle::Family;
use crate::set::{ICMP, ICMPV6, Interval, IntervalSet, Ports, Set, Traffic, has_ports};

/// What one rule matches besides addresses.
#[derive(Clone, Debug)]
pub(super) struct Match {
    /// The protocol as pfSense names it; `None` for all.
    pub(super) protocol: Option<&'static str>,
    /// ICMP types by pf's names; none for all.
    pub(super) icmp_types: Vec<&'static str>,
    /// Source ports; full for protocols without.
    pub(super) source_ports: IntervalSet<u16>,
    /// Destination ports; full for protocols without.
    pub(super) destination_ports: IntervalSet<u16>,
}

/// Traffic as rules.
#[derive(Default, Debug)]
pub(super) struct Expressed {
    /// What the traffic is, a protocol at a time. These matches are disjoint.
    pub(super) narrow: Vec<Match>,
    /// If it is everything but these: what has to be blocked in front of a rule for all protocols.
    pub(super) all_but: Option<Vec<Match>>,
    /// What of it no rule can say.
    pub(super) left_out: Vec<String>,
}

/// The protocols that a rule can name (`get_ipprotocols`, globals.inc), by the numbers of FreeBSD's `protocols(5)`.
/// `icmp` stands for ICMPv6 in a rule of that family.
const PROTOCOLS: [(&str, u8); 12] = [
    ("tcp", 6),
    ("udp", 17),
    ("sctp", 132),
    ("esp", 50),
    ("ah", 51),
    ("gre", 47),
    ("etherip", 97),
    ("ipv6", 41),
    ("igmp", 2),
    ("pim", 103),
    ("ospf", 89),
    ("carp", 112),
];

/// The protocol that pfSense calls `pfsync`, its own for the states of a redundant pair.
const PFSYNC: (&str, u8) = ("pfsync", 240);

/// The types of ICMP that pfSense offers for IPv4 (`$icmptypes`, filter.inc), with pfctl's numbers for them.
const ICMP_TYPES: [(&str, u8); 24] = [
    ("echorep", 0),
    ("unreach", 3),
    ("squench", 4),
    ("redir", 5),
    ("althost", 6),
    ("echoreq", 8),
    ("routeradv", 9),
    ("routersol", 10),
    ("timex", 11),
    ("paramprob", 12),
    ("timereq", 13),
    ("timerep", 14),
    ("inforeq", 15),
    ("inforep", 16),
    ("maskreq", 17),
    ("maskrep", 18),
    ("trace", 30),
    ("dataconv", 31),
    ("mobredir", 32),
    ("ipv6-where", 33),
    ("ipv6-here", 34),
    ("mobregreq", 35),
    ("mobregrep", 36),
    ("photuris", 40),
];

/// The types of ICMPv6 that pfSense offers. Of several names for a number, one.
const ICMPV6_TYPES: [(&str, u8); 18] = [
    ("unreach", 1),
    ("toobig", 2),
    ("timex", 3),
    ("paramprob", 4),
    ("echoreq", 128),
    ("echorep", 129),
    ("groupqry", 130),
    ("grouprep", 131),
    ("groupterm", 132),
    ("routersol", 133),
    ("routeradv", 134),
    ("neighbrsol", 135),
    ("neighbradv", 136),
    ("redir", 137),
    ("routrrenum", 138),
    ("niqry", 139),
    ("nirep", 140),
    ("mtraceresp", 200),
];

/// Says traffic in rules.
pub(super) fn express(traffic: &Traffic, family: Family) -> Expressed {
    let missing = Traffic::full().difference(traffic);
    let unnamed = (0..=u8::MAX).filter(|number| !is_named(*number, family));
    let whole = |number: u8| traffic.get(number).is_some_and(|ports| *ports == Ports::full());
    if unnamed.clone().all(whole) {
        let (exceptions, unsaid) = named(&missing, family);
        // A rule for ports from 1 on does not block port 0, so such an exception would be too small.
        if unsaid.is_empty() && !exceptions.iter().any(lacks_port_zero) {
            return Expressed { narrow: Vec::new(), all_but: Some(exceptions), left_out: Vec::new() };
        }
    }
    let (narrow, left_out) = named(traffic, family);
    Expressed { narrow, all_but: None, left_out }
}

/// True for a match of some ports with 0 among them, of a protocol that pfSense does not itself keep from port 0.
fn lacks_port_zero(found: &Match) -> bool {
    let partial = |ports: &IntervalSet<u16>| !ports.is_full() && ports.contains(0);
    found.protocol == Some("sctp") && (partial(&found.source_ports) || partial(&found.destination_ports))
}

fn is_named(number: u8, family: Family) -> bool {
    number == icmp(family) || name_of(number).is_some()
}

fn icmp(family: Family) -> u8 {
    match family {
        Family::V4 => ICMP,
        Family::V6 => ICMPV6,
    }
}

fn name_of(number: u8) -> Option<&'static str> {
    let known = PROTOCOLS.iter().chain([&PFSYNC]).find(|(_, known)| *known == number);
    known.map(|(name, _)| *name)
}

/// The part of traffic that rules can say, and what they cannot.
fn named(traffic: &Traffic, family: Family) -> (Vec<Match>, Vec<String>) {
    let (mut matches, mut unsaid) = (Vec::new(), Vec::new());
    let both = traffic.get(6).filter(|ports| traffic.get(17) == Some(*ports));
    if let Some(ports) = both {
        matches.extend(with_ports("tcp/udp", ports));
    }
    for (protocols, ports) in traffic.entries() {
        let mut unnamed: Vec<Interval<u8>> = Vec::new();
        for number in protocols.first()..=protocols.last() {
            match name_of(number) {
                Some("tcp" | "udp") if both.is_some() => {}
                Some(name) if has_ports(number) => matches.extend(with_ports(name, ports)),
                Some(name) if *ports == Ports::full() => matches.push(Match::of(name)),
                None if number == icmp(family) => messages(number, ports, &mut matches, &mut unsaid),
                Some(_) | None => match unnamed.last_mut() {
                    Some(last) if last.last().checked_add(1) == Some(number) => {
                        *last = Interval::spanning(last.first(), number);
                    }
                    _ => unnamed.push(Interval::single(number)),
                },
            }
        }
        unsaid.extend(unnamed.into_iter().map(protocols_text));
    }
    (matches, unsaid)
}

impl Match {
    /// A whole protocol.
    fn of(protocol: &'static str) -> Self {
        Match { protocol: Some(protocol), ..Match::everything() }
    }

    /// Everything.
    pub(super) fn everything() -> Self {
        Match {
            protocol: None,
            icmp_types: Vec::new(),
            source_ports: IntervalSet::full(),
            destination_ports: IntervalSet::full(),
        }
    }
}

fn with_ports(protocol: &'static str, ports: &Ports) -> Vec<Match> {
    let groups = ports.grouped().into_iter();
    groups
        .map(|(source_ports, destination_ports)| Match {
            source_ports,
            destination_ports: destination_ports.clone(),
            ..Match::of(protocol)
        })
        .collect()
}

/// Messages of ICMP: whole types by their names. A rule cannot name a code, nor a type without a name.
fn messages(number: u8, ports: &Ports, matches: &mut Vec<Match>, unsaid: &mut Vec<String>) {
    let types: &[(&'static str, u8)] = if number == ICMP { &ICMP_TYPES } else { &ICMPV6_TYPES };
    let Some(messages) = ports.get(u16::MIN) else { return };
    if messages.is_full() {
        matches.push(Match::of("icmp"));
        return;
    }
    let mut names = Vec::new();
    for kind in 0..=u8::MAX {
        let whole =
            Interval::spanning(u16::from_be_bytes([kind, u8::MIN]), u16::from_be_bytes([kind, u8::MAX]));
        let wanted = IntervalSet::from_interval(whole, true);
        if wanted.is_disjoint(messages) {
            continue;
        }
        match types.iter().find(|(_, known)| *known == kind) {
            Some((name, _)) if wanted.is_subset(messages) => names.push(*name),
            Some((name, _)) => unsaid.push(format!("codes of the ICMP type {name}")),
            None => unsaid.push(format!("the ICMP type {kind}")),
        }
    }
    if !names.is_empty() {
        matches.push(Match { icmp_types: names, ..Match::of("icmp") });
    }
}

fn protocols_text(protocols: Interval<u8>) -> String {
    if protocols.is_single() {
        format!("protocol {}", protocols.first())
    } else {
        format!("protocols {} to {}", protocols.first(), protocols.last())
    }
}
