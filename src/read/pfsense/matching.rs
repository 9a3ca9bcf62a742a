//! What a rule of a user matches.
//!
//! In: an element `<rule>`. Out: the conditions that pf puts on packets of one family. Facts are from
//! `filter_generate_user_rule`, `filter_generate_address` and `filter_generate_port` (`filter.inc`) of pfSense.
//!
//! - `any` comes before what else an end says, and before `not`.
//! - A port counts with `tcp`, `udp`, `tcp/udp` and `sctp`. With another protocol it is dropped, and without a protocol the
//!   rule becomes one for TCP on all ports.
//! - A rule for `tcp` asks for `flags S/SA` whatever its type, unless it names flags or `tcpflags_any`. A rule that passes
//!   and keeps state gets `flags S/SA` from pfctl itself, whatever its protocol (pf.conf(5), "flags").
//! - An alias of addresses is a table. `! <table>` holds what is not in it, and a rule is for one family, so members of the
//!   other do not count.

use super::super::model::{Condition, Family};
use super::packet::{self, End, ICMP, ICMP6, SCTP, TCP, UDP, plain_number};
use super::rule::{Frame, Names, Target, Verdict};
use super::xml::Element;

/// What packets of a family have to be for a rule to match.
pub(super) type Matched = (Target, Vec<Condition>, Vec<String>);

/// Reads what a rule matches of the packets of one family.
pub(super) fn match_of(
    rule: &Element,
    family: Family,
    frame: &Frame,
    names: &mut Names<'_>,
) -> Result<Matched, String> {
    let just = &[family];
    let mut conditions = vec![packet::of_families(just)];
    let mut opaque = Vec::new();
    let protocols = protocols(rule, family)?;
    if let Some(protocols) = &protocols {
        conditions.push(packet::of_protocols(just, protocols));
    }
    conditions.extend(frame.times.as_deref().map(|times| packet::at_times(just, times)));
    let source = end(rule, End::Source, family, names)?;
    let destination = end(rule, End::Destination, family, names)?;
    let ported = matches!(rule.value("protocol"), "tcp" | "udp" | "tcp/udp" | "sctp");
    if let (true, Some(protocols)) = (ported, &protocols) {
        for which in [End::Source, End::Destination] {
            conditions.extend(ports(rule, which, family, protocols, names)?);
        }
    }
    let looks_at_source = source != Address::Any || (ported && !rule_port(rule, End::Source).is_empty());
    if frame.rule.outbound && looks_at_source {
        translated(names)?;
    }
    match source {
        Address::Any => {}
        Address::In(condition) => conditions.push(condition),
        Address::Device { negated: false } => opaque.push("from (self)".to_owned()),
        Address::Device { negated: true } => opaque.push("from ! (self)".to_owned()),
    }
    let target = match destination {
        Address::Any => Target::Anywhere,
        Address::In(condition) => {
            conditions.push(condition);
            Target::Anywhere
        }
        Address::Device { negated } => Target::Device { negated },
    };
    conditions.extend(types(rule, family)?);
    conditions.extend(flags(rule, family, frame)?);
    opaque.extend(others(rule));
    Ok((target, conditions, opaque))
}

/// Outbound NAT replaces sources before rules for packets that leave see them.
fn translated(names: &Names<'_>) -> Result<(), String> {
    let what = "a rule for packets that leave looks at sources, which outbound NAT may have replaced";
    match names.device {
        Some(device) if !device.translates_sources => Ok(()),
        Some(_) | None => Err(what.to_owned()),
    }
}

/// Protocols by name, as `protocols(5)` of FreeBSD has them. `icmp` is read before.
const PROTOCOLS: &[(&str, u8)] = &[
    ("ah", 51),
    ("carp", 112),
    ("dccp", 33),
    ("egp", 8),
    ("eigrp", 88),
    ("esp", 50),
    ("etherip", 97),
    ("gre", 47),
    ("icmp6", ICMP6),
    ("igmp", 2),
    ("ipcomp", 108),
    ("ipv6", 41),
    ("ipv6-icmp", ICMP6),
    ("l2tp", 115),
    ("ospf", 89),
    ("pfsync", 240),
    ("pim", 103),
    ("rsvp", 46),
    ("sctp", SCTP),
    ("tcp", TCP),
    ("udp", UDP),
    ("udplite", 136),
];

