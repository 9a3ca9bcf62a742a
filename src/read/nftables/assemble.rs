//! From declarations to the model: the rules of all chains, the filters that lead into them, and what can only be judged
//! when all is known.

use std::collections::{BTreeMap, BTreeSet};

use super::ignorable::FAMILIES;
use super::lookup::Sets;
use super::report::Report;
use super::rule::{Lowered, MAX_RULES, Surroundings, lower};
use super::ruleset::{Base, Ruleset, Table, TableFamily, TableKey};
use super::scan::{Piece, Statement, Token};
use crate::read::{
    Action, Chain, ChainId, Condition, Family, Filter, Interfaces, Match, Model, Paths, Rule, States,
};

/// Where fragments are put together if connections are tracked (`NF_IP_PRI_CONNTRACK_DEFRAG`,
/// include/uapi/linux/netfilter_ipv4.h).
const DEFRAGMENTATION: i64 = -400;

/// Where connections are tracked (`NF_IP_PRI_CONNTRACK`, the same file).
const TRACKING: i64 = -200;

/// What is known of a chain beside its rules.
#[derive(Clone, Default)]
struct Facts {
    /// The line of its declaration, or of its hook.
    line: usize,
    /// The first line that looks at the interface that the packet arrives on.
    arrives: Option<usize>,
    /// The first line that looks at the interface that it leaves by.
    leaves: Option<usize>,
    /// The first line that looks at the state of its connection.
    states: Option<usize>,
    /// True if a rule drops.
    drops: bool,
    /// Where packets go from here.
    targets: BTreeSet<usize>,
    /// What rules change that no field shows, with their lines.
    changes: Vec<(usize, String)>,
}

/// The model of a ruleset. What is wrong with it is reported.
pub(super) fn assemble(ruleset: &mut Ruleset, report: &mut Report) -> Model {
    ruleset.tables.retain(|(family, _), _| FAMILIES.iter().all(|(ignored, _)| *ignored != family.word()));
    let ids = number(ruleset);
    let mut ctx = Ctx {
        chains: vec![Chain { name: String::new(), rules: Vec::new() }; ids.len()],
        facts: vec![Facts::default(); ids.len()],
        reads: BTreeSet::new(),
        tracked: BTreeSet::new(),
        count: 0,
        report,
    };
    for (key, table) in &mut ruleset.tables {
        mark_changing_sets(table);
        ctx.table(key, table, &ids);
    }
    ctx.judge_changes();
    ctx.judge_loops();
    let filters = ctx.filters(ruleset, &ids);
    Model { families: vec![Family::V4, Family::V6], chains: ctx.chains, filters, ..Model::default() }
}

/// Numbers of chains, by table and name, in the order of the text.
type Ids = BTreeMap<(TableKey, String), ChainId>;

fn number(ruleset: &Ruleset) -> Ids {
    let all = ruleset.tables.iter().flat_map(|(key, table)| {
        table.chains.iter().map(move |(name, chain)| (chain.line, (key.clone(), name.clone())))
    });
    let mut all: Vec<(usize, (TableKey, String))> = all.collect();
    all.sort();
    all.into_iter().enumerate().map(|(place, (_, name))| (name, ChainId(place))).collect()
}

/// Sets that rules put something into change, whatever their flags say (measured: nft 1.0.6 loads such rules).
fn mark_changing_sets(table: &mut Table) {
    let mut changed: Vec<String> = Vec::new();
    for statement in table.chains.values().flat_map(|chain| &chain.rules) {
        let pairs = statement.tokens.iter().zip(statement.tokens.iter().skip(1));
        changed.extend(pairs.filter_map(|pair| match pair {
            (Token { piece: Piece::Word(verb), .. }, Token { piece: Piece::Word(name), .. })
                if ["add", "update", "delete"].contains(&verb.as_ref()) =>
            {
                name.strip_prefix('@').map(str::to_owned)
            }
            _ => None,
        }));
    }
    for name in changed {
        if let Some(set) = table.sets.get_mut(&name) {
            set.is_dynamic = true;
        }
    }
}

