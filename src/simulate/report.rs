//! What a replay came to, for people and programs.

use std::net::IpAddr;

use serde::Serialize;

use super::cells::Party;
use super::judge::{Judge, Verdict};
use super::tally::{Group, Key, Total, add};
use crate::flows::Moment;
use crate::ir::{Effect, Policy, RuleIndex};
use crate::set::{ICMP, ICMPV6, Packet, has_ports, icmp_types, protocol_name};
use crate::source::Sources;

/// What a replay came to. Every flow that was read stands in exactly one of the counts, or is a reply.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// All flows that were judged, without replies.
    pub flows: u64,
    /// When the first was seen.
    pub first: Option<Moment>,
    /// When the last was seen.
    pub last: Option<Moment>,
    /// Those that would be allowed.
    pub allowed: Count,
    /// Those that would be allowed at times, where nothing says when they were.
    pub at_times: Count,
    /// Those that would be blocked.
    pub blocked: Count,
    /// Those of the blocked that may be replies.
    pub unclear: Count,
    /// Those within one zone, which no firewall sees.
    pub local: Count,
    /// Those that the policy denies between zones that no enforcement point lies between.
    pub unseen: Count,
    /// Those with an address in no zone.
    pub unzoned: Count,
    /// Rows that were taken for replies.
    pub replies: Replies,
    /// All flows but the replies: each two parties, with each service and verdict between them. What would not pass comes
    /// first, of that the most.
    pub rows: Vec<Row>,
    /// Rules that no flow matched.
    pub unused: Vec<Statement>,
}

/// How many flows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Count {
    /// Flows, as the rows say.
    pub flows: u64,
    /// Rows of the capture.
    pub rows: u64,
    /// Bytes, as far as the rows say.
    pub bytes: u64,
}

/// Flows that were taken for replies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Replies {
    /// Replies to flows that pass and are recorded.
    pub paired: u64,
    /// Replies to flows that would pass, and are not recorded.
    pub unpaired: u64,
    /// Replies to recorded flows that would not pass.
    pub of_blocked: u64,
    /// Errors of ICMP, which pass with the connection that they belong to.
    pub errors: u64,
}

impl Replies {
    /// All of them.
    pub fn all(&self) -> u64 {
        self.paired + self.unpaired + self.of_blocked + self.errors
    }
}

/// Flows between two parties over one service, with one verdict.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Row {
    /// `allow`, `scheduled`, `local`, `deny`, `unseen` or `unzoned`.
    pub verdict: &'static str,
    /// The classes and peers that hold the source, or its zone where none does.
    pub from: String,
    /// The zone of the source.
    pub from_zone: String,
    /// The classes and peers that hold the destination, or its zone where none does.
    pub to: String,
    /// The zone of the destination.
    pub to_zone: String,
    /// Protocol and destination port or message.
    pub service: String,
    /// The services of the policy that hold it.
    pub services: Vec<String>,
    /// How many.
    #[serde(flatten)]
    pub count: Count,
    /// When the first was seen.
    pub first: Option<Moment>,
    /// When the last was seen.
    pub last: Option<Moment>,
    /// The rule behind the verdict.
    pub rule: Option<String>,
    /// Where that stands.
    pub place: Option<String>,
    /// The reason in words.
    pub because: String,
    /// True if it may be a reply of which the opening was not recorded.
    pub unclear: bool,
    /// One of the packets.
    pub example: String,
    /// What decides, for code.
    #[serde(skip)]
    pub decided: Verdict,
}

/// A rule of the policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Statement {
    /// Its name.
    pub rule: String,
    /// `allow` or `forbid`.
    pub effect: &'static str,
    /// Where it stands.
    pub place: String,
}

impl Report {
    pub(super) fn new(
        judge: &Judge,
        sources: &Sources,
        groups: Vec<(Key, Group)>,
        replies: Replies,
        used: &[bool],
    ) -> Self {
        let mut report = Report {
            flows: 0,
            first: None,
            last: None,
            allowed: Count::default(),
            at_times: Count::default(),
            blocked: Count::default(),
            unclear: Count::default(),
            local: Count::default(),
            unseen: Count::default(),
            unzoned: Count::default(),
            replies,
            rows: Vec::new(),
            unused: unused(judge.policy, sources, used),
        };
        let mut all = Total::default();
        for (key, group) in groups {
            add(&mut all, &group.total);
            report.count(&key, &group.total);
            report.rows.push(row(judge, sources, &key, &group));
        }
        (report.flows, report.first, report.last) = (all.flows, all.first, all.last);
        report.rows.sort_by_cached_key(Row::order);
        report
    }

    fn count(&mut self, key: &Key, total: &Total) {
        let count = match key.verdict {
            Verdict::Allowed(_) => &mut self.allowed,
            Verdict::AtTimes(_) => &mut self.at_times,
            Verdict::Local => &mut self.local,
            Verdict::Unseen => &mut self.unseen,
            Verdict::Unzoned => &mut self.unzoned,
            Verdict::Forbidden(_) | Verdict::Cut(_) | Verdict::OtherTimes(_) | Verdict::Unmentioned => {
                if key.unclear {
                    self.unclear.add(total);
                }
                &mut self.blocked
            }
        };
        count.add(total);
    }
}

