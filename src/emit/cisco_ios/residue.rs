//! What a list admits beyond the policy, computed from its lines, and what it must admit.
//!
//! A switch keeps no state, so replies are let through by what they look like, whether or not anybody asked. This is
//! exact: the packets that the lines admit, less those that the policy allows. It is also the check of the lines
//! themselves: what they admit has to be accounted for, and nothing that they owe may be missing. Where schedules are at
//! work, or ends, both are done for each moment that differs by which of them hold.

use serde::Serialize;

use super::acl::{Admitted, Family, Flows, admitted, boxes};
use super::baseline;
use super::build::{Built, Unsaid};
use super::time::{Calendar, Moment, Time};
use super::wanted::Wanted;
use crate::set::{AddressRange, BoxOf, ICMP, ICMPV6, Interval, Set, has_ports, protocol_name, union_all};

/// What a list admits beyond the policy, by why it does.
#[derive(Debug, Serialize)]
pub(super) struct Residue {
    pub(super) classes: Vec<Class>,
}

/// Packets that are admitted for one reason, as boxes in words.
#[derive(Debug, Serialize)]
pub(super) struct Class {
    title: String,
    pub(super) count: usize,
    boxes: Vec<String>,
    /// True if they may be the first of a connection and leave the link.
    pub(super) counts: bool,
}

/// Packets that are admitted at one moment for one reason.
struct Part {
    title: &'static str,
    flows: Flows,
    counts: bool,
}

/// What is wrong with the lines of a list.
pub(super) const ADMITS_TOO_MUCH: &str = "an access list admits packets that nothing accounts for";
pub(super) const ADMITS_TOO_LITTLE: &str = "an access list misses packets that it has to admit";

const LOST_REPLIES: &str = "replies that a forbid with `log` denies the other way";

/// Judges the lines of a list at each moment. Replies that are lost are added to what could not be said.
pub(super) fn residue(
    wanted: &Wanted,
    built: &mut Built,
    calendar: &Calendar,
) -> Result<Residue, &'static str> {
    let judged = calendar.moments.iter().map(|moment| judged(wanted, built, moment));
    let judged: Vec<Vec<Part>> = judged.collect::<Result<_, &'static str>>()?;
    let parts = judged.first().into_iter().flatten().enumerate().map(|(place, part)| {
        let flows = judged.iter().filter_map(|parts| parts.get(place)).map(|part| part.flows.clone());
        (part, by_time(&flows.collect::<Vec<_>>(), &calendar.times))
    });
    let parts: Vec<(&Part, Vec<Flows>)> = parts.collect();
    let classes = calendar.times.iter().enumerate().flat_map(|(place, time)| {
        let parts = parts.iter().filter_map(move |(part, flows)| Some((part, flows.get(place)?)));
        parts.map(|(part, flows)| class(part, &time.words, flows, wanted.family))
    });
    Ok(Residue { classes: classes.filter(|class| !class.boxes.is_empty()).collect() })
}

/// Packets by the widest times at which they are always admitted, from those at each moment. What is told at one time
/// is not told again at another one within it.
fn by_time(flows: &[Flows], times: &[Time]) -> Vec<Flows> {
    let mut left = flows.to_vec();
    let mut told = Vec::new();
    for time in times {
        let is_in = |place: &usize| time.moments.contains(place);
        let then = flows.iter().enumerate().filter(|(place, _)| is_in(place)).map(|(_, flows)| flows.clone());
        let common = then.reduce(|one, other| one.intersection(&other)).unwrap_or_else(Flows::empty);
        let left = left.iter_mut().enumerate().filter(|(place, _)| is_in(place)).map(|(_, left)| left);
        let mut left: Vec<&mut Flows> = left.collect();
        let shown = common.intersection(&union_all(left.iter().map(|left| (**left).clone())));
        for left in &mut left {
            **left = left.difference(&shown);
        }
        told.push(shown);
    }
    told
}