fn families(family: TableFamily) -> &'static [Family] {
    match family {
        TableFamily::Ip => &[Family::V4],
        TableFamily::Ip6 => &[Family::V6],
        TableFamily::Inet | TableFamily::Arp | TableFamily::Bridge | TableFamily::Netdev => {
            &[Family::V4, Family::V6]
        }
    }
}

struct Ctx<'r> {
    chains: Vec<Chain>,
    facts: Vec<Facts>,
    /// What rules look at that the model has no field for.
    reads: BTreeSet<String>,
    /// The families whose connections are tracked, since a rule looks at them.
    tracked: BTreeSet<Family>,
    /// How many rules there are.
    count: usize,
    report: &'r mut Report,
}

impl Ctx<'_> {
    fn table(&mut self, key: &TableKey, table: &Table, ids: &Ids) {
        let mut sets = Sets::new(table);
        let own: BTreeMap<&str, ChainId> = table
            .chains
            .keys()
            .filter_map(|name| Some((name.as_str(), *ids.get(&(key.clone(), name.clone()))?)))
            .collect();
        let chain_id = |name: &str| own.get(name).copied();
        let bases: BTreeMap<ChainId, &str> = table
            .chains
            .iter()
            .filter(|(_, chain)| chain.base.is_some())
            .filter_map(|(name, _)| Some((chain_id(name)?, name.as_str())))
            .collect();
        let has_object = |kind: &str, name: &str| table.objects.contains(&(kind.to_owned(), name.to_owned()));
        let around = Surroundings { families: families(key.0), chain_id: &chain_id, has_object: &has_object };
        for (name, declared) in &table.chains {
            let Some(ChainId(id)) = chain_id(name) else { continue };
            let mut rules = Vec::with_capacity(declared.rules.len());
            let mut facts = Facts { line: declared.line, ..Facts::default() };
            for (place, statement) in (1..).zip(&declared.rules) {
                let place = format!("rule {place} of `{name}`");
                match lower(&around, &mut sets, statement, place) {
                    Ok(lowered) => self.take(key.0, statement, lowered, &mut rules, &mut facts),
                    Err((line, what)) => self.report.mistake_in(statement.lines, line, what),
                }
            }
            facts.note(&rules);
            self.judge_targets(&rules, &bases);
            if let (Some(chain), Some(known)) = (self.chains.get_mut(id), self.facts.get_mut(id)) {
                *chain = Chain { name: name.clone(), rules };
                *known = facts;
            }
        }
        for (line, what) in sets.finish() {
            self.report.mistake(line, what);
        }
    }

    fn take(
        &mut self,
        family: TableFamily,
        statement: &Statement,
        lowered: Lowered,
        rules: &mut Vec<Rule>,
        facts: &mut Facts,
    ) {
        let line = statement.lines.0;
        facts.changes.extend(lowered.changes.into_iter().map(|what| (line, what)));
        for read in lowered.reads {
            if read.starts_with("fib") && read.contains("mark") {
                self.reads.insert("meta mark".to_owned());
            }
            self.reads.insert(read);
        }
        if lowered.reads_connection && !matches!(family, TableFamily::Bridge | TableFamily::Netdev) {
            self.tracked.extend(families(family));
        }
        self.count = self.count.saturating_add(lowered.rules.len());
        if self.count > MAX_RULES {
            let what = "what is looked up here and in rules before is too many rules to be read";
            self.report.mistake_in(statement.lines, line, what);
            return;
        }
        let later_fragments = lowered.reads_transport.then_some(false);
        rules.extend(lowered.rules.into_iter().map(|mut rule| {
            rule.matches.later_fragments = later_fragments;
            rule
        }));
    }

    /// Base chains are no targets; the kernel refuses them.
    fn judge_targets(&mut self, rules: &[Rule], bases: &BTreeMap<ChainId, &str>) {
        for rule in rules {
            if let Action::Jump(target) | Action::Goto(target) = rule.action
                && let Some(name) = bases.get(&target)
            {
                let what = format!("`{name}` has a hook of its own, so no rule can lead there");
                self.report.mistake(rule.line, what);
            }
        }
    }

    /// What no field shows must not be changed where a rule looks at it.
    fn judge_changes(&mut self) {
        for facts in &self.facts {
            for (line, what) in &facts.changes {
                if self.reads.contains(what) {
                    let what =
                        format!("`{what}` is set here and looked at elsewhere, which is not understood");
                    self.report.mistake(*line, what);
                }
            }
        }
    }

    /// The kernel refuses rules that lead back to their own chain.
    fn judge_loops(&mut self) {
        let mut left: BTreeMap<usize, BTreeSet<usize>> =
            self.facts.iter().enumerate().map(|(place, facts)| (place, facts.targets.clone())).collect();
        // Chains that lead nowhere, and those that nothing leads to, are on no loop.
        for _ in 0..2 {
            let mut callers: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
            for (from, targets) in &left {
                for target in targets {
                    callers.entry(*target).or_default().insert(*from);
                }
            }
            let ends = left.iter().filter(|(_, targets)| targets.is_empty());
            let mut ends: Vec<usize> = ends.map(|(place, _)| *place).collect();
            while let Some(end) = ends.pop() {
                left.remove(&end);
                for caller in callers.remove(&end).unwrap_or_default() {
                    if let Some(targets) = left.get_mut(&caller) {
                        targets.remove(&end);
                        if targets.is_empty() {
                            ends.push(caller);
                        }
                    }
                }
            }
            let mut turned: BTreeMap<usize, BTreeSet<usize>> =
                left.keys().map(|place| (*place, BTreeSet::new())).collect();
            for (from, targets) in &left {
                for target in targets {
                    turned.entry(*target).or_default().insert(*from);
                }
            }
            left = turned;
        }
        for place in left.keys() {
            if let (Some(facts), Some(chain)) = (self.facts.get(*place), self.chains.get(*place)) {
                let what = format!("rules of `{}` lead back to it, which the kernel refuses", chain.name);
                self.report.mistake(facts.line, what);
            }
        }
    }

    /// Where packets enter, in the order of the text.
    fn filters(&mut self, ruleset: &Ruleset, ids: &Ids) -> Vec<Filter> {
        let mut filters = Vec::new();
        let mut whole = vec![true; self.chains.len()];
        for (key, table) in &ruleset.tables {
            for (name, chain) in &table.chains {
                let Some(id) = ids.get(&(key.clone(), name.clone())).copied() else { continue };
                let Some(base) = chain.base.as_ref().filter(|_| !table.dormant) else { continue };
                let reached = self.reached(id);
                let tracked = families(key.0).iter().all(|family| self.tracked.contains(family));
                if !tracked || base.priority <= DEFRAGMENTATION || paths(&base.hook).is_none() {
                    for place in &reached {
                        if let Some(whole) = whole.get_mut(*place) {
                            *whole = false;
                        }
                    }
                }
                self.judge_hook(base, &reached);
                match self.filter_paths(key.0, base) {
                    Some(paths) => filters.push(Filter {
                        name: format!("{} {} {name}", key.0.word(), key.1),
                        line: chain.line,
                        paths,
                        concerns: concerned(key.0),
                        chain: id,
                        otherwise_accept: !chain.policy_drop,
                    }),
                    None => self.judge_harmless(chain.line, name, base, chain.policy_drop, &reached),
                }
            }
        }
        filters.sort_by_key(|filter| filter.line);
        for (chain, whole) in self.chains.iter_mut().zip(whole) {
            // Where fragments have been put together, there are no later ones to tell apart.
            if whole {
                chain.rules.iter_mut().for_each(|rule| rule.matches.later_fragments = None);
            }
        }
        filters
    }

    /// The ways of packets through a hook, if what the chain does there is what filters do.
    fn filter_paths(&mut self, family: TableFamily, base: &Base) -> Option<Paths> {
        let ip = matches!(family, TableFamily::Ip | TableFamily::Ip6 | TableFamily::Inet);
        paths(&base.hook).filter(|_| ip && base.kind != "nat")
    }

    /// The chains that packets get to from one.
    fn reached(&self, start: ChainId) -> BTreeSet<usize> {
        let mut reached = BTreeSet::from([start.0]);
        let mut next = vec![start.0];
        while let Some(place) = next.pop() {
            let targets = self.facts.get(place).map(|facts| &facts.targets);
            next.extend(targets.into_iter().flatten().filter(|target| reached.insert(**target)));
        }
        reached
    }

    /// What rules look at has to be known at the hook.
    fn judge_hook(&mut self, base: &Base, reached: &BTreeSet<usize>) {
        for facts in reached.iter().filter_map(|place| self.facts.get(*place)) {
            let early = base.priority <= TRACKING && matches!(base.hook.as_str(), "prerouting" | "output");
            if let Some(line) = facts.states.filter(|_| early) {
                let what =
                    "connections are not tracked yet at this priority, so that all packets are `invalid`";
                self.report.mistake(line, what);
            }
            if let Some(line) = facts.leaves.filter(|_| base.hook == "prerouting") {
                let what = "the interface that a packet leaves by is not known before it is routed";
                self.report.mistake(line, what);
            }
            if let Some(line) = facts.arrives.filter(|_| base.hook == "postrouting") {
                let what = "whether the interface that a packet arrived on is still known behind the routing depends \
                            on the kernel";
                self.report.mistake(line, what);
            }
            if base.kind == "route" {
                for (line, what) in &facts.changes {
                    let what = format!("a packet whose `{what}` is set here may be routed anew");
                    self.report.mistake(*line, what);
                }
            }
        }
        if base.devices && paths(&base.hook).is_some() {
            for place in reached.iter().take(1) {
                let line = self.facts.get(*place).map_or(1, |facts| facts.line);
                self.report.mistake(line, format!("the hook `{}` has no devices", base.hook));
            }
        }
    }

    /// Chains that are no filters may be there if nothing that they do keeps a packet from passing.
    fn judge_harmless(
        &mut self,
        line: usize,
        name: &str,
        base: &Base,
        policy_drop: bool,
        reached: &BTreeSet<usize>,
    ) {
        let drops = reached.iter().any(|place| self.facts.get(*place).is_some_and(|facts| facts.drops));
        if policy_drop || drops {
            let what = format!(
                "`{name}` can drop packets in a place that is not understood: a chain of the type `{}` at the hook \
                 `{}`",
                base.kind, base.hook
            );
            self.report.mistake(line, what);
        }
    }
}

