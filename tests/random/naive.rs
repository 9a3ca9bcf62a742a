//! What a policy says of one packet at one minute, by going through its statements as they were parsed.
//!
//! This is the language in its shortest form: no set is ever made, no rule is sorted or lowered. Names are followed
//! through the tree, addresses and ports are compared as numbers. It is written from `docs/language.md` and shares
//! nothing with the stages behind the parser. Policies with errors have no meaning here.

use std::net::IpAddr;

use cordon::source::Span;
use cordon::syntax::ast::{
    Direction, Effect, File, Flow, Key, Leads, Members, Names, ProtocolPorts, Statement, Via, Word,
};

use super::packets::Packet;

/// Minutes of a day, and of a week.
const DAY: i32 = 24 * 60;
const WEEK: i32 = 7 * DAY;

/// What a policy says of a packet, if time plays no part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// It stays in a zone.
    Local,
    /// Nothing allows it, or something forbids it.
    Denied,
    /// It may pass at some times.
    Scheduled,
    /// It may pass.
    Allowed,
}

impl Verdict {
    /// The word for it in answers of `cordon query`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Verdict::Local => "local",
            Verdict::Denied => "deny",
            Verdict::Scheduled => "scheduled",
            Verdict::Allowed => "allow",
        }
    }
}

/// An allow or forbid statement, or a clause of a class that stands for one.
pub(crate) struct Said<'t> {
    pub(crate) effect: Effect,
    pub(crate) flow: Flow,
    pub(crate) during: Option<&'t Word>,
    pub(crate) log: bool,
    pub(crate) leave_out: bool,
    pub(crate) until: Option<&'t str>,
    /// Where it stands, as diagnostics show it.
    pub(crate) place: Span,
}

/// A policy as it was parsed.
pub(crate) struct Naive<'t> {
    statements: Vec<&'t Statement>,
    said: Vec<Said<'t>>,
    as_of: &'t str,
}

impl<'t> Naive<'t> {
    /// Takes the trees of a policy as they are. Days are `YYYY-MM-DD`, so their order is that of their texts.
    pub(crate) fn new(files: &'t [File], as_of: &'t str) -> Self {
        let statements: Vec<&Statement> = files.iter().flat_map(|file| &file.statements).collect();
        let said = statements.iter().flat_map(|statement| said(statement)).collect();
        Naive { statements, said, as_of }
    }

    /// All statements.
    pub(crate) fn statements(&self) -> &[&'t Statement] {
        &self.statements
    }

    /// The statements that allow or forbid something.
    pub(crate) fn said(&self) -> &[Said<'t>] {
        &self.said
    }

