//! All packets of a policy by kinds that no statement tells apart, and what is said of each kind.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use cordon::syntax::ast::{Effect, File, Names, Statement, Via};

use crate::random::{Naive, Packet, Said, Sampler, turns};
use crate::support::AS_OF;

/// Protocols that policies made here name, and one that none does.
const PROTOCOLS: [u8; 18] = [0, 1, 2, 6, 17, 33, 47, 50, 51, 58, 89, 97, 112, 132, 200, 253, 254, 255];

/// One packet of each kind, and the moments at which something may be otherwise than just before.
pub(super) struct World {
    packets: Vec<Packet>,
    minutes: Vec<i32>,
    /// The last days of statements, and a day when all have ended.
    days: Vec<String>,
}

/// What a packet meets at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Outcome {
    passes: bool,
    /// Also where a target leaves out what may be left out.
    is_promised: bool,
    is_logged: bool,
}

impl World {
    /// Collects the kinds of packets of a policy. What a policy says less than this one tells no more of them apart.
    pub(super) fn new(file: &File) -> Self {
        let files = std::slice::from_ref(file);
        let naive = Naive::new(files, AS_OF);
        let sampler = Sampler::new(&naive, files);
        let kinds = |side: for<'s> fn(&'s Said<'_>) -> &'s Vec<Names>| {
            let mut kinds: BTreeMap<(bool, Option<&str>, Vec<bool>), IpAddr> = BTreeMap::new();
            for address in sampler.addresses() {
                // Each word counts, not only each list: a list may lose a word.
                let lists = naive.said().iter().flat_map(side);
                let words = lists.flat_map(|names| names.list.iter().chain(&names.except));
                let held: Vec<bool> = words
                    .map(|word| {
                        let names = Names { list: vec![word.clone()], except: vec![] };
                        naive.lists(&names, *address)
                    })
                    .collect();
                kinds.entry((address.is_ipv4(), naive.zone_of(*address), held)).or_insert(*address);
            }
            kinds.into_iter().filter(|((_, zone, _), _)| zone.is_some())
        };
        let sources: Vec<_> = kinds(|said| &said.flow.from).collect();
        let destinations: Vec<_> = kinds(|said| &said.flow.to).collect();
        let traffic = traffic(&naive, &sampler);
        let mut packets = Vec::new();
        for ((is_v4, from, _), source) in &sources {
            for ((_, to, _), destination) in destinations.iter().filter(|((v4, _, _), _)| v4 == is_v4) {
                let of_family =
                    traffic.iter().filter(|packet| packet.source.is_ipv4() == *is_v4 && from != to);
                packets.extend(of_family.map(|packet| Packet {
                    source: *source,
                    destination: *destination,
                    ..*packet
                }));
            }
        }
        let minutes: BTreeSet<i32> = turns(&naive).into_iter().chain([0]).collect();
        let days: BTreeSet<String> =
            naive.said().iter().filter_map(|said| said.until).map(str::to_owned).collect();
        let days = days.into_iter().filter(|day| day.as_str() >= AS_OF).chain(["9999-12-31".to_owned()]);
        World { packets, minutes: minutes.into_iter().collect(), days: days.collect() }
    }

    /// A packet and a moment at which two policies differ.
    pub(super) fn difference(&self, one: &File, other: &File) -> Option<String> {
        let sides = [one, other].map(std::slice::from_ref);
        for day in &self.days {
            let [one, other] = sides.map(|files| Naive::new(files, day));
            for packet in &self.packets {
                let [ours, theirs] = [&one, &other].map(|naive| speaking(naive, packet));
                for minute in &self.minutes {
                    let [ours, theirs] =
                        [(&one, &ours), (&other, &theirs)].map(|(naive, said)| outcome(naive, said, *minute));
                    if ours != theirs {
                        return Some(format!("{packet:?} on {day} at {minute}: {ours:?}, then {theirs:?}"));
                    }
                }
            }
        }
        None
    }

