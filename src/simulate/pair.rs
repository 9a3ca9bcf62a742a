//! Rows that say nothing of who opened a connection: which of them are replies.
//!
//! NetFlow records each direction by itself, and Zeek is sometimes unsure. A row that would pass as it is recorded is taken
//! as it is. One that would be blocked is a reply if the packet the other way would pass, and the ports or the times say
//! that the other way is how the connection was opened. Of two recorded directions that would both be blocked, the later one
//! is the reply to the earlier one. What is left is blocked, and said to be unclear if its ports look like those of a reply.

use std::cmp::Ordering;

// INVARIANT: said at each map below.
use hashbrown::HashMap;

use super::judge::{Judge, Verdict};
use super::report::Replies;
use super::tally::{Total, add};
use crate::flows::Moment;
use crate::ir::RuleIndex;
use crate::set::{ICMP, ICMPV6, Packet, has_ports};

/// Rows without a recorded opener.
#[derive(Default)]
pub(super) struct Pairs {
    /// Those that pass as they are recorded, with when they were first seen.
    // INVARIANT: only looked up, never walked, so its order reaches nothing.
    passing: HashMap<Packet, Option<Moment>>,
    /// Those that do not.
    // INVARIANT: walked once, to add up what is found, and sums do not depend on an order.
    blocked: HashMap<Packet, (Verdict, Total)>,
}

/// What a row without a recorded opener turned out to be.
pub(super) enum Settled {
    /// It is a reply, and counted as one.
    Reply,
    /// It would not pass; `unclear` if it may be a reply all the same.
    Opened {
        /// True if its ports look like those of a reply.
        unclear: bool,
    },
}

impl Pairs {
    /// Notes a row that passes as it is recorded.
    pub(super) fn passes(&mut self, packet: Packet, first: Option<Moment>) {
        let known = self.passing.entry(packet).or_insert(first);
        *known = earlier(*known, first);
    }

    /// Notes a row that does not.
    pub(super) fn is_blocked(&mut self, packet: Packet, verdict: Verdict, total: Total) {
        let known = self.blocked.entry(packet).or_insert_with(|| (verdict, Total::default()));
        known.0 = known.0.min(verdict);
        add(&mut known.1, &total);
    }

    /// Decides on all rows that do not pass, and counts the replies among them.
    pub(super) fn settle(
        self,
        judge: &Judge,
        replies: &mut Replies,
        note: &mut dyn FnMut(RuleIndex),
        opened: &mut dyn FnMut(Packet, Verdict, Total, bool),
    ) {
        for (packet, (verdict, total)) in &self.blocked {
            match self.one(judge, packet, total, replies, note) {
                Settled::Reply => {}
                Settled::Opened { unclear } => opened(*packet, *verdict, *total, unclear),
            }
        }
    }

    fn one(
        &self,
        judge: &Judge,
        packet: &Packet,
        total: &Total,
        replies: &mut Replies,
        note: &mut dyn FnMut(RuleIndex),
    ) -> Settled {
        if is_error(packet) {
            replies.errors += total.flows;
            return Settled::Reply;
        }
        let Some(back) = reversed(packet) else { return Settled::Opened { unclear: false } };
        let ports = packet.source_port.cmp(&packet.destination_port);
        let is_answer = !has_ports(packet.protocol) && answered_by(packet).is_some();
        let mut rules = Vec::new();
        if judge.judge(&back, total.first, &mut |rule| rules.push(rule)).passes() {
            let pair = self.passing.get(&back);
            let is_later = pair.is_some_and(|first| is_before(*first, total.first));
            let is_reply = is_answer
                || match ports {
                    Ordering::Less => true,
                    Ordering::Equal => pair.is_some_and(|first| !is_before(total.first, *first)),
                    Ordering::Greater => is_later,
                };
            if is_reply {
                rules.into_iter().for_each(note);
                let count = if pair.is_some() { &mut replies.paired } else { &mut replies.unpaired };
                *count += total.flows;
                return Settled::Reply;
            }
            return Settled::Opened { unclear: ports == Ordering::Equal };
        }
        if let Some((_, other)) = self.blocked.get(&back) {
            let by_ports = ports.then_with(|| back.cmp(packet)) == Ordering::Less;
            let is_reply = is_answer
                || is_before(other.first, total.first)
                || (!is_before(total.first, other.first) && by_ports);
            if is_reply {
                replies.of_blocked += total.flows;
                return Settled::Reply;
            }
            return Settled::Opened { unclear: false };
        }
        Settled::Opened { unclear: is_answer || (has_ports(packet.protocol) && ports != Ordering::Greater) }
    }
}

/// The packet that would have opened a connection of which this is an answer, if there can be one.
fn reversed(packet: &Packet) -> Option<Packet> {
    let turned = Packet {
        source: packet.destination,
        destination: packet.source,
        source_port: packet.destination_port,
        destination_port: packet.source_port,
        ..*packet
    };
    match packet.protocol {
        ICMP | ICMPV6 => {
            let message_type = answered_by(packet)?;
            let destination_port = u16::from_be_bytes([message_type, 0]);
            Some(Packet { source_port: 0, destination_port, ..turned })
        }
        _ => Some(turned),
    }
}

/// The type of the request that a message of ICMP answers, if it is an answer (RFC 792, RFC 4443).
fn answered_by(packet: &Packet) -> Option<u8> {
    let [message_type, _] = packet.destination_port.to_be_bytes();
    match (packet.protocol, message_type) {
        (ICMP, 0) => Some(8),
        (ICMP, 14) => Some(13),
        (ICMP, 16) => Some(15),
        (ICMP, 18) => Some(17),
        (ICMPV6, 129) => Some(128),
        _ => None,
    }
}

/// True for errors of ICMP, which belong to a connection and pass with it.
fn is_error(packet: &Packet) -> bool {
    let [message_type, _] = packet.destination_port.to_be_bytes();
    match packet.protocol {
        ICMP => matches!(message_type, 3 | 4 | 11 | 12),
        ICMPV6 => (1..=4).contains(&message_type),
        _ => false,
    }
}

fn earlier(one: Option<Moment>, other: Option<Moment>) -> Option<Moment> {
    one.into_iter().chain(other).min()
}

/// True if both times are known, by clocks that can be compared, and the first is the earlier one.
fn is_before(one: Option<Moment>, other: Option<Moment>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one.is_wall == other.is_wall && one < other)
}
