//! From values of fields to boxes of packets.

use super::field::Field;
use super::names;
use super::value::{LAST_SECOND_OF_DAY, Value};
use crate::read::{Family, PacketBox};

/// Protocols whose headers start with two ports (the invariant of [`PacketBox::source_port`]).
const WITH_PORTS: [u8; 5] = [6, 17, 33, 132, 136];

const SECONDS_OF_DAY: u32 = 24 * 60 * 60;

/// What packets there are before a match looks at them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Scope {
    /// The families that the table sees.
    pub(super) families: Vec<Family>,
    /// The protocols that earlier matches of the rule leave, where they say so.
    pub(super) protocols: Option<Vec<u8>>,
}

/// The packets that fields with values hold, in a few boxes; none if the values contradict each other.
pub(super) fn boxes(scope: &Scope, fields: &[(&Field, &Value)]) -> Result<Vec<PacketBox>, String> {
    let mut parts = Parts {
        families: scope.families.clone(),
        protocols: vec![(0, u8::MAX)],
        ports: [(0, u16::MAX); 2],
        raw_ports: [(0, u16::MAX); 2],
        flags: None,
        days: (0, 6),
        hours: (0, LAST_SECOND_OF_DAY),
        moment: (0, u32::MAX),
        addresses: Vec::new(),
    };
    for (field, value) in fields {
        let Value::Range(low, high) = **value else {
            return Err("a name has no place among numbers".to_owned());
        };
        parts.narrow(field, (low, high))?;
    }
    parts.choose_ports(scope)?;
    Ok(parts.boxes())
}

/// What fields leave of all packets.
struct Parts {
    families: Vec<Family>,
    protocols: Vec<(u8, u8)>,
    /// Ports of a protocol, or type and code, whose protocol stands in `protocols`.
    ports: [(u16, u16); 2],
    /// Ports of whatever protocol the packet has.
    raw_ports: [(u16, u16); 2],
    flags: Option<(u8, u8)>,
    days: (u128, u128),
    hours: (u128, u128),
    moment: (u32, u32),
    addresses: Vec<(Family, bool, (u128, u128))>,
}

impl Parts {
    fn narrow(&mut self, field: &Field, range: (u128, u128)) -> Result<(), String> {
        if let Some(family) = field.family() {
            self.families.retain(|known| *known == family);
        }
        if let Some(protocol) = field.protocol() {
            self.only_protocol((protocol, protocol));
        }
        match field {
            Field::Protocol | Field::HeaderProtocol => self.only_protocol(narrow_u8(range)),
            Field::Address { family, source } => self.addresses.push((*family, *source, range)),
            Field::Port { protocol, source } => {
                let range = narrow_u16(range);
                let ports = if protocol.is_some() { &mut self.ports } else { &mut self.raw_ports };
                set_port(ports, *source, range)?;
            }
            Field::IcmpType(_) => set_port(&mut self.ports, true, narrow_u16(range))?,
            Field::IcmpCode(_) => set_port(&mut self.ports, false, narrow_u16(range))?,
            Field::TcpFlags => self.flags = Some(narrow_u8(range)),
            Field::Hour => {
                self.hours = common(self.hours, range).ok_or("hours that contradict each other")?
            }
            Field::Day => self.days = common(self.days, range).ok_or("days that contradict each other")?,
            Field::Time => {
                self.moment =
                    common(self.moment, narrow_u32(range)).ok_or("dates that contradict each other")?;
            }
            Field::StackFamily => self.only_families(&names::STACK_FAMILIES, ["ipv4", "ipv6"], range),
            Field::FrameFamily => self.only_families(&names::ETHER_TYPES, ["ip", "ip6"], range),
            Field::Interface { .. } | Field::State | Field::NextHeader | Field::Other { .. } => {
                return Err("an interface or a state has no place among packet fields".to_owned());
            }
        }
        Ok(())
    }

    /// Keeps the families whose names stand for a number of a range.
    fn only_families(&mut self, known: &[(&str, u16)], [four, six]: [&str; 2], range: (u128, u128)) {
        self.families.retain(|family| {
            let name = if *family == Family::V4 { four } else { six };
            let number = names::number(known, name).map(u128::from);
            number.is_some_and(|number| (range.0..=range.1).contains(&number))
        });
    }

    fn only_protocol(&mut self, range: (u8, u8)) {
        let left = self.protocols.iter().filter_map(|known| common(*known, range));
        self.protocols = left.collect();
    }

