//! Lines of logs, counted by who, what and why.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use super::judge::Verdict;
use super::{Agreement, Entry, Judge, Line, Seen, read};

/// The most groups that are told apart; packets of further ones are only counted.
const MAX_GROUPS: usize = 200_000;

/// The most numbers of lines that could not be read that are kept.
const MAX_NUMBERS: usize = 20;

/// The most names of hosts that a group keeps.
const MAX_HOSTS: usize = 64;

/// Lines that are alike.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Group {
    /// How device and policy stand to each other.
    #[serde(serialize_with = "word")]
    pub agreement: Agreement,
    /// Why, in words of the policy.
    pub because: String,
    /// The statement of the policy that decides today, if one does.
    pub rule: Option<String>,
    /// Who sent it.
    pub from: String,
    /// For whom it was.
    pub to: String,
    /// Over what.
    pub service: String,
    /// How many packets the lines stand for.
    pub packets: u64,
    /// How many lines there are.
    pub lines: u64,
    /// The time of the first line as it is written, in the order of the input.
    pub first: String,
    /// The time of the last line as it is written.
    pub last: String,
    /// The hosts that logged it: enforcement points by name, others as they are written.
    pub devices: BTreeSet<String>,
    /// One of the packets, as `cordon explain` takes it.
    pub example: String,
}

fn word<S: Serializer>(agreement: &Agreement, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(agreement.word())
}

/// All that lines of logs say.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// How many lines there were.
    pub lines: u64,
    /// How many of them were logged by rules of cordon's, or say that such lines were left out, and were read.
    pub read: u64,
    /// How many are no lines of a firewall's log.
    pub skipped: u64,
    /// How many were logged by rules that are not cordon's.
    pub others: u64,
    /// How many look like those of a firewall and could not be read.
    pub unreadable: u64,
    /// The first of these, counted from one: the name of the file and the line.
    pub unreadable_at: Vec<String>,
    /// How many packets devices say that they did not log.
    pub lost: u64,
    /// How many packets are of groups beyond the number that is kept.
    pub beyond: u64,
    /// The groups, differences first, then by how many packets they have.
    pub groups: Vec<Group>,
}

impl Report {
    /// The groups in which a device did what the policy does not say.
    pub fn differences(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|group| group.agreement.is_difference())
    }
}

/// Counts lines.
pub struct Tally<'j, 'p> {
    judge: &'j Judge<'p>,
    /// The enforcement point that lines without a host are of.
    device: Option<String>,
    report: Report,
    groups: BTreeMap<Verdict, Group>,
}

impl<'j, 'p> Tally<'j, 'p> {
    /// Begins to count, with the enforcement point that all lines are of, if it is known.
    pub fn new(judge: &'j Judge<'p>, device: Option<String>) -> Self {
        let report = Report {
            lines: 0,
            read: 0,
            skipped: 0,
            others: 0,
            unreadable: 0,
            unreadable_at: Vec::new(),
            lost: 0,
            beyond: 0,
            groups: Vec::new(),
        };
        Tally { judge, device, report, groups: BTreeMap::new() }
    }

    /// Counts a line of a file.
    pub fn line(&mut self, line: &str, file: &str, number: u64) {
        self.report.lines += 1;
        match read(line.trim_end()) {
            Line::Foreign => self.report.skipped += 1,
            Line::Others => self.report.others += 1,
            Line::Lost(packets) => {
                self.report.read += 1;
                self.report.lost = self.report.lost.saturating_add(packets);
            }
            Line::Unreadable => self.unreadable(file, number),
            Line::Entry(entry) => self.entry(&entry),
        }
    }

    /// Counts a line that cannot be read at all.
    pub fn unreadable_line(&mut self, file: &str, number: u64) {
        self.report.lines += 1;
        self.unreadable(file, number);
    }

    fn unreadable(&mut self, file: &str, number: u64) {
        self.report.unreadable += 1;
        if self.report.unreadable_at.len() < MAX_NUMBERS {
            self.report.unreadable_at.push(format!("{file}:{number}"));
        }
    }

    fn entry(&mut self, entry: &Entry) {
        let host = entry.host.as_deref();
        let device = self.device.as_deref().or_else(|| host.and_then(|host| self.judge.device(host)));
        let Some(verdict) = self.judge.judge(entry, device) else {
            self.report.others += 1;
            return;
        };
        self.report.read += 1;
        let is_full = self.groups.len() >= MAX_GROUPS;
        let group = match self.groups.get_mut(&verdict) {
            Some(group) => group,
            None if is_full => {
                self.report.beyond = self.report.beyond.saturating_add(entry.packets);
                return;
            }
            None => self.groups.entry(verdict.clone()).or_insert_with(|| Group::new(verdict, entry)),
        };
        group.packets = group.packets.saturating_add(entry.packets);
        group.lines += 1;
        if group.last != entry.time {
            group.last = shown(&entry.time);
        }
        if let Some(name) = device.or(host)
            && !group.devices.contains(name)
            && group.devices.len() < MAX_HOSTS
        {
            group.devices.insert(shown(name));
        }
    }

    /// What was counted.
    pub fn into_report(self) -> Report {
        let mut groups: Vec<Group> = self.groups.into_values().collect();
        // Stable, so that groups of the same size keep the order of what they say.
        groups.sort_by(|one, other| {
            let is_agreed = |group: &Group| !group.agreement.is_difference();
            (is_agreed(one), other.packets).cmp(&(is_agreed(other), one.packets))
        });
        Report { groups, ..self.report }
    }
}

impl Group {
    fn new(verdict: Verdict, entry: &Entry) -> Self {
        let Verdict { agreement, because, rule, from, to, service } = verdict;
        let time = shown(&entry.time);
        Group {
            agreement,
            because: shown(&because),
            rule,
            from,
            to,
            service,
            packets: 0,
            lines: 0,
            first: time.clone(),
            last: time,
            devices: BTreeSet::new(),
            example: example(&entry.seen),
        }
    }
}

/// What stands in a log, without characters that would act on a terminal.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || crate::source::is_forbidden(c) { '?' } else { c }).collect()
}

/// A packet in the order in which `cordon explain` takes it.
fn example(seen: &Seen) -> String {
    let Seen { source, destination, protocol, ports, .. } = seen;
    let name = crate::set::protocol_name(*protocol);
    let is_message = matches!(*protocol, crate::set::ICMP | crate::set::ICMPV6);
    match ports {
        Some((kind, _)) if is_message => format!("{name} {source} {destination} {kind}"),
        Some((_, port)) => format!("{name} {source} {destination} {port}"),
        None => format!("{name} {source} {destination}"),
    }
}
