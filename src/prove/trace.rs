//! One packet through the config of one enforcement point, as it is read back: which lines it meets, and what they do.
//!
//! In: the files of an enforcement point, and a packet with the interfaces that it takes. Out: what the config does with
//! it, filter by filter, each with the line that decides. Nothing is asked of the policy here, so what this says of a
//! device is independent of what the policy says of the packet.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::Serialize;

use super::device::{ConfigFile, Origins, Unreadable, labelled_elements, origins, reader_of};
use super::expected::{REPLIES, Seconds};
use super::meaning::Circumstances;
use super::platform::Platform;
use super::session;
use super::walk::{Passed, Point, filters_passed, holds};
use crate::ir::{DeviceId, Policy, Schedule};
use crate::read::{Family, Model, Rule, States};
use crate::set::{ICMP, ICMPV6, Packet, has_ports};

/// SYN in the flags of a TCP header, and SYN with ACK, by which a connection is answered (RFC 9293, 3.1 and 3.5).
const SYN: u8 = 2;
const SYN_ACK: u8 = 18;

/// The config of an enforcement point, read back.
#[derive(Debug)]
pub struct Config {
    models: Vec<(String, Model)>,
    elements: Vec<Line>,
    origins: Option<Origins>,
    platform: &'static Platform,
}

/// What came of reading the config of an enforcement point back.
#[derive(Debug)]
pub enum ReadBack {
    /// It was read.
    Config(Config),
    /// It could not be read.
    Unreadable(Vec<Unreadable>),
    /// There is no reader for its target.
    NoReader,
}

/// The way of a packet through an enforcement point.
#[derive(Clone, Copy, Debug)]
pub struct Passage<'c> {
    /// The interface that it arrives on.
    pub arrives: &'c str,
    /// The interface that it leaves by.
    pub leaves: &'c str,
    /// The second of the week by the clock of the config, counted from Monday 00:00.
    pub second: u32,
    /// The second since 1970-01-01 00:00 by the same clock.
    pub moment: u32,
}

/// A line of a config.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Line {
    /// The file, by the name that the build gives it.
    pub file: String,
    /// The line, counted from one.
    pub line: usize,
    /// What the config says of it: its comment, remark or description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// What a filter of a config does with a packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What the config calls the filter.
    pub filter: String,
    /// True if it lets the packet pass.
    pub passes: bool,
    /// False if no rule of the filter decides, but what it does with all that is left.
    pub by_rule: bool,
    /// The lines that led to the deciding one, and that line itself, which is the last.
    pub lines: Vec<Line>,
}

/// What a config does with a packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Followed {
    /// True if every filter lets it pass, as long as no guard has counted too many and the session is not too old.
    pub passes: bool,
    /// True if a condition that depends on what came before, as that of a guard, can stop it all the same.
    pub depends: bool,
    /// True if the platform accepts or drops it of itself, whatever the config says.
    pub by_platform: bool,
    /// The filters that it meets, up to the one that stops it; nothing if none is on its way.
    pub steps: Vec<Step>,
}

/// Reads the files of an enforcement point back.
pub fn read_back(policy: &Policy, device: DeviceId, files: &[ConfigFile]) -> ReadBack {
    let Some(reader) = reader_of(&policy[device].target) else { return ReadBack::NoReader };
    match reader.chosen(files).and_then(|found| reader.models(&found)) {
        Ok(models) => ReadBack::Config(Config {
            models,
            elements: labelled_elements(files),
            origins: origins(files),
            platform: reader.platform,
        }),
        Err(mistakes) => ReadBack::Unreadable(mistakes),
    }
}

impl Config {
    /// True if the platform tracks connections, so that replies need no line.
    pub fn is_stateful(&self) -> bool {
        self.platform.stateful
    }

    /// A second of the week in which some schedules hold, or in which none of them does, by the clock of the config; `None`
    /// if there is none.
    pub fn second(&self, schedules: &[&Schedule], holds: bool) -> Option<u32> {
        let weeks: Option<Vec<_>> = schedules
            .iter()
            .map(|schedule| match self.platform.time.seconds {
                Seconds::Own => Some(schedule.week.clone()),
                Seconds::Utc => schedule.week_in_utc(),
            })
            .collect();
        let weeks = weeks?;
        let minute = (0..crate::ir::MINUTES_OF_WEEK)
            .find(|minute| weeks.iter().any(|week| week.contains(*minute)) == holds)?;
        Some(u32::from(minute) * 60)
    }

    /// The lines of rules, and of elements of their sets, of which the config says something that is asked for, in the order
    /// of the text.
    pub fn labelled(&self, asked: impl Fn(&str) -> bool) -> Vec<Line> {
        let elements = self.elements.iter().filter(|line| line.label.as_deref().is_some_and(&asked));
        let mut found: BTreeSet<Line> = elements.cloned().collect();
        for (file, model) in &self.models {
            for rule in model.chains.iter().flat_map(|chain| &chain.rules) {
                if let Some(label) = rule.label.as_deref().filter(|label| asked(label)) {
                    found.insert(self.line(file, rule.line, Some(label)));
                }
            }
        }
        found.into_iter().collect()
    }