    /// Ports of whatever protocol are ports only if each protocol that is left has some; otherwise the kernel compares
    /// other bytes, so a range that leaves any out says nothing of ports.
    fn choose_ports(&mut self, scope: &Scope) -> Result<(), String> {
        if self.raw_ports == [(0, u16::MAX); 2] {
            return Ok(());
        }
        if self.protocols == [(0, u8::MAX)] {
            let Some(protocols) = &scope.protocols else {
                return Err(
                    "`th` without a protocol before it in the rule compares bytes of any protocol; say \
                            `meta l4proto { tcp, udp }` or the like before it"
                        .to_owned(),
                );
            };
            self.protocols = protocols.iter().map(|protocol| (*protocol, *protocol)).collect();
        }
        let with_ports = |(low, high): &(u8, u8)| (*low..=*high).all(|number| WITH_PORTS.contains(&number));
        if !self.protocols.iter().all(with_ports) {
            return Err(
                "`th` with a protocol that has no ports compares other bytes; only `0-65535` fits".to_owned()
            );
        }
        let [own, raw] = [self.ports, self.raw_ports];
        let both = own.iter().zip(raw.iter()).map(|(own, raw)| common(*own, *raw));
        match both.collect::<Option<Vec<_>>>().as_deref() {
            Some([source, destination]) => self.ports = [*source, *destination],
            _ => self.protocols.clear(),
        }
        Ok(())
    }

    fn boxes(&self) -> Vec<PacketBox> {
        let seconds = seconds(self.days, self.hours);
        let mut boxes = Vec::new();
        for family in &self.families {
            let mut whole = PacketBox::all(*family);
            let possible = self.addresses.iter().all(|(of, source, range)| {
                let place = if *source { &mut whole.source } else { &mut whole.destination };
                common(*place, *range).filter(|_| of == family).map(|left| *place = left).is_some()
            });
            if !possible {
                continue;
            }
            for protocol in &self.protocols {
                for second in &seconds {
                    let [source_port, destination_port] = self.ports;
                    let flags = self.flags.unwrap_or(whole.flags);
                    let (protocol, second) = (*protocol, *second);
                    boxes.push(PacketBox {
                        protocol,
                        source_port,
                        destination_port,
                        flags,
                        second,
                        moment: self.moment,
                        ..whole
                    });
                }
            }
        }
        boxes
    }
}

/// Hours of days, 0 being Sunday, as seconds of a week that starts on Monday.
fn seconds(days: (u128, u128), hours: (u128, u128)) -> Vec<(u32, u32)> {
    if days == (0, 6) && hours == (0, LAST_SECOND_OF_DAY) {
        return vec![(0, PacketBox::LAST_SECOND)];
    }
    let mut found: Vec<(u32, u32)> = Vec::new();
    for day in 0..7 {
        if !(days.0..=days.1).contains(&u128::from((day + 1) % 7)) {
            continue;
        }
        let at = |second: u128| day * SECONDS_OF_DAY + u32::try_from(second).unwrap_or(SECONDS_OF_DAY - 1);
        let (first, last) = (at(hours.0), at(hours.1));
        match found.last_mut() {
            Some((_, end)) if *end + 1 == first => *end = last,
            _ => found.push((first, last)),
        }
    }
    found
}

fn set_port(ports: &mut [(u16, u16); 2], source: bool, range: (u16, u16)) -> Result<(), String> {
    let [first, second] = ports;
    let place = if source { first } else { second };
    *place = common(*place, range).ok_or("ports that contradict each other")?;
    Ok(())
}

/// What two ranges have in common.
fn common<N: Ord + Copy>(one: (N, N), other: (N, N)) -> Option<(N, N)> {
    let both = (one.0.max(other.0), one.1.min(other.1));
    (both.0 <= both.1).then_some(both)
}

fn narrow_u8((low, high): (u128, u128)) -> (u8, u8) {
    (u8::try_from(low).unwrap_or(u8::MAX), u8::try_from(high).unwrap_or(u8::MAX))
}

fn narrow_u32((low, high): (u128, u128)) -> (u32, u32) {
    (u32::try_from(low).unwrap_or(u32::MAX), u32::try_from(high).unwrap_or(u32::MAX))
}

fn narrow_u16((low, high): (u128, u128)) -> (u16, u16) {
    (u16::try_from(low).unwrap_or(u16::MAX), u16::try_from(high).unwrap_or(u16::MAX))
}
