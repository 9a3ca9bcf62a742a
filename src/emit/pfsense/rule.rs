//! Rules: from packets to what pfSense evaluates one by one, first match first.

use std::collections::BTreeSet;

use serde::Serialize;

use super::alias::{Aliases, Naming, SideView};
use super::rectangle::{Family, Rectangle, rectangles};
use super::text::description;
use super::traffic::{Expressed, Match, express};
use crate::ir::{Effect, Policy, Rate, Rule};
use crate::set::{PacketSet, Set};

/// A rule as it stands in the config, but for its tracker, which depends on all others.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub(super) struct RuleView {
    pub(super) interface: String,
    verdict: &'static str,
    family: &'static str,
    protocol: Option<&'static str>,
    icmp_types: Option<String>,
    source: SideView,
    destination: SideView,
    log: bool,
    /// The schedule when it holds.
    schedule: Option<String>,
    /// How many connections of one source are too many.
    limit: Option<Limit>,
    description: String,
    /// The statement or role that it comes from.
    #[serde(skip)]
    id: String,
    /// True if that statement holds at times only. Blocks of it hold always, and still belong to what comes and goes.
    #[serde(skip)]
    timed: bool,
}

/// More connections than this, in so many seconds, put their source into `virusprot`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub(super) struct Limit {
    connections: u32,
    seconds: u32,
}

impl Limit {
    /// The smallest limit that no source exceeds that keeps to the rate of a guard. What pf counts falls by a part of itself
    /// in each second, and not by the rate (`pf_check_threshold`, sys/netpfil/pf/pf.c); so what comes in at the rate while
    /// the bucket fills counts beside what the bucket held.
    pub(super) fn of(rate: Rate) -> Self {
        let seconds = rate.seconds_to_refill();
        let meanwhile = rate.count.saturating_mul(seconds).div_ceil(rate.unit.seconds());
        Limit { connections: rate.burst.saturating_add(meanwhile), seconds }
    }
}

impl RuleView {
    /// Where sources are counted for a guard, if they are: the interface, the family and the statement.
    pub(super) fn counts(&self) -> Option<(&str, &str, &str)> {
        self.limit.map(|_| (self.interface.as_str(), self.family, self.id.as_str()))
    }

    /// True if the rule is there for a statement that holds at times only.
    pub(super) fn is_timed(&self) -> bool {
        self.timed
    }

    /// The schedule when it holds, if not always.
    pub(super) fn schedule(&self) -> Option<&str> {
        self.schedule.as_deref()
    }

    /// What a rule is known by: all that it says, and nothing of the rules around it.
    pub(super) fn key(&self) -> String {
        let side = |side: &SideView| format!("{side:?}");
        let words = [
            self.interface.as_str(),
            self.verdict,
            self.family,
            self.protocol.unwrap_or("any"),
            self.icmp_types.as_deref().unwrap_or("any"),
            if self.log { "log" } else { "quiet" },
            &self.id,
        ];
        let during = self.schedule.iter().map(|name| format!(" during {name}")).collect::<String>();
        format!("{} {} {}{during}", words.join(" "), side(&self.source), side(&self.destination))
    }
}

/// Where rules come from: a statement of the policy, or what cordon adds of itself.
#[derive(Clone, Copy)]
pub(super) struct Origin<'p> {
    pub(super) id: &'p str,
    pub(super) from: &'p str,
    pub(super) to: &'p str,
    pub(super) via: &'p str,
    pub(super) reason: Option<&'p str>,
    pub(super) effect: Effect,
    pub(super) log: bool,
    /// The schedule when it holds, by its name in pfSense.
    pub(super) during: Option<&'p str>,
    /// How many connections of one source are too many.
    pub(super) limit: Option<Limit>,
}

impl<'p> Origin<'p> {
    /// A rule of the policy, with pfSense's name for its schedule, and its limit.
    pub(super) fn of(rule: &'p Rule, during: Option<&'p str>, limit: Option<Limit>) -> Self {
        Origin {
            id: &rule.id,
            from: &rule.from.text,
            to: &rule.to.text,
            via: &rule.via,
            reason: rule.about.reason.as_deref(),
            effect: rule.effect,
            log: rule.log,
            during,
            limit,
        }
    }

    /// Something that cordon blocks of itself, with a line in the log.
    pub(super) fn barrier(id: &'p str) -> Self {
        let (from, to, via) = ("", "", "");
        let effect = Effect::Forbid;
        Origin { id, from, to, via, reason: None, effect, log: true, during: None, limit: None }
    }
}

