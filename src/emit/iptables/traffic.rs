//! Traffic in the words of iptables and ipset: ports that elements of sets can hold, and matches for all the rest.

use super::address::Family;
use crate::set::{ICMP, ICMPV6, Interval, Ports, Set, Traffic, has_ports};

/// The protocols whose ports ipset tells apart (`get_port`, net/netfilter/ipset/ip_set_getport.c).
const IN_SETS: [(u8, &str); 3] = [(6, "tcp"), (17, "udp"), (132, "sctp")];

/// The widest range of ports that goes into a set, which holds its ports one by one.
const MAX_RANGE: u32 = 32;

/// How many ports `multiport` takes, of which a range counts two.
const MAX_MULTIPORT: usize = 15;

/// How many protocols are listed one by one; more are said by those that are not among them.
const MAX_LISTED: usize = 16;

/// Extension headers of IPv6, which `-p` passes over on its way to the protocol (`ipv6_find_hdr`,
/// net/ipv6/exthdrs_core.c): it never finds one.
const EXTENSIONS: [u8; 5] = [0, 43, 44, 51, 60];

/// Ports for a protocol that has none.
pub(super) const IMPOSSIBLE: &str = "traffic has ports for a protocol that has none";

/// Traffic, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// Ports as elements of sets hold them.
    pub(super) ports: Vec<PortRange>,
    /// The options that match the rest, one text for each rule.
    pub(super) matches: Vec<String>,
    /// All protocols but these.
    pub(super) all_but: Option<Vec<u8>>,
    /// What cannot be said.
    pub(super) unsupported: Vec<String>,
}

/// Destination ports of one protocol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct PortRange {
    protocol: &'static str,
    ports: Interval<u16>,
}

impl PortRange {
    /// How many elements it makes.
    pub(super) fn count(self) -> usize {
        usize::from(self.ports.last() - self.ports.first()) + 1
    }

    /// As ipset writes it.
    pub(super) fn element(self) -> String {
        format!("{}:{}", self.protocol, range(self.ports, '-'))
    }

    /// As a match.
    fn matching(self) -> String {
        format!("-p {} -m multiport --dports {}", self.protocol, range(self.ports, ':'))
    }
}

/// Ports of elements as matches, for where elements would be too many.
pub(super) fn as_matches(ports: &[PortRange]) -> Vec<String> {
    let mut matches = Vec::new();
    for (_, name) in IN_SETS {
        let own = ports.iter().filter(|range| range.protocol == name).map(|range| range.ports);
        matches.extend(multiports(name, None, &own.collect::<Vec<_>>()));
    }
    matches
}

/// Takes the traffic of one family apart.
pub(super) fn parts(traffic: &Traffic, family: Family) -> Result<Parts, &'static str> {
    let mut parts = Parts::default();
    let mut whole: Vec<Interval<u8>> = Vec::new();
    for (protocols, ports) in traffic.entries() {
        if *ports == Ports::full() {
            whole.push(*protocols);
        } else if !protocols.is_single() {
            return Err(IMPOSSIBLE);
        } else if has_ports(protocols.first()) {
            with_ports(protocols.first(), ports, &mut parts);
        } else if protocols.first() == icmp(family) {
            messages(ports, family, &mut parts)?;
        } else {
            return Err(IMPOSSIBLE);
        }
    }
    whole_protocols(&whole, family, &mut parts);
    Ok(parts)
}

fn icmp(family: Family) -> u8 {
    match family {
        Family::V4 => ICMP,
        Family::V6 => ICMPV6,
    }
}

fn with_ports(protocol: u8, ports: &Ports, parts: &mut Parts) {
    let name = IN_SETS.iter().find(|(number, _)| *number == protocol).map(|(_, name)| *name);
    for (sources, destinations) in ports.entries() {
        let destinations: Vec<Interval<u16>> = destinations.intervals().collect();
        match name {
            Some(protocol) if sources.is_full() => {
                for ports in destinations {
                    let range = PortRange { protocol, ports };
                    if u32::from(ports.last() - ports.first()) < MAX_RANGE {
                        parts.ports.push(range);
                    } else {
                        parts.matches.push(range.matching());
                    }
                }
            }
            _ => {
                let sources = (!sources.is_full()).then_some(*sources);
                let protocol = name.map_or_else(|| protocol.to_string(), str::to_owned);
                parts.matches.extend(multiports(&protocol, sources, &destinations));
            }
        }
    }
}

/// Matches for ports of one protocol, as few as `multiport` allows.
fn multiports(protocol: &str, sources: Option<Interval<u16>>, destinations: &[Interval<u16>]) -> Vec<String> {
    let sources =
        sources.map_or_else(String::new, |ports| format!(" -m multiport --sports {}", range(ports, ':')));
    if let [all] = destinations
        && all.is_full()
    {
        return vec![format!("-p {protocol}{sources}")];
    }
    let mut matches = Vec::new();
    let mut rest = destinations;
    while !rest.is_empty() {
        let mut used = 0;
        let fitting = rest.iter().take_while(|ports| {
            used += if ports.is_single() { 1 } else { 2 };
            used <= MAX_MULTIPORT
        });
        let (now, later) = rest.split_at(fitting.count());
        let list: Vec<String> = now.iter().map(|ports| range(*ports, ':')).collect();
        matches.push(format!("-p {protocol}{sources} -m multiport --dports {}", list.join(",")));
        rest = later;
    }
    matches
}

