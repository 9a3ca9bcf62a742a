//! Guards: sets that count for each source, and the chains that count, log and drop.

use serde::Serialize;

use super::behind::NamedSet;
use super::element::Family;
use crate::ir::{Action, Guard, Subject};
use crate::set::{AddressRange, AddressSet};

/// Bursts of so many packets are what the kernel does without a word, and what it then does not print.
const DEFAULT_BURST: u32 = 5;

/// The shortest time, in seconds, that a source is remembered for; after it, its bucket is full again.
const LEAST_MEMORY: u32 = 60;

/// A guard.
#[derive(Debug, Serialize)]
pub(super) struct GuardView {
    id: String,
    /// Whose connections it counts, if these are sources.
    subjects: Vec<NamedSet>,
    /// What leads there.
    entries: Vec<String>,
    /// The sets that count, each with the field that it counts by.
    counters: Vec<(String, &'static str)>,
    /// How long a source is remembered for, in seconds.
    memory: u32,
    /// What sends away what is too much.
    tests: Vec<String>,
    /// What becomes of it.
    ends: Vec<String>,
}

/// The guards of an enforcement point.
#[derive(Debug, Serialize)]
pub(super) struct Guards {
    /// True if some of them put sources away.
    quarantine: bool,
    all: Vec<GuardView>,
}

impl Guards {
    pub(super) fn new(guards: &[&Guard]) -> Self {
        let quarantine = guards.iter().any(|guard| matches!(guard.action, Action::Quarantine { .. }));
        Guards { quarantine, all: guards.iter().map(|guard| view(guard)).collect() }
    }
}

fn view(guard: &Guard) -> GuardView {
    let id = &guard.id;
    let subjects = match &guard.subject {
        Subject::Sources(sources) => subjects(id, sources),
        Subject::Rule(_) => Vec::new(),
    };
    let entries = subjects.iter().map(|set| format!("{} jump guard/{id}", set.test())).collect();
    let burst = match guard.rate.burst {
        DEFAULT_BURST => String::new(),
        burst => format!(" burst {burst} packets"),
    };
    let limit = format!("limit rate over {}/{}{burst}", guard.rate.count, guard.rate.unit.word());
    let families = [Family::V4, Family::V6];
    let counter = |family: Family| (format!("guard/{id}/{}", family.suffix()), family.fields(false));
    let counters: Vec<_> = if guard.per_source { families.map(counter).into() } else { Vec::new() };
    let mut tests: Vec<String> = counters
        .iter()
        .map(|(set, field)| format!("update @{set} {{ {field} {limit} }} goto tripped/{id}"))
        .collect();
    if !guard.per_source {
        tests.push(format!("{limit} goto tripped/{id}"));
    }
    let memory = guard.rate.seconds_to_refill().max(LEAST_MEMORY);
    GuardView { id: id.clone(), subjects, entries, counters, memory, tests, ends: ends(guard) }
}

fn subjects(id: &str, sources: &AddressSet) -> Vec<NamedSet> {
    let of = |family: Family| {
        let is_v4 = |range: &AddressRange| matches!(range, AddressRange::V4(_)) == (family == Family::V4);
        let elements: Vec<String> = sources.ranges().filter(is_v4).map(|range| range.to_string()).collect();
        let name = format!("guarded/{id}/{}", family.suffix());
        (!elements.is_empty()).then(|| NamedSet::new(name, family.fields(false), elements))
    };
    [Family::V4, Family::V6].into_iter().filter_map(of).collect()
}

fn ends(guard: &Guard) -> Vec<String> {
    let mut ends = Vec::new();
    if let Action::Quarantine { seconds } = guard.action {
        for family in [Family::V4, Family::V6] {
            let (suffix, field) = (family.suffix(), family.fields(false));
            ends.push(format!("add @quarantined/{suffix} {{ {field} timeout {seconds}s }}"));
        }
    }
    let rate = "add @log_rate { iifname limit rate 10/second burst 50 packets }";
    ends.push(format!("{rate} log prefix \"cordon guard {}: \" level info", guard.id));
    ends.push(if guard.action.cuts() { "counter drop" } else { "counter" }.to_owned());
    ends
}
