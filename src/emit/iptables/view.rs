//! The view model of the files: chains with their rules for each family, and the sets that both look up.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::super::linux::{Moments, moments, one_line, shortened};
use super::address::{Family, Side, Test, test};
use super::chain::{Kind, Line, place};
use super::names::{Names, digest};
use super::rectangle::rectangles;
use super::sets::{Element, SetView, Sets};
use crate::ir::{Action, Effect, Interface, Management, Policy, Rule, When};
use crate::plan::{DevicePlan, Pair};
use crate::set::{AddressRange, AddressSet, PacketSet, Set};

/// The longest line of free text in a comment of a file.
const MAX_COMMENT_BYTES: usize = 128;

/// Two chains of the same name with different rules.
const TWICE: &str = "two chains have the same name";

/// All files.
#[derive(Debug, Serialize)]
pub(super) struct Files {
    pub(super) device: String,
    pub(super) title: String,
    pub(super) v4: Ruleset,
    pub(super) v6: Ruleset,
    pub(super) sets: Vec<SetView>,
    /// True if a guard cuts something off, which a list has to know.
    pub(super) isolates: bool,
}

/// The chains of one family.
#[derive(Debug, Serialize)]
pub(super) struct Ruleset {
    version: char,
    interfaces: Vec<InterfaceView>,
    pairs: Vec<Chain>,
    shared: Vec<Chain>,
    input: Vec<String>,
    logs: Vec<Chain>,
    /// Rules in front of all others, which lead to what is cut off, or send away sources that are put away; and those that
    /// lead to guards of all packets, and of new connections.
    isolated: Vec<String>,
    away: Vec<String>,
    traffic: Vec<String>,
    guards: Vec<String>,
}

/// A chain and its rules, each without the name of the chain in front.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct Chain {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) rules: Vec<String>,
}

/// The chains of what arrives on an interface.
#[derive(Debug, Serialize)]
struct InterfaceView {
    name: String,
    zones: String,
    /// Rules that send away what cannot have come from there.
    checks: Vec<String>,
    /// The chains of pairs, by the interface that packets leave by.
    pairs: Vec<(String, String)>,
}

/// A rule that speaks of something that the target cannot express.
#[derive(Clone, Copy)]
pub(super) enum Speaker<'p> {
    Rule(&'p Rule),
    Management(&'p Management),
}

/// What cannot be expressed, by who asks for it.
pub(super) type Unsupported<'p> = Vec<(Speaker<'p>, String)>;