impl Facts {
    fn note(&mut self, rules: &[Rule]) {
        for rule in rules {
            let first = |place: &mut Option<usize>, looks: bool| {
                if looks && place.is_none() {
                    *place = Some(rule.line);
                }
            };
            first(&mut self.arrives, rule.matches.arrives != Interfaces::Any);
            first(&mut self.leaves, rule.matches.leaves != Interfaces::Any);
            first(&mut self.states, rule.matches.states != States::ALL);
            match rule.action {
                Action::Drop => self.drops = true,
                Action::Jump(ChainId(target)) | Action::Goto(ChainId(target)) => {
                    self.targets.insert(target);
                }
                Action::Accept | Action::Return | Action::Continue => {}
            }
        }
    }
}

/// The ways of packets through a hook of the network stack; `None` for a hook of a device.
fn paths(hook: &str) -> Option<Paths> {
    let (through, to_device, from_device) = match hook {
        "prerouting" => (true, true, false),
        "input" => (false, true, false),
        "forward" => (true, false, false),
        "output" => (false, false, true),
        "postrouting" => (true, false, true),
        _ => return None,
    };
    Some(Paths { through, to_device, from_device })
}

/// The packets that a table sees.
fn concerned(family: TableFamily) -> Match {
    match families(family) {
        [only] => Match { conditions: vec![Condition::family(*only)], ..Match::default() },
        _ => Match::default(),
    }
}
