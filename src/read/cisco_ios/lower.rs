//! From lists and bindings to the model.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::model::{
    Action, Chain, ChainId, Condition, Family, Filter, Interfaces, Match, Model, PacketBox, Paths, Rule,
    StormControl,
};
use super::binding::{Binding, Direction};
use super::entry::Addresses;
use super::lists::{Entry, List};
use super::rules::Rules;
use super::sections::Config;
use super::words::Fault;

/// TCP to the ports by which people log in.
const LOGIN_PORTS: (u16, u16) = (22, 23);

/// What is wrong, with the line that says it.
pub(super) type Faults = Vec<(usize, Fault)>;

struct Ctx<'c, 't> {
    config: &'c Config<'t>,
    chains: Vec<Chain>,
    /// The chain of each list that has rules, and of each that is bound without being there.
    ids: BTreeMap<&'t str, ChainId>,
    filters: Vec<Filter>,
    faults: Faults,
}

/// The model that a config stands for, and what in it stands for nothing.
pub(super) fn lower(config: &Config) -> (Model, Faults) {
    let mut ctx =
        Ctx { config, chains: Vec::new(), ids: BTreeMap::new(), filters: Vec::new(), faults: Vec::new() };
    let mut rules = Rules::new(config);
    for (name, list) in config.lists.in_order() {
        let chain = Chain { name: name.to_owned(), rules: ctx.rules_of(list, &mut rules) };
        ctx.add_chain(name, chain);
    }
    ctx.interfaces();
    for family in [Family::V4, Family::V6] {
        ctx.terminals(family);
    }
    ctx.filters.sort_by_key(|filter| filter.line);
    let interfaces = config.bindings.interfaces.iter();
    let storms = interfaces.map(|(name, interface)| (name.clone(), interface.storm.clone()));
    let storms = storms.filter(|(_, storm)| *storm != StormControl::default()).collect();
    let families = vec![Family::V4, Family::V6];
    let model = Model { families, chains: ctx.chains, filters: ctx.filters, storms };
    (model, ctx.faults)
}

