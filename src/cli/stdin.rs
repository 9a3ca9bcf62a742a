//! A policy of one text that comes from standard input: it stands alone, and includes nothing.

use std::io::{self, Read};
use std::path::Path;

use miette::Diagnostic;
use thiserror::Error;

use super::Failure;
use super::load::{Loaded, MAX_FILE_BYTES, decoded, printable, without_mark};
use super::messages::Place;
use crate::diag::Diagnostics;
use crate::source::{Sources, Span};
use crate::syntax::ast::Statement;
use crate::syntax::parse;

/// How messages name it, unless the user does.
pub(super) const NAME: &str = "<stdin>";

/// A statement that needs a file, in a policy that lies in no directory.
#[derive(Error, Diagnostic, Debug)]
enum AloneError {
    #[error("`{path}` cannot be included: the policy comes from standard input and lies in no directory")]
    #[diagnostic(
        code(C0802),
        help("give cordon the directory of the policy, or put all of it into one text")
    )]
    Include {
        path: String,
        #[label("included here")]
        span: Span,
    },

    #[error(
        "the inventory `{name}` has no table: the policy comes from standard input and lies in no directory"
    )]
    #[diagnostic(code(C1001), help("give cordon the directory of the policy"))]
    Inventory {
        name: String,
        #[label("stated here")]
        span: Span,
    },
}

/// True for the path that stands for standard input. A file of that name is `./-`.
pub(super) fn is_meant(path: &Path) -> bool {
    path == Path::new("-")
}

/// Refuses standard input, of which this cannot be done.
pub(super) fn refuse(path: &Path, done: &str) -> Result<(), Failure> {
    if is_meant(path) {
        return Err(Failure(format!("standard input cannot be {done}: name the file or directory")));
    }
    Ok(())
}

/// Refuses to write beside a policy that lies in no directory.
pub(super) fn require_out(path: &Path, out: Option<&Path>) -> Result<(), Failure> {
    if is_meant(path) && out.is_none() {
        let help = "name the directory to write with `--out`";
        return Err(Failure(format!("a policy from standard input lies in no directory: {help}")));
    }
    Ok(())
}

/// The text on standard input, with its byte order mark if it has one.
pub(super) fn read() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|problem| failed(&problem.to_string()))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(failed(&format!("it is larger than {MAX_FILE_BYTES} bytes")));
    }
    decoded(bytes).map_err(|problem| failed(&problem))
}

fn failed(problem: &str) -> Failure {
    Failure(format!("cannot read the policy from standard input: {problem}"))
}

/// Reads the policy.
pub(super) fn load(name: &str, diagnostics: &mut Diagnostics) -> Result<Loaded, Failure> {
    let text = without_mark(read()?);
    let mut sources = Sources::default();
    let too_large = |_| failed(&format!("it is larger than {} bytes", Sources::MAX_BYTES));
    let file = sources.add(printable(name), text).map_err(too_large)?.clone();
    let tree = parse(&file, diagnostics);
    for statement in &tree.statements {
        if let Statement::Include(include) = statement {
            let (path, span) = (include.node.clone(), include.span);
            diagnostics.push(AloneError::Include { path, span });
        }
        if let Statement::Inventory(inventory) = statement {
            let (name, span) = (inventory.name.node.clone(), inventory.name.span);
            diagnostics.push(AloneError::Inventory { name, span });
        }
    }
    Ok(Loaded { sources, files: vec![tree], exports: Vec::new(), place: Place::stdin(name), root: None })
}