/// What the lines admit at a moment beyond the policy, always by the same reasons in the same order.
fn judged(wanted: &Wanted, built: &mut Built, moment: &Moment) -> Result<Vec<Part>, &'static str> {
    let admitted = admitted(&built.blocks, moment);
    let policy = wanted.policy(moment);
    let manage = union_all(wanted.manage.iter().map(|stream| stream.flows.clone()));
    let errors = wanted.errors(moment);
    check_owed(wanted, built, moment, &admitted, &policy.union(&manage).union(&errors))?;
    let answers = || wanted.replies.iter().filter(|replies| moment.holds(replies.when));
    let link = super::acl::admitted(&baseline::blocks(wanted), moment).first;
    let replies = union_all(answers().map(|replies| replies.others.clone()));
    let mut beyond = admitted.first.difference(&policy);
    let reasons = [
        ("the link itself, which no router forwards", &link, false),
        ("manage statements", &manage, false),
        ("replies, as first packets", &replies, true),
        ("ICMP errors", &errors, true),
    ];
    let mut parts = Vec::new();
    for (title, reason, counts) in reasons {
        parts.push(Part { title, flows: beyond.intersection(reason), counts });
        beyond = beyond.difference(reason);
    }
    let owed = union_all(answers().map(|replies| replies.established.clone()));
    if !beyond.is_empty() || !admitted.established.is_subset(&owed) {
        return Err(ADMITS_TOO_MUCH);
    }
    let (title, flows) = ("TCP with ACK or RST, never a SYN", admitted.established);
    parts.push(Part { title, flows, counts: false });
    Ok(parts)
}

/// Checks that a list admits what it has to at a moment. Replies that are lost are added to what could not be said.
fn check_owed(
    wanted: &Wanted,
    built: &mut Built,
    moment: &Moment,
    admitted: &Admitted,
    owed: &Flows,
) -> Result<(), &'static str> {
    let left_out = union_all(built.left_out.iter().cloned());
    if !owed.difference(&left_out).is_subset(&admitted.first) {
        return Err(ADMITS_TOO_LITTLE);
    }
    let both = admitted.first.union(&admitted.established);
    for replies in wanted.replies.iter().filter(|replies| moment.holds(replies.when)) {
        let open = replies.others.difference(&left_out).is_subset(&admitted.first);
        if !(open && replies.established.is_subset(&both)) {
            let (name, rule) = (replies.name.clone(), Some(replies.rule));
            built.unsaid.push(Unsaid { name, rule, what: LOST_REPLIES });
        }
    }
    Ok(())
}

fn class(part: &Part, when: &str, flows: &Flows, family: Family) -> Class {
    let boxes: Vec<String> = boxes(flows).iter().map(|packets| words(packets, family)).collect();
    Class { title: format!("{}{when}", part.title), count: boxes.len(), boxes, counts: part.counts }
}

/// A box as `udp 10.3.0.20 port 53 -> 10.1.0.0/24`.
fn words(packets: &BoxOf<u128>, family: Family) -> String {
    let packets = family.packet_box(packets);
    let (protocols, source_port, destination_port) = packets.traffic();
    let protocol = match (protocols.is_full(), protocols.is_single()) {
        (true, _) => "any".to_owned(),
        (_, true) => protocol_name(protocols.first()),
        _ => format!("protocols {}-{}", protocols.first(), protocols.last()),
    };
    let (from, to) = (side(packets.sources()), side(packets.destinations()));
    let single = protocols.is_single().then(|| protocols.first());
    let destination_port = match single {
        Some(ICMP | ICMPV6) if !destination_port.is_full() => messages(destination_port),
        Some(protocol) if has_ports(protocol) => port(destination_port),
        Some(_) | None => String::new(),
    };
    format!("{protocol} {from}{} -> {to}{destination_port}", port(source_port))
}

fn side(range: AddressRange) -> String {
    match range {
        AddressRange::V4(interval) if interval.is_full() => "any".to_owned(),
        AddressRange::V6(interval) if interval.is_full() => "any".to_owned(),
        AddressRange::V4(_) | AddressRange::V6(_) => range.to_string(),
    }
}

fn port(ports: Interval<u16>) -> String {
    match (ports.is_full(), ports.is_single()) {
        (true, _) => String::new(),
        (_, true) => format!(" port {}", ports.first()),
        _ => format!(" port {}-{}", ports.first(), ports.last()),
    }
}

/// Types and codes of ICMP, from the first to the last.
fn messages(interval: Interval<u16>) -> String {
    let [first_type, first_code] = interval.first().to_be_bytes();
    let [last_type, last_code] = interval.last().to_be_bytes();
    match (first_type == last_type, first_code, last_code) {
        (true, u8::MIN, u8::MAX) => format!(" type {first_type}"),
        (true, _, _) if first_code == last_code => format!(" type {first_type} code {first_code}"),
        _ => format!(" type {first_type} code {first_code} to type {last_type} code {last_code}"),
    }
}