/// Where packets go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Toward {
    /// To the addresses of the packets.
    Addresses,
    /// To the firewall itself, by whichever of its addresses.
    Firewall,
}

/// The rules of one statement on one interface.
pub(super) struct Said {
    /// Rules that match nothing but packets of the statement; they may stand in any order.
    pub(super) narrow: Vec<RuleView>,
    /// Rules for all protocols, each behind blocks of what is not meant. They match packets that other statements
    /// decide on, so they stand behind all narrow ones, and in this order.
    pub(super) wide: Vec<RuleView>,
    /// The packets of the statement that the rules in `wide` are for.
    pub(super) opened: PacketSet,
    /// The packets that the blocks in `wide` take, from whichever statement.
    pub(super) blocked: PacketSet,
    /// What no rule can say.
    pub(super) left_out: BTreeSet<String>,
}

impl Said {
    fn nothing() -> Self {
        Said {
            narrow: Vec::new(),
            wide: Vec::new(),
            opened: PacketSet::empty(),
            blocked: PacketSet::empty(),
            left_out: BTreeSet::new(),
        }
    }
}

/// What rules are made with.
pub(super) struct Maker<'p, 'a> {
    pub(super) policy: &'p Policy,
    pub(super) aliases: &'a mut Aliases,
    pub(super) interface: &'p str,
}

impl Maker<'_, '_> {
    /// The rules for packets of a statement.
    pub(super) fn say(&mut self, packets: &PacketSet, origin: Origin, toward: Toward) -> Said {
        let mut said = Said::nothing();
        for rectangle in rectangles(packets) {
            let Expressed { narrow, all_but, left_out } = express(&rectangle.traffic, rectangle.family);
            said.narrow.extend(self.rules(&rectangle, &narrow, origin, toward));
            said.left_out.extend(left_out);
            if let Some(exceptions) = all_but {
                let blocked = Origin { effect: Effect::Forbid, log: false, ..origin };
                said.wide.extend(self.rules(&rectangle, &exceptions, blocked, toward));
                said.wide.extend(self.rules(&rectangle, &[Match::everything()], origin, toward));
                said.opened = said.opened.union(&rectangle.packets());
                said.blocked = said.blocked.union(&rectangle.complement().packets());
            }
        }
        said
    }

    /// A rule for each match between the two sides of a rectangle.
    fn rules(
        &mut self,
        rectangle: &Rectangle,
        matches: &[Match],
        origin: Origin,
        toward: Toward,
    ) -> Vec<RuleView> {
        let family = rectangle.family;
        let naming = |mentions| Naming { mentions, otherwise: origin.id };
        let sources = self.aliases.addresses(self.policy, family, &rectangle.sources, naming(origin.from));
        let destinations = match toward {
            Toward::Firewall => vec![SideView::firewall()],
            Toward::Addresses => {
                self.aliases.addresses(self.policy, family, &rectangle.destinations, naming(origin.to))
            }
        };
        let mut rules = Vec::new();
        for found in matches {
            let source_ports =
                self.aliases.ports(self.policy, &found.source_ports, found, naming(origin.via));
            let ports = self.aliases.ports(self.policy, &found.destination_ports, found, naming(origin.via));
            for source in &sources {
                for destination in &destinations {
                    for source_port in &source_ports {
                        rules.extend(ports.iter().map(|port| {
                            let source = source.with_port(source_port.clone());
                            let destination = destination.with_port(port.clone());
                            self.rule(family, found, source, destination, origin)
                        }));
                    }
                }
            }
        }
        rules
    }

    /// One rule.
    pub(super) fn rule(
        &self,
        family: Family,
        found: &Match,
        source: SideView,
        destination: SideView,
        origin: Origin,
    ) -> RuleView {
        let icmp_types = (!found.icmp_types.is_empty()).then(|| found.icmp_types.join(","));
        RuleView {
            interface: self.interface.to_owned(),
            verdict: match origin.effect {
                Effect::Allow => "pass",
                Effect::Forbid => "block",
            },
            family: family.name(),
            protocol: found.protocol,
            icmp_types,
            source,
            destination,
            log: origin.log,
            // A block with a schedule would open, at all other times, what it is there to keep closed.
            schedule: match origin.effect {
                Effect::Allow => origin.during.map(str::to_owned),
                Effect::Forbid => None,
            },
            limit: origin.limit.filter(|_| origin.effect == Effect::Allow),
            description: description(origin.id, origin.reason),
            id: origin.id.to_owned(),
            timed: origin.during.is_some(),
        }
    }
}
