//! The files of the project, by paths below its root.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A text file.
pub(super) struct File {
    /// Its path below the root, with `/` between its parts.
    pub(super) path: String,
    pub(super) text: String,
}

impl File {
    pub(super) fn new(path: &str, text: impl Into<String>) -> Self {
        File { path: path.to_owned(), text: text.into() }
    }

    /// True if its name ends in `.` and this.
    pub(super) fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }

    /// True if it lies below this folder.
    pub(super) fn is_below(&self, folder: &str) -> bool {
        self.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Its lines, counted from one.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        numbered(&self.text)
    }
}

/// The lines of a text, counted from one.
pub(super) fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

/// Where the project lies.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What builds and tools leave behind, and git's own folder.
const NOT_OURS: [&str; 2] = [".git", "target"];

/// All text files of the project, sorted by path.
pub(super) fn all() -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    collect(root(), &mut files)?;
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// All files of the project with this extension.
pub(super) fn with_extension(extension: &str) -> io::Result<Vec<File>> {
    Ok(all()?.into_iter().filter(|file| file.has_extension(extension)).collect())
}

/// The text of one file of the project.
pub(super) fn read(path: &str) -> io::Result<File> {
    let text = fs::read_to_string(root().join(path));
    let text = text.map_err(|error| io::Error::other(format!("{path} cannot be read: {error}")))?;
    Ok(File::new(path, text))
}

/// The folders in a folder of the project, sorted.
pub(super) fn folders_in(path: &str) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(root().join(path))?.collect::<io::Result<Vec<_>>>()?;
    let mut folders: Vec<PathBuf> =
        entries.iter().map(fs::DirEntry::path).filter(|path| path.is_dir()).collect();
    folders.sort();
    Ok(folders)
}

fn collect(folder: &Path, files: &mut Vec<File>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if NOT_OURS.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if kind.is_dir() {
            collect(&path, files)?;
        } else if kind.is_file()
            && let Ok(text) = String::from_utf8(fs::read(&path)?)
        {
            files.push(File { path: relative(&path), text });
        }
    }
    Ok(())
}

/// A path below the root, with `/` between its parts.
pub(super) fn relative(path: &Path) -> String {
    let below = path.strip_prefix(root()).unwrap_or(path);
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}
