//! Reading a policy: which files belong to it, and their text.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::Failure;
use super::messages::Place;
use crate::diag::Diagnostics;
use crate::edit::Rewritten;
use crate::inventory::Export;
use crate::source::{SourceFile, Sources, Span};
use crate::syntax::ast::{File, Inventory, Statement, Word};
use crate::syntax::parse;

/// The ending of policy files.
pub(super) const EXTENSION: &str = "cordon";

/// The largest file, in bytes: 64 MiB. A line of policy is a few dozen bytes, so this is a million lines.
pub(super) const MAX_FILE_BYTES: u64 = 64 << 20;

/// The largest table of an inventory, in bytes: 512 MiB, some five hundred bytes for each of a million devices.
pub(super) const MAX_TABLE_BYTES: u64 = 512 << 20;

/// The largest number of files.
const MAX_FILES: usize = 10_000;

/// An `include` that leads nowhere.
#[derive(Error, Diagnostic, Debug)]
enum IncludeError {
    #[error("`{path}` leads out of the policy's directory")]
    #[diagnostic(code(C0801), help("a policy is made of files below one directory; move the file there"))]
    Outside {
        path: String,
        #[label("leads outside")]
        span: Span,
    },

    #[error("`{path}` cannot be included: {problem}")]
    #[diagnostic(
        code(C0802),
        help(
            "the path starts at the file with the `include`; it names a `.cordon` file or a directory of such files"
        )
    )]
    Unreadable {
        path: String,
        problem: String,
        #[label("included here")]
        span: Span,
    },
}

/// A table or mapping of an inventory that cannot be read.
#[derive(Error, Diagnostic, Debug)]
enum InventoryFileError {
    #[error("the inventory `{name}` names no table")]
    #[diagnostic(code(C1001), help("add `file \"PATH\"`, the export of a tool as CSV"))]
    NoFile {
        name: String,
        #[label("without `file`")]
        span: Span,
    },

    #[error("`{path}` cannot be read: {problem}")]
    #[diagnostic(
        code(C1001),
        help(
            "the path starts at the file with the `inventory`; it names a text file below the policy's directory"
        )
    )]
    Unreadable {
        path: String,
        problem: String,
        #[label("named here")]
        span: Span,
    },
}

/// A policy as read: its text, its trees, and what is wrong with their form.
pub(super) struct Loaded {
    /// All files.
    pub(super) sources: Sources,
    /// Their trees.
    pub(super) files: Vec<File>,
    /// The inventories that they name, as far as they can be read.
    pub(super) exports: Vec<Export>,
    /// How messages name it and its files.
    pub(super) place: Place,
    /// The directory that everything lies in; none for a policy from standard input.
    pub(super) root: Option<PathBuf>,
}

/// The files of a policy as they were written.
pub(super) struct Written {
    /// The directory that everything lies in.
    pub(super) root: PathBuf,
    /// All files.
    pub(super) sources: Sources,
    /// The form of each, in the same order.
    pub(super) forms: Vec<Form>,
}

/// What a tree does not say of its file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    /// Something is wrong with its form, which was reported.
    pub(super) is_broken: bool,
    /// It begins with a byte order mark, which its text does not hold.
    pub(super) has_mark: bool,
}

/// Reads the policy at `path`: all `.cordon` files of a directory, or one file, and what they include. Where a file of
/// `changed` stands, what it shall say is read instead.
pub(super) fn load(
    path: &Path,
    changed: &[Rewritten],
    diagnostics: &mut Diagnostics,
) -> Result<Loaded, Failure> {
    let (files, mut reader) = read(path, changed, diagnostics)?;
    let exports = reader.exports(diagnostics)?;
    let (sources, root) = (reader.sources, Some(reader.root));
    Ok(Loaded { sources, files, exports, place: Place::of(path), root })
}

/// Reads the files of the policy at `path`, and none that its inventories name.
pub(super) fn load_files(path: &Path, diagnostics: &mut Diagnostics) -> Result<Written, Failure> {
    let (_, reader) = read(path, &[], diagnostics)?;
    Ok(Written { root: reader.root, sources: reader.sources, forms: reader.forms })
}