/// Makes the view of all files, and says what they lack.
pub(super) fn files<'p>(plan: &DevicePlan<'p>) -> Result<(Files, Unsupported<'p>), &'static str> {
    let mut builder = Builder {
        plan,
        names: Names::default(),
        sets: Sets::default(),
        shared: BTreeMap::new(),
        logs: BTreeMap::new(),
        unsupported: Vec::new(),
    };
    let v4 = builder.ruleset(Family::V4)?;
    let v6 = builder.ruleset(Family::V6)?;
    let title = plan.policy.name.as_deref().unwrap_or("cordon");
    let files = Files {
        device: plan.device.name.clone(),
        title: one_line(title, MAX_COMMENT_BYTES),
        v4,
        v6,
        sets: builder.sets.into_views()?,
        isolates: plan.guards.iter().any(|guard| matches!(guard.action, Action::Isolate { .. })),
    };
    Ok((files, builder.unsupported))
}

pub(super) struct Builder<'a, 'p> {
    plan: &'a DevicePlan<'p>,
    pub(super) names: Names,
    pub(super) sets: Sets,
    /// Chains that several rules may use, and those that log, of the family that is being made.
    pub(super) shared: BTreeMap<String, Chain>,
    logs: BTreeMap<String, Chain>,
    unsupported: Unsupported<'p>,
}

/// Sets of one kind and verdict by how to look them up, and the rules beside them, each by the name of its rule.
#[derive(Default)]
pub(super) struct Body {
    elements: BTreeMap<(Option<String>, Kind), (String, Vec<Element>)>,
    lines: Vec<(String, String)>,
}

impl<'p> Builder<'_, 'p> {
    fn ruleset(&mut self, family: Family) -> Result<Ruleset, &'static str> {
        let plan = self.plan;
        let mut pairs = Vec::new();
        for pair in &plan.pairs {
            pairs.push(self.pair(pair, family)?);
        }
        let interfaces = plan.device.interfaces.iter();
        let interfaces: Result<Vec<_>, _> =
            interfaces.map(|interface| self.interface(interface, &pairs, family)).collect();
        let mut body = Body::default();
        for input in &plan.inputs {
            let management = input.management;
            let verdict = self.verdict(&management.id, Effect::Allow, management.log, "")?;
            let log = management.log.then_some(management.id.as_str());
            let speaker = Speaker::Management(management);
            self.say(&input.packets, family, speaker, &verdict, log, &mut body)?;
        }
        let input = self.rules("input", family, body)?;
        let guards = self.guards(&plan.guards, family)?;
        Ok(Ruleset {
            version: family.digit(),
            interfaces: interfaces?,
            pairs: pairs.into_iter().map(|(_, chain)| chain).collect(),
            shared: std::mem::take(&mut self.shared).into_values().collect(),
            input,
            logs: std::mem::take(&mut self.logs).into_values().collect(),
            isolated: guards.isolated,
            away: guards.first,
            traffic: guards.every,
            guards: guards.new,
        })
    }

    /// The chain of a pair of interfaces. What it does not accept goes on to the next rule, which denies it.
    fn pair<'a>(
        &mut self,
        pair: &'a Pair<'_>,
        family: Family,
    ) -> Result<((&'a str, &'a str), Chain), &'static str> {
        let plan = self.plan;
        let (from, to) = (pair.from.name.as_str(), pair.to.name.as_str());
        let (sources, destinations) = (plan.sources_at(pair.from), plan.destinations_at(pair.to));
        let mut bodies: BTreeMap<When, Body> = BTreeMap::new();
        for entry in &pair.entries {
            let rule: &'p Rule = &plan.policy[entry.rule];
            let body = bodies.entry(plan.when(entry.rule)).or_default();
            let verdict = self.verdict(&rule.id, rule.effect, rule.log, from)?;
            let guards: Vec<_> = plan.guards_of(entry.rule).collect();
            let verdict = match guards.is_empty() {
                true => verdict,
                false => self.guarded(rule, &guards, verdict)?,
            };
            // What has a verdict of its own needs a set of its own.
            let log = (rule.log || !guards.is_empty()).then_some(rule.id.as_str());
            let packets = shortened(&entry.packets, sources, destinations);
            self.say(&packets, family, Speaker::Rule(rule), &verdict, log, body)?;
        }
        let mut rules = Vec::new();
        if family.ranges(destinations).len() > 1 {
            let beyond = self.foreign(Side::Destination, to, destinations, family)?;
            rules.extend(beyond.map(|test| format!("{test} -g cordon-deny/{from}")));
        }
        for (when, body) in bodies {
            let pair = format!("{from}/{to}");
            rules.extend(match when.is_always() {
                true => self.rules(&pair, family, body)?,
                false => self.timed(&pair, when, family, body)?,
            });
        }
        let about = format!("{} to {}", zones(plan, pair.from), zones(plan, pair.to));
        let about = one_line(&about, MAX_COMMENT_BYTES);
        Ok(((from, to), Chain { name: self.names.chain(&format!("pair/{from}/{to}"))?, about, rules }))
    }

    /// The rules that lead to a chain while a schedule holds, or until an end. Without `--kerneltz` hours, days and dates
    /// are UTC (iptables-extensions(8), time), and `--timestop` and `--datestop` are the last second that matches
    /// (net/netfilter/xt_time.c).
    fn timed(
        &mut self,
        pair: &str,
        when: When,
        family: Family,
        body: Body,
    ) -> Result<Vec<String>, &'static str> {
        let policy = self.plan.policy;
        let schedule = when.during.map(|id| &policy[id]);
        let until = when.end().map(|end| format!("until/{end}/")).unwrap_or_default();
        let full = match schedule {
            Some(schedule) => format!("{until}during/{pair}/{}", schedule.name),
            None => format!("{until}{pair}"),
        };
        let name = self.names.chain(&full)?;
        let rules = self.rules(&full, family, body)?;
        let during = schedule.map(|schedule| format!("{} ({}, here in UTC)", schedule.name, schedule.clock));
        let until = when.end().map(|end| format!("until the end of {end} in UTC"));
        let about = during.into_iter().chain(until).collect::<Vec<_>>().join(", ");
        let about = format!("{about}: {pair}");
        self.shared.insert(
            name.clone(),
            Chain { name: name.clone(), about: one_line(&about, MAX_COMMENT_BYTES), rules },
        );
        let moments = moments(policy, when)?.into_iter();
        moments.map(|moments| Ok(format!("-m time{} -j {name}", time_options(&moments)?))).collect()
    }

    /// What happens to the packets of a rule.
    fn verdict(&mut self, rule: &str, effect: Effect, log: bool, from: &str) -> Result<String, &'static str> {
        let (word, target) = match effect {
            Effect::Allow => ("allow", "ACCEPT"),
            Effect::Forbid => ("deny", "DROP"),
        };
        if !log {
            return Ok(match effect {
                Effect::Allow => "-j ACCEPT".to_owned(),
                Effect::Forbid => format!("-g cordon-deny/{from}"),
            });
        }
        let name = self.names.chain(&format!("log/{rule}"))?;
        let prefix = self.names.log_prefix(word, rule)?;
        let rules = vec![
            format!(
                "-m limit --limit 50/second --limit-burst 100 -m comment --comment \"{rule}\" \
                 -j LOG --log-level 6 --log-prefix \"{prefix}\""
            ),
            format!("-m comment --comment \"{rule}\" -j {target}"),
        ];
        self.logs.insert(name.clone(), Chain { name: name.clone(), about: rule.to_owned(), rules });
        Ok(format!("-g {name}"))
    }

    pub(super) fn policy(&self) -> &'p Policy {
        self.plan.policy
    }

    /// Adds what is said of packets to a chain.
    pub(super) fn say(
        &mut self,
        packets: &PacketSet,
        family: Family,
        speaker: Speaker<'p>,
        verdict: &str,
        log: Option<&str>,
        body: &mut Body,
    ) -> Result<(), &'static str> {
        let rule = match speaker {
            Speaker::Rule(rule) => rule.id.as_str(),
            Speaker::Management(management) => management.id.as_str(),
        };
        for rectangle in rectangles(packets, family) {
            let placed = place(&rectangle, family, rule)?;
            for (kind, elements) in placed.elements {
                let key = (log.map(str::to_owned), kind);
                let set = body.elements.entry(key).or_insert_with(|| (verdict.to_owned(), Vec::new()));
                set.1.extend(elements);
            }
            for line in placed.lines {
                if let Some(text) = self.line(&line, family, rule, verdict)? {
                    body.lines.push((rule.to_owned(), text));
                }
            }
            self.unsupported.extend(placed.unsupported.into_iter().map(|what| (speaker, what)));
        }
        Ok(())
    }

    /// The rules of a chain: first those that look up sets, then the others in the order of the names of their rules.
    pub(super) fn rules(
        &mut self,
        chain: &str,
        family: Family,
        mut body: Body,
    ) -> Result<Vec<String>, &'static str> {
        let mut rules = Vec::new();
        for ((log, kind), (verdict, elements)) in body.elements {
            let log = log.map_or_else(String::new, |rule| format!("/{rule}"));
            let name = self.names.set(&format!("{}{}/{chain}{log}", family.digit(), kind.letter()))?;
            rules.push(format!("-m set --match-set {name} {} {verdict}", kind.directions()));
            self.sets.add(&name, kind.set_type(), family, elements);
        }
        // Stable, so that the lines of one rule keep the order of what they say.
        body.lines.sort_by(|(one, _), (other, _)| one.cmp(other));
        rules.extend(body.lines.into_iter().map(|(_, text)| text));
        Ok(rules)
    }

    fn line(
        &mut self,
        line: &Line,
        family: Family,
        rule: &str,
        verdict: &str,
    ) -> Result<Option<String>, &'static str> {
        let mut options = Vec::new();
        for (side, ranges) in [(Side::Source, &line.sources), (Side::Destination, &line.destinations)] {
            match self.addresses(side, ranges, family)? {
                Some(matching) => options.push(matching),
                None => return Ok(None),
            }
        }
        options.push(line.matching.clone());
        options.push(format!("-m comment --comment \"{rule}\""));
        options.push(match &line.all_but {
            Some(protocols) => format!("-j {}", self.all_but(protocols, verdict)?),
            None => verdict.to_owned(),
        });
        options.retain(|option| !option.is_empty());
        Ok(Some(options.join(" ")))
    }

    /// Options that match addresses, none if they are all that there are; `None` if no address fits.
    pub(super) fn addresses(
        &mut self,
        side: Side,
        ranges: &[AddressRange],
        family: Family,
    ) -> Result<Option<String>, &'static str> {
        Ok(match test(side, ranges, false) {
            Test::Everything => Some(String::new()),
            Test::Nothing => None,
            Test::Options(options) => Some(options),
            Test::Prefixes(nets) => {
                let texts: Vec<String> = nets.iter().map(ToString::to_string).collect();
                let name =
                    self.names.set(&format!("{}n/{}", family.digit(), digest(&texts.join(" "), 16)))?;
                self.sets.add_nets(&name, family, &nets)?;
                Some(format!("-m set --match-set {name} {}", side.word()))
            }
        })
    }

    /// The chain that gives a verdict on all protocols but some.
    fn all_but(&mut self, protocols: &[u8], verdict: &str) -> Result<String, &'static str> {
        let mut rules: Vec<String> =
            protocols.iter().map(|number| format!("-p {number} -j RETURN")).collect();
        rules.push(verdict.to_owned());
        let numbers: Vec<String> = protocols.iter().map(u8::to_string).collect();
        let about = format!("all protocols but {}", numbers.join(", "));
        let name = self.names.chain(&format!("but/{}", digest(&rules.join("\n"), 16)))?;
        let chain = Chain { name: name.clone(), about: one_line(&about, MAX_COMMENT_BYTES), rules };
        match self.shared.insert(name.clone(), chain.clone()) {
            Some(other) if other != chain => Err(TWICE),
            Some(_) | None => Ok(name),
        }
    }

    /// What matches each packet of a family whose address is not among `own`, if there can be one.
    fn foreign(
        &mut self,
        side: Side,
        interface: &str,
        own: &AddressSet,
        family: Family,
    ) -> Result<Option<String>, &'static str> {
        let foreign = family.ranges(&AddressSet::full().difference(own));
        let nets = match test(side, &family.ranges(own), true) {
            Test::Everything => return Ok(Some(String::new())),
            Test::Nothing => return Ok(None),
            Test::Options(options) => return Ok(Some(options)),
            Test::Prefixes(nets) => nets,
        };
        if let Test::Options(options) = test(side, &foreign, false) {
            return Ok(Some(options));
        }
        // INVARIANT: neither set is empty. A negated match on an empty set would match every packet.
        let others: Vec<_> = foreign.iter().flat_map(|range| range.prefixes()).collect();
        let (not, nets, word) =
            if nets.len() <= others.len() { ("! ", nets, "at") } else { ("", others, "off") };
        let name = format!("{}/{word}-{}/{interface}", family.digit(), side.word());
        let name = self.names.set(&name)?;
        self.sets.add_nets(&name, family, &nets)?;
        Ok(Some(format!("-m set {not}--match-set {name} {}", side.word())))
    }

    fn interface(
        &mut self,
        interface: &Interface,
        pairs: &[((&str, &str), Chain)],
        family: Family,
    ) -> Result<InterfaceView, &'static str> {
        let name = interface.name.as_str();
        let sources = self.plan.sources_at(interface);
        let foreign = self.foreign(Side::Source, name, sources, family)?;
        let own = pairs.iter().filter(|((from, _), _)| *from == name);
        Ok(InterfaceView {
            name: name.to_owned(),
            zones: zones(self.plan, interface),
            checks: foreign
                .map(|test| format!("{test} -g cordon-spoof/{name}").trim_start().to_owned())
                .into_iter()
                .collect(),
            pairs: own.map(|((_, to), chain)| ((*to).to_owned(), chain.name.clone())).collect(),
        })
    }
}

