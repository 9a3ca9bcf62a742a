//! Reading the user's targets: the folders below `targets/` in the policy's directory.

use std::fs;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::load::printable;
use crate::diag::Diagnostics;
use crate::emit::TargetFolder;
use crate::source::Sources;

/// The folder in a policy's directory that holds targets.
const FOLDER: &str = "targets";

/// The largest file of a target, in bytes: 1 MiB.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The largest number of entries in a folder.
const MAX_ENTRIES: usize = 100;

/// A file or folder of a target that cannot be used.
#[derive(Error, Diagnostic, Debug)]
#[error("`{path}` cannot be part of a target: {problem}")]
#[diagnostic(
    code(C0720),
    help(
        "a folder in `targets` holds `target.yaml`, templates whose names end in `.j2`, and notes that end in `.md`; what decides an output has to lie in the policy's directory, as text"
    )
)]
struct TargetFileError {
    path: String,
    problem: String,
}

/// Reads all targets of the policy in `root`. Their files join `sources`, so that messages can show them and the
/// manifest lists them.
pub(super) fn load_targets(
    root: &Path,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Vec<TargetFolder> {
    let folder = root.join(FOLDER);
    if fs::symlink_metadata(&folder).is_err() {
        return Vec::new();
    }
    let mut reader = Reader { root, sources, diagnostics };
    let mut folders = Vec::new();
    for path in reader.entries(&folder) {
        if path.extension().is_some_and(|extension| extension == "md") {
            continue;
        }
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if !path.is_dir() {
            reader.refuse(&path, "it is not a folder");
        } else if !crate::syntax::valid_name(&name) {
            reader.refuse(&path, "its name cannot be that of a target");
        } else {
            folders.extend(reader.target(&path, name));
        }
    }
    folders
}

struct Reader<'a> {
    root: &'a Path,
    sources: &'a mut Sources,
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    /// The files of one target; none if one of them cannot be used, so that nobody reports what only seems missing.
    fn target(&mut self, folder: &Path, name: String) -> Option<TargetFolder> {
        let before = self.diagnostics.errors();
        let mut files = Vec::new();
        for path in self.entries(folder) {
            let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if file.ends_with(".md") {
                continue;
            }
            if file != "target.yaml" && !file.ends_with(".j2") {
                self.refuse(&path, "it is neither a capability file, nor a template, nor notes");
                continue;
            }
            let Some(text) = self.text(&path) else { continue };
            let shown = self.shown(&path);
            match self.sources.add(shown, text) {
                Ok(source) if source.forbidden().is_empty() => files.push(source.clone()),
                Ok(_) => {
                    self.refuse(&path, "it holds characters that are not shown, or that turn text around")
                }
                Err(_) => self.refuse(&path, "the policy is too large"),
            }
        }
        let is_described = files.iter().any(|file| file.path().ends_with("/target.yaml"));
        if self.diagnostics.errors() == before && !is_described && !crate::emit::is_built_in(&name) {
            self.refuse(folder, "it has no `target.yaml`, and cordon has no target of this name");
        }
        (self.diagnostics.errors() == before).then_some(TargetFolder { name, files })
    }

    /// What lies in a folder, sorted, without what is hidden: editors and file managers leave that behind.
    fn entries(&mut self, folder: &Path) -> Vec<PathBuf> {
        if !self.is_inside(folder) {
            return Vec::new();
        }
        let read = fs::read_dir(folder).and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
        });
        let mut paths = match read {
            Ok(paths) => paths,
            Err(problem) => {
                self.refuse(folder, &problem.to_string());
                return Vec::new();
            }
        };
        if paths.len() > MAX_ENTRIES {
            self.refuse(folder, &format!("it has more than {MAX_ENTRIES} entries"));
            return Vec::new();
        }
        let is_hidden =
            |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        paths.retain(|path| !is_hidden(path));
        paths.sort();
        paths
    }

    fn text(&mut self, path: &Path) -> Option<String> {
        if !self.is_inside(path) {
            return None;
        }
        let read = fs::metadata(path).map_err(|problem| problem.to_string()).and_then(|metadata| {
            if !metadata.is_file() {
                return Err("it is not a regular file".to_owned());
            }
            if metadata.len() > MAX_FILE_BYTES {
                return Err(format!("it is larger than {MAX_FILE_BYTES} bytes"));
            }
            let bytes = fs::read(path).map_err(|problem| problem.to_string())?;
            String::from_utf8(bytes)
                .map_err(|error| format!("it is not UTF-8 from byte {} on", error.utf8_error().valid_up_to()))
        });
        read.map_err(|problem| self.refuse(path, &problem)).ok()
    }

    /// True if a path, with all links followed, lies in the policy's directory; reports it otherwise.
    fn is_inside(&mut self, path: &Path) -> bool {
        match fs::canonicalize(path) {
            Ok(real) if real.starts_with(self.root) => true,
            Ok(_) => {
                self.refuse(path, "it is a link that leads out of the policy's directory");
                false
            }
            Err(problem) => {
                self.refuse(path, &problem.to_string());
                false
            }
        }
    }

    fn refuse(&mut self, path: &Path, problem: &str) {
        let path = self.shown(path);
        self.diagnostics.push(TargetFileError { path, problem: problem.to_owned() });
    }

    /// The path below the root, with `/` between its parts.
    fn shown(&self, path: &Path) -> String {
        let relative = path.strip_prefix(self.root).unwrap_or(path);
        let parts: Vec<String> =
            relative.components().map(|part| printable(&part.as_os_str().to_string_lossy())).collect();
        parts.join("/")
    }
}
