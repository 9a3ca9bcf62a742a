//! Doing something again whenever a policy changes.
//!
//! The whole directory of the policy is watched, so that new files count, and so do files that editors replace. What is
//! hidden is passed over, as versions and temporary files are, and so is what cordon wrote itself.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use notify::event::{EventKind, ModifyKind};
use notify::{Event, RecursiveMode, Watcher};

use super::load::printable;
use super::messages::Place;
use super::terminal::{self, print};
use super::{Failure, Outcome};
use crate::report::MANIFEST;

/// How long nothing has to change before work begins: an editor writes a file in several steps, git writes many files.
const QUIET: Duration = Duration::from_millis(100);

/// How long changes may go on before work begins all the same.
const PATIENCE: Duration = Duration::from_secs(2);

/// Clears a terminal with what has scrolled off, and goes to its first line (ECMA-48, ED and CUP; the 3 is of xterm).
const CLEAR: &str = "\u{1b}[2J\u{1b}[3J\u{1b}[H";

type Seen = notify::Result<Event>;

/// Does something with the policy at `path`, and again after each change of it. Ends with an interrupt, which holds nothing
/// open, or when the policy's directory is gone.
pub(super) fn again_and_again(
    path: &Path,
    work: impl Fn() -> Result<Outcome, Failure>,
) -> Result<Outcome, Failure> {
    let failed = |problem: String| Failure(format!("cannot watch `{}`: {problem}", path.display()));
    // A file may be gone for a moment later on, while an editor replaces it; what is not there now was never meant.
    std::fs::metadata(path).map_err(|problem| failed(problem.to_string()))?;
    let directory = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let root = std::fs::canonicalize(directory).map_err(|problem| failed(problem.to_string()))?;
    let (sender, changes) = channel();
    let mut watcher = notify::recommended_watcher(sender).map_err(|problem| failed(problem.to_string()))?;
    watcher.watch(&root, RecursiveMode::Recursive).map_err(|problem| failed(problem.to_string()))?;
    let shown = Place::of(path);
    loop {
        if let Err(Failure(message)) = work() {
            print(io::stderr(), &format!("cordon: {message}\n"))?;
        }
        if !root.is_dir() {
            return Err(failed("it is gone".to_owned()));
        }
        if !terminal::is_quiet() {
            let waiting = format!("waiting for changes in {}; Ctrl-C ends\n", shown.shown());
            print(io::stderr(), &waiting)?;
        }
        let changed = next_change(&changes, &root).map_err(failed)?;
        let changed = changed.strip_prefix(&root).unwrap_or(&changed);
        let separator = match io::stderr().is_terminal() {
            true => CLEAR.to_owned(),
            false => format!("\n--- {} changed\n", printable(&changed.to_string_lossy())),
        };
        print(io::stderr(), &separator)?;
    }
}

/// Waits for a change that concerns the policy, and until no other follows. Gives what changed first.
fn next_change(changes: &Receiver<Seen>, root: &Path) -> Result<PathBuf, String> {
    let gone = "nothing tells of changes any more";
    let first = loop {
        let seen = changes.recv().map_err(|_| gone.to_owned())?;
        if let Some(path) = concerns(&seen.map_err(|problem| problem.to_string())?, root) {
            break path;
        }
    };
    let start = Instant::now();
    let mut last = start;
    while start.elapsed() < PATIENCE && last.elapsed() < QUIET {
        let Ok(seen) = changes.recv_timeout(QUIET.saturating_sub(last.elapsed())) else { break };
        if concerns(&seen.map_err(|problem| problem.to_string())?, root).is_some() {
            last = Instant::now();
        }
    }
    Ok(first)
}

/// The path that changed, if the policy can depend on it. Reading is no change, and neither are a file's rights and times.
fn concerns(event: &Event, root: &Path) -> Option<PathBuf> {
    if event.need_rescan() {
        return Some(root.to_path_buf());
    }
    match event.kind {
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_)) => None,
        EventKind::Any
        | EventKind::Other
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_) => event.paths.iter().find(|path| is_part(path, root)).cloned(),
    }
}

/// True for what is neither hidden nor in a directory that cordon wrote, which has a manifest.
fn is_part(path: &Path, root: &Path) -> bool {
    let Ok(below) = path.strip_prefix(root) else { return false };
    let is_hidden = below.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."));
    let mut directories = path.ancestors().take_while(|directory| *directory != root);
    !is_hidden && !directories.any(|directory| directory.join(MANIFEST).is_file())
}
