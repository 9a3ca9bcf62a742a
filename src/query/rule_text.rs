//! What one statement does, in words.

use std::fmt;

use super::rule::{Accepted, ConduitRow, RuleExplanation, Share};
use crate::ir::Effect;

/// In words, for people.
impl fmt::Display for RuleExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}\n", self.kind, self.because)?;
        self.rule.write(f, "  rule")?;
        for Accepted { code, reason, until } in &self.accepted {
            let until = until.as_ref().map_or_else(String::new, |day| format!(" until {day}"));
            writeln!(f, "  accepts {code}{until}: {reason}")?;
        }
        for guard in &self.guards {
            writeln!(f, "  guard   {guard}")?;
        }
        match self.devices.is_empty() {
            // Pairs of zones are told one by one only where connections pass between them.
            true if self.kind == Effect::Allow.keyword() => {
                self.conduits.iter().try_for_each(|row| conduit(f, row))?;
            }
            true => self.flows.iter().try_for_each(|flow| writeln!(f, "  closes  {flow}"))?,
            false => {
                for flow in &self.flows {
                    writeln!(f, "  lets    {flow}")?;
                    writeln!(f, "          administer {}", self.devices.join(", "))?;
                }
            }
        }
        for share in &self.loses {
            shared(f, "loses", &format!("to `{}`", share.rule), share)?;
        }
        for share in &self.takes {
            shared(f, "takes", &format!("from `{}`", share.rule), share)?;
        }
        for share in &self.also {
            shared(f, "also", &format!("in `{}`", share.rule), share)?;
        }
        self.configs.iter().try_for_each(|placed| write!(f, "{placed}"))
    }
}

fn conduit(f: &mut fmt::Formatter<'_>, row: &ConduitRow) -> fmt::Result {
    let crosses = match row.crosses.is_empty() {
        true => "crosses no enforcement point".to_owned(),
        false => format!("crosses {}", row.crosses.join(", ")),
    };
    writeln!(f, "  opens   {} -> {}, {crosses}", row.from, row.to)?;
    row.flows.iter().try_for_each(|flow| writeln!(f, "          {flow}"))
}

fn shared(f: &mut fmt::Formatter<'_>, label: &str, other: &str, share: &Share) -> fmt::Result {
    let how_much = if share.whole { "all of it" } else { "a part of it" };
    let during = share.during.as_ref().map_or_else(String::new, |name| format!(", during `{name}` only"));
    writeln!(f, "  {label:6}  {other} ({}), {how_much}{during}", share.place)?;
    share.flows.iter().try_for_each(|flow| writeln!(f, "          {flow}"))
}