    /// The zone that holds an address.
    pub(crate) fn zone_of(&self, address: IpAddr) -> Option<&'t str> {
        let mut names = self.statements.iter().filter_map(|statement| match statement {
            Statement::Zone(zone) => Some(zone.name.node.as_str()),
            _ => None,
        });
        names.find(|name| self.zone_holds(name, address))
    }

    /// What is said of a packet, and the places of the statements of which one decides.
    pub(crate) fn judge(&self, packet: &Packet) -> (Verdict, Vec<Span>) {
        let (Some(from), Some(to)) = (self.zone_of(packet.source), self.zone_of(packet.destination)) else {
            return (Verdict::Denied, Vec::new());
        };
        if from == to {
            return (Verdict::Local, Vec::new());
        }
        let speaking: Vec<&Said> = self.said.iter().filter(|said| self.speaks_of(said, packet)).collect();
        let places = |wanted: &dyn Fn(&Said) -> bool| -> Vec<Span> {
            speaking.iter().filter(|said| wanted(said)).map(|said| said.place).collect()
        };
        let ways: [(Verdict, Vec<Span>); 3] = [
            (Verdict::Denied, places(&|said| said.effect == Effect::Forbid)),
            (Verdict::Allowed, places(&|said| said.effect == Effect::Allow && said.during.is_none())),
            (Verdict::Scheduled, places(&|said| said.effect == Effect::Allow)),
        ];
        let found = ways.into_iter().find(|(_, places)| !places.is_empty());
        found.unwrap_or((Verdict::Denied, Vec::new()))
    }

    /// True if a packet may pass at a minute of the week by UTC. With `promised`, rules of which a target may leave out
    /// a part do not count.
    pub(crate) fn allows(&self, packet: &Packet, minute: i32, promised: bool) -> bool {
        if self.judge(packet).0 == Verdict::Local {
            return false;
        }
        let mut allowed = false;
        for said in self.said.iter().filter(|said| self.speaks_of(said, packet)) {
            match said.effect {
                Effect::Forbid => return false,
                Effect::Allow => {
                    let counts = !(promised && said.leave_out);
                    allowed |= counts && said.during.is_none_or(|word| self.holds_at(word, minute));
                }
            }
        }
        allowed
    }

    /// True if a packet to a device itself is let in by a manage statement.
    pub(crate) fn manages(&self, device: &str, packet: &Packet) -> bool {
        self.statements.iter().any(|statement| {
            let Statement::Manage(manage) = statement else { return false };
            let until = manage.attributes.iter().find(|a| a.key == Key::Until).map(|a| a.value.node.as_str());
            let is_device = |word: &Word| word.node == device || word.node == "any";
            let to = |names: &Names| names.list.iter().any(is_device) && !names.except.iter().any(is_device);
            self.stands(until)
                && (manage.flow.to.is_empty() || manage.flow.to.iter().any(to))
                && manage.flow.from.iter().any(|names| self.lists(names, packet.source))
                && manage.flow.via.iter().any(|via| self.carries(via, packet))
        })
    }

    /// The interface of a device that an address lies behind.
    pub(crate) fn interface(&self, device: &str, address: IpAddr) -> Option<&'t str> {
        let zone = self.zone_of(address)?;
        let devices = self.statements.iter().filter_map(|statement| match statement {
            Statement::Device(found) if found.name.node == device => Some(found),
            _ => None,
        });
        let mut interfaces = devices.flat_map(|device| &device.interfaces);
        let behind = interfaces.find(|interface| match &interface.leads {
            Leads::Zones(names) => names.list.iter().any(|word| word.node == zone),
            Leads::Device { .. } => false,
        });
        behind.map(|interface| interface.name.node.as_str())
    }

    /// Minutes that the clock of the policy's schedules is ahead of UTC. All of a policy made here have the same.
    pub(crate) fn clock(&self) -> i32 {
        let mut words = self.statements.iter().filter_map(|statement| match statement {
            Statement::Schedule(schedule) => schedule.timezone.as_ref(),
            _ => None,
        });
        words.next().map_or(0, |word| ahead(&word.node))
    }

    /// True if a rule that has not ended matches a packet.
    pub(crate) fn speaks_of(&self, said: &Said, packet: &Packet) -> bool {
        (said.effect == Effect::Forbid || self.stands(said.until))
            && said.flow.from.iter().any(|names| self.lists(names, packet.source))
            && said.flow.to.iter().any(|names| self.lists(names, packet.destination))
            && said.flow.via.iter().any(|via| self.carries(via, packet))
    }

    pub(crate) fn stands(&self, until: Option<&str>) -> bool {
        until.is_none_or(|until| until >= self.as_of)
    }

    pub(crate) fn lists(&self, names: &Names, address: IpAddr) -> bool {
        let named = |word: &Word| self.name_holds(&word.node, address);
        names.list.iter().any(named) && !names.except.iter().any(named)
    }

    fn name_holds(&self, name: &str, address: IpAddr) -> bool {
        if name == "any" {
            return self.zone_of(address).is_some();
        }
        self.statements.iter().any(|statement| match statement {
            Statement::Zone(zone) => zone.name.node == name && self.zone_holds(name, address),
            Statement::Class(class) if class.name.node == name => {
                self.member(class.zone.as_ref(), &class.members, address)
            }
            Statement::Peer(peer) if peer.name.node == name => {
                self.member(peer.zone.as_ref(), &peer.members, address)
            }
            Statement::Group(group) if group.name.node == name => {
                group.members.iter().any(|names| self.lists(names, address))
            }
            _ => false,
        })
    }

    fn member(&self, zone: Option<&Word>, members: &[Members], address: IpAddr) -> bool {
        zone.is_some_and(|zone| self.zone_holds(&zone.node, address))
            && members.iter().any(|members| match members {
                Members::All(_) => true,
                Members::Hosts(names) => spelled(names, address),
                Members::Inventory { .. } | Members::Unclassified(_) => panic!("not made at random"),
            })
    }

    fn zone_holds(&self, name: &str, address: IpAddr) -> bool {
        let zones: Vec<_> = self
            .statements
            .iter()
            .filter_map(|statement| match statement {
                Statement::Zone(zone) => Some(zone),
                _ => None,
            })
            .collect();
        let of_nets = |nets: &[Names]| nets.iter().any(|net| spelled(net, address));
        let mapped = matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some());
        zones.iter().filter(|zone| zone.name.node == name).any(|zone| match zone.rest {
            Some(_) => !mapped && !zones.iter().any(|other| of_nets(&other.nets)),
            None => of_nets(&zone.nets),
        })
    }

    pub(crate) fn carries(&self, via: &Via, packet: &Packet) -> bool {
        match via {
            Via::Inline(spec) => is_carried(spec, packet),
            Via::Service(word) if word.node == "any" => true,
            Via::Service(word) => self.statements.iter().any(|statement| match statement {
                Statement::Service(service) => {
                    service.name.node == word.node
                        && service.protocols.iter().any(|spec| is_carried(spec, packet))
                }
                _ => false,
            }),
        }
    }

    pub(crate) fn holds_at(&self, name: &Word, minute: i32) -> bool {
        self.statements.iter().any(|statement| {
            let Statement::Schedule(schedule) = statement else { return false };
            let Some(zone) = schedule.timezone.as_ref().filter(|_| schedule.name.node == name.node) else {
                return false;
            };
            let local = (minute + ahead(&zone.node)).rem_euclid(WEEK);
            schedule.windows.iter().any(|window| {
                let days = || window.days.iter().flat_map(|word| days(&word.node));
                days().any(|day| window.hours.iter().any(|hours| within(day, &hours.node, local)))
            })
        })
    }
}

