//! Services: protocols and ports as written, turned into sets.

use std::collections::{BTreeMap, BTreeSet};

use super::attributes;
use super::error::CheckError;
use super::names::{ANY, Declared};
use crate::diag::{Diagnostics, suggestion};
use crate::ir::Service;
use crate::set::{
    ICMP, ICMPV6, Interval, IntervalSet, ServiceSet, Set, has_ports, icmp_types, protocol_name,
    protocol_number, union_all,
};
use crate::syntax::ast::{self, ProtocolPorts, Via, Word};

/// The services of a policy by name, and which of them a rule names.
#[derive(Default)]
pub(super) struct Services {
    known: BTreeMap<String, Service>,
    used: BTreeSet<String>,
    declared: Declared,
}

/// What a `via` list stands for.
pub(super) struct Resolved {
    /// All of it.
    pub(super) set: ServiceSet,
    /// What is named as encrypted.
    pub(super) encrypted: ServiceSet,
    /// What is named as carrying no protected health information.
    pub(super) without_phi: ServiceSet,
    /// As a policy would write it, sorted.
    pub(super) text: String,
}

/// What one entry of a `via` list stands for.
pub(super) struct Meaning {
    /// All of it.
    pub(super) set: ServiceSet,
    /// All of it if it is named as encrypted, or nothing.
    pub(super) encrypted: ServiceSet,
    /// All of it if it is named as carrying no protected health information, or nothing.
    pub(super) without_phi: ServiceSet,
}

/// What an entry of a policy without errors stands for.
pub(super) fn meaning(entry: &Via, services: &[Service]) -> Meaning {
    let set = match entry {
        Via::Inline(spec) => set_of(spec),
        Via::Service(word) if word.node == ANY => ServiceSet::full(),
        Via::Service(word) => {
            let service = services
                .binary_search_by(|service| service.name.cmp(&word.node))
                .ok()
                .and_then(|place| services.get(place));
            let Some(Service { set, encrypted, without_phi, .. }) = service else {
                return Meaning::plain(ServiceSet::empty());
            };
            let marked = |is: bool| if is { set.clone() } else { ServiceSet::empty() };
            return Meaning {
                set: set.clone(),
                encrypted: marked(*encrypted),
                without_phi: marked(*without_phi),
            };
        }
    };
    Meaning::plain(set)
}

impl Meaning {
    fn plain(set: ServiceSet) -> Self {
        Meaning { set, encrypted: ServiceSet::empty(), without_phi: ServiceSet::empty() }
    }
}

/// Protocols with ports that were found to be without errors.
pub(super) fn set_of(spec: &ProtocolPorts) -> ServiceSet {
    protocol_ports(spec, &mut Diagnostics::default())
}

/// A port, a range of ports or `any` that was found to be without errors.
pub(super) fn ports_of(word: &Word) -> IntervalSet<u16> {
    port(&word.node).map_or_else(|_| IntervalSet::empty(), |run| IntervalSet::from_interval(run, true))
}

impl Services {
    /// Reads all service statements.
    pub(super) fn declare(statements: &[&ast::Service], diagnostics: &mut Diagnostics) -> Self {
        let mut services = Services::default();
        for statement in statements {
            let errors = diagnostics.errors();
            let set = protocols(&statement.protocols, diagnostics);
            let name = statement.name.node.clone();
            if statement.protocols.is_empty() && !statement.broken {
                diagnostics.push(CheckError::EmptyService { name: name.clone(), span: statement.name.span });
            }
            if statement.broken || diagnostics.errors() > errors {
                services.declared.mark_broken(&name);
            }
            if services.declared.enter(&statement.name, "services", diagnostics) {
                let encrypted = statement.encrypted.is_some();
                let without_phi = attributes::without_phi(&statement.attributes, diagnostics);
                let span = statement.name.span;
                let service = Service { name: name.clone(), set, encrypted, without_phi, span };
                services.known.insert(name, service);
            }
        }
        services
    }

    /// What a `via` list stands for; `None` if part of it has an error, here or where it is declared.
    pub(super) fn resolve(&mut self, via: &[Via], diagnostics: &mut Diagnostics) -> Option<Resolved> {
        let (mut sets, mut texts) = (Vec::new(), BTreeSet::new());
        let (mut encrypted, mut without_phi) = (Vec::new(), Vec::new());
        let errors = diagnostics.errors();
        for entry in via {
            match entry {
                Via::Service(word) => {
                    texts.insert(word.node.clone());
                    sets.push(self.lookup(word, diagnostics));
                    let service = self.known.get(&word.node);
                    let marked = |is: fn(&Service) -> bool| service.filter(|service| is(service));
                    encrypted.extend(marked(|service| service.encrypted).map(|service| service.set.clone()));
                    without_phi
                        .extend(marked(|service| service.without_phi).map(|service| service.set.clone()));
                }
                Via::Inline(spec) => {
                    texts.insert(text_of(spec));
                    sets.push(Some(protocol_ports(spec, diagnostics)));
                }
            }
        }
        let set = union_all(sets.into_iter().collect::<Option<Vec<_>>>()?);
        let (encrypted, without_phi) = (union_all(encrypted), union_all(without_phi));
        let text = texts.into_iter().collect::<Vec<_>>().join(", ");
        (diagnostics.errors() == errors).then_some(Resolved { set, encrypted, without_phi, text })
    }

