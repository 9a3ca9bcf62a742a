//! Targets of the user: folders below `targets/` in the policy's directory.
//!
//! In: the files of each folder. Out: templates that stand in for those of a target that cordon comes with, and targets
//! of their own. A target of its own is laid out from one view model that is the same for all of them, `generic`; both
//! are described in `docs/templates.md`. What is wrong with a folder goes to the diagnostics, also where no enforcement
//! point uses it.

mod entries;
mod error;
mod escape;
mod folder;
mod sandbox;
mod view;

use std::collections::BTreeMap;

pub(super) use self::error::CustomError;
pub(super) use self::sandbox::render;
pub use self::view::VIEW_VERSION;

use super::capability::Capabilities;
use super::timing::{Timing, timed};
use crate::diag::Diagnostics;
use crate::plan::DevicePlan;
use crate::source::SourceFile;

/// A folder below `targets/`, as it was read.
#[derive(Clone, Debug)]
pub struct TargetFolder {
    /// Its name.
    pub name: String,
    /// `target.yaml` and all templates, sorted by path.
    pub files: Vec<SourceFile>,
}

/// A template of the user.
#[derive(Clone, Debug)]
pub(super) struct UserTemplate {
    /// Its file name.
    pub(super) file: String,
    /// Its text, and its place among the files of the policy.
    source: SourceFile,
}

/// A target that only the user's folder describes.
#[derive(Clone, Debug)]
struct CustomTarget {
    capabilities: Capabilities,
    templates: Vec<UserTemplate>,
}

/// What the user's folders say.
#[derive(Clone, Debug, Default)]
pub struct UserTargets {
    overrides: BTreeMap<String, Vec<UserTemplate>>,
    targets: BTreeMap<String, CustomTarget>,
}

impl UserTargets {
    /// Reads all folders.
    pub fn new(folders: &[TargetFolder], diagnostics: &mut Diagnostics) -> Self {
        let mut read = UserTargets::default();
        for folder in folders {
            if super::capability::is_built_in(&folder.name) {
                read.overrides.insert(folder.name.clone(), folder::overrides(folder, diagnostics));
            } else if let Some(target) = folder::target(folder, diagnostics) {
                read.targets.insert(folder.name.clone(), target);
            }
        }
        read
    }

    /// The names of the targets that are not cordon's own.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.targets.keys().map(String::as_str)
    }

    /// The templates that stand in for those of a target that cordon comes with.
    pub(super) fn overrides(&self, target: &str) -> &[UserTemplate] {
        self.overrides.get(target).map_or(&[], Vec::as_slice)
    }

    /// Makes the files of an enforcement point, if its target is one of the user's.
    pub(super) fn emit(
        &self,
        plan: &DevicePlan,
        diagnostics: &mut Diagnostics,
    ) -> Option<Vec<(String, String)>> {
        let target = self.targets.get(&plan.device.target)?;
        let before = diagnostics.errors();
        let plan = &timed(plan, Timing::Timeless, diagnostics);
        let view = view::View::new(plan, &target.capabilities, diagnostics);
        if diagnostics.errors() > before {
            return Some(Vec::new());
        }
        let mut files = Vec::new();
        for file in &target.capabilities.files {
            let template = target.templates.iter().find(|template| template.file == file.template);
            match template.map(|template| render(template, &view)) {
                Some(Ok(content)) => files.push((file.output.clone(), content)),
                Some(Err(mistake)) => diagnostics.push(mistake),
                // A template that is not there was reported when the folder was read.
                None => {}
            }
        }
        Some(files)
    }
}