/// What lies behind an interface, for readers: its zones, or the enforcement point that it leads to.
fn zones(plan: &DevicePlan, interface: &Interface) -> String {
    let zones = interface.zones.iter().map(|zone| plan.policy[*zone].name.as_str());
    let names: Vec<&str> = zones.chain(interface.link.iter().map(|link| link.to.as_str())).collect();
    one_line(&names.join(", "), MAX_COMMENT_BYTES)
}

/// The options of the match `time` for some moments.
fn time_options(moments: &Moments) -> Result<String, &'static str> {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let time = |second: u32| format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    let mut options = String::new();
    if let Some((first, last)) = moments.seconds {
        options = format!(" --timestart {} --timestop {}", time(first), time(last));
    }
    if let Some(days) = &moments.days {
        let held = |(day, _): &(u8, &str)| days.contains(day);
        let names: Vec<&str> = (0..).zip(DAYS).filter(held).map(|(_, name)| name).collect();
        options = format!("{options} --weekdays {}", names.join(","));
    }
    if let Some(last) = moments.last {
        let last = Timestamp::from_second(last.into()).map_err(|_| "an end that is no date")?;
        options = format!("{options} --datestop {}", last.strftime("%Y-%m-%dT%H:%M:%S"));
    }
    Ok(options)
}