    /// The rules each of whose packets that no forbid takes away is one of another rule that can stand for it.
    pub(super) fn replaceable(&self, file: &File) -> Vec<String> {
        let naive = Naive::new(std::slice::from_ref(file), AS_OF);
        let mut matched: Vec<bool> = naive.said().iter().map(|_| false).collect();
        let mut alone = matched.clone();
        for packet in &self.packets {
            let speaking: Vec<(usize, &Said)> =
                naive.said().iter().enumerate().filter(|(_, said)| naive.speaks_of(said, packet)).collect();
            let is_forbidden = speaking.iter().any(|(_, said)| said.effect == Effect::Forbid);
            for (place, said) in &speaking {
                if is_forbidden && said.effect == Effect::Allow {
                    continue;
                }
                matched[*place] = true;
                let others = speaking.iter().filter(|(other, _)| other != place);
                alone[*place] |= !others.into_iter().any(|(_, other)| self.stands_for(&naive, other, said));
            }
        }
        let found = naive.said().iter().zip(matched.iter().zip(&alone));
        let found = found.filter(|(_, (matched, alone))| **matched && !**alone);
        found.map(|(said, _)| format!("{:?}", said.place)).collect()
    }

    /// True if one rule does all that another does to a packet of both.
    fn stands_for(&self, naive: &Naive, one: &Said, other: &Said) -> bool {
        let holds = |said: &Said, minute: i32| said.during.is_none_or(|word| naive.holds_at(word, minute));
        let in_time = self.minutes.iter().all(|minute| !holds(other, *minute) || holds(one, *minute));
        let is_same = one.during.map(|word| &word.node) == other.during.map(|word| &word.node);
        let is_bound = one.during.is_some();
        one.effect == other.effect
            && in_time
            && (is_same || !is_bound || (other.during.is_some() && one.log == other.log))
            && one.until.is_none_or(|until| other.until.is_some_and(|other| until >= other))
            && (one.log || !other.log)
            && (!one.leave_out || other.leave_out)
    }
}

/// One packet for each kind of protocol and ports, in both families; its addresses mean nothing else.
fn traffic(naive: &Naive, sampler: &Sampler) -> Vec<Packet> {
    let ends: [[IpAddr; 2]; 2] =
        [["192.0.2.1"; 2], ["2001:db8::1"; 2]].map(|pair| pair.map(|text| text.parse().unwrap()));
    let via: Vec<_> = naive.said().iter().flat_map(|said| &said.flow.via).collect();
    let specs = specs(naive);
    let mut kinds: BTreeMap<(bool, Vec<bool>), Packet> = BTreeMap::new();
    for [source, destination] in ends {
        for protocol in PROTOCOLS {
            let messages: Vec<u16> = (0..=255).collect();
            let (first, second): (&[u16], &[u16]) = match protocol {
                1 | 58 => (&messages, &[0, 7]),
                6 | 17 | 33 | 132 => (sampler.ports(), sampler.ports()),
                _ => (&[0], &[0]),
            };
            for (source_port, destination_port) in
                first.iter().flat_map(|first| second.iter().map(move |second| (*first, *second)))
            {
                let packet = Packet { source, destination, protocol, source_port, destination_port };
                let carried = via.iter().map(|via| naive.carries(via, &packet));
                let carried = carried.chain(specs.iter().map(|via| naive.carries(via, &packet)));
                kinds.entry((source.is_ipv4(), carried.collect())).or_insert(packet);
            }
        }
    }
    kinds.into_values().collect()
}

/// The protocols and ports of services, each by itself: a service may lose one.
fn specs(naive: &Naive) -> Vec<Via> {
    let services = naive.statements().iter().filter_map(|statement| match statement {
        Statement::Service(service) => Some(&service.protocols),
        _ => None,
    });
    services.flatten().cloned().map(Via::Inline).collect()
}

fn speaking<'n, 't>(naive: &'n Naive<'t>, packet: &Packet) -> Vec<&'n Said<'t>> {
    naive.said().iter().filter(|said| naive.speaks_of(said, packet)).collect()
}

/// What happens to a packet of which some rules speak. The first of them that decides says whether it is logged: those that
/// hold longer before those that hold at fewer times, and of these those that log first.
fn outcome(naive: &Naive, speaking: &[&Said], minute: i32) -> Outcome {
    let forbids = || speaking.iter().filter(|said| said.effect == Effect::Forbid);
    if forbids().next().is_some() {
        let is_logged = forbids().any(|said| said.log);
        return Outcome { passes: false, is_promised: false, is_logged };
    }
    let mut allows: Vec<&&Said> =
        speaking.iter().filter(|said| said.during.is_none_or(|word| naive.holds_at(word, minute))).collect();
    allows.sort_by_key(|said| {
        let end = said.until.map(std::cmp::Reverse);
        (said.during.is_some(), end, said.leave_out, !said.log)
    });
    Outcome {
        passes: !allows.is_empty(),
        is_promised: allows.iter().any(|said| !said.leave_out),
        is_logged: allows.first().is_some_and(|said| said.log),
    }
}
