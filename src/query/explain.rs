//! Why a packet gets its verdict, and what would be nearest if it is denied.

use serde::Serialize;

use super::path::{Configs, Hop, hops};
use super::statement::{Statement, statement};
use crate::ir::{Decider, Decision, Effect, Policy, Rule};
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
    /// What each of them does with it, by its config, in the order in which the packet meets them; then the reply, where a
    /// platform decides on it by itself.
    pub path: Vec<Hop>,
    /// Rules that would allow it if one or two things were different, the nearest first. Only for a denied packet.
    pub nearest: Vec<Nearest>,
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

/// Explains the verdict on a packet, and what each enforcement point does with it.
pub fn explain(policy: &Policy, sources: &Sources, packet: &Packet, configs: &Configs) -> Explanation {
    let decider = Decider::new(policy);
    let decision = decider.decide(packet);
    let path = hops(policy, &decider, packet, configs);
    let denied = matches!(decision, Decision::Unmentioned | Decision::Unzoned | Decision::Forbidden(_));
    Explanation {
        packet: packet.to_string(),
        verdict: decision.verdict(),
        because: because(policy, decision),
        from: side(policy, &decider, packet.source),
        to: side(policy, &decider, packet.destination),
        rule: decision.rule().map(|rule| statement(policy, sources, &policy[rule])),
        enforced_by: enforced_by(&path),
        path,
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

fn enforced_by(path: &[Hop]) -> Vec<String> {
    let forth = path.iter().filter(|hop| !hop.reply);
    forth.map(|hop| format!("{}, from {} to {}", hop.device, hop.arrives, hop.leaves)).collect()
}

impl Explanation {
    /// True if every config that was read back does with the packet what the policy says.
    pub fn agrees(&self) -> bool {
        self.path.iter().all(|hop| hop.agrees)
    }
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
            rule: statement(policy, sources, rule),
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
            rule.write(f, "  rule")?;
        }
        if self.path.is_empty() && self.verdict == "allow" {
            writeln!(f, "  at      no enforcement point, since none lies between the two zones")?;
        }
        for hop in &self.path {
            write!(f, "{hop}")?;
        }
        if !self.nearest.is_empty() {
            writeln!(f, "\nnearest, but for what differs:")?;
        }
        for near in &self.nearest {
            near.rule.write(f, "  rule")?;
            writeln!(f, "          it says {}", near.differs.join(" and "))?;
        }
        Ok(())
    }
}
