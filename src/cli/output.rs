//! Writing output, a directory or a file: as a whole, or not at all.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with, syncfs};

use super::Failure;
use crate::emit::OutputFile;
use crate::report::{MANIFEST, Manifest};

/// From how many files on the file system is flushed once, rather than each file: that takes milliseconds each.
const MANY_FILES: usize = 256;

/// Replaces `directory` by one that holds exactly `files`, with their manifest.
///
/// The new directory is made beside the old one, flushed to disk, and then put in its place by one exchange of names,
/// so that a reader sees the old output or the new, and a crash leaves one of the two. A directory that holds anything
/// that cordon did not write is refused, and so is one that another of its commands wrote.
pub(super) fn replace(directory: &Path, files: &[OutputFile], manifest: Manifest) -> Result<(), Failure> {
    let directory = absolute(directory)?;
    refuse_foreign(&directory, manifest.command.as_deref())?;
    let content = manifest.to_json().map_err(|error| Failure(error.to_string()))?;
    let manifest = OutputFile { path: MANIFEST.to_owned(), content };
    let failed = |problem: io::Error| Failure(format!("cannot write `{}`: {problem}", directory.display()));
    let parent =
        directory.parent().ok_or_else(|| Failure("the output cannot be the root directory".to_owned()))?;
    fs::create_dir_all(parent).map_err(failed)?;
    let prefix = format!(".{}.", directory.file_name().unwrap_or_default().to_string_lossy());
    let fresh = tempfile::Builder::new().prefix(&prefix).tempdir_in(parent).map_err(failed)?;
    let is_many = files.len() > MANY_FILES;
    for file in files.iter().chain([&manifest]) {
        write_file(fresh.path(), file, !is_many).map_err(failed)?;
    }
    if is_many {
        File::open(fresh.path()).and_then(|folder| Ok(syncfs(folder)?)).map_err(failed)?;
    }
    make_readable(fresh.path()).map_err(failed)?;
    sync_tree(fresh.path()).map_err(failed)?;
    if directory.exists() {
        renameat_with(CWD, fresh.path(), CWD, &directory, RenameFlags::EXCHANGE)
            .map_err(|error| failed(error.into()))?;
        // What `fresh` names now is the old output, which goes away with it.
    } else {
        fs::rename(fresh.path(), &directory).map_err(failed)?;
        let _ = fresh.keep();
    }
    File::open(parent).and_then(|parent| parent.sync_all()).map_err(failed)
}

fn absolute(directory: &Path) -> Result<PathBuf, Failure> {
    let failed = |problem: io::Error| Failure(format!("cannot write `{}`: {problem}", directory.display()));
    match fs::canonicalize(directory) {
        Ok(real) => Ok(real),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::path::absolute(directory).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Refuses a directory that holds anything but what the manifest in it lists, or the output of another command.
fn refuse_foreign(directory: &Path, command: Option<&str>) -> Result<(), Failure> {
    if !directory.exists() {
        return Ok(());
    }
    let foreign = |what: String| {
        let help = "it would be lost; name another directory, or remove it";
        Failure(format!("`{}` holds {what}, which cordon did not write: {help}", directory.display()))
    };
    if !directory.is_dir() {
        return Err(foreign("a file".to_owned()));
    }
    let mut found = Vec::new();
    collect(directory, directory, &mut found)
        .map_err(|problem| Failure(format!("cannot read `{}`: {problem}", directory.display())))?;
    if found.is_empty() {
        return Ok(());
    }
    let manifest = fs::read_to_string(directory.join(MANIFEST)).ok();
    let manifest: Option<Manifest> = manifest.and_then(|text| serde_json::from_str(&text).ok());
    let known = |path: &String| {
        path == MANIFEST
            || manifest.as_ref().is_some_and(|m| m.outputs.iter().any(|output| output.path == *path))
    };
    if let Some(path) = found.iter().find(|path| manifest.is_none() || !known(path)) {
        return Err(foreign(format!("`{path}`")));
    }
    let other = manifest.map(|manifest| manifest.command).filter(|other| other.as_deref() != command);
    match other.map(|other| other.unwrap_or_else(|| "build".to_owned())) {
        Some(other) => Err(Failure(format!(
            "`{}` holds what `cordon {other}` wrote: it would be lost; name another directory, or remove it",
            directory.display()
        ))),
        None => Ok(()),
    }
}

/// All files below a directory by their path in it; what is not a regular file or a directory counts as a file.
fn collect(root: &Path, directory: &Path, found: &mut Vec<String>) -> io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(directory)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            collect(root, &path, found)?;
        } else {
            let relative = path.strip_prefix(root).unwrap_or(&path);
            found.push(relative.to_string_lossy().into_owned());
        }
    }
    Ok(())
}

fn write_file(root: &Path, file: &OutputFile, flushes: bool) -> io::Result<()> {
    let path = root.join(&file.path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut handle = File::create_new(&path)?;
    handle.write_all(file.content.as_bytes())?;
    if flushes { handle.sync_all() } else { Ok(()) }
}

/// Gives a temporary directory the rights that a new one would have.
fn make_readable(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755))
}

/// Flushes a directory and all directories below it.
fn sync_tree(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        }
    }
    File::open(directory)?.sync_all()
}

/// Writes a file into `folder`, flushes it, and moves it to its path there, in the place of what that holds. Without rights to
/// give it, only its owner reads it.
pub(super) fn replace_file(
    folder: &Path,
    path: &Path,
    content: &str,
    rights: Option<Permissions>,
) -> io::Result<()> {
    let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
    fresh.write_all(content.as_bytes())?;
    if let Some(rights) = rights {
        fresh.as_file().set_permissions(rights)?;
    }
    fresh.as_file().sync_all()?;
    fresh.persist(path)?;
    File::open(folder).and_then(|folder| folder.sync_all())
}