impl Count {
    fn add(&mut self, total: &Total) {
        self.flows = self.flows.saturating_add(total.flows);
        self.rows = self.rows.saturating_add(total.rows);
        self.bytes = self.bytes.saturating_add(total.bytes);
    }
}

impl Row {
    /// What would be blocked first, of that the most first; then by what is shown.
    fn order(&self) -> impl Ord + use<> {
        let rank = match self.decided {
            Verdict::Forbidden(_) | Verdict::Cut(_) | Verdict::OtherTimes(_) | Verdict::Unmentioned => 0,
            Verdict::Unseen => 1,
            Verdict::Unzoned => 2,
            Verdict::AtTimes(_) => 3,
            Verdict::Allowed(_) => 4,
            Verdict::Local => 5,
        };
        let most = std::cmp::Reverse(self.count.flows);
        let shown = (self.from.clone(), self.from_zone.clone(), self.to.clone(), self.to_zone.clone());
        (rank, most, shown, self.service.clone(), self.decided, self.unclear, self.example.clone())
    }
}

fn unused(policy: &Policy, sources: &Sources, used: &[bool]) -> Vec<Statement> {
    let idle = policy.rules.iter().zip(used).filter(|(_, used)| !**used);
    let mut found: Vec<Statement> = idle
        .map(|(rule, _)| Statement {
            rule: rule.id.clone(),
            effect: if rule.effect == Effect::Allow { "allow" } else { "forbid" },
            place: sources.locate(rule.span).to_string(),
        })
        .collect();
    found.sort_by(|one, other| one.rule.cmp(&other.rule));
    found
}

fn row(judge: &Judge, sources: &Sources, key: &Key, group: &Group) -> Row {
    let policy = judge.policy;
    let party = |number: Option<usize>| number.map(|number| judge.cells.party(number));
    let (from, from_zone) = shown(policy, party(key.from), group.example.source);
    let (to, to_zone) = shown(policy, party(key.to), group.example.destination);
    let rule = key.verdict.rule().map(|rule| &policy[rule]);
    let holding = policy.services.iter().filter(|service| service.set.contains(&group.example));
    let Total { flows, rows, bytes, first, last } = group.total;
    Row {
        verdict: key.verdict.word(),
        from,
        from_zone,
        to,
        to_zone,
        service: service(&group.example),
        services: holding.map(|service| service.name.clone()).collect(),
        count: Count { flows, rows, bytes },
        first,
        last,
        rule: rule.map(|rule| rule.id.clone()),
        place: rule.map(|rule| sources.locate(rule.span).to_string()),
        because: because(policy, key.verdict),
        unclear: key.unclear,
        example: group.example.to_string(),
        decided: key.verdict,
    }
}

/// The classes and peers that hold an address, or its zone; and its zone.
fn shown(policy: &Policy, party: Option<&Party>, address: IpAddr) -> (String, String) {
    let Some((party, zone)) = party.and_then(|party| Some((party, party.zone?))) else {
        return (address.to_string(), String::new());
    };
    let zone = policy[zone].name.clone();
    let names: Vec<&str> = party.endpoints.iter().map(|id| policy[*id].name.as_str()).collect();
    (if names.is_empty() { zone.clone() } else { names.join(", ") }, zone)
}

/// Protocol and port or message, as a policy writes them.
pub(super) fn service(packet: &Packet) -> String {
    let protocol = protocol_name(packet.protocol);
    match packet.protocol {
        ICMP | ICMPV6 => {
            let [message_type, code] = packet.destination_port.to_be_bytes();
            let known = icmp_types(packet.protocol).iter().find(|(_, number)| *number == message_type);
            match known {
                Some((name, _)) if code == 0 => format!("{protocol} {name}"),
                Some((name, _)) => format!("{protocol} {name} code {code}"),
                None => format!("{protocol} type {message_type} code {code}"),
            }
        }
        number if has_ports(number) => format!("{protocol} {}", packet.destination_port),
        number if protocol == number.to_string() => format!("protocol {number}"),
        _ => protocol,
    }
}

fn because(policy: &Policy, verdict: Verdict) -> String {
    let name = |rule: RuleIndex| policy[rule].id.as_str();
    let hours =
        |rule: RuleIndex| policy.schedule_of(&policy[rule]).map_or("", |schedule| schedule.name.as_str());
    match verdict {
        Verdict::Allowed(rule) => match hours(rule) {
            "" => format!("`{}` allows it", name(rule)),
            hours => format!("`{}` allows it during `{hours}`, when it was seen", name(rule)),
        },
        Verdict::AtTimes(rule) => {
            format!("`{}` allows it during `{}`, and nothing says when it was", name(rule), hours(rule))
        }
        Verdict::Local => "both ends lie in one zone, where no firewall sees them".to_owned(),
        Verdict::Forbidden(rule) => format!("`{}` forbids it", name(rule)),
        Verdict::Cut(rule) => format!("the posture cuts it off; else `{}` would allow it", name(rule)),
        Verdict::OtherTimes(rule) => {
            format!(
                "`{}` allows it during `{}` only, and it was seen at another time",
                name(rule),
                hours(rule)
            )
        }
        Verdict::Unmentioned => "no rule allows it".to_owned(),
        Verdict::Unseen => {
            "no rule allows it, but no enforcement point lies between the two zones".to_owned()
        }
        Verdict::Unzoned => "an address lies in no zone".to_owned(),
    }
}
