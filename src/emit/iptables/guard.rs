//! Guards: chains that count by hash limits, log and drop, and the set of sources that are put away.
//!
//! The table of a hash limit is found by its name, and as long as an older rule has one of that name, a new rule takes it
//! over with the rate of the old (`htable_find_get`, net/netfilter/xt_hashlimit.c). So the name holds a digest of the rate.

use super::address::{Family, Side};
use super::names::digest;
use super::sets::SetType;
use super::view::{Builder, Chain};
use crate::ir::{Action, Guard, Metric, Rate, Rule, Subject};

/// What is added to the time in which a bucket is full again, in seconds, to say how long a source is remembered for.
const MORE_MEMORY: u32 = 61;

/// The bytes of a kilobit.
const BYTES_OF_KILOBIT: u64 = 125;

/// The name of the set of sources that are put away, behind the digit of its family.
const QUARANTINE: &str = "q";

/// What leads to guards, in the chains of what arrives.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// The rules that lead to what is cut off, while it is.
    pub(super) isolated: Vec<String>,
    /// The rules that send sources away that are put away.
    pub(super) first: Vec<String>,
    /// The rules that count all packets.
    pub(super) every: Vec<String>,
    /// The rules that count new connections.
    pub(super) new: Vec<String>,
}

impl Builder<'_, '_> {
    /// The chains of all guards that count sources, or the rule of a pair of interfaces, and what leads to them.
    pub(super) fn guards(&mut self, guards: &[&Guard], family: Family) -> Result<Entries, &'static str> {
        let mut entries = Entries::default();
        if guards.iter().any(|guard| matches!(guard.action, Action::Quarantine { .. })) {
            let set = self.quarantine(family)?;
            entries.first.push(format!("-m set --match-set {set} src -g cordon-away"));
        }
        for guard in guards {
            if let Action::Isolate { seconds, except } = &guard.action {
                entries.isolated.extend(self.isolation(guard, *seconds, except, family)?);
            }
            let chain = self.guard(guard, family)?;
            let Subject::Sources(sources) = &guard.subject else { continue };
            if let Some(options) = self.addresses(Side::Source, &family.ranges(sources), family)? {
                let counted = if guard.metric.counts_known() { &mut entries.every } else { &mut entries.new };
                counted.push(format!("{options} -j {chain}").trim_start().to_owned());
            }
        }
        Ok(entries)
    }

    /// The chain that a rule with guards leads to: it is counted, and then gets its verdict.
    pub(super) fn guarded(
        &mut self,
        rule: &Rule,
        guards: &[&Guard],
        verdict: String,
    ) -> Result<String, &'static str> {
        let name = self.names.chain(&format!("rule/{}", rule.id))?;
        let mut rules = Vec::new();
        for guard in guards {
            rules.push(format!("-j {}", self.names.chain(&format!("guard/{}", guard.id))?));
        }
        rules.push(verdict);
        let about = format!("{}: what its guards let through", rule.id);
        self.shared.insert(name.clone(), Chain { name: name.clone(), about, rules });
        Ok(format!("-g {name}"))
    }

    /// The set of sources that are put away.
    fn quarantine(&mut self, family: Family) -> Result<String, &'static str> {
        let name = self.names.set(&format!("{}{QUARANTINE}", family.digit()))?;
        self.sets.add(&name, SetType::Timed, family, Vec::new());
        Ok(name)
    }

    fn guard(&mut self, guard: &Guard, family: Family) -> Result<String, &'static str> {
        let id = &guard.id;
        let (name, tripped) =
            (self.names.chain(&format!("guard/{id}"))?, self.names.chain(&format!("trip/{id}"))?);
        let first = if guard.metric == Metric::Destinations { first_in_unit(guard) } else { String::new() };
        let rules = vec![format!("{first}-m hashlimit {} -g {tripped}", limit(guard))];
        let about = format!("guard {id}: counts");
        self.shared.insert(name.clone(), Chain { name: name.clone(), about, rules });
        let mut ends = Vec::new();
        match guard.action {
            Action::Quarantine { seconds } => {
                let set = self.quarantine(family)?;
                ends.push(format!("-j SET --add-set {set} src --exist --timeout {seconds}"));
            }
            Action::Isolate { .. } => {
                ends.push(format!("-m recent --set {}", isolated(guard, family)));
            }
            Action::Alert | Action::Limit => {}
        }
        let prefix = self.names.log_prefix("guard", id)?;
        ends.push(format!(
            "-m limit --limit 10/second --limit-burst 50 -j LOG --log-level 6 --log-prefix \"{prefix}\""
        ));
        match guard.action {
            Action::Alert => {}
            Action::Limit | Action::Quarantine { .. } => ends.push("-j DROP".to_owned()),
            // What stays while the subject is cut off also passes where it is too much.
            Action::Isolate { .. } => {
                ends.push(format!("-g {}", self.names.chain(&format!("isolated/{id}"))?));
            }
        }
        let about = format!("guard {id}: what is too much");
        self.shared.insert(tripped.clone(), Chain { name: tripped, about, rules: ends });
        Ok(name)
    }
}

/// What a list is called that holds one entry as long as something is cut off, and what makes that entry the same for every
/// packet: no bit of an address is looked at.
pub(super) fn isolated(guard: &Guard, family: Family) -> String {
    let mask = match family {
        Family::V4 => "0.0.0.0",
        Family::V6 => "::",
    };
    format!("--name cordon0.isolated.{} --mask {mask} --rsource", guard.id)
}

/// The options of the match that holds where a guard has counted too many.
fn limit(guard: &Guard) -> String {
    let Rate { count, unit, burst } = guard.rate;
    let mode = if guard.per_source { "--hashlimit-mode srcip " } else { "" };
    let options = match guard.metric {
        Metric::Bandwidth => {
            format!("--hashlimit-above {}b/s {mode}", u64::from(count) * BYTES_OF_KILOBIT)
        }
        // No guard of session times gets here, since iptables keeps none.
        Metric::NewConnections | Metric::Packets | Metric::Destinations | Metric::SessionTime => {
            format!("--hashlimit-above {count}/{} --hashlimit-burst {burst} {mode}", unit.word())
        }
    };
    table(guard, "", &options, guard.rate)
}

/// The match that holds for the first connection of a source to a destination in a unit of time.
fn first_in_unit(guard: &Guard) -> String {
    let rate = Rate { count: 1, burst: 1, ..guard.rate };
    let options =
        format!("--hashlimit-upto 1/{} --hashlimit-burst 1 --hashlimit-mode srcip,dstip ", rate.unit.word());
    format!("-m hashlimit {} ", table(guard, ".first", &options, rate))
}

/// The options of a match with the table that it counts in.
fn table(guard: &Guard, role: &str, options: &str, rate: Rate) -> String {
    let memory = rate.seconds_to_refill().saturating_add(MORE_MEMORY).saturating_mul(1_000);
    let name = format!("cordon.{}{role}.{}", guard.id, digest(options, 8));
    format!("{options}--hashlimit-name {name} --hashlimit-htable-expire {memory}")
}
