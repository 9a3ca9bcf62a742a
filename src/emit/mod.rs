//! From the plan of an enforcement point to the files that it loads.
//!
//! All decisions, order, escaping and names are made here, in a view model private to each target; a template only lays
//! text out. Equal plans give equal bytes.

mod error;
mod nftables;
mod template;

use self::error::EmitError;
use crate::diag::Diagnostics;
use crate::plan::DevicePlan;

/// A file to be written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct OutputFile {
    /// Its path below the output directory, with `/` between its parts.
    pub path: String,
    /// Its content.
    pub content: String,
}

/// Makes the files of one enforcement point: names below its folder, with their contents.
type Emit = fn(&DevicePlan) -> Result<Vec<(&'static str, String)>, Vec<EmitError>>;

/// The targets that output can be made for.
const TARGETS: [(&str, Emit); 1] = [("nftables", nftables::emit)];

/// Targets that are known, but not made yet.
const LATER: [&str; 3] = ["iptables", "cisco-ios", "pfsense"];

/// Makes the files of all enforcement points, sorted by path. If anything was reported, they must not be written.
pub fn emit(plans: &[DevicePlan], diagnostics: &mut Diagnostics) -> Vec<OutputFile> {
    let mut files = Vec::new();
    for plan in plans {
        match emit_device(plan) {
            Ok(made) => files.extend(made),
            Err(errors) => diagnostics.extend(errors),
        }
    }
    files.sort();
    files
}

fn emit_device(plan: &DevicePlan) -> Result<Vec<OutputFile>, Vec<EmitError>> {
    let device = plan.device;
    let Some((_, emit)) = TARGETS.iter().find(|(name, _)| *name == device.target) else {
        return Err(vec![unknown_target(plan)]);
    };
    let made = emit(plan)?.into_iter();
    Ok(made.map(|(file, content)| OutputFile { path: format!("{}/{file}", device.name), content }).collect())
}

fn unknown_target(plan: &DevicePlan) -> EmitError {
    let (target, span) = (plan.device.target.clone(), plan.device.target_span);
    if LATER.contains(&target.as_str()) {
        return EmitError::NotCompiled { target, span };
    }
    let known = TARGETS.iter().map(|(name, _)| *name).chain(LATER);
    let help = crate::diag::suggestion(&target, known);
    let help =
        help.unwrap_or_else(|| "targets are `nftables`, `iptables`, `cisco-ios` and `pfsense`".to_owned());
    EmitError::UnknownTarget { target, span, help }
}
