//! A policy in process: what is wrong with it, what it becomes, and whether that means what it says.

use cordon::check::check;
use cordon::diag::{Diagnostics, human, records};
use cordon::emit::{OutputFile, emit};
use cordon::inventory::Inventories;
use cordon::ir::{DeviceId, Policy};
use cordon::plan::plan;
use cordon::prove::{ConfigFile, Verdict, prove};
use cordon::source::{SourceFile, Sources};
use cordon::syntax::parse;

/// The day as of which policies are compiled.
const AS_OF: &str = "2026-11-01";

/// Codes that say that cordon gave up, or is wrong.
const NEVER: [&str; 2] = ["C0012", "C0999"];

/// What became of a policy.
pub(crate) struct Compiled {
    pub(crate) sources: Sources,
    pub(crate) diagnostics: Diagnostics,
    pub(crate) policy: Policy,
    /// Nothing where the policy has errors.
    pub(crate) files: Vec<OutputFile>,
}

/// Compiles a policy of some files.
pub(crate) fn compile(texts: &[String]) -> Compiled {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let mut trees = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let source = sources.add(format!("{number}.cordon"), text.clone()).expect("a short text");
        trees.push(parse(source, &mut diagnostics));
    }
    let policy = check(&trees, Inventories::default(), AS_OF.parse().expect("a date"), &mut diagnostics);
    let files = if diagnostics.has_errors() { Vec::new() } else { emit(&plan(&policy), &mut diagnostics) };
    Compiled { sources, diagnostics, policy, files }
}

impl Compiled {
    /// All that was found, for people.
    pub(crate) fn said(&self) -> String {
        human(&self.diagnostics, &self.sources, 100, false)
    }

    /// Asserts that what was found can be shown, and that all places in it are places of the texts.
    pub(crate) fn assert_shown(&self) {
        for finding in self.diagnostics.sorted() {
            for label in finding.labels().into_iter().flatten() {
                let (start, end) = (label.offset(), label.offset() + label.len());
                let is_place = self.sources.files().iter().any(|file| is_place_in(file, start, end));
                assert!(is_place, "{finding}: {start}..{end} is no place in the policy");
            }
        }
        let said = self.said();
        assert_eq!(said.is_empty(), self.diagnostics.is_empty());
        let is_hostile = |c: char| c != '\n' && cordon::source::is_forbidden(c);
        assert!(!said.contains(is_hostile), "what is said can move a terminal's cursor: {said:?}");
        let narrow = human(&self.diagnostics, &self.sources, 40, true);
        assert_eq!(narrow.is_empty(), said.is_empty());
        for record in records(&self.diagnostics, &self.sources) {
            assert!(!NEVER.contains(&record.code.as_str()), "{said}");
            assert!(record.labels.iter().all(|label| label.line > 0 && label.column > 0), "{record:?}");
        }
    }

    /// Asserts that each enforcement point does what the policy says.
    pub(crate) fn assert_proved(&self) {
        for device in (0..self.policy.devices.len()).map(DeviceId) {
            let folder = format!("{}/", self.policy[device].name);
            let own = self.files.iter().filter_map(|file| Some((file.path.strip_prefix(&folder)?, file)));
            let files: Vec<ConfigFile> =
                own.map(|(name, file)| ConfigFile { name, text: &file.content }).collect();
            let verdict = prove(&self.policy, device, &files);
            let is_equal = matches!(&verdict, Verdict::Compared(comparison) if comparison.is_equal());
            let text: Vec<&str> = self.sources.files().iter().map(SourceFile::text).collect();
            assert!(is_equal, "{folder} is not what the policy says: {verdict:#?}\n{}", text.join("\n%%\n"));
        }
    }
}

/// True if a range of offsets starts and ends between characters of a file.
fn is_place_in(file: &SourceFile, start: usize, end: usize) -> bool {
    let first = file.span(0..0).start();
    let within =
        |offset: usize| offset.checked_sub(first).is_some_and(|place| file.text().is_char_boundary(place));
    start <= end && within(start) && within(end)
}
