//! What pf does with a packet under the rules of a config, read from the XML alone.
//!
//! As pfSense's generator makes them, rules of an interface are `in quick`: the first that matches decides, and what
//! none matches is denied. It shares no code with the emitter, and anything that it does not know fails.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use roxmltree::{Document, Node};

/// A packet that arrives on an interface.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) interface: String,
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) protocol: u8,
    pub(crate) source_port: u16,
    /// For ICMP the type.
    pub(crate) destination_port: u16,
}

/// What a rule decides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Verdict {
    pub(crate) pass: bool,
    pub(crate) log: bool,
    pub(crate) description: String,
}

/// The rules of a config, with the addresses that the firewall itself has.
pub(crate) struct Firewall {
    rules: Vec<Rule>,
    schedules: BTreeMap<String, Vec<Hours>>,
    aliases: BTreeMap<String, (String, Vec<String>)>,
    own: Vec<IpAddr>,
}

struct Rule {
    interface: String,
    pass: bool,
    log: bool,
    inet6: bool,
    protocol: Option<String>,
    icmp_types: Vec<String>,
    source: Side,
    destination: Side,
    schedule: Option<String>,
    description: String,
}

/// Hours of some days, 1 being Monday: minutes of the day from the first to before the second.
struct Hours {
    days: Vec<u16>,
    from: u16,
    to: u16,
}

struct Side {
    address: Address,
    not: bool,
    port: Option<String>,
}

enum Address {
    Any,
    Itself,
    Named(String),
}

/// Numbers of protocols, from FreeBSD's protocols(5).
const PROTOCOLS: [(&str, u8); 13] = [
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
    ("pfsync", 240),
];

/// Names and numbers of the ICMP types that tests use: for IPv4, and for IPv6.
const ICMP_TYPES: [(&str, u8, u8); 4] =
    [("echoreq", 8, 128), ("echorep", 0, 129), ("unreach", 3, 1), ("timex", 11, 3)];

impl Firewall {
    /// The sections of a build, without schedules.
    pub(crate) fn read(filter: &str, aliases: &str, own: &[&str]) -> Self {
        let (filter, aliases) = (Document::parse(filter).unwrap(), Document::parse(aliases).unwrap());
        Firewall::of_sections(filter.root_element(), Some(aliases.root_element()), None, own)
    }

    /// A whole config.
    pub(crate) fn of_config(config: &str, own: &[&str]) -> Self {
        let config = Document::parse(config).unwrap();
        let section = |name| child(config.root_element(), name);
        Firewall::of_sections(section("filter").unwrap(), section("aliases"), section("schedules"), own)
    }

    fn of_sections(filter: Node, aliases: Option<Node>, schedules: Option<Node>, own: &[&str]) -> Self {
        let found = aliases.into_iter().flat_map(|aliases| elements(aliases, "alias")).map(|alias| {
            let entries = text(alias, "address").unwrap();
            assert!(!entries.is_empty(), "a table without entries");
            (
                text(alias, "name").unwrap(),
                (text(alias, "type").unwrap(), entries.split(' ').map(str::to_owned).collect()),
            )
        });
        let schedules = schedules.into_iter().flat_map(|schedules| elements(schedules, "schedule"));
        Firewall {
            rules: elements(filter, "rule").map(rule).collect(),
            schedules: schedules
                .map(|schedule| {
                    let ranges = elements(schedule, "timerange").map(hours).collect();
                    (text(schedule, "name").unwrap(), ranges)
                })
                .collect(),
            aliases: found.collect(),
            own: own.iter().map(|address| address.parse().unwrap()).collect(),
        }
    }

    /// The rule that decides on a packet, whatever the time.
    pub(crate) fn decide(&self, packet: &Arrival) -> Verdict {
        assert!(self.rules.iter().all(|rule| rule.schedule.is_none()), "this asks for a time");
        self.decide_at(packet, 0)
    }