impl<'t> Ctx<'_, 't> {
    fn add_chain(&mut self, name: &'t str, chain: Chain) -> ChainId {
        let id = ChainId(self.chains.len());
        self.chains.push(chain);
        self.ids.insert(name, id);
        id
    }

    /// The rules of a list, with those that are not written. An empty list has none.
    fn rules_of(&mut self, list: &List<'t>, rules: &mut Rules<'_, 't>) -> Vec<Rule> {
        let family = list.kind.family();
        let mut found = Vec::with_capacity(list.entries.len() + 3);
        for entry in &list.entries {
            if let Err(what) = rules.of_entry(entry, family, &mut found) {
                self.faults.push((entry.line, what));
            }
        }
        if !list.entries.is_empty() {
            found.extend(unwritten(list));
        }
        found
    }

    /// The chain of a list that is bound, and whether what it leaves undecided passes.
    fn bound(&mut self, binding: &Binding<'t>, family: Family) -> Option<(ChainId, bool)> {
        let list = self.config.lists.get(binding.list);
        match list {
            Some(list) if list.kind.family() != family => {
                let what =
                    format!("access list `{}` of line {} is for the other family", binding.list, list.line);
                self.faults.push((binding.line, what));
                None
            }
            Some(list) if list.entries.is_empty() && list.has_remarks => {
                let what = format!(
                    "no document says what access list `{}` does, which is nothing but remarks",
                    binding.list
                );
                self.faults.push((binding.line, what));
                None
            }
            _ => {
                let missing = Chain { name: binding.list.to_owned(), rules: Vec::new() };
                let known = self.ids.get(binding.list).copied();
                let id = known.unwrap_or_else(|| self.add_chain(binding.list, missing));
                Some((id, list.is_none_or(|list| list.entries.is_empty())))
            }
        }
    }

    fn interfaces(&mut self) {
        for (name, interface) in &self.config.bindings.interfaces {
            for ((family, direction), binding) in &interface.bound {
                let Some((chain, otherwise_accept)) = self.bound(binding, *family) else { continue };
                let here = Interfaces::Only([name.clone()].into());
                let conditions = vec![Condition::family(*family)];
                let (paths, concerns) = match direction {
                    Direction::In => (
                        Paths { through: true, to_device: true, from_device: false },
                        Match { arrives: here, conditions, ..Match::default() },
                    ),
                    Direction::Out => (
                        Paths { through: true, to_device: false, from_device: false },
                        Match { leaves: here, conditions, ..Match::default() },
                    ),
                };
                let name = format!("interface {name} {} {}", direction.word(), family_word(*family));
                let line = binding.line;
                self.filters.push(Filter { name, line, paths, concerns, chain, otherwise_accept });
            }
        }
    }

    /// Filters for what is bound to lines for logins.
    fn terminals(&mut self, family: Family) {
        let with_vrf: Arc<[String]> = self.config.bindings.with_vrf().into();
        for (binding, lines, is_all) in self.config.bindings.of_terminals(family) {
            let Some((chain, otherwise_accept)) = self.bound(&binding, family) else { continue };
            self.check_destinations(&binding);
            let name = format!("line vty {}", ranges(&lines));
            let opaque = if is_all { Vec::new() } else { vec![name.clone()] };
            let mut logins = PacketBox::all(family);
            logins.protocol = (6, 6);
            logins.destination_port = LOGIN_PORTS;
            let concerns =
                Match { conditions: vec![Condition::any_of([logins])], opaque, ..Match::default() };
            let filter = Filter {
                name: format!("{name} in {}", family_word(family)),
                line: binding.line,
                paths: Paths { through: false, to_device: true, from_device: false },
                concerns,
                chain,
                otherwise_accept,
            };
            if binding.vrf_also || with_vrf.is_empty() || otherwise_accept {
                self.filters.push(filter);
                continue;
            }
            let nothing = ChainId(self.chains.len());
            let name = format!("{} by a vrf", filter.name);
            self.chains.push(Chain { name: name.clone(), rules: Vec::new() });
            let mut refused = Filter { name, chain: nothing, ..filter.clone() };
            refused.concerns.arrives = Interfaces::Only(with_vrf.clone());
            let mut checked = filter;
            checked.concerns.arrives = Interfaces::Except(with_vrf.clone());
            self.filters.extend([checked, refused]);
        }
    }

    /// A list for logins must not name destinations.
    fn check_destinations(&mut self, binding: &Binding<'t>) {
        let Some(list) = self.config.lists.get(binding.list) else { return };
        let everywhere = Addresses::One((0, list.kind.family().last_address()));
        let narrow = |entry: &&Entry| entry.body.destination != everywhere;
        if let Some(entry) = list.entries.iter().find(narrow) {
            let what = format!(
                "access list `{}` names a destination in line {}, and no document says what that means for logins; \
                 write `any`",
                binding.list, entry.line
            );
            self.faults.push((binding.line, what));
        }
    }
}

fn family_word(family: Family) -> &'static str {
    match family {
        Family::V4 => "ipv4",
        Family::V6 => "ipv6",
    }
}

/// The rules at the end of a list that nobody writes, in the line of its head.
fn unwritten(list: &List) -> Vec<Rule> {
    let family = list.kind.family();
    let rule = |packets: PacketBox, action| Rule {
        line: list.line,
        matches: Match { conditions: vec![Condition::any_of([packets])], ..Match::default() },
        action,
        label: None,
    };
    let mut rules = Vec::new();
    if family == Family::V6 {
        let messages = PacketBox { protocol: (58, 58), ..PacketBox::all(family) };
        let neighbours = [136, 135].map(|kind| PacketBox { source_port: (kind, kind), ..messages });
        // As any entry that permits messages of one type, these permit the later fragments of all.
        for (packets, later_fragments) in
            neighbours.map(|one| (one, false)).into_iter().chain([(messages, true)])
        {
            let mut rule = rule(packets, Action::Accept);
            rule.matches.later_fragments = Some(later_fragments);
            rules.push(rule);
        }
    }
    rules.push(rule(PacketBox::all(family), Action::Drop));
    rules
}

/// Numbers, sorted, as ranges: `0 15`, `0 4, 7`.
fn ranges(numbers: &[u16]) -> String {
    let mut ranges: Vec<(u16, u16)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some(last) if last.1 + 1 == *number => last.1 = *number,
            _ => ranges.push((*number, *number)),
        }
    }
    let words = ranges.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first} {last}"),
    });
    words.collect::<Vec<_>>().join(", ")
}
