//! Guards: sets that count for each source, and the chains that count, log and drop.

use serde::Serialize;

use super::behind::NamedSet;
use super::element::Family;
use super::isolation::{Isolation, KEY};
use super::session::{self, Session};
use crate::ir::{Action, Guard, Metric, Rate, Subject};
use crate::plan::DevicePlan;
use crate::set::{AddressRange, AddressSet};

/// Bursts of so many packets are what the kernel does without a word, and what it then does not print.
const DEFAULT_BURST: u32 = 5;

/// The shortest time, in seconds, that a source is remembered for; after it, its bucket is full again.
const LEAST_MEMORY: u32 = 60;

/// The bytes of a kilobit.
const BYTES_OF_KILOBIT: u64 = 125;

/// Units of bytes, each of 1,024 of the one before.
const UNITS: [&str; 3] = ["bytes", "kbytes", "mbytes"];

/// A guard.
#[derive(Debug, Serialize)]
pub(super) struct GuardView {
    id: String,
    /// Whose connections it counts, if these are sources.
    subjects: Vec<NamedSet>,
    /// What leads there for new connections, and for all packets.
    entries: Vec<String>,
    every: Vec<String>,
    /// The sets that count, each with the field that it counts by.
    counters: Vec<(String, &'static str)>,
    /// How long a source is remembered for, in seconds.
    memory: u32,
    /// The sets of sources with their destinations, each with its fields, and how long they are remembered for.
    pairs: Vec<(String, &'static str)>,
    unit: u32,
    /// What sends away what is too much.
    tests: Vec<String>,
    /// What becomes of it.
    ends: Vec<String>,
    /// What cuts the subject off.
    isolation: Option<Isolation>,
    /// What is done with its sessions.
    session: Option<Session>,
}

/// The guards of an enforcement point.
#[derive(Debug, Serialize)]
pub(super) struct Guards {
    /// True if some of them put sources away.
    quarantine: bool,
    /// True if some of them cut off what they guard, count all packets, or new connections.
    isolation: bool,
    every: bool,
    new: bool,
    all: Vec<GuardView>,
}

impl Guards {
    pub(super) fn new(plan: &DevicePlan) -> Result<Self, &'static str> {
        let guards = &plan.guards;
        let all = guards.iter().map(|guard| view(plan, guard)).collect::<Result<Vec<_>, _>>()?;
        Ok(Guards {
            quarantine: guards.iter().any(|guard| matches!(guard.action, Action::Quarantine { .. })),
            isolation: all.iter().any(|guard| guard.isolation.is_some()),
            every: all.iter().any(|guard| !guard.every.is_empty()),
            new: guards.iter().any(|guard| !guard.metric.counts_known()),
            all,
        })
    }
}

fn view(plan: &DevicePlan, guard: &Guard) -> Result<GuardView, &'static str> {
    let id = &guard.id;
    let subjects = match &guard.subject {
        Subject::Sources(sources) => subjects(id, sources),
        Subject::Rule(_) => Vec::new(),
    };
    let leads = subjects.iter().map(|set| format!("{} jump guard/{id}", set.test())).collect();
    let (entries, every) =
        if guard.metric.counts_known() { (Vec::new(), leads) } else { (leads, Vec::new()) };
    let of_families = |role: &str, with_destination: bool| {
        let set =
            |family: Family| (format!("{role}/{id}/{}", family.suffix()), family.fields(with_destination));
        Vec::from([Family::V4, Family::V6].map(set))
    };
    let counters = if guard.per_source { of_families("guard", false) } else { Vec::new() };
    let pairs = if guard.metric == Metric::Destinations { of_families("known", true) } else { Vec::new() };
    let tests = match guard.session_seconds() {
        Some(seconds) => session::beginnings(guard, seconds),
        None => tests(guard, &counters, &pairs),
    };
    let isolation = match &guard.action {
        Action::Isolate { except, .. } => Some(Isolation::new(plan.policy, id, &subjects, except)?),
        Action::Alert | Action::Limit | Action::Quarantine { .. } => None,
    };
    Ok(GuardView {
        id: id.clone(),
        entries,
        every,
        counters,
        memory: guard.rate.seconds_to_refill().max(LEAST_MEMORY),
        pairs,
        unit: guard.rate.unit.seconds(),
        tests,
        ends: ends(guard),
        isolation,
        session: Session::new(plan, guard)?,
        subjects,
    })
}

/// What counts, and sends away what is too much.
fn tests(guard: &Guard, counters: &[(String, &str)], pairs: &[(String, &str)]) -> Vec<String> {
    let (id, limit) = (&guard.id, limit(guard));
    let mut tests: Vec<String> =
        pairs.iter().map(|(set, fields)| format!("{fields} @{set} return")).collect();
    let counted =
        |(set, field): &(String, &str)| format!("update @{set} {{ {field} {limit} }} goto tripped/{id}");
    tests.extend(counters.iter().map(counted));
    if !guard.per_source {
        tests.push(format!("{limit} goto tripped/{id}"));
    }
    // What was too much is not known afterwards, so that a second attempt is too much as well.
    tests.extend(pairs.iter().map(|(set, fields)| format!("add @{set} {{ {fields} }}")));
    tests
}

/// What holds where a guard has counted too many, in the form that nft lists: bytes in the largest unit without a rest
/// (`get_rate`, src/datatype.c).
fn limit(guard: &Guard) -> String {
    let Rate { count, unit, burst } = guard.rate;
    match guard.metric {
        Metric::Bandwidth => {
            let (mut bytes, mut units) = (u64::from(count) * BYTES_OF_KILOBIT, UNITS.iter().peekable());
            while bytes % 1_024 == 0 && units.len() > 1 {
                (bytes, _) = (bytes / 1_024, units.next());
            }
            format!("limit rate over {bytes} {}/second", units.peek().copied().unwrap_or(&"bytes"))
        }
        Metric::NewConnections | Metric::Packets | Metric::Destinations | Metric::SessionTime => {
            let burst = match burst {
                DEFAULT_BURST => String::new(),
                burst => format!(" burst {burst} packets"),
            };
            format!("limit rate over {count}/{}{burst}", unit.word())
        }
    }
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
    let (id, mut ends) = (&guard.id, Vec::new());
    match guard.action {
        Action::Quarantine { seconds } => {
            for family in [Family::V4, Family::V6] {
                let (suffix, field) = (family.suffix(), family.fields(false));
                ends.push(format!("add @quarantined/{suffix} {{ {field} timeout {seconds}s }}"));
            }
        }
        Action::Isolate { seconds, .. } => {
            ends.push(format!("update @isolated/{id} {{ {KEY} timeout {seconds}s }}"));
        }
        Action::Alert | Action::Limit => {}
    }
    let rate = "add @log_rate { iifname limit rate 10/second burst 50 packets }";
    let log = format!("{rate} log prefix \"cordon guard {id}: \" level info");
    if let Some(seconds) = guard.session_seconds() {
        return session::ends(guard, seconds, log);
    }
    ends.push(log);
    ends.push(match guard.action {
        Action::Alert => "counter".to_owned(),
        Action::Limit | Action::Quarantine { .. } => "counter drop".to_owned(),
        // What stays while the subject is cut off also passes where it is too much.
        Action::Isolate { .. } => format!("counter goto isolated/{id}"),
    });
    ends
}