/// The trees of the policy at `path`, and the reader, which keeps the rest.
fn read<'a>(
    path: &Path,
    changed: &'a [Rewritten],
    diagnostics: &mut Diagnostics,
) -> Result<(Vec<File>, Reader<'a>), Failure> {
    let failed = |problem: std::io::Error| Failure(format!("cannot read `{}`: {problem}", path.display()));
    let metadata = fs::metadata(path).map_err(failed)?;
    let root = if metadata.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    let root = fs::canonicalize(root).map_err(failed)?;
    let first = if metadata.is_dir() {
        let found =
            policy_files(&root).map_err(|problem| Failure(format!("`{}`: {problem}", path.display())))?;
        if found.is_empty() {
            let help = "a policy is a directory with files that end in `.cordon`";
            return Err(Failure(format!("there is no policy in `{}`: {help}", path.display())));
        }
        found
    } else {
        vec![root.join(path.file_name().unwrap_or_default())]
    };
    let mut reader = Reader {
        root,
        changed,
        seen: BTreeSet::new(),
        sources: Sources::default(),
        inventories: Vec::new(),
        forms: Vec::new(),
    };
    let mut files = Vec::new();
    for file in first {
        reader.read(&file, diagnostics, &mut files)?;
    }
    Ok((files, reader))
}

/// The policy files directly in a directory, sorted.
fn policy_files(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(directory).map_err(|problem| problem.to_string())?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|problem| problem.to_string())?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// What has been read so far.
struct Reader<'a> {
    root: PathBuf,
    /// Files that are read as they shall be.
    changed: &'a [Rewritten],
    seen: BTreeSet<PathBuf>,
    sources: Sources,
    /// Each `inventory` statement, with the file that it stands in.
    inventories: Vec<(PathBuf, Inventory)>,
    forms: Vec<Form>,
}

impl Reader<'_> {
    /// Reads a file, and then what it includes; a file that was read already is passed over.
    fn read(
        &mut self,
        first: &Path,
        diagnostics: &mut Diagnostics,
        files: &mut Vec<File>,
    ) -> Result<(), Failure> {
        let mut waiting = vec![first.to_path_buf()];
        while let Some(path) = waiting.pop() {
            let real =
                fs::canonicalize(&path).map_err(|problem| self.unreadable(&path, &problem.to_string()))?;
            if !real.starts_with(&self.root) {
                return Err(self.unreadable(&path, "it is a link that leads out of the policy's directory"));
            }
            if !self.seen.insert(real) {
                continue;
            }
            if self.seen.len() > MAX_FILES {
                return Err(self.unreadable(&path, &format!("the policy has more than {MAX_FILES} files")));
            }
            let name = self.name(&path);
            let text = match self.changed.iter().find(|file| file.path == name) {
                Some(file) => file.after.clone(),
                None => {
                    marked_text(&path, MAX_FILE_BYTES).map_err(|problem| self.unreadable(&path, &problem))?
                }
            };
            let has_mark = text.starts_with(MARK);
            let source = self.add(&path, without_mark(text))?;
            let errors = diagnostics.errors();
            let tree = parse(&source, diagnostics);
            self.forms.push(Form { is_broken: diagnostics.errors() > errors, has_mark });
            let inventories = tree.statements.iter().filter_map(|statement| {
                let Statement::Inventory(inventory) = statement else { return None };
                Some((path.clone(), inventory.clone()))
            });
            self.inventories.extend(inventories);
            for statement in tree.statements.iter().rev() {
                if let Statement::Include(include) = statement {
                    match self.included(&path, &include.node, include.span) {
                        Ok(found) => waiting.extend(found.into_iter().rev()),
                        Err(error) => diagnostics.push(error),
                    }
                }
            }
            files.push(tree);
        }
        Ok(())
    }

    fn add(&mut self, path: &Path, text: String) -> Result<SourceFile, Failure> {
        let too_large = |_| Failure(format!("the policy is larger than {} bytes", Sources::MAX_BYTES));
        self.sources.add(self.name(path), text).map_err(too_large).cloned()
    }

    /// Reads the files of all inventories.
    fn exports(&mut self, diagnostics: &mut Diagnostics) -> Result<Vec<Export>, Failure> {
        let mut exports = Vec::new();
        for (from, statement) in std::mem::take(&mut self.inventories) {
            let Some(file) = &statement.file else {
                let (name, span) = (statement.name.node.clone(), statement.name.span);
                if !statement.broken {
                    diagnostics.push(InventoryFileError::NoFile { name, span });
                }
                continue;
            };
            let table = self.inventory_file(&from, file, MAX_TABLE_BYTES, diagnostics)?;
            let mapping = match &statement.mapping {
                Some(word) => Some(self.inventory_file(&from, word, MAX_FILE_BYTES, diagnostics)?),
                None => None,
            };
            if let (Some(table), false) = (table, matches!(mapping, Some(None))) {
                exports.push(Export { statement, table, mapping: mapping.flatten() });
            }
        }
        Ok(exports)
    }

    /// A file that an `inventory` names; none if it cannot be read, which is reported.
    fn inventory_file(
        &mut self,
        from: &Path,
        word: &Word,
        max_bytes: u64,
        diagnostics: &mut Diagnostics,
    ) -> Result<Option<SourceFile>, Failure> {
        let read = self.located(from, &word.node).map_err(|problem| match problem {
            PathProblem::Outside => "it leads out of the policy's directory".to_owned(),
            PathProblem::Unreadable(problem) => problem,
        });
        match read.and_then(|path| text(&path, max_bytes).map(|text| (path, text))) {
            Ok((path, text)) => self.add(&path, text).map(Some),
            Err(problem) => {
                let (path, span) = (word.node.clone(), word.span);
                diagnostics.push(InventoryFileError::Unreadable { path, problem, span });
                Ok(None)
            }
        }
    }

    /// The files that an `include` stands for.
    fn included(&self, from: &Path, path: &str, span: Span) -> Result<Vec<PathBuf>, IncludeError> {
        let unreadable = |problem: String| IncludeError::Unreadable { path: path.to_owned(), problem, span };
        let real = self.located(from, path).map_err(|problem| match problem {
            PathProblem::Outside => IncludeError::Outside { path: path.to_owned(), span },
            PathProblem::Unreadable(problem) => unreadable(problem),
        })?;
        if real.is_dir() {
            return policy_files(&real).map_err(unreadable);
        }
        if !real.is_file() || real.extension().is_none_or(|extension| extension != EXTENSION) {
            return Err(unreadable("it is neither a `.cordon` file nor a directory".to_owned()));
        }
        Ok(vec![real])
    }

    /// What a path in a file leads to, if that lies in the policy's directory.
    fn located(&self, from: &Path, path: &str) -> Result<PathBuf, PathProblem> {
        let steps_out = Path::new(path)
            .components()
            .any(|part| !matches!(part, Component::Normal(_) | Component::CurDir | Component::ParentDir));
        if steps_out {
            return Err(PathProblem::Outside);
        }
        let target = from.parent().unwrap_or(&self.root).join(path);
        let real = fs::canonicalize(&target).map_err(|problem| {
            let is_missing = problem.kind() == std::io::ErrorKind::NotFound;
            let problem = if is_missing { "there is no such file".to_owned() } else { problem.to_string() };
            PathProblem::Unreadable(problem)
        })?;
        if real.starts_with(&self.root) { Ok(real) } else { Err(PathProblem::Outside) }
    }

    /// The path below the root, with `/` between its parts.
    fn name(&self, path: &Path) -> String {
        let relative = path.strip_prefix(&self.root).unwrap_or(path);
        let parts: Vec<String> =
            relative.components().map(|part| printable(&part.as_os_str().to_string_lossy())).collect();
        parts.join("/")
    }

    fn unreadable(&self, path: &Path, problem: &str) -> Failure {
        Failure(format!("cannot read `{}`: {problem}", self.name(path)))
    }
}