fn protocols(rule: &Element, family: Family) -> Result<Option<Vec<u8>>, String> {
    let name = rule.value("protocol");
    let ported = [End::Source, End::Destination].iter().any(|end| !rule_port(rule, *end).is_empty());
    let number =
        || plain_number(name).and_then(|number| u8::try_from(number).ok()).filter(|number| *number > 0);
    let known = || PROTOCOLS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
    match name {
        "" if ported => Ok(Some(vec![TCP])),
        "" | "any" => Ok(None),
        "tcp/udp" => Ok(Some(vec![TCP, UDP])),
        "icmp" if family == Family::V6 => Ok(Some(vec![ICMP6])),
        "icmp" => Ok(Some(vec![ICMP])),
        _ => match known().or_else(number) {
            Some(protocol) => Ok(Some(vec![protocol])),
            None => Err(format!("protocol `{name}` is unknown")),
        },
    }
}

/// What one end of a rule says.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Address {
    Any,
    In(Condition),
    Device { negated: bool },
}

fn end(rule: &Element, which: End, family: Family, names: &mut Names<'_>) -> Result<Address, String> {
    let what = which.name();
    let Some(end) = rule.child(what) else { return Err(format!("the rule has no {what}: pfSense skips it")) };
    for child in &end.children {
        if !["any", "network", "address", "not", "port"].contains(&child.name.as_str())
            || !child.children.is_empty()
        {
            return Err(format!("`{}` in the {what} of a rule is not understood", child.name));
        }
    }
    let (any, network, address) = (end.has("any"), end.value("network"), end.value("address"));
    let negated = end.has("not");
    match (any, network, address) {
        (true, "", "") => Ok(Address::Any),
        (false, "(self)", "") => Ok(Address::Device { negated }),
        (false, "", "") => Err(format!("the {what} is empty: pfSense skips the rule")),
        (false, name, "") => {
            let set = match names.device {
                Some(device) => device.network(name, family, negated)?,
                None => {
                    return Err(format!("which addresses `{name}` has is said in other parts of the config"));
                }
            };
            Ok(Address::In(Condition { boxes: set.boxes(family, which), negated }))
        }
        (false, "", address) => literal(address, which, family, negated, names).map(Address::In),
        (true | false, _, _) => Err(format!("the {what} says more than one thing")),
    }
}

/// An address, a prefix or an alias.
fn literal(
    text: &str,
    which: End,
    family: Family,
    negated: bool,
    names: &mut Names<'_>,
) -> Result<Condition, String> {
    // An alias comes before an address (`alias_expand`), but no name of an alias is an address.
    let Some((found, range)) = packet::prefix(text) else {
        let condition = names.aliases.condition(text, family, which)?;
        return Ok(Condition { negated, ..condition });
    };
    if found != family {
        return Err(format!("`{text}` is not of the rule's family: pf refuses all rules"));
    }
    if text.starts_with("::") {
        return Err(format!(
            "`{text}` starts with `::`, so pfSense joins it with the prefix of the interface"
        ));
    }
    let mut set = packet::Addresses::default();
    set.add((family, range));
    Ok(Condition { boxes: set.boxes(family, which), negated })
}

fn rule_port(rule: &Element, which: End) -> &str {
    rule.child(which.name()).map_or("", |end| end.value("port"))
}

fn ports(
    rule: &Element,
    which: End,
    family: Family,
    protocols: &[u8],
    names: &Names<'_>,
) -> Result<Option<Condition>, String> {
    let text = rule_port(rule, which);
    if text.is_empty() {
        return Ok(None);
    }
    let ranges = names.aliases.ports(text)?;
    Ok(ranges.map(|ranges| packet::with_ports(&[family], protocols, which, &ranges)))
}

