//! One packet at each enforcement point on its way: what the config there does with it, and by which lines.
//!
//! In: a policy, what it decides on the packet, and the files that were compiled from it. Out: a [`Hop`] for each
//! enforcement point, in the order in which the packet meets them. What a hop does is read back from its config, so it can
//! disagree with the policy; then it says so.

use std::cell::OnceCell;
use std::fmt;

use jiff::civil::date;
use serde::Serialize;

use crate::emit::OutputFile;
use crate::ir::{Crossing, Decider, Decision, DeviceId, Effect, Policy, Rule, Schedule, Topology};
use crate::prove::{Config, ConfigFile, Followed, Line, Passage, ReadBack, read_back};
use crate::set::{ICMP, ICMPV6, Packet, has_ports};

/// What an enforcement point does with a packet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Hop {
    /// The enforcement point.
    pub device: String,
    /// The kind of config that it takes.
    pub target: String,
    /// The interface on which the packet arrives.
    pub arrives: String,
    /// The interface by which it leaves.
    pub leaves: String,
    /// True for the reply, on a platform that knows no connections.
    pub reply: bool,
    /// `accept`, `drop`, `accept at times`, `carry` where no list is on the way, or `not read back`.
    pub does: &'static str,
    /// False if the config does not do what the policy says.
    pub agrees: bool,
    /// What else is to be known of it.
    pub remarks: Vec<String>,
    /// The lines that decide, each filter's own, with those that led to them.
    pub lines: Vec<Emitted>,
}

/// A line of the output.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Emitted {
    /// The file and line below the directory of the build.
    #[serde(flatten)]
    pub at: Line,
    /// What the line says.
    pub text: String,
}

/// The configs of all enforcement points, each read back when it is first asked for.
pub struct Configs<'p> {
    policy: &'p Policy,
    files: &'p [OutputFile],
    folder: Option<String>,
    read: Vec<OnceCell<ReadBack>>,
}

impl<'p> Configs<'p> {
    /// Prepares what was compiled. A posture has its files in a folder of its own below that of each enforcement point.
    pub fn new(policy: &'p Policy, files: &'p [OutputFile], folder: Option<String>) -> Self {
        let read = policy.devices.iter().map(|_| OnceCell::new()).collect();
        Configs { policy, files, folder, read }
    }

    fn own_files(&self, device: DeviceId) -> Vec<ConfigFile<'p>> {
        let folder = format!("{}/", self.policy[device].name);
        let own =
            self.files.iter().filter_map(|file| Some((file.path.strip_prefix(&folder)?, &file.content)));
        own.map(|(name, text)| ConfigFile { name, text }).collect()
    }

    pub(super) fn of(&self, device: DeviceId) -> Option<&ReadBack> {
        let read = self.read.get(device.0)?;
        Some(read.get_or_init(|| read_back(self.policy, device, &self.own_files(device))))
    }

    /// A line with its text.
    pub(super) fn emitted(&self, device: DeviceId, line: &Line) -> Emitted {
        let own = self.own_files(device);
        let text = own.iter().find(|file| file.name == line.file).map_or("", |file| file.text);
        let text = text.lines().nth(line.line.saturating_sub(1)).unwrap_or_default().trim().to_owned();
        let below = self.folder.as_ref().map_or_else(String::new, |folder| format!("{folder}/"));
        let file = format!("{}/{below}{}", self.policy[device].name, line.file);
        Emitted { at: Line { file, ..line.clone() }, text }
    }
}

/// Follows a packet from one enforcement point to the next, and its reply where a platform decides on that by itself.
pub(super) fn hops(policy: &Policy, decider: &Decider, packet: &Packet, configs: &Configs) -> Vec<Hop> {
    let zones = (decider.zone_of(packet.source), decider.zone_of(packet.destination));
    let (Some(from), Some(to)) = zones else { return Vec::new() };
    if from == to {
        return Vec::new();
    }
    let topology = Topology::new(policy);
    let question = Question { policy, decider, packet, configs, decision: decider.decide(packet) };
    let mut hops: Vec<Hop> =
        topology.path(from, to).into_iter().map(|crossing| question.forth(crossing)).collect();
    if matches!(question.decision, Decision::Allowed(_) | Decision::Scheduled(_)) {
        hops.extend(topology.path(to, from).into_iter().filter_map(|crossing| question.back(crossing)));
    }
    hops
}

