//! A policy as it is in a revision of a git repository: its files are read out of git into a directory of their own.
//!
//! git is run as a command and only asked; nothing in the repository is written, not even its index.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use super::Failure;
use super::load::printable;

/// Where a policy lies in a repository.
pub(super) struct Repository {
    /// The directory that git is run in.
    directory: PathBuf,
    /// The directory of the policy below the root of the repository: empty, or with `/` at its end.
    prefix: String,
    /// The name of the policy's file, where it is one.
    file: Option<PathBuf>,
}

/// The files of a policy in a revision.
pub(super) struct Checkout {
    /// Goes away with the value.
    _directory: tempfile::TempDir,
    /// The policy in it.
    pub(super) path: PathBuf,
}

impl Repository {
    /// The repository that the policy at `path` lies in.
    pub(super) fn of(path: &Path) -> Result<Self, Failure> {
        let failed = |problem: io::Error| Failure(format!("cannot read `{}`: {problem}", path.display()));
        let is_directory = fs::metadata(path).map_err(failed)?.is_dir();
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let directory = if is_directory { path } else { parent }.to_path_buf();
        let file = if is_directory { None } else { path.file_name().map(PathBuf::from) };
        let mut repository = Repository { directory, prefix: String::new(), file };
        let prefix = repository.git(&["rev-parse", "--show-prefix"]).map_err(|problem| {
            let help = "name two directories, or the policy with `--policy PATH`";
            Failure(format!("`{}` is not in a git repository ({}): {help}", path.display(), problem.0))
        })?;
        repository.prefix = prefix.trim_end_matches('\n').to_owned();
        Ok(repository)
    }

    /// The revision that both sides of `A...B` grew from.
    pub(super) fn merge_base(&self, one: &str, other: &str) -> Result<String, Failure> {
        let (one, other) = (self.commit(one)?, self.commit(other)?);
        let base = self.git(&["merge-base", &one, &other]);
        let base = base.map_err(|_| Failure("the two revisions have no common ancestor".to_owned()))?;
        Ok(base.trim().to_owned())
    }

    fn commit(&self, revision: &str) -> Result<String, Failure> {
        let commit = format!("{revision}^{{commit}}");
        let found = self.git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]);
        let unknown = || {
            let help =
                "name a revision as git knows it, such as `main` or `HEAD~1`, or two directories that exist";
            Failure(format!("`{}` is not a revision of the repository: {help}", printable(revision)))
        };
        found.map(|commit| commit.trim().to_owned()).map_err(|_| unknown())
    }

    /// Reads the files of the policy out of a revision.
    pub(super) fn checkout(&self, revision: &str) -> Result<Checkout, Failure> {
        let commit = self.commit(revision)?;
        let tree = format!("{commit}:{}", self.prefix.trim_end_matches('/'));
        let listed = self.git(&["ls-tree", "-r", "-z", "--full-tree", "--end-of-options", &tree]);
        let listed = listed.map_err(|_| {
            let revision = printable(revision);
            Failure(format!("the policy's directory `{}` is not in `{revision}`", printable(&self.prefix)))
        })?;
        let entries: Vec<Entry> = listed.split('\0').filter_map(Entry::new).collect();
        let failed = |problem: io::Error| {
            Failure(format!("cannot read `{}` out of git: {problem}", printable(revision)))
        };
        let directory = tempfile::tempdir().map_err(failed)?;
        self.write(&entries, directory.path()).map_err(failed)?;
        let path = match &self.file {
            Some(file) => directory.path().join(file),
            None => directory.path().to_path_buf(),
        };
        if !path.exists() {
            let (path, revision) =
                (printable(&path.file_name().unwrap_or_default().to_string_lossy()), printable(revision));
            return Err(Failure(format!("`{path}` is not in `{revision}`")));
        }
        Ok(Checkout { _directory: directory, path })
    }

    /// Writes the content of entries below a directory.
    fn write(&self, entries: &[Entry], directory: &Path) -> io::Result<()> {
        let mut child =
            self.command(&["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut wanted: String = entries.iter().map(|entry| format!("{}\n", entry.object)).collect();
        wanted.push('\n');
        let input = child.stdin.take();
        // git answers while it is asked; so one thread asks while this one reads.
        let asking =
            std::thread::spawn(move || input.map_or(Ok(()), |mut input| input.write_all(wanted.as_bytes())));
        let mut answers = BufReader::new(child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?);
        for entry in entries {
            let content = next_object(&mut answers)?;
            entry.write(directory, &content)?;
        }
        drop(answers);
        // The last question is an empty one, so that git has read all others; whether it could answer it does not matter.
        let _ = asking.join();
        child.wait().map(|_| ())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.directory).args(arguments).env("GIT_OPTIONAL_LOCKS", "0");
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        command
    }

    fn git(&self, arguments: &[&str]) -> Result<String, Failure> {
        let output = self.command(arguments).output().map_err(|problem| {
            let is_missing = problem.kind() == io::ErrorKind::NotFound;
            Failure(if is_missing { "git is not installed".to_owned() } else { format!("git: {problem}") })
        })?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Failure(printable(said.lines().next().unwrap_or("git failed"))));
        }
        String::from_utf8(output.stdout).map_err(|_| Failure("git names a file that is not UTF-8".to_owned()))
    }
}

/// A file in a tree of git.
struct Entry {
    is_link: bool,
    object: String,
    path: PathBuf,
}

impl Entry {
    /// Reads `MODE blob OBJECT<tab>PATH`; none for what is no file, such as a submodule.
    fn new(line: &str) -> Option<Self> {
        let (what, path) = line.split_once('\t')?;
        let mut words = what.split(' ');
        let (mode, kind, object) = (words.next()?, words.next()?, words.next()?);
        let path = PathBuf::from(path);
        let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
        (kind == "blob" && is_below).then(|| Entry {
            is_link: mode == "120000",
            object: object.to_owned(),
            path,
        })
    }

    fn write(&self, directory: &Path, content: &[u8]) -> io::Result<()> {
        let path = directory.join(&self.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        if self.is_link {
            use std::os::unix::ffi::OsStrExt;
            return std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(content), path);
        }
        fs::File::create_new(path)?.write_all(content)
    }
}

/// The next answer of `git cat-file --batch`: `OBJECT blob SIZE`, a line end, the content, a line end.
fn next_object(answers: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut head = String::new();
    answers.read_line(&mut head)?;
    let size = head.trim_end().rsplit(' ').next().and_then(|size| size.parse::<u64>().ok());
    let size = size
        .ok_or_else(|| io::Error::other(format!("git has no object for `{}`", printable(head.trim_end()))))?;
    let mut content = Vec::new();
    answers.take(size).read_to_end(&mut content)?;
    if content.len() as u64 != size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut end = [0];
    answers.read_exact(&mut end)?;
    Ok(content)
}
