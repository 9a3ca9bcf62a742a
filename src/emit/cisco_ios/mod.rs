//! Output for Cisco IOS and IOS-XE: named access lists in and out of the interfaces that zones are attached to.
//!
//! `acl.cfg` defines the lists first and binds them last, so that no interface is ever bound to a list that is empty or
//! missing, which would pass everything. Names are derived from contents: a list that changes is a new list, and one
//! that does not is left alone. `residue.txt` says what the lists admit beyond the policy, since a switch keeps no state.
//! `remove-old.txt` leads through the removal of lists that are no longer bound. Facts on IOS, with their sources, stand
//! in `targets/cisco-ios/NOTES.md`.

mod acl;
mod baseline;
mod build;
mod group;
mod prefix;
mod residue;
mod service;
mod storm;
mod tcam;
mod text;
mod time;
mod view;
mod wanted;

use std::collections::BTreeSet;

use self::build::Unsaid;
pub(super) use self::text::is_label_of;
use super::error::EmitError;
use super::template::Templates;
use super::{check_interfaces, made_or_bug, unsupported};
use crate::diag::Diagnostics;
use crate::plan::DevicePlan;

/// The files and their layouts.
const TEMPLATES: [(&str, &str); 3] = [
    ("acl.cfg", include_str!("../../../targets/cisco-ios/acl.cfg.j2")),
    ("remove-old.txt", include_str!("../../../targets/cisco-ios/remove-old.txt.j2")),
    ("residue.txt", include_str!("../../../targets/cisco-ios/residue.txt.j2")),
];

/// Makes `acl.cfg`, `remove-old.txt` and `residue.txt`.
pub(super) fn emit(
    plan: &DevicePlan,
    templates: &Templates,
    diagnostics: &mut Diagnostics,
) -> Vec<(String, String)> {
    let refused = |name, span| EmitError::BadCiscoInterface { name, span };
    check_interfaces(plan, text::valid_interface, refused, diagnostics);
    let plan = &*time::sayable(plan, diagnostics);
    let mut unsaid = BTreeSet::new();
    let made = view::Config::new(plan, &mut unsaid).map_err(str::to_owned).and_then(|config| {
        check_budget(plan, &config, diagnostics);
        let files = TEMPLATES.iter().map(|(name, layout)| {
            let content = templates.render(name, layout, &config).map_err(|error| error.to_string())?;
            match config.undefined_range(&content) {
                Some(range) => Err(format!("{name} names the time range {range} before it is there")),
                None => Ok(((*name).to_owned(), content)),
            }
        });
        files.collect::<Result<Vec<_>, String>>()
    });
    report(plan, &unsaid, diagnostics);
    made_or_bug(plan, made, diagnostics)
}

/// Reports an enforcement point whose lists take more hardware entries than it has.
fn check_budget(plan: &DevicePlan, config: &view::Config, diagnostics: &mut Diagnostics) {
    if let Some(budget) = plan.device.tcam.filter(|budget| config.hardware > u64::from(*budget)) {
        let (device, needed) = (plan.device.name.clone(), config.hardware);
        let (largest, span) = (config.largest.clone(), plan.device.span);
        diagnostics.push(EmitError::HardwareEntries { device, needed, budget, largest, span });
    }
}

/// Reports what cannot be said, once for each statement.
fn report(plan: &DevicePlan, unsaid: &BTreeSet<Unsaid>, diagnostics: &mut Diagnostics) {
    for Unsaid { name, rule, what } in unsaid {
        if let Some(rule) = rule {
            unsupported(&plan.policy[*rule], plan, what, diagnostics);
            continue;
        }
        let management = plan.inputs.iter().map(|input| input.management).find(|m| m.id == *name);
        let span = management.map_or(plan.device.span, |management| management.span);
        let (device, target) = (plan.device.name.clone(), plan.device.target.clone());
        let what = (*what).to_owned();
        diagnostics.push(EmitError::Unsupported { name: name.clone(), what, device, target, span });
    }
}