/// Why a path in a policy leads nowhere.
enum PathProblem {
    /// It leads out of the policy's directory.
    Outside,
    Unreadable(String),
}

/// The byte order mark that some editors put at the start of a file.
pub(super) const MARK: char = '\u{feff}';

/// The text of a file of at most so many bytes.
pub(super) fn text(path: &Path, max_bytes: u64) -> Result<String, String> {
    marked_text(path, max_bytes).map(without_mark)
}

/// The text of a policy file that is named by itself, as it is.
pub(super) fn policy_text(path: &Path) -> Result<String, String> {
    marked_text(path, MAX_FILE_BYTES)
}

/// The text of a file, with its byte order mark if it has one.
fn marked_text(path: &Path, max_bytes: u64) -> Result<String, String> {
    let metadata = fs::metadata(path).map_err(|problem| problem.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    if metadata.len() > max_bytes {
        return Err(format!("it is larger than {max_bytes} bytes"));
    }
    decoded(fs::read(path).map_err(|problem| problem.to_string())?)
}

/// The text that bytes stand for, with its byte order mark if it has one.
pub(super) fn decoded(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes)
        .map_err(|error| format!("it is not UTF-8 from byte {} on", error.utf8_error().valid_up_to()))
}

/// Text without its byte order mark.
pub(super) fn without_mark(text: String) -> String {
    match text.strip_prefix(MARK) {
        Some(rest) => rest.to_owned(),
        None => text,
    }
}

/// A file name without characters that would act on a terminal.
pub(super) fn printable(name: &str) -> String {
    name.chars().map(|c| if c.is_control() || crate::source::is_forbidden(c) { '?' } else { c }).collect()
}
