//! From an entry to rules of the model.
//!
//! An entry is one box wherever each of its fields is one interval. A field of several intervals is a condition of its
//! own, so that no product of them is written out; those of object groups and of TCP flags are shared.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::model::{Action, Condition, Family, Match, PacketBox, Rule};
use super::address::Interval;
use super::entry::{Addresses, Body};
use super::group::Service;
use super::lists::Entry;
use super::sections::Config;
use super::service::{ALL_PORTS, Flags, Ports, Protocol};
use super::time::{Active, Seconds};
use super::words::Fault;

/// The condition under which a rule for the minutes that periods end in holds. It is one of the platform: whether it holds
/// for one time range or for all is the same.
const ENDING: &str = "time-range counts the minute that a period ends in";
const DATES_ENDING: &str = "time-range counts the minute that dates end in";

type Boxes = Arc<[PacketBox]>;

/// Which end of a packet addresses belong to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum End {
    Source,
    Destination,
}

/// Which packets an entry is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Part {
    /// Those with all headers.
    First,
    /// Later fragments, where the entry permits.
    LaterPermitted,
    /// Later fragments, where the entry denies.
    LaterDenied,
}

/// What makes rules of entries.
#[derive(Debug)]
pub(super) struct Rules<'c, 't> {
    config: &'c Config<'t>,
    addresses: BTreeMap<(&'t str, End), Boxes>,
    services: BTreeMap<(&'t str, Part), Boxes>,
    flags: BTreeMap<(Family, Flags), Boxes>,
    times: BTreeMap<&'t str, Option<Active>>,
}

/// The conditions of a rule while they are collected: one box, and those that do not fit into it.
#[derive(Clone, Debug)]
struct Draft {
    packets: PacketBox,
    further: Vec<Boxes>,
    opaque: Vec<String>,
}

impl Draft {
    /// Adds boxes that differ from all packets in some fields only, which `narrow` sets.
    fn add(&mut self, boxes: &Boxes, narrow: impl Fn(&mut PacketBox, &PacketBox)) {
        match &**boxes {
            [one] => narrow(&mut self.packets, one),
            _ => self.further.push(boxes.clone()),
        }
    }

    fn into_match(self, later_fragments: Option<bool>) -> Match {
        let mut conditions = vec![Condition::any_of([self.packets])];
        conditions.extend(self.further.into_iter().map(Condition::any_of));
        Match { later_fragments, conditions, opaque: self.opaque, ..Match::default() }
    }
}

impl<'c, 't> Rules<'c, 't> {
    /// Starts with nothing worked out.
    pub(super) fn new(config: &'c Config<'t>) -> Self {
        Rules {
            config,
            addresses: BTreeMap::new(),
            services: BTreeMap::new(),
            flags: BTreeMap::new(),
            times: BTreeMap::new(),
        }
    }

    /// Adds the rules that an entry stands for.
    pub(super) fn of_entry(
        &mut self,
        entry: &Entry<'t>,
        family: Family,
        rules: &mut Vec<Rule>,
    ) -> Result<(), Fault> {
        let (body, line) = (&entry.body, entry.line);
        let mut draft =
            Draft { packets: PacketBox::all(family), further: Vec::new(), opaque: body.opaque.clone() };
        self.add_addresses(&mut draft, &body.source, End::Source, line)?;
        self.add_addresses(&mut draft, &body.destination, End::Destination, line)?;
        let later_part = if entry.permit { Part::LaterPermitted } else { Part::LaterDenied };
        let first = self.services(body, Part::First, family, line)?;
        let later = self.services(body, later_part, family, line)?;
        if body.fragments && first.iter().any(shows_ports) {
            return Err(
                "`fragments` matches packets without ports, and the object group names some".to_owned()
            );
        }
        let mut drafts: Vec<(Option<bool>, Draft)> = Vec::new();
        let alike = first == later && !body.looks_at_transport();
        if !body.fragments {
            let mut draft = draft.clone();
            self.add_first(&mut draft, body, &first, family);
            drafts.push((if alike { None } else { Some(false) }, draft));
        }
        if body.fragments || !alike && !later.is_empty() && (entry.permit || !body.looks_at_transport()) {
            add_services(&mut draft, &later);
            drafts.push((Some(true), draft));
        }
        let action = if entry.permit { Action::Accept } else { Action::Drop };
        for (later_fragments, draft) in drafts {
            for draft in self.at_times(draft, body.time)? {
                let matches = draft.into_match(later_fragments);
                rules.push(Rule { line, matches, action, label: entry.label.clone() });
            }
        }
        Ok(())
    }

    /// Adds what only packets with all headers show.
    fn add_first(&mut self, draft: &mut Draft, body: &Body, services: &Boxes, family: Family) {
        add_services(draft, services);
        if let Some(flags) = body.flags {
            let boxes = self.flags.entry((family, flags)).or_insert_with(|| {
                let of = |flags| PacketBox { protocol: (6, 6), flags, ..PacketBox::all(family) };
                flags.intervals().into_iter().map(of).collect()
            });
            draft.add(boxes, |packets, one| packets.flags = one.flags);
        }
        draft.opaque.extend(body.opaque_transport.iter().cloned());
    }

    fn add_addresses(
        &mut self,
        draft: &mut Draft,
        addresses: &Addresses<'t>,
        end: End,
        line: usize,
    ) -> Result<(), Fault> {
        let boxes = |intervals: &[Interval], family| -> Boxes {
            let narrowed = intervals.iter().map(|interval| {
                let mut packets = PacketBox::all(family);
                match end {
                    End::Source => packets.source = *interval,
                    End::Destination => packets.destination = *interval,
                }
                packets
            });
            narrowed.collect()
        };
        let family = draft.packets.family;
        let found = match addresses {
            Addresses::One(interval) => boxes(&[*interval], family),
            Addresses::Many(intervals) => boxes(intervals, family),
            Addresses::Group(name) => {
                let members = self.config.networks.check(name, line)?;
                match self.addresses.get(&(*name, end)) {
                    Some(known) => known.clone(),
                    None => {
                        let found = boxes(&members.all()?, family);
                        self.addresses.insert((name, end), found.clone());
                        found
                    }
                }
            }
        };
        draft.add(&found, |packets, one| match end {
            End::Source => packets.source = one.source,
            End::Destination => packets.destination = one.destination,
        });
        Ok(())
    }

    /// The protocols and ports of an entry, as a part of the packets shows them. None, if it does not apply to them.
    fn services(&mut self, body: &Body<'t>, part: Part, family: Family, line: usize) -> Result<Boxes, Fault> {
        let protocol = match body.protocol {
            Protocol::All | Protocol::Header(_) => (0, u8::MAX),
            Protocol::One(number) => (number, number),
            Protocol::Group(name) => {
                let members = self.config.services.check(name, line)?;
                if let Some(known) = self.services.get(&(name, part)) {
                    return Ok(known.clone());
                }
                let boxes = seen(members.all()?, part, family);
                self.services.insert((name, part), boxes.clone());
                return Ok(boxes);
            }
        };
        let every = [ALL_PORTS];
        let or_every = |ports: &'_ [Ports]| if ports.is_empty() { every.to_vec() } else { ports.to_vec() };
        let destinations = or_every(&body.destination_ports);
        let mut services = Vec::new();
        for source in or_every(&body.source_ports) {
            services.extend(destinations.iter().map(|destination| Service {
                protocol,
                source,
                destination: *destination,
            }));
        }
        Ok(seen(services, part, family))
    }

    /// A draft for each time at which the entry may be active.
    fn at_times(&mut self, draft: Draft, time: Option<&'t str>) -> Result<Vec<Draft>, Fault> {
        let Some((name, range)) = time.and_then(|name| Some((name, self.config.times.get(name)?))) else {
            return Ok(vec![draft]);
        };
        let active = self.times.entry(name).or_insert_with(|| range.active());
        let Some(active) = active else {
            return Err(format!("time range `{name}` says no time, and no document says what that means"));
        };
        let at = |seconds: &[Seconds], moment: Seconds, condition: &[&str]| {
            let mut draft = draft.clone();
            draft.opaque.extend(condition.iter().map(|words| (*words).to_owned()));
            let all = PacketBox { moment, ..PacketBox::all(draft.packets.family) };
            let boxes: Boxes = seconds.iter().map(|second| PacketBox { second: *second, ..all }).collect();
            draft.add(&boxes, |packets, one| (packets.second, packets.moment) = (one.second, one.moment));
            draft
        };
        let dates = [(active.dates, None), (active.last_minute.unwrap_or(active.dates), Some(DATES_ENDING))];
        let mut drafts = Vec::new();
        for (moment, of_dates) in dates.into_iter().take(1 + usize::from(active.last_minute.is_some())) {
            for (seconds, of_period) in [(&active.certain, None), (&active.ending, Some(ENDING))] {
                if !seconds.is_empty() {
                    let conditions: Vec<&str> = of_dates.into_iter().chain(of_period).collect();
                    drafts.push(at(seconds, moment, &conditions));
                }
            }
        }
        Ok(drafts)
    }
}

/// True for a box with a part of the ports, types or codes.
fn shows_ports(packets: &PacketBox) -> bool {
    packets.source_port != ALL_PORTS || packets.destination_port != ALL_PORTS
}

fn add_services(draft: &mut Draft, services: &Boxes) {
    draft.add(services, |packets, one| {
        packets.protocol = one.protocol;
        packets.source_port = one.source_port;
        packets.destination_port = one.destination_port;
    });
}

/// Services as a part of the packets shows them: sorted, each once.
fn seen(services: Vec<Service>, part: Part, family: Family) -> Boxes {
    let shown = services.into_iter().filter_map(|service| match part {
        Part::First => Some(service),
        Part::LaterPermitted => Some(Service::of(service.protocol)),
        Part::LaterDenied => (!service.looks_at_transport()).then_some(service),
    });
    let mut shown: Vec<Service> = shown.collect();
    shown.sort_unstable();
    shown.dedup();
    let of = |service: Service| PacketBox {
        protocol: service.protocol,
        source_port: service.source,
        destination_port: service.destination,
        ..PacketBox::all(family)
    };
    shown.into_iter().map(of).collect()
}
