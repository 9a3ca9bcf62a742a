//! The document of a plan: what a device ran, what it is to run, and what that changes.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::access::Access;
use super::destination::{Destination, Directory};
use super::script::files_of;
use super::session::Sessions;

/// The version of the document.
pub const VERSION: u32 = 1;

/// A plan, as its file holds it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`VERSION`].
    pub version: u32,
    /// The version of cordon that made it.
    pub cordon: String,
    /// What it says to people.
    pub overview: Overview,
    /// What of cordon the device runs, in the form in which it is compared; empty if it runs nothing of it.
    pub state: String,
    /// What it is to load.
    pub files: Vec<PlannedFile>,
}

/// What a plan says to people.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overview {
    /// The enforcement point.
    pub device: String,
    /// Its target.
    pub target: String,
    /// How it is reached.
    pub to: Destination,
    /// True if `sudo` makes a root of who logs in.
    pub sudo: bool,
    /// Where cordon keeps its files on the device.
    pub directory: Directory,
    /// The date by which it was decided which statements have expired.
    pub as_of: String,
    /// The digest of the state, SHA-256 in hexadecimal.
    pub state_sha256: String,
    /// What changes in access.
    pub access: Access,
    /// Sessions of the device that the policy does not allow.
    pub sessions: Sessions,
    /// What else may filter on the device, as it names it. cordon leaves it alone.
    pub others: Vec<String>,
    /// True if something on the device was found that loads at boot what was confirmed last.
    pub loads_at_boot: bool,
}

/// A file for a device.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedFile {
    /// Its name, one of those that its target has.
    pub name: String,
    /// Its text.
    pub content: String,
}

/// Why a text is no plan.
#[derive(Error, Debug)]
pub enum BadPlan {
    /// It is not JSON of this form.
    #[error("it is no plan that this version of cordon reads ({0}); make it again with `cordon plan`")]
    Form(serde_json::Error),
    /// Another version of cordon made it.
    #[error("it has version {0}, and this cordon reads version {VERSION}; make it again with `cordon plan`")]
    Version(u64),
    /// Its parts do not belong together.
    #[error("it was changed since `cordon plan` made it ({0}); make it again")]
    Changed(&'static str),
}

#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

impl Plan {
    /// Reads the document.
    ///
    /// # Errors
    /// [`BadPlan`] if it is of another form or version, or its parts do not belong together.
    pub fn parse(text: &str) -> Result<Self, BadPlan> {
        let versioned: Versioned = serde_json::from_str(text).map_err(BadPlan::Form)?;
        if versioned.version != u64::from(VERSION) {
            return Err(BadPlan::Version(versioned.version));
        }
        let plan: Plan = serde_json::from_str(text).map_err(BadPlan::Form)?;
        if digest_of(&plan.state) != plan.overview.state_sha256 {
            return Err(BadPlan::Changed("the digest of the state is another"));
        }
        // The names become part of commands.
        let names: Vec<&str> = plan.files.iter().map(|file| file.name.as_str()).collect();
        if files_of(&plan.overview.target) != Some(&names[..]) {
            return Err(BadPlan::Changed("the files are not those of its target"));
        }
        Ok(plan)
    }

    /// The document.
    ///
    /// # Errors
    /// What serde says, though nothing in a plan can fail to be written.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// A name for the plan, by which a device knows it again: 64 hexadecimal digits.
    pub fn digest(&self) -> String {
        digest_of(&self.to_json().unwrap_or_default())
    }
}

/// The SHA-256 of a text, in hexadecimal.
pub fn digest_of(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