    /// The rule that decides on a packet at a minute of the week by the clock of the device.
    pub(crate) fn decide_at(&self, packet: &Arrival, minute: u16) -> Verdict {
        let found = self.rules.iter().find(|rule| self.is_there(rule, minute) && self.matches(rule, packet));
        found.map_or(Verdict { pass: false, log: false, description: String::new() }, |rule| Verdict {
            pass: rule.pass,
            log: rule.log,
            description: rule.description.clone(),
        })
    }

    /// A rule is left out while its schedule does not hold; one whose schedule is not there always stays.
    fn is_there(&self, rule: &Rule, minute: u16) -> bool {
        // The rules are made anew at each quarter of an hour.
        let now = minute / 15 * 15;
        let (day, now) = (now / (24 * 60) + 1, now % (24 * 60));
        let ranges = rule.schedule.as_ref().and_then(|name| self.schedules.get(name));
        ranges.is_none_or(|ranges| {
            ranges.iter().any(|range| range.days.contains(&day) && (range.from..range.to).contains(&now))
        })
    }

    fn matches(&self, rule: &Rule, packet: &Arrival) -> bool {
        rule.interface == packet.interface
            && rule.inet6 == packet.source.is_ipv6()
            && matches_protocol(rule, packet)
            && self.matches_side(&rule.source, packet.source, packet.source_port)
            && self.matches_side(&rule.destination, packet.destination, packet.destination_port)
    }

    fn matches_side(&self, side: &Side, address: IpAddr, port: u16) -> bool {
        let inside = match &side.address {
            Address::Any => true,
            Address::Itself => self.own.contains(&address),
            Address::Named(name) => match self.aliases.get(name) {
                Some((kind, entries)) => {
                    assert!(matches!(kind.as_str(), "host" | "network"), "{name} is a {kind}");
                    entries.iter().any(|entry| prefix(entry).contains(&address))
                }
                None => prefix(name).contains(&address),
            },
        };
        let ports = side.port.as_deref().is_none_or(|ports| match self.aliases.get(ports) {
            Some((kind, entries)) => {
                assert_eq!(kind, "port");
                entries.iter().any(|entry| in_range(entry, ':', port))
            }
            None => in_range(ports, '-', port),
        });
        inside != side.not && ports
    }
}

fn matches_protocol(rule: &Rule, packet: &Arrival) -> bool {
    let icmp = if rule.inet6 { 58 } else { 1 };
    match rule.protocol.as_deref() {
        None => true,
        Some("tcp/udp") => matches!(packet.protocol, 6 | 17),
        Some("icmp") => {
            packet.protocol == icmp
                && (rule.icmp_types.is_empty()
                    || rule.icmp_types.iter().any(|name| {
                        let (_, v4, v6) = ICMP_TYPES.iter().find(|(known, ..)| known == name).unwrap();
                        u16::from(if rule.inet6 { *v6 } else { *v4 }) == packet.destination_port
                    }))
        }
        Some(name) => {
            let (_, number) =
                PROTOCOLS.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{name}"));
            *number == packet.protocol
        }
    }
}

fn prefix(text: &str) -> IpNet {
    text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).unwrap_or_else(|_| panic!("`{text}`"))
}

fn in_range(text: &str, separator: char, port: u16) -> bool {
    let (first, last) = text.split_once(separator).unwrap_or((text, text));
    let (first, last): (u16, u16) = (first.parse().unwrap(), last.parse().unwrap());
    assert!(first <= last && first > 0, "{text}");
    // The generator writes a range from 1 in a rule as `<=`.
    (first == 1 && separator == '-' || first <= port) && port <= last
}

