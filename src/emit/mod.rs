//! From the plan of an enforcement point to the files that it loads.
//!
//! All decisions, order, escaping and names are made here, in a view model private to each target; a template only lays
//! text out. Equal plans give equal bytes.

mod error;
mod nftables;
mod template;

use self::error::EmitError;
use crate::diag::Diagnostics;
use crate::ir::Rule;
use crate::plan::DevicePlan;

/// A file to be written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct OutputFile {
    /// Its path below the output directory, with `/` between its parts.
    pub path: String,
    /// Its content.
    pub content: String,
}

/// Makes the files of one enforcement point: paths below its folder, with their contents. What is wrong goes to the
/// diagnostics; if there was an error, what is returned is not used.
type Emit = fn(&DevicePlan, &mut Diagnostics) -> Vec<(String, String)>;

/// The targets that output can be made for.
const TARGETS: [(&str, Emit); 1] = [("nftables", nftables::emit)];

/// Targets that are known, but not made yet.
const LATER: [&str; 3] = ["iptables", "cisco-ios", "pfsense"];

/// Makes the files of all enforcement points, sorted by path. If anything was reported, they must not be written.
pub fn emit(plans: &[DevicePlan], diagnostics: &mut Diagnostics) -> Vec<OutputFile> {
    let mut files = Vec::new();
    for plan in plans {
        let device = plan.device;
        match TARGETS.iter().find(|(name, _)| *name == device.target) {
            Some((_, emit)) => files.extend(
                emit(plan, diagnostics)
                    .into_iter()
                    .map(|(file, content)| OutputFile { path: format!("{}/{file}", device.name), content }),
            ),
            None => diagnostics.push(unknown_target(plan)),
        }
    }
    files.sort();
    files
}

fn unknown_target(plan: &DevicePlan) -> EmitError {
    let (target, span) = (plan.device.target.clone(), plan.device.target_span);
    if LATER.contains(&target.as_str()) {
        return EmitError::NotCompiled { target, span };
    }
    let known = TARGETS.iter().map(|(name, _)| *name).chain(LATER);
    let help = crate::diag::suggestion(&target, known);
    let help =
        help.unwrap_or_else(|| "known targets are nftables, iptables, cisco-ios and pfsense".to_owned());
    EmitError::UnknownTarget { target, span, help }
}

/// Reports that a target cannot express a part of a rule: an error, or, where the rule says `unsupported leave-out`, a
/// warning, and the part is left out, which denies it.
fn unsupported(rule: &Rule, plan: &DevicePlan, what: &str, diagnostics: &mut Diagnostics) {
    let (name, what, span) = (rule.id.clone(), what.to_owned(), rule.span);
    let (device, target) = (plan.device.name.clone(), plan.device.target.clone());
    diagnostics.push(if rule.leave_out {
        EmitError::LeftOut { name, what, device, target, span }
    } else {
        EmitError::Unsupported { name, what, device, target, span }
    });
}