    fn lookup(&mut self, word: &Word, diagnostics: &mut Diagnostics) -> Option<ServiceSet> {
        if word.node == ANY {
            return Some(ServiceSet::full());
        }
        let found = self.known.get(&word.node);
        if found.is_none() {
            let known = self.known.keys().map(String::as_str).chain([ANY]);
            let is_port = word.node.starts_with(|c: char| c.is_ascii_digit());
            let help = if is_port {
                Some(format!("a port needs its protocol: `tcp {}`", word.node))
            } else {
                suggestion(&word.node, known)
            };
            let (name, span) = (word.node.clone(), word.span);
            diagnostics.push(CheckError::UnknownName { kind: "service", name, span, help });
        }
        self.used.insert(word.node.clone());
        found.filter(|_| !self.declared.is_broken(&word.node)).map(|service| service.set.clone())
    }

    /// Reports services that nothing named, where nothing is wrong so far: a statement with an error may be the one
    /// that was to name them. Gives all, by name.
    pub(super) fn finish(self, diagnostics: &mut Diagnostics) -> Vec<Service> {
        let judged = !diagnostics.has_errors();
        let unused = self.known.values().filter(|service| judged && !self.used.contains(&service.name));
        for service in unused {
            let (name, span) = (service.name.clone(), service.span);
            diagnostics.push(CheckError::Unused { kind: "service", name, span });
        }
        self.known.into_values().collect()
    }
}

/// An entry of a `via` list as a policy would write it.
pub(super) fn text_of_entry(entry: &Via) -> String {
    match entry {
        Via::Service(word) => word.node.clone(),
        Via::Inline(spec) => text_of(spec),
    }
}

/// A service on the spot as a policy would write it.
pub(super) fn text_of(spec: &ProtocolPorts) -> String {
    let joined = |words: &[Word], by: &str| {
        let mut words: Vec<&str> = words.iter().map(|word| word.node.as_str()).collect();
        words.sort_unstable();
        words.join(by)
    };
    let mut text = joined(&spec.protocols, "/");
    for argument in [joined(&spec.ports, ", "), spec.message_type.iter().map(|m| m.node.clone()).collect()] {
        if !argument.is_empty() {
            text = format!("{text} {argument}");
        }
    }
    if !spec.source_ports.is_empty() {
        text = format!("{text} source-port {}", joined(&spec.source_ports, ", "));
    }
    text
}

fn protocols(specs: &[ProtocolPorts], diagnostics: &mut Diagnostics) -> ServiceSet {
    union_all(specs.iter().map(|spec| protocol_ports(spec, diagnostics)).collect::<Vec<_>>())
}

/// Protocols with ports, each protocol with all the ports and no other. The ports are read once, so that a mistake in
/// them is reported once, however many protocols they belong to.
fn protocol_ports(spec: &ProtocolPorts, diagnostics: &mut Diagnostics) -> ServiceSet {
    let numbers = spec.protocols.iter().filter_map(|word| Some((word, number(word, diagnostics)?)));
    let (with_ports, without): (Vec<_>, Vec<_>) = numbers.partition(|(_, number)| has_ports(*number));
    let ports = if with_ports.is_empty() { None } else { read_ports(spec, &with_ports, diagnostics) };
    if let (Some((word, number)), Some(port)) =
        (without.first(), spec.ports.iter().chain(&spec.source_ports).next())
    {
        let protocol =
            if word.node.parse::<u8>().is_ok() { format!("protocol {number}") } else { word.node.clone() };
        let help = no_ports_help(*number, &protocol, &port.node);
        diagnostics.push(CheckError::NoPorts { protocol, span: port.span, help });
    }
    let with_ports = with_ports.iter().filter_map(|(_, number)| {
        let (source, destination) = ports.as_ref()?;
        Some(ServiceSet::ports(*number, source, destination))
    });
    let mut sets: Vec<ServiceSet> = with_ports.collect();
    for (word, number) in without {
        sets.push(match &spec.message_type {
            Some(message) => with_message(number, word, message, diagnostics),
            None => ServiceSet::protocol(number),
        });
    }
    union_all(sets)
}