fn rule(node: Node) -> Rule {
    let known = [
        "id",
        "tracker",
        "type",
        "interface",
        "ipprotocol",
        "statetype",
        "protocol",
        "icmptype",
        "source",
        "destination",
        "log",
        "descr",
        "sched",
        "tcpflags_any",
    ];
    for child in node.children().filter(Node::is_element) {
        assert!(known.contains(&child.tag_name().name()), "{:?}", child.tag_name());
    }
    let protocol = text(node, "protocol");
    // pfSense gives a rule for TCP the flags of a first packet, unless it says otherwise.
    let is_block_of_tcp =
        protocol.as_deref() == Some("tcp") && text(node, "type").as_deref() == Some("block");
    assert_eq!(child(node, "tcpflags_any").is_some(), is_block_of_tcp, "a block is for all packets");
    let rule = Rule {
        interface: text(node, "interface").unwrap(),
        pass: match text(node, "type").unwrap().as_str() {
            "pass" => true,
            "block" => false,
            other => panic!("{other}"),
        },
        log: child(node, "log").is_some(),
        inet6: match text(node, "ipprotocol").unwrap().as_str() {
            "inet" => false,
            "inet6" => true,
            other => panic!("{other}"),
        },
        icmp_types: text(node, "icmptype")
            .iter()
            .flat_map(|names| names.split(','))
            .map(str::to_owned)
            .collect(),
        source: side(child(node, "source").unwrap()),
        destination: side(child(node, "destination").unwrap()),
        schedule: text(node, "sched"),
        description: text(node, "descr").unwrap(),
        protocol,
    };
    let has_ports = matches!(rule.protocol.as_deref(), Some("tcp" | "udp" | "tcp/udp" | "sctp"));
    for side in [&rule.source, &rule.destination] {
        assert!(side.port.is_none() || has_ports, "a port that pfSense drops");
    }
    rule
}

/// A range in the form that the web interface writes: `18:00-22:00` on `1,2,3`.
fn hours(node: Node) -> Hours {
    for child in node.children().filter(Node::is_element) {
        assert!(
            ["position", "hour", "rangedescr"].contains(&child.tag_name().name()),
            "{:?}",
            child.tag_name()
        );
    }
    let time = |text: &str| {
        let (hour, minute) = text.split_once(':').unwrap();
        assert!(minute.len() == 2 && (hour == "0" || !hour.starts_with('0')), "{text}");
        let (hour, minute): (u16, u16) = (hour.parse().unwrap(), minute.parse().unwrap());
        assert!(minute < 60 && hour * 60 + minute <= 24 * 60, "{text}");
        hour * 60 + minute
    };
    let (position, hour) = (text(node, "position").unwrap(), text(node, "hour").unwrap());
    let days: Vec<u16> = position.split(',').map(|day| day.parse().unwrap()).collect();
    assert!(days.is_sorted() && days.iter().all(|day| (1..=7).contains(day)), "{days:?}");
    let (from, to) = hour.split_once('-').map(|(from, to)| (time(from), time(to))).unwrap();
    assert!(from < to && from % 15 == 0 && to % 15 == 0, "{from} to {to}");
    Hours { days, from, to }
}

fn side(node: Node) -> Side {
    let parts: Vec<&str> =
        ["any", "network", "address"].into_iter().filter(|name| child(node, name).is_some()).collect();
    let address = match parts[..] {
        ["any"] => Address::Any,
        ["network"] => {
            assert_eq!(text(node, "network").unwrap(), "(self)");
            Address::Itself
        }
        ["address"] => {
            let address = text(node, "address").unwrap();
            assert!(!address.starts_with("::"), "pfSense puts a prefix in front of {address}");
            Address::Named(address)
        }
        _ => panic!("{parts:?}"),
    };
    Side { address, not: child(node, "not").is_some(), port: text(node, "port") }
}

/// The only child of this name; a second one rejects the whole file.
pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    let mut found = elements(node, name);
    let first = found.next();
    assert!(found.next().is_none(), "<{name}> twice");
    first
}

pub(super) fn elements<'a, 'i>(node: Node<'a, 'i>, name: &str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.has_tag_name(name))
}

/// The text of a child, as pfSense reads it: entities are decoded inside of CDATA too.
pub(super) fn text(node: Node, name: &str) -> Option<String> {
    let text = child(node, name)?.text().unwrap_or_default().to_owned();
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    Some(entities.iter().fold(text, |text, (entity, character)| text.replace(entity, character)))
}