fn said(statement: &Statement) -> Vec<Said<'_>> {
    match statement {
        Statement::Rule(rule) => vec![Said {
            effect: rule.effect.node,
            flow: rule.flow.clone(),
            during: rule.during.as_ref(),
            log: rule.log.is_some(),
            leave_out: rule.leave_out.is_some(),
            until: rule.attributes.iter().find(|a| a.key == Key::Until).map(|a| a.value.node.as_str()),
            place: rule.name.as_ref().map_or(rule.effect.span, |name| name.span),
        }],
        Statement::Class(class) => class
            .reaches
            .iter()
            .map(|reach| {
                let own = vec![Names { list: vec![class.name.clone()], except: Vec::new() }];
                let others = vec![reach.others.clone()];
                let (from, to) = match reach.direction {
                    Direction::Outward => (own, others),
                    Direction::Inward => (others, own),
                };
                Said {
                    effect: Effect::Allow,
                    flow: Flow { from, to, via: reach.via.clone() },
                    during: reach.during.as_ref(),
                    log: reach.log.is_some(),
                    leave_out: false,
                    until: reach
                        .attributes
                        .iter()
                        .find(|a| a.key == Key::Until)
                        .map(|a| a.value.node.as_str()),
                    place: reach.span,
                }
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// True if a list of addresses, ranges and prefixes holds an address.
fn spelled(names: &Names, address: IpAddr) -> bool {
    let held = |word: &Word| {
        let (first, last) = ends(&word.node);
        first.is_ipv4() == address.is_ipv4() && first <= address && address <= last
    };
    names.list.iter().any(held) && !names.except.iter().any(held)
}

/// The first and the last address of an address, a range or a prefix.
pub(crate) fn ends(text: &str) -> (IpAddr, IpAddr) {
    if let Some((first, last)) = text.split_once('-') {
        return (first.parse().unwrap(), last.parse().unwrap());
    }
    let Some((address, length)) = text.split_once('/') else {
        let address = text.parse().unwrap();
        return (address, address);
    };
    let length: u32 = length.parse().unwrap();
    match address.parse().unwrap() {
        IpAddr::V4(first) => {
            let hosts = u32::MAX.checked_shr(length).unwrap_or(0);
            (IpAddr::V4(first), IpAddr::V4((u32::from(first) | hosts).into()))
        }
        IpAddr::V6(first) => {
            let hosts = u128::MAX.checked_shr(length).unwrap_or(0);
            (IpAddr::V6(first), IpAddr::V6((u128::from(first) | hosts).into()))
        }
    }
}

fn is_carried(spec: &ProtocolPorts, packet: &Packet) -> bool {
    spec.protocols.iter().any(|word| {
        let number = number(&word.node);
        let (first, second) = (packet.source_port, packet.destination_port);
        let in_family = match number {
            1 => packet.source.is_ipv4(),
            58 => packet.source.is_ipv6(),
            _ => true,
        };
        number == packet.protocol
            && in_family
            && match number {
                6 | 17 | 33 | 132 => {
                    spec.ports.iter().any(|ports| port_in(ports, second))
                        && (spec.source_ports.is_empty()
                            || spec.source_ports.iter().any(|ports| port_in(ports, first)))
                }
                1 | 58 => spec.message_type.as_ref().is_none_or(|name| message(number, &name.node) == first),
                _ => true,
            }
    })
}

fn port_in(word: &Word, port: u16) -> bool {
    let (first, last) = port_ends(&word.node);
    first <= port && port <= last
}

/// The first and the last port of a port, a range or `any`.
pub(crate) fn port_ends(text: &str) -> (u16, u16) {
    if text == "any" {
        return (0, u16::MAX);
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    (first.parse().unwrap(), last.parse().unwrap())
}

/// Protocol numbers by name, as IANA has registered them.
pub(crate) fn number(name: &str) -> u8 {
    match name {
        "icmp" => 1,
        "igmp" => 2,
        "ipip" => 4,
        "tcp" => 6,
        "udp" => 17,
        "dccp" => 33,
        "gre" => 47,
        "esp" => 50,
        "ah" => 51,
        "icmpv6" => 58,
        "eigrp" => 88,
        "ospf" => 89,
        "sctp" => 132,
        number => number.parse().unwrap(),
    }
}

/// Types of messages by name, as IANA has registered them.
pub(crate) fn message(protocol: u8, name: &str) -> u16 {
    match (protocol, name) {
        (1, "echo-request") => 8,
        (1, "timestamp-request") => 13,
        (58, "echo-request") => 128,
        (58, "mld-listener-query") => 130,
        _ => panic!("{name} of {protocol} is not known here"),
    }
}

fn ahead(clock: &str) -> i32 {
    if clock == "utc" {
        return 0;
    }
    let (sign, time) = clock.split_at(1);
    let minutes = minute(time);
    if sign == "-" { -minutes } else { minutes }
}

fn minute(text: &str) -> i32 {
    let (hours, minutes) = text.split_once(':').unwrap();
    hours.parse::<i32>().unwrap() * 60 + minutes.parse::<i32>().unwrap()
}

fn days(text: &str) -> Vec<i32> {
    let day = |name: &str| {
        let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        (0..7).zip(names).find(|(_, known)| *known == name).unwrap().0
    };
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let (first, last) = (day(first), day(last));
    (first..first + 7).take_while(|at| *at == first || (at - 1) % 7 != last).map(|at| at % 7).collect()
}

/// True if the hours of a day hold a minute of the week. Hours that end before they start go on into the next day.
fn within(day: i32, hours: &str, minute_of_week: i32) -> bool {
    let (start, end) = hours.split_once('-').unwrap();
    let (start, end) = (minute(start), minute(end));
    let since = (minute_of_week - day * DAY - start).rem_euclid(WEEK);
    since < if end > start { end - start } else { end + DAY - start }
}

/// The minutes of the week by UTC at which a schedule begins or ends, and those before.
pub(crate) fn turns(naive: &Naive) -> Vec<i32> {
    let mut turns = Vec::new();
    for statement in &naive.statements {
        let Statement::Schedule(schedule) = statement else { continue };
        let clock = schedule.timezone.as_ref().map_or(0, |word| ahead(&word.node));
        for window in &schedule.windows {
            for day in window.days.iter().flat_map(|word| days(&word.node)) {
                for time in window.hours.iter().flat_map(|word| word.node.split('-').collect::<Vec<_>>()) {
                    let at = day * DAY + minute(time) - clock;
                    turns.extend([at - 1, at].map(|at| at.rem_euclid(WEEK)));
                }
            }
        }
    }
    turns
}