/// Matches for messages of ICMP: intervals of `type * 256 + code`.
fn messages(ports: &Ports, family: Family, parts: &mut Parts) -> Result<(), &'static str> {
    let (protocol, option) = match family {
        Family::V4 => ("-p icmp -m icmp", "--icmp-type"),
        Family::V6 => ("-p ipv6-icmp -m icmp6", "--icmpv6-type"),
    };
    for (sources, messages) in ports.entries() {
        if !sources.is_full() {
            return Err(IMPOSSIBLE);
        }
        for interval in messages.intervals() {
            let ([first, _], [last, _]) = (interval.first().to_be_bytes(), interval.last().to_be_bytes());
            for kind in first..=last {
                // `--icmp-type 255` means any type, and so does `255/3`.
                if kind == u8::MAX && family == Family::V4 {
                    parts.unsupported.push("messages of ICMP type 255".to_owned());
                    continue;
                }
                let [low, high] = [u8::MIN, u8::MAX].map(|code| u16::from_be_bytes([kind, code]));
                if interval.first() <= low && high <= interval.last() {
                    parts.matches.push(format!("{protocol} {option} {kind}"));
                    continue;
                }
                let [_, low] = low.max(interval.first()).to_be_bytes();
                let [_, high] = high.min(interval.last()).to_be_bytes();
                let codes = low..=high;
                parts.matches.extend(codes.map(|code| format!("{protocol} {option} {kind}/{code}")));
            }
        }
    }
    Ok(())
}

/// Protocols with all that they carry.
fn whole_protocols(intervals: &[Interval<u8>], family: Family, parts: &mut Parts) {
    let holds = |number: &u8| intervals.iter().any(|interval| interval.contains(*number));
    let (listed, others): (Vec<u8>, Vec<u8>) = (u8::MIN..=u8::MAX).partition(holds);
    let hidden = |number: &&u8| **number == 0 || (family == Family::V6 && EXTENSIONS.contains(number));
    if others.is_empty() {
        parts.matches.push(String::new());
    } else if listed.len() <= MAX_LISTED {
        parts.unsupported.extend(listed.iter().filter(hidden).map(|number| format!("protocol {number}")));
        let said = listed.iter().filter(|number| !hidden(number));
        parts.matches.extend(said.map(|number| format!("-p {number}")));
    } else if family == Family::V4 && others.contains(&0) {
        parts.unsupported.push("all protocols but 0".to_owned());
    } else {
        // What is never found need not be taken out.
        parts.all_but = Some(others.into_iter().filter(|number| !hidden(&number)).collect());
    }
}

fn range(ports: Interval<u16>, dash: char) -> String {
    if ports.is_single() {
        return ports.first().to_string();
    }
    format!("{}{dash}{}", ports.first(), ports.last())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::{IntervalSet, ServiceSet};

    fn ports(intervals: &[(u16, u16)]) -> IntervalSet<u16> {
        intervals.iter().map(|(first, last)| Interval::spanning(*first, *last)).collect()
    }

    fn check(services: &ServiceSet) -> (Vec<String>, Vec<String>, usize) {
        let Parts { ports, matches, unsupported, .. } = parts(&services.v4, Family::V4).unwrap();
        (ports.into_iter().map(PortRange::element).collect(), matches, unsupported.len())
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn narrow_ranges_go_into_sets_and_wide_ones_do_not() {
        let services =
            ServiceSet::ports(6, &IntervalSet::full(), &ports(&[(80, 80), (100, 131), (200, 232)]));
        let expected =
            (texts(&["tcp:80", "tcp:100-131"]), texts(&["-p tcp -m multiport --dports 200:232"]), 0);
        assert_eq!(check(&services), expected);
    }

    #[test]
    fn multiport_gets_no_more_than_fifteen() {
        let many: Vec<(u16, u16)> = (0..16).map(|number| (number * 10, number * 10 + 1)).collect();
        let services = ServiceSet::ports(17, &ports(&[(68, 68)]), &ports(&many));
        let (elements, matches, _) = check(&services);
        assert!(elements.is_empty());
        let counts: Vec<usize> = matches.iter().map(|text| text.matches(':').count()).collect();
        assert_eq!(counts, [7, 7, 2]);
        assert!(matches[0].starts_with("-p udp -m multiport --sports 68 -m multiport --dports 0:1,10:11,"));
    }

    #[test]
    fn icmp_type_255_is_refused_because_iptables_takes_it_for_any_type() {
        assert_eq!(check(&ServiceSet::icmp(ICMP, 255, None)), (vec![], vec![], 1));
        assert_eq!(check(&ServiceSet::icmp(ICMP, 255, Some(3))), (vec![], vec![], 1));
        let (_, matches, _) = check(&ServiceSet::icmp(ICMP, 8, None));
        assert_eq!(matches, ["-p icmp -m icmp --icmp-type 8"]);
        let (_, matches, _) = check(&ServiceSet::icmp(ICMP, 3, Some(4)));
        assert_eq!(matches, ["-p icmp -m icmp --icmp-type 3/4"]);
    }

    #[test]
    fn protocol_0_is_refused_because_iptables_takes_it_for_any_protocol() {
        assert_eq!(check(&ServiceSet::protocol(0)), (vec![], vec![], 1));
        assert_eq!(check(&ServiceSet::protocol(47)), (vec![], texts(&["-p 47"]), 0));
        assert_eq!(check(&ServiceSet::full()), (vec![], texts(&[""]), 0));
        let some = ServiceSet::full().difference(&ServiceSet::protocol(6));
        assert_eq!(parts(&some.v4, Family::V4).unwrap().all_but, Some(vec![6]));
        assert_eq!(check(&some.difference(&ServiceSet::protocol(0))), (vec![], vec![], 1));
    }

    #[test]
    fn an_extension_header_of_ipv6_is_no_protocol() {
        let Parts { matches, unsupported, .. } = parts(&ServiceSet::protocol(51).v6, Family::V6).unwrap();
        assert_eq!((matches, unsupported), (vec![], texts(&["protocol 51"])));
    }
}
