//! From the plan of an enforcement point to the files that it loads.
//!
//! All decisions, order, escaping and names are made here, in a view model private to each target; a template only lays
//! text out. Equal plans give equal bytes.

mod capability;
mod catalogue;
mod cisco_ios;
mod custom;
mod error;
mod guard;
mod iptables;
mod linux;
mod nftables;
mod pfsense;
mod reply;
mod session;
mod template;
mod timing;

pub use capability::{
    Abilities, Ability, Capabilities, Family, InterfaceNames, Kind, Limits, Quote, TemplateFile, built_in,
    is_built_in,
};
pub use catalogue::{human, markdown};
pub use custom::{TargetFolder, UserTargets, VIEW_VERSION};
pub use iptables::name_in_log;
pub use pfsense::{SpliceError, Spliced, name_in_description, splice};
pub use session::{END_SESSIONS, end_sessions};

use self::error::EmitError;
use self::template::Templates;
use self::timing::{Timing, timed};
use crate::diag::Diagnostics;
use crate::ir::{Rule, Span};
use crate::plan::DevicePlan;

/// A file to be written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct OutputFile {
    /// Its path below the output directory, with `/` between its parts.
    pub path: String,
    /// Its content.
    pub content: String,
}

/// Makes the files of one enforcement point: paths below its folder, with their contents. All templates are rendered
/// through the given ones, since the user may have put others in their place. What is wrong goes to the diagnostics; if
/// there was an error, what is returned is not used.
type Emit = fn(&DevicePlan, &Templates, &mut Diagnostics) -> Vec<(String, String)>;

/// The targets that output can be made for, with how they tell the time.
const TARGETS: [(&str, Emit, Timing); 4] = [
    ("nftables", nftables::emit, Timing::Utc),
    ("iptables", iptables::emit, Timing::Utc),
    ("pfsense", pfsense::emit, Timing::OwnClock { step: pfsense::SCHEDULE_STEP }),
    ("cisco-ios", cisco_ios::emit, Timing::OwnClock { step: 1 }),
];

/// The target that judges each fragment by itself; the others put packets together before.
const FILTERS_FRAGMENTS: &str = "cisco-ios";

/// The target that has words for storms on its ports.
const COUNTS_STORMS: &str = "cisco-ios";

/// True if the label of a line, as it is read back from a config, says that the line stands for a statement.
pub fn is_label_of(target: &str, label: &str, id: &str) -> bool {
    match target {
        "pfsense" => pfsense::is_label_of(label, id),
        "cisco-ios" => cisco_ios::is_label_of(label, id),
        _ => label == id,
    }
}

/// Makes the files of all enforcement points, sorted by path. If anything was reported, they must not be written.
pub fn emit(plans: &[DevicePlan], diagnostics: &mut Diagnostics) -> Vec<OutputFile> {
    emit_with(plans, &UserTargets::default(), diagnostics)
}

/// The same as [`emit`], with targets and templates of the user.
pub fn emit_with(
    plans: &[DevicePlan],
    users: &UserTargets,
    diagnostics: &mut Diagnostics,
) -> Vec<OutputFile> {
    guard::check(plans, diagnostics);
    let mut files = Vec::new();
    for plan in plans {
        let device = plan.device;
        if let Some(span) = device.denies_fragments.filter(|_| device.target != FILTERS_FRAGMENTS) {
            let (device, target) = (device.name.clone(), device.target.clone());
            diagnostics.push(EmitError::Fragments { device, target, span });
        }
        if let Some(port) = device.ports.first().filter(|_| device.target != COUNTS_STORMS) {
            let (device, target) = (device.name.clone(), device.target.clone());
            diagnostics.push(EmitError::Ports { device, target, span: port.span });
        }
        let made = match TARGETS.iter().find(|(name, ..)| *name == device.target) {
            Some((_, emit, timing)) => {
                let plan = timed(plan, *timing, diagnostics);
                Some(emit_from(*emit, &plan, users, diagnostics))
            }
            None => users.emit(plan, diagnostics),
        };
        match made {
            Some(made) => files.extend(
                made.into_iter()
                    .map(|(file, content)| OutputFile { path: format!("{}/{file}", device.name), content }),
            ),
            None => diagnostics.push(unknown_target(plan, users)),
        }
    }
    files.sort();
    files
}

/// Makes the files of a target that cordon comes with, by its own templates or those that stand in for them.
fn emit_from(
    emit: Emit,
    plan: &DevicePlan,
    users: &UserTargets,
    diagnostics: &mut Diagnostics,
) -> Vec<(String, String)> {
    let target = plan.device.target.as_str();
    let files = built_in().into_iter().find(|known| known.name == target).map(|known| known.files);
    let templates = Templates::new(files.unwrap_or_default(), users.overrides(target));
    let made = emit(plan, &templates, diagnostics);
    diagnostics.extend(templates.into_mistakes());
    made
}

fn unknown_target(plan: &DevicePlan, users: &UserTargets) -> EmitError {
    let (target, span) = (plan.device.target.clone(), plan.device.target_span);
    let known = TARGETS.iter().map(|(name, ..)| *name).chain(users.names());
    let help = crate::diag::suggestion(&target, known);
    let help =
        help.unwrap_or_else(|| "targets are `nftables`, `iptables`, `cisco-ios` and `pfsense`".to_owned());
    EmitError::UnknownTarget { target, span, help }
}

/// Reports each interface whose name the platform does not take.
fn check_interfaces(
    plan: &DevicePlan,
    is_valid: fn(&str) -> bool,
    refused: fn(String, Span) -> EmitError,
    diagnostics: &mut Diagnostics,
) {
    let bad = plan.device.interfaces.iter().filter(|interface| !is_valid(&interface.name));
    diagnostics.extend(bad.map(|interface| refused(interface.name.clone(), interface.span)));
}

/// The files that were made. That they could not be is a bug, since all that a policy can say was judged before.
fn made_or_bug(
    plan: &DevicePlan,
    made: Result<Vec<(String, String)>, String>,
    diagnostics: &mut Diagnostics,
) -> Vec<(String, String)> {
    made.unwrap_or_else(|what| {
        diagnostics.push(EmitError::Bug { what, span: plan.device.span });
        Vec::new()
    })
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