struct Question<'q, 'p> {
    policy: &'p Policy,
    decider: &'q Decider<'p>,
    packet: &'q Packet,
    configs: &'q Configs<'p>,
    decision: Decision,
}

impl Question<'_, '_> {
    fn hop(&self, crossing: Crossing) -> Hop {
        let device = &self.policy[crossing.device];
        Hop {
            device: device.name.clone(),
            target: device.target.clone(),
            arrives: device[crossing.from].name.clone(),
            leaves: device[crossing.to].name.clone(),
            reply: false,
            does: "not read back",
            agrees: true,
            remarks: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// The packet at an enforcement point.
    fn forth(&self, crossing: Crossing) -> Hop {
        let mut hop = self.hop(crossing);
        let config = match self.configs.of(crossing.device) {
            Some(ReadBack::Config(config)) => config,
            Some(ReadBack::Unreadable(mistakes)) => {
                hop.agrees = false;
                hop.remarks.extend(mistakes.iter().take(1).map(|mistake| {
                    let line = mistake.line.map_or_else(String::new, |line| format!(":{line}"));
                    format!("its config cannot be read: {}{line}: {}", mistake.file, mistake.what)
                }));
                return hop;
            }
            Some(ReadBack::NoReader) | None => {
                hop.remarks.push(format!("there is no reader for `{}`", hop.target));
                return hop;
            }
        };
        let followed = self.in_time(config, &mut hop, |passage| Some(config.follow(self.packet, passage)));
        if let Some(followed) = followed {
            self.judge(config, crossing, &mut hop, &followed);
        }
        hop
    }

    /// The reply at an enforcement point that knows no connections.
    fn back(&self, crossing: Crossing) -> Option<Hop> {
        let Some(ReadBack::Config(config)) = self.configs.of(crossing.device) else { return None };
        if config.is_stateful() {
            return None;
        }
        let mut hop = Hop { reply: true, ..self.hop(crossing) };
        let reply = |passage: Passage| config.follow_reply(self.packet, passage);
        let followed = self.in_time(config, &mut hop, reply)?;
        self.judge(config, crossing, &mut hop, &followed);
        Some(hop)
    }

    /// What a config does with the packet at a time when the policy allows it; and notes what it does when no schedule
    /// holds.
    fn in_time(
        &self,
        config: &Config,
        hop: &mut Hop,
        follow: impl Fn(Passage) -> Option<Followed>,
    ) -> Option<Followed> {
        let days = (self.policy.as_of - date(1970, 1, 1)).get_days();
        let noon = u32::try_from(i64::from(days.max(0)) * 86_400 + 43_200).unwrap_or(u32::MAX);
        let (arrives, leaves) = (hop.arrives.clone(), hop.leaves.clone());
        let at = |second| Passage { arrives: &arrives, leaves: &leaves, second, moment: noon };
        let Decision::Scheduled(rule) = self.decision else { return follow(at(0)) };
        let own = self.policy.schedule_of(&self.policy[rule]);
        let schedules: Vec<&Schedule> =
            self.matching().filter_map(|rule| self.policy.schedule_of(rule)).collect();
        let second = config.second(&own.into_iter().collect::<Vec<_>>(), true).unwrap_or(0);
        if let Some(outside) = config.second(&schedules, false) {
            let passes = follow(at(outside))?;
            let name = own.map_or("", |schedule| schedule.name.as_str());
            if passes.passes && !passes.steps.is_empty() {
                hop.agrees = false;
                hop.remarks.push(format!("it passes outside `{name}` too"));
            } else if !passes.steps.is_empty() {
                hop.does = "accept at times";
                hop.remarks.push(format!("during `{name}` only; at other times it is dropped"));
            }
        }
        follow(at(second))
    }

    /// The allows that match the packet.
    fn matching(&self) -> impl Iterator<Item = &Rule> {
        let packet = self.packet;
        self.policy.rules.iter().filter(move |rule| {
            rule.effect == Effect::Allow
                && rule.from.addresses.contains(packet.source)
                && rule.to.addresses.contains(packet.destination)
                && rule.services.contains(packet)
        })
    }

    /// Compares what the config does with what the policy says, and says what it does.
    fn judge(&self, config: &Config, crossing: Crossing, hop: &mut Hop, followed: &Followed) {
        let device = &self.policy[crossing.device];
        let lines = followed.steps.iter().flat_map(|step| &step.lines);
        hop.lines = lines.map(|line| self.configs.emitted(crossing.device, line)).collect();
        if followed.steps.last().is_some_and(|last| !last.by_rule && !last.passes) {
            hop.remarks.push("no line matches, so it is dropped".to_owned());
        }
        hop.does = match (followed.passes, followed.steps.is_empty(), hop.does) {
            (true, true, _) => "carry",
            (true, false, "accept at times") => "accept at times",
            (true, false, _) => "accept",
            (false, ..) => "drop",
        };
        if followed.depends && followed.passes {
            hop.remarks.push("a guard may stop it, once its threshold is passed".to_owned());
        }
        let is_link = |id| device[id].link.is_some();
        if !config.is_stateful() && is_link(crossing.from) && is_link(crossing.to) {
            hop.remarks.push("between other enforcement points, which filter it".to_owned());
            return;
        }
        if followed.by_platform {
            hop.remarks.push(format!("{} does so of itself", device.target));
            return;
        }
        let promised = match self.decision {
            Decision::Allowed(rule) | Decision::Scheduled(rule) => Some(&self.policy[rule]),
            Decision::Forbidden(_) | Decision::Unmentioned | Decision::Unzoned | Decision::Local(_) => None,
        };
        let agrees = match promised {
            Some(_) if followed.passes => true,
            Some(rule) if rule.leave_out => {
                hop.remarks.push(format!("`{}` is left out where the target cannot express it", rule.id));
                true
            }
            Some(_) => false,
            None if !followed.passes => true,
            None => self.is_residue(config, hop),
        };
        hop.agrees &= agrees;
    }

    /// True if a platform without connections lets a packet pass since it may belong to one that is allowed.
    fn is_residue(&self, config: &Config, hop: &mut Hop) -> bool {
        if config.is_stateful() {
            return false;
        }
        let packet = self.packet;
        let [kind, _] = packet.destination_port.to_be_bytes();
        let is_error = match packet.protocol {
            ICMP => [3, 11, 12].contains(&kind),
            ICMPV6 => (1..=4).contains(&kind),
            _ => false,
        };
        if is_error {
            hop.remarks.push("it may be an error about a connection; lists know none".to_owned());
            return true;
        }
        let Some(asked) = asked(packet) else { return false };
        let rule = match self.decider.decide(&asked) {
            Decision::Allowed(rule) | Decision::Scheduled(rule) => rule,
            Decision::Forbidden(_) | Decision::Unmentioned | Decision::Unzoned | Decision::Local(_) => {
                return false;
            }
        };
        let id = &self.policy[rule].id;
        hop.remarks
            .push(format!("it may answer what `{id}` allows; lists know no connections (residue.txt)"));
        true
    }
}

/// The packet to which another would be the reply, if it can be one.
fn asked(packet: &Packet) -> Option<Packet> {
    let back = Packet { source: packet.destination, destination: packet.source, ..*packet };
    let [kind, code] = packet.destination_port.to_be_bytes();
    let message = |kind| Packet { destination_port: u16::from_be_bytes([kind, code]), ..back };
    match (packet.protocol, kind) {
        (protocol, _) if has_ports(protocol) => Some(Packet {
            source_port: packet.destination_port,
            destination_port: packet.source_port,
            ..back
        }),
        (ICMP, 0) => Some(message(8)),
        (ICMP, 14 | 16 | 18) | (ICMPV6, 129 | 140) => Some(message(kind - 1)),
        (ICMP | ICMPV6, _) => None,
        _ => Some(back),
    }
}

/// In words, for people.
impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = if self.reply { "reply" } else { "at" };
        let Hop { device, target, arrives, leaves, does, .. } = self;
        writeln!(f, "  {label:6}  {device} ({target}), from {arrives} to {leaves}: {does}")?;
        if !self.agrees {
            writeln!(f, "          NOT WHAT THE POLICY SAYS: do not load this config; please report it")?;
        }
        for remark in &self.remarks {
            writeln!(f, "          {remark}")?;
        }
        self.lines.iter().try_for_each(|line| write!(f, "{line}"))
    }
}

/// Below what it is a line of.
impl fmt::Display for Emitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Emitted { at: Line { file, line, label }, text } = self;
        let label = label.as_ref().filter(|label| !text.contains(label.as_str()));
        let label = label.map_or_else(String::new, |label| format!("  ({label})"));
        writeln!(f, "          {file}:{line}\n            {text}{label}")
    }
}
