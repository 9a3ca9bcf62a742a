//! Why a packet gets its verdict, and what would be nearest if it is denied.

use serde::Serialize;

use crate::ir::{Decider, Decision, Effect, Policy, Rule, Topology};
use crate::set::Packet;
use crate::source::Sources;

/// Why a packet gets its verdict.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Explanation {
    /// The packet in words.
    pub packet: String,
    /// `allow`, `scheduled`, `deny` or `local`.
    pub verdict: &'static str,
    /// The reason in a sentence.
    pub because: String,
    /// Who opens the connection: zone, then the classes and peers that hold the address.
    pub from: String,
    /// Who would accept it.
    pub to: String,
    /// The statement that decides.
    pub rule: Option<Statement>,
    /// The enforcement points that see the packet, with its interfaces there.
    pub enforced_by: Vec<String>,
    /// Rules that would allow it if one or two things were different, the nearest first. Only for a denied packet.
    pub nearest: Vec<Nearest>,
}

/// A statement of the policy and where it stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Statement {
    /// Its id.
    pub id: String,
    /// File, line and column.
    pub place: String,
    /// The line of the policy where it stands.
    pub line: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Why it stands.
    pub reason: Option<String>,
}

/// A rule that would allow a packet if something were different.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Nearest {
    /// The rule.
    pub rule: Statement,
    /// What is different: clause by clause, what the rule says.
    pub differs: Vec<String>,
}

/// The largest number of near rules that an explanation shows.
const SHOWN: usize = 3;

/// Explains the verdict on a packet.
pub fn explain(policy: &Policy, sources: &Sources, packet: &Packet) -> Explanation {
    let decider = Decider::new(policy);
    let decision = decider.decide(packet);
    let statement = |rule: &Rule| statement(rule, sources);
    let denied = matches!(decision, Decision::Unmentioned | Decision::Unzoned | Decision::Forbidden(_));
    Explanation {
        packet: packet.to_string(),
        verdict: decision.verdict(),
        because: because(policy, decision),
        from: side(policy, &decider, packet.source),
        to: side(policy, &decider, packet.destination),
        rule: decision.rule().map(|rule| statement(&policy[rule])),
        enforced_by: enforced_by(policy, &decider, packet),
        nearest: if denied { nearest(policy, sources, packet) } else { Vec::new() },
    }
}

fn because(policy: &Policy, decision: Decision) -> String {
    match decision {
        Decision::Local(zone) => {
            format!("both ends lie in the zone `{}`, where no firewall sees them", policy[zone].name)
        }
        Decision::Allowed(rule) => format!("`{}` allows it, and nothing forbids it", policy[rule].id),
        Decision::Scheduled(rule) => {
            let rule = &policy[rule];
            let schedule = policy.schedule_of(rule).map_or("", |schedule| schedule.name.as_str());
            format!("`{}` allows it during `{schedule}`, and nothing forbids it", rule.id)
        }
        Decision::Forbidden(rule) => format!("`{}` forbids it, whatever else is said", policy[rule].id),
        Decision::Unmentioned => "no rule allows it".to_owned(),
        Decision::Unzoned => "one of the addresses lies in no zone".to_owned(),
    }
}

/// The zone of an address, and the classes and peers that hold it.
fn side(policy: &Policy, decider: &Decider, address: std::net::IpAddr) -> String {
    let Some(zone) = decider.zone_of(address) else { return format!("{address}, in no zone") };
    let holders = policy.endpoints.iter().filter(|endpoint| endpoint.addresses.contains(address));
    let names: Vec<&str> = holders.map(|endpoint| endpoint.name.as_str()).collect();
    let zone = &policy[zone].name;
    if names.is_empty() {
        return format!("{address}, in zone `{zone}`");
    }
    format!("{address}, {} in zone `{zone}`", names.join(", "))
}

fn statement(rule: &Rule, sources: &Sources) -> Statement {
    Statement {
        id: rule.id.clone(),
        place: sources.locate(rule.span).to_string(),
        line: sources.line(rule.span).trim().to_owned(),
        owner: rule.about.owner.clone(),
        reason: rule.about.reason.clone(),
    }
}

fn enforced_by(policy: &Policy, decider: &Decider, packet: &Packet) -> Vec<String> {
    let zones = (decider.zone_of(packet.source), decider.zone_of(packet.destination));
    let (Some(from), Some(to)) = zones else { return Vec::new() };
    if from == to {
        return Vec::new();
    }
    let crossings = Topology::new(policy).path(from, to).into_iter();
    crossings
        .map(|crossing| {
            let device = &policy[crossing.device];
            format!("{}, from {} to {}", device.name, device[crossing.from].name, device[crossing.to].name)
        })
        .collect()
}

/// The rules that come nearest to allowing a packet: those that differ in the fewest clauses, services before
/// destinations before sources, then by id.
fn nearest(policy: &Policy, sources: &Sources, packet: &Packet) -> Vec<Nearest> {
    let mut candidates: Vec<(usize, [bool; 3], &Rule)> = policy
        .rules
        .iter()
        .filter(|rule| rule.effect == Effect::Allow)
        .map(|rule| {
            let differs = [
                !rule.from.addresses.contains(packet.source),
                !rule.to.addresses.contains(packet.destination),
                !rule.services.contains(packet),
            ];
            (differs.iter().filter(|differs| **differs).count(), differs, rule)
        })
        .filter(|(count, ..)| (1..3).contains(count))
        .collect();
    candidates.sort_by_key(|(count, differs, rule)| (*count, *differs, &rule.id));
    let fewest = candidates.first().map_or(0, |(count, ..)| *count);
    let near = candidates.into_iter().take_while(|(count, ..)| *count == fewest).take(SHOWN);
    near.map(|(_, [from, to, via], rule)| {
        let services = format!("{} ({})", rule.via, rule.services);
        let clauses = [(from, "from", &rule.from.text), (to, "to", &rule.to.text), (via, "via", &services)];
        let differs = clauses.into_iter().filter(|(differs, ..)| *differs);
        Nearest {
            rule: statement(rule, sources),
            differs: differs.map(|(_, clause, text)| format!("{clause} {text}")).collect(),
        }
    })
    .collect()
}

/// In words, for people.
impl std::fmt::Display for Explanation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}: {}", self.verdict, self.because)?;
        writeln!(f)?;
        writeln!(f, "  packet  {}", self.packet)?;
        writeln!(f, "  from    {}", self.from)?;
        writeln!(f, "  to      {}", self.to)?;
        if let Some(rule) = &self.rule {
            write_statement(f, "  rule  ", rule)?;
        }
        for place in &self.enforced_by {
            writeln!(f, "  at      {place}")?;
        }
        if !self.nearest.is_empty() {
            writeln!(f, "\nnearest, but for what differs:")?;
        }
        for near in &self.nearest {
            write_statement(f, "  rule  ", &near.rule)?;
            writeln!(f, "          it says {}", near.differs.join(" and "))?;
        }
        Ok(())
    }
}

fn write_statement(f: &mut std::fmt::Formatter<'_>, label: &str, rule: &Statement) -> std::fmt::Result {
    writeln!(f, "{label}  {} ({})", rule.id, rule.place)?;
    writeln!(f, "          {}", rule.line)?;
    let about = [("owner", &rule.owner), ("reason", &rule.reason)];
    let about: Vec<String> = about
        .iter()
        .filter_map(|(key, value)| value.as_ref().map(|value| format!("{key} {value}")))
        .collect();
    if !about.is_empty() {
        writeln!(f, "          {}", about.join(", "))?;
    }
    Ok(())
}
