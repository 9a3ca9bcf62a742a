//! The reader of nftables.
//!
//! In: a ruleset, as `nft -f` loads it or as `nft list ruleset` prints it. Out: its model. The facts that it goes by are
//! those of nft(8) 1.0.6, of the kernel's sources where they are named, and measurements with `nft --debug=netlink`.
//!
//! - A text is read as if nothing had been loaded before it, and all of it speaks of both families: what no base chain
//!   sees passes.
//! - Each base chain is a filter of its own: `accept` ends only the base chain that it is met in (nft(8), verdict
//!   statements). Chains of the type `nat`, and those of devices and bridges, have to be without effect on what passes.
//! - A verdict map becomes a rule for each element, with its line and comment.
//! - A field of a header implies the family and the protocol of that header, also behind `!=`, as nft tests them first.
//! - `meta hour` counts in UTC. Written as seconds it means the same everywhere; written as a time of the day it is
//!   converted from the time zone of the process that loads or prints it, and is read as UTC here. So a ruleset has to be
//!   dumped with `TZ=UTC`. `meta day` goes by the kernel's time zone (`sys_tz`), which is taken for UTC. `meta time`
//!   counts nanoseconds since 1970; before `<` and `>=` a number is seconds, and a date is one in UTC as hours are.
//! - Where there is no interface (`iifname` in `output`, `oifname` in `input`) its name is empty, as the kernel has it
//!   (`nft_meta_store_ifname`, net/netfilter/nft_meta.c).
//! - Conditions that hold at some times only, such as limits, carry the place of their rule, since the same words
//!   elsewhere are another condition.
//! - Rules that look at ports hold for no later fragments, unless fragments are put together before: connections are
//!   tracked for the families of the table, since one of its rules or of another table's looks at them.

mod assemble;
mod chain_head;
mod cursor;
mod declare;
mod elements;
mod field;
mod flags;
mod ignorable;
mod interfaces;
mod lookup;
mod matching;
mod names;
mod packets;
mod report;
mod rule;
mod ruleset;
mod scan;
mod value;
mod variables;

use self::report::Report;
use super::place::LineIndex;
use super::{Model, Reading};

/// What nft prints in the place of a part that iptables-nft put into a rule, if it was built without its library
/// (`xt_stmt_xlate`, src/xt.c): it looks like a comment, and hides what the rule does.
const HIDDEN: &str = "# xt_";

/// Reads a ruleset.
pub fn read(text: &str) -> Reading {
    let mut report = Report::default();
    let lines = LineIndex::new(text);
    for (line, content) in (1..).zip(text.lines()) {
        if content.contains(HIDDEN) {
            report.mistake(
                line,
                "a part that iptables-nft made is hidden here; read what `iptables-save` prints",
            );
        }
    }
    let model = match scan::scan(text, &lines) {
        Ok(items) => assemble::assemble(&mut declare::declare(items, &mut report), &mut report),
        Err(line) => {
            let last = text.lines().count().max(line);
            report.mistake_in((1, last), line, "the text is too intricate to be read");
            Model::default()
        }
    };
    let (mistakes, lines) = report.finish(text);
    Reading { model, mistakes, lines }
}