/// The number of a protocol.
fn number(word: &Word, diagnostics: &mut Diagnostics) -> Option<u8> {
    let number = protocol_number(&word.node).or_else(|| word.node.parse::<u8>().ok());
    if number.is_none() {
        let names: Vec<String> =
            (0..=u8::MAX).map(protocol_name).filter(|name| name.parse::<u8>().is_err()).collect();
        let help = suggestion(&word.node, names.iter().map(String::as_str));
        let help = help.unwrap_or_else(|| "numbers are in the IANA registry of protocol numbers".to_owned());
        diagnostics.push(CheckError::BadProtocol { text: word.node.clone(), span: word.span, help });
    }
    number
}

fn no_ports_help(number: u8, protocol: &str, port: &str) -> String {
    let named = icmp_types(number).iter().find(|(_, message)| port == message.to_string());
    match (number, named) {
        (ICMP | ICMPV6, Some((name, _))) => format!("name the message: `{protocol} {name}`"),
        (ICMP | ICMPV6, None) => format!("name the message, such as `{protocol} echo-request`"),
        _ => format!("only tcp, udp, sctp and dccp have ports; write `{protocol}` alone"),
    }
}

/// Source ports and destination ports.
fn read_ports(
    spec: &ProtocolPorts,
    protocols: &[(&Word, u8)],
    diagnostics: &mut Diagnostics,
) -> Option<(IntervalSet<u16>, IntervalSet<u16>)> {
    if let Some(message) = &spec.message_type {
        let (text, span) = (message.node.clone(), message.span);
        let problem = "a name, where numbers belong".to_owned();
        diagnostics.push(CheckError::BadPort { text, span, problem });
        return None;
    }
    if spec.ports.is_empty() {
        let (first, last) = (protocols.first()?.0, protocols.last()?.0);
        let names: Vec<&str> = protocols.iter().map(|(word, _)| word.node.as_str()).collect();
        let (protocol, span) = (names.join("/"), first.span.to(last.span));
        diagnostics.push(CheckError::PortsMissing { protocol, span });
        return None;
    }
    let destination = ports(&spec.ports, diagnostics);
    let all = spec.source_ports.is_empty();
    let source = if all { IntervalSet::full() } else { ports(&spec.source_ports, diagnostics) };
    Some((source, destination))
}

/// True for messages that a conversation can begin with. Errors and answers belong to another packet, and what no host
/// asked for is dropped by whatever keeps track (net/netfilter/nf_conntrack_proto_icmp.c and nf_conntrack_proto_icmpv6.c).
fn opens(protocol: u8, message_type: u8) -> bool {
    match protocol {
        ICMP => matches!(message_type, 8 | 13 | 15 | 17),
        _ => message_type == 128 || message_type >= 130,
    }
}

/// A message of ICMP, by name. Other protocols have none.
fn with_message(number: u8, protocol: &Word, message: &Word, diagnostics: &mut Diagnostics) -> ServiceSet {
    let types = icmp_types(number);
    if let Some((_, message_type)) = types.iter().find(|(name, _)| *name == message.node) {
        if !opens(number, *message_type) {
            let (protocol, text, span) = (protocol.node.clone(), message.node.clone(), message.span);
            diagnostics.push(CheckError::OpensNothing { protocol, text, span });
        }
        return ServiceSet::icmp(number, *message_type, None);
    }
    let known: Vec<String> = types.iter().map(|(name, _)| format!("`{name}`")).collect();
    let help = match (suggestion(&message.node, types.iter().map(|(name, _)| *name)), types.is_empty()) {
        (Some(suggestion), _) => suggestion,
        (None, false) if message.node == "ping" => "did you mean `echo-request`?".to_owned(),
        (None, true) => format!("write `{}` alone", protocol.node),
        (None, false) => format!("known are {}", known.join(", ")),
    };
    let (protocol, text, span) = (protocol.node.clone(), message.node.clone(), message.span);
    diagnostics.push(CheckError::BadMessage { protocol, text, span, help });
    ServiceSet::empty()
}

fn ports(words: &[Word], diagnostics: &mut Diagnostics) -> IntervalSet<u16> {
    let parsed = words.iter().filter_map(|word| match port(&word.node) {
        Ok(interval) => Some(interval),
        Err(problem) => {
            let (text, span, problem) = (word.node.clone(), word.span, problem.to_owned());
            diagnostics.push(CheckError::BadPort { text, span, problem });
            None
        }
    });
    parsed.collect::<Vec<_>>().into_iter().collect()
}

fn port(text: &str) -> Result<Interval<u16>, &'static str> {
    if text == ANY {
        return Ok(Interval::FULL);
    }
    let number = |text: &str| match text.parse::<u16>() {
        Ok(number) => Ok(number),
        Err(_) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err("larger than 65535")
        }
        Err(_) if text.contains(':') || text.contains("..") => Err("a range is written with `-`"),
        Err(_) => Err("not a number"),
    };
    match text.split_once('-') {
        None => number(text).map(Interval::single),
        Some((first, last)) => Interval::new(number(first)?, number(last)?).ok_or("ends before it starts"),
    }
}
