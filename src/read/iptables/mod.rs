//! The reader of iptables: rules of one family, and the sets that they look into.
//!
//! In: what `iptables-restore` reads or `iptables-save` writes, and what `ipset restore` reads or `ipset save` writes. Out:
//! a chain for each chain of the tables, and a filter for each hook that the text speaks of. What the model says rests on
//! these facts; *measured* means seen on iptables 1.8.9, both variants, ipset 7.17 and Linux 6.18.
//!
//! - **Tables are filters of their own.** `ACCEPT` ends a table's chain, and the next table still sees the packet
//!   (iptables(8), targets; `nf_hook_slow`, net/netfilter/core.c). `nat` decides on nothing, and a rule that translates
//!   is a mistake.
//! - **Chains.** The first rule that matches and decides gives the verdict. `RETURN` in a built-in chain, and its end, come
//!   to its policy; one that the text does not give is that of a kernel that has just started, `ACCEPT`. `-g` comes back
//!   to where the chain before was called from.
//! - **A rule without a target** counts, and has no effect.
//! - **Lists of addresses** make a rule for each; they act like one, and count as several for `-I CHAIN NUMBER`.
//! - **Later fragments** show addresses and protocol only; see `matching` and `sets::lookup` for what they match. Where
//!   connections are tracked there are none, since packets are put together first.
//! - **`-p`** looks behind the extension headers of IPv6, so those that are some themselves match nothing.
//! - **Interfaces.** `-o` stands for nothing before a packet is routed, nor `-i` for what the device sends: iptables
//!   refuses both in built-in chains, and in chains that are reached from them they are mistakes here.
//! - **The state of connections** is a property of the packet. In `raw` it is not known yet, so a rule that asks for it is
//!   a mistake, and so is `NOTRACK` if any rule looks at states.
//! - **What changes packets** (marks, hop limits, types of service) is left out, unless some match looks at what is
//!   changed: then the change is a mistake. Where a mark routes a packet is not part of filtering.
//! - **Sets that rules change, or whose elements expire**, may hold any packet at any time: a lookup is a condition that
//!   holds or does not.
//! - **Packets that are no packets** (a header cut short, a fragment that would overwrite a header) are dropped by some
//!   matches (`hotdrop`); the model has none of them.
//!
//! The two variants of iptables differ in a few things (a chain declared twice, `-m tcp` without options, `! -i +`, the
//! negation of all addresses): these are mistakes. So are shortened names of options, numbers that are not plain decimal
//! ones, names of hosts, and lines that the tools do not read as one.
//!
//! Without effect on filtering, and counted as ignored, are: `-Z`, which sets counters to zero; rules for the other family
//! only (`-6` among rules of IPv4 and the other way round), which the tool leaves out; the table `nat`; and `COMMIT` in a
//! file of sets.

mod address;
mod draft;
mod line;
mod lower;
mod matching;
mod modules;
mod names;
mod opaque;
mod ports;
mod report;
mod rule;
mod sets;
mod table;
mod targets;
mod time;

use super::model::{Family, Lines, Reading};
use report::Report;
pub use sets::element_comments;

/// What mistakes of the text of sets begin with. Their lines are those of that text; they follow those of the rules.
pub const IN_SETS: &str = "in the sets: ";

/// Reads the rules of a family, and the sets that they look into. `sets` can be empty.
pub fn read(rules: &str, sets: &str, family: Family) -> Reading {
    let lines = |text: &str| text.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let mut on_sets = Report::new(lines(sets), IN_SETS);
    let sets = sets::read(sets, &mut on_sets);
    let mut on_rules = Report::new(lines(rules), "");
    let tables = table::read(rules, family, &mut on_rules);
    let model = lower::lower(&tables.tables, &sets, family, &mut on_rules);
    let (mut mistakes, of_rules) = on_rules.finish();
    let (mistakes_of_sets, of_sets) = on_sets.finish();
    mistakes.extend(mistakes_of_sets);
    let lines = Lines {
        understood: of_rules.understood + of_sets.understood,
        ignored: of_rules.ignored + of_sets.ignored,
        mistaken: of_rules.mistaken + of_sets.mistaken,
    };
    Reading { model, mistakes, lines }
}
