//! The manifest: from which inputs which outputs were made, and where each rule name comes from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::emit::OutputFile;
use crate::ir::{About, Policy, Span};
use crate::source::Sources;

/// The file name of the manifest, at the top of the output directory.
pub const MANIFEST: &str = "manifest.json";

/// The manifest of one build. It holds nothing that depends on the clock, the machine or where the policy lies.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this form.
    pub version: u32,
    /// The version of cordon that wrote it.
    pub cordon: String,
    /// The command that wrote it, if it was another than `build`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub command: Option<String>,
    /// What the policy is called.
    pub policy: Option<String>,
    /// The date by which it was decided which statements have expired.
    pub as_of: String,
    /// The files of the policy, by path.
    pub inputs: Vec<FileDigest>,
    /// The files of the output, by path, without the manifest itself.
    pub outputs: Vec<FileDigest>,
    /// Each rule name that stands in the output, with its origin.
    pub rules: BTreeMap<String, Origin>,
    /// Each guard by name, with its origin.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub guards: BTreeMap<String, Origin>,
    /// The findings that somebody answers for, by place.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub accepted: Vec<Accepted>,
}

/// A finding that somebody answers for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Accepted {
    /// The code of the finding.
    pub code: String,
    /// The rule, class, peer or zone that it is about.
    pub about: String,
    /// The file, below the directory of the policy.
    pub file: String,
    /// The line, counted from one.
    pub line: usize,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A file and its digest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FileDigest {
    /// The path below the directory of the policy or of the output.
    pub path: String,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

/// Where a rule comes from, and what people want to know of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Origin {
    /// `allow`, `forbid` or `manage`, or what a guard does.
    pub effect: String,
    /// The file, below the directory of the policy.
    pub file: String,
    /// The line, counted from one.
    pub line: usize,
    /// The schedule during which it holds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub during: Option<String>,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub owner: Option<String>,
    /// Why it stands.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The change ticket behind it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ticket: Option<String>,
    /// Who has to approve what a guard does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub approval: Option<String>,
    /// The last day on which it holds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<String>,
}

impl Manifest {
    /// Describes a build.
    pub fn new(policy: &Policy, sources: &Sources, outputs: &[OutputFile]) -> Self {
        let rules = policy.rules.iter().map(|rule| {
            let during = policy.schedule_of(rule).map(|schedule| schedule.name.clone());
            let origin = origin(sources, rule.effect.keyword(), rule.span, &rule.about);
            (rule.id.clone(), Origin { during, ..origin })
        });
        let managements = policy.managements.iter();
        let managements = managements.map(|m| (m.id.clone(), origin(sources, "manage", m.span, &m.about)));
        let guards = policy.guards.iter().map(|guard| {
            let approval = guard.approval.clone();
            let origin = origin(sources, guard.action.word(), guard.span, &guard.about);
            (guard.id.clone(), Origin { approval, ..origin })
        });
        Manifest {
            version: 1,
            cordon: env!("CARGO_PKG_VERSION").to_owned(),
            command: None,
            policy: policy.name.clone(),
            as_of: policy.as_of.to_string(),
            inputs: digests(sources),
            outputs: outputs.iter().map(|file| digest(&file.path, &file.content)).collect(),
            rules: rules.chain(managements).collect(),
            guards: guards.collect(),
            accepted: accepted(policy, sources),
        }
    }

    /// The same, written by another command than `build`.
    pub fn by(self, command: &str) -> Self {
        Manifest { command: Some(command.to_owned()), ..self }
    }

    /// The manifest as it is written.
    ///
    /// # Errors
    /// If it cannot be put into JSON, which would be a bug.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|json| json + "\n")
    }
}

/// The files of a policy with their digests, by path.
pub(super) fn digests(sources: &Sources) -> Vec<FileDigest> {
    let mut digests: Vec<FileDigest> =
        sources.files().iter().map(|file| digest(file.path(), file.text())).collect();
    digests.sort_by(|one, other| one.path.cmp(&other.path));
    digests
}

/// All acceptances that have not ended; the others accept nothing.
fn accepted(policy: &Policy, sources: &Sources) -> Vec<Accepted> {
    let in_force = policy.acceptances().filter(|(_, acceptance)| acceptance.holds(policy.as_of));
    let entries = in_force.map(|(about, acceptance)| {
        let place = sources.locate(acceptance.span);
        Accepted {
            code: acceptance.code.to_owned(),
            about: about.to_owned(),
            file: place.path,
            line: place.line,
            reason: acceptance.reason.clone(),
            until: acceptance.until.map(|day| day.to_string()),
        }
    });
    let mut entries: Vec<Accepted> = entries.collect();
    entries.sort_by(|one, other| {
        (&one.file, one.line, &one.about, &one.code).cmp(&(
            &other.file,
            other.line,
            &other.about,
            &other.code,
        ))
    });
    entries
}

fn digest(path: &str, content: &str) -> FileDigest {
    let digest = Sha256::digest(content.as_bytes());
    let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    FileDigest { path: path.to_owned(), sha256 }
}

fn origin(sources: &Sources, effect: &str, span: Span, about: &About) -> Origin {
    let place = sources.locate(span);
    Origin {
        effect: effect.to_owned(),
        file: place.path,
        line: place.line,
        during: None,
        owner: about.owner.clone(),
        reason: about.reason.clone(),
        ticket: about.ticket.clone(),
        approval: None,
        until: about.until.map(|until| until.to_string()),
    }
}