    /// Follows the first packet of a connection.
    pub fn follow(&self, packet: &Packet, passage: Passage) -> Followed {
        self.followed(&point(packet, passage, SYN), passage, States::NEW)
    }

    /// Follows the reply to a packet, for which `passage` is the way back; `None` for messages that have no reply.
    pub fn follow_reply(&self, packet: &Packet, passage: Passage) -> Option<Followed> {
        let point = answer(point(packet, passage, SYN_ACK))?;
        Some(self.followed(&point, passage, States::ESTABLISHED))
    }

    fn followed(&self, point: &Point, passage: Passage, tracked: States) -> Followed {
        let by_platform = (self.platform.always)(point.family)
            .iter()
            .chain(&(self.platform.never)(point.family))
            .any(|packets| holds(packets, point));
        let nothing = Followed { passes: true, depends: false, by_platform, steps: Vec::new() };
        let Some((file, model)) =
            self.models.iter().find(|(_, model)| model.families.contains(&point.family))
        else {
            return nothing;
        };
        let state = if self.platform.stateful { tracked } else { States::NEW };
        let here = Circumstances {
            arrives: passage.arrives,
            leaves: Some(passage.leaves),
            state,
            later_fragment: false,
        };
        let granted = |text: &str| self.platform.granted.iter().find(|(words, _)| text.starts_with(words));
        let back = tracked == States::ESTABLISHED;
        let ways = [(true, true), (true, false), (false, true), (false, false)].map(|(young, opaque)| {
            let holds = |text: &str| {
                let granted = granted(text).map(|(_, holds)| *holds);
                granted.or_else(|| session::holds(text, young, back)).unwrap_or(opaque)
            };
            filters_passed(model, point, here, &holds)
        });
        let [one, other, old_one, old_other] =
            ways.each_ref().map(|steps| steps.last().is_none_or(|step| step.passes));
        let depends = [other, old_one, old_other].contains(&!one);
        let [with, without, ..] = ways;
        let steps = if one { with } else { without };
        let steps = steps.iter().map(|passed| self.step(file, passed)).collect();
        Followed { passes: one || other, depends, steps, ..nothing }
    }

    fn step(&self, file: &str, passed: &Passed) -> Step {
        let line = |rule: &Rule| self.line(file, rule.line, rule.label.as_deref());
        let last = passed.rule.map_or_else(|| self.line(file, passed.filter.line, None), line);
        let mut lines: Vec<Line> = passed.jumps.iter().map(|rule| line(rule)).collect();
        lines.push(last);
        Step {
            filter: passed.filter.name.clone(),
            passes: passed.passes,
            by_rule: passed.rule.is_some(),
            lines,
        }
    }

    fn line(&self, file: &str, line: usize, label: Option<&str>) -> Line {
        let label = label.map(str::to_owned);
        let origins = self.origins.as_deref().unwrap_or_default();
        match origins.iter().rev().find(|(first, ..)| *first <= line) {
            Some((first, file, start)) => {
                Line { file: (*file).to_owned(), line: start + line - first, label }
            }
            None => Line { file: file.to_owned(), line, label },
        }
    }
}

/// A packet with all that a config can look at.
fn point(packet: &Packet, passage: Passage, flags: u8) -> Point {
    let [kind, code] = packet.destination_port.to_be_bytes();
    let (source_port, destination_port) = match packet.protocol {
        ICMP | ICMPV6 => (kind.into(), code.into()),
        _ => (packet.source_port, packet.destination_port),
    };
    let number = |address: IpAddr| match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    };
    Point {
        family: if packet.source.is_ipv4() { Family::V4 } else { Family::V6 },
        source: number(packet.source),
        destination: number(packet.destination),
        protocol: packet.protocol,
        source_port,
        destination_port,
        flags: if packet.protocol == 6 { flags } else { 0 },
        second: passage.second,
        moment: passage.moment,
    }
}

/// What answers a packet, if anything does.
fn answer(asked: Point) -> Option<Point> {
    let (source, destination) = (asked.destination, asked.source);
    let (source_port, destination_port) = if has_ports(asked.protocol) {
        (asked.destination_port, asked.source_port)
    } else if [ICMP, ICMPV6].contains(&asked.protocol) {
        let replies = |(protocol, request, _): &&(u8, u16, u16)| {
            *protocol == asked.protocol && *request == asked.source_port
        };
        (REPLIES.iter().find(replies)?.2, asked.destination_port)
    } else {
        (asked.source_port, asked.destination_port)
    };
    Some(Point { source, destination, source_port, destination_port, ..asked })
}