/// Types of ICMP by name (`icmp_type` and `icmp6_type`, pfctl_parser.c), with the family that has them.
const TYPES: &[(&str, Option<u8>, Option<u8>)] = &[
    ("althost", Some(6), None),
    ("dataconv", Some(31), None),
    ("echorep", Some(0), Some(129)),
    ("echoreq", Some(8), Some(128)),
    ("fqdnrep", None, Some(140)),
    ("fqdnreq", None, Some(139)),
    ("groupqry", None, Some(130)),
    ("grouprep", None, Some(131)),
    ("groupterm", None, Some(132)),
    ("inforep", Some(16), None),
    ("inforeq", Some(15), None),
    ("ipv6-here", Some(34), None),
    ("ipv6-where", Some(33), None),
    ("listendone", None, Some(132)),
    ("listenrep", None, Some(131)),
    ("listqry", None, Some(130)),
    ("maskrep", Some(18), None),
    ("maskreq", Some(17), None),
    ("mobredir", Some(32), None),
    ("mobregrep", Some(36), None),
    ("mobregreq", Some(35), None),
    ("mtrace", None, Some(201)),
    ("mtraceresp", None, Some(200)),
    ("neighbradv", None, Some(136)),
    ("neighbrsol", None, Some(135)),
    ("niqry", None, Some(139)),
    ("nirep", None, Some(140)),
    ("paramprob", Some(12), Some(4)),
    ("photuris", Some(40), None),
    ("redir", Some(5), Some(137)),
    ("routeradv", Some(9), Some(134)),
    ("routersol", Some(10), Some(133)),
    ("routrrenum", None, Some(138)),
    ("skip", Some(39), None),
    ("squench", Some(4), None),
    ("timerep", Some(14), None),
    ("timereq", Some(13), None),
    ("timex", Some(11), Some(3)),
    ("toobig", None, Some(2)),
    ("trace", Some(30), None),
    ("unreach", Some(3), Some(1)),
    ("wrurep", None, Some(140)),
    ("wrureq", None, Some(139)),
];

fn types(rule: &Element, family: Family) -> Result<Option<Condition>, String> {
    let list = rule.value("icmptype");
    if rule.value("protocol") != "icmp" || list.is_empty() || list == "any" {
        return Ok(None);
    }
    let mut types = Vec::new();
    for name in list.split(',') {
        let named = TYPES.iter().find(|(known, _, _)| *known == name);
        let number = named.and_then(|(_, v4, v6)| if family == Family::V4 { *v4 } else { *v6 });
        match number {
            Some(number) => types.push(number),
            None => {
                return Err(format!("`{name}` is not a type of ICMP in this family: pf refuses all rules"));
            }
        }
    }
    types.sort_unstable();
    types.dedup();
    let protocol = if family == Family::V4 { ICMP } else { ICMP6 };
    Ok(Some(packet::with_types(&[family], protocol, &types)))
}

fn flags(rule: &Element, family: Family, frame: &Frame) -> Result<Option<Condition>, String> {
    let opening = || Some(packet::opening(&[family]));
    let passes = matches!(frame.rule.verdict, Verdict::Pass | Verdict::PassWithin(_));
    if rule.value("protocol") != "tcp" {
        return Ok(if passes { opening() } else { None });
    }
    if rule.has("tcpflags_any") {
        return Ok(None);
    }
    let mask = flag_set(rule.value("tcpflags2"))?;
    if mask == 0 {
        return Ok(opening());
    }
    let set = flag_set(rule.value("tcpflags1"))?;
    if set & mask != set {
        return Err("flags that have to be set are not among those that are looked at: pf refuses all rules"
            .to_owned());
    }
    Ok(Some(packet::with_flags(&[family], set, mask)))
}

fn flag_set(list: &str) -> Result<u8, String> {
    let names = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"];
    let mut set = 0;
    for name in list.split(',').filter(|name| !name.is_empty()) {
        match names.iter().position(|known| *known == name) {
            Some(bit) => set |= 1 << bit,
            None => return Err(format!("`{name}` is not a flag of TCP")),
        }
    }
    Ok(set)
}

/// Conditions that the model has no field for, in the words of pf.conf(5).
fn others(rule: &Element) -> Vec<String> {
    let mut opaque = Vec::new();
    let given = |name: &str| Some(rule.value(name)).filter(|text| !text.is_empty());
    if rule.value("protocol") == "tcp" {
        opaque.extend(given("os").map(|text| format!("os \"{text}\"")));
    }
    let not = if rule.has("nottagged") { "! " } else { "" };
    opaque.extend(given("tagged").map(|text| format!("{not}tagged \"{text}\"")));
    opaque.extend(given("dscp").map(|text| format!("tos {text}")));
    opaque.extend(given("vlanprio").filter(|text| *text != "none").map(|text| format!("prio {text}")));
    opaque
}
