//! What several test modules need: the example, compiled in process or by the command itself.

mod files;
pub(crate) mod junit;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

pub(crate) use self::files::{checked, exports, policy};

/// The day as of which tests compile the example.
pub(crate) const AS_OF: &str = "2026-11-01";

/// The root of the project.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The main example.
pub(crate) fn hospital() -> PathBuf {
    root().join("examples/general-hospital")
}

/// The main example on one firewall with nftables, `core`, that all zones are attached to. Its guards are left out, since
/// not every target that tests put in the place of nftables can keep them.
pub(crate) fn one_firewall() -> &'static Path {
    static COPY: OnceLock<tempfile::TempDir> = OnceLock::new();
    let copy = || {
        let directory = tempfile::tempdir().unwrap();
        copy_policy(&hospital(), directory.path(), |name, text| {
            let taken = name != "topology.cordon" && name != "guards.cordon";
            taken.then(|| text.to_owned())
        });
        let own = root().join("tests/policies/one-firewall");
        copy_policy(&own, directory.path(), |_, text| Some(text.to_owned()));
        directory
    };
    COPY.get_or_init(copy).path()
}

/// Copies the policy in a directory, each of its files as it is changed or left out, and its inventories as they are.
pub(crate) fn copy_policy(from: &Path, to: &Path, change: impl Fn(&str, &str) -> Option<String>) {
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name == "inventory" {
            std::fs::create_dir_all(to.join(name)).unwrap();
            for table in std::fs::read_dir(&path).unwrap() {
                let table = table.unwrap().path();
                std::fs::copy(&table, to.join(name).join(table.file_name().unwrap())).unwrap();
            }
        } else if path.extension().is_some_and(|extension| extension == "cordon") {
            let text = std::fs::read_to_string(&path).unwrap();
            if let Some(text) = change(name, &text) {
                std::fs::write(to.join(name), text).unwrap();
            }
        }
    }
}

/// A file of the scenario that the main example expresses. It lies beside the checkout; a test that needs it fails
/// without it.
pub(crate) fn scenario(file: &str) -> PathBuf {
    root().join("../shared/scenario/general-hospital").join(file)
}

/// A directory with files by name and content.
pub(crate) fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    directory
}

/// The commands that a page shows behind `$`, with what it shows of their output, without the indent of either.
pub(crate) fn examples(page: &str) -> Vec<(&str, String)> {
    let example = |text| {
        let (command, rest) = str::split_once(text, '\n').unwrap();
        let lines = rest.lines().take_while(|line| line.is_empty() || line.starts_with("    "));
        let lines: Vec<&str> = lines.map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
        (command, lines.join("\n").trim().to_owned())
    };
    page.split("    $ ").skip(1).map(example).collect()
}

/// Runs the command; gives its exit code, standard output and standard error.
pub(crate) fn run(arguments: &[&str], input: &str) -> (i32, String, String) {
    said(cordon(arguments, input))
}

/// The exit code, the standard output and the standard error of a command that has ended.
pub(crate) fn said(output: Output) -> (i32, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Runs the command with `input` as its standard input.
pub(crate) fn cordon(arguments: &[&str], input: &str) -> Output {
    use std::io::Write;
    let mut command = Command::new(env!("CARGO_BIN_EXE_cordon"));
    // What a terminal would ask for is no part of what is tested.
    ["COLUMNS", "FORCE_COLOR", "CLICOLOR_FORCE"].iter().for_each(|name| _ = command.env_remove(name));
    let mut child = command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    // A command that does not read its input closes it; that is its right.
    let _ = writer.join().unwrap();
    output
}

/// Runs the command where no file may grow beyond `kibibytes`, as on a disk that is full.
pub(crate) fn cordon_on_full_disk(kibibytes: u32, arguments: &[&str]) -> Output {
    // The signal that a file is too large would end the command; without it, the write fails. Blocks are of 512 bytes.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", 2 * kibibytes);
    Command::new("sh")
        .args(["-c", &script, "sh", env!("CARGO_BIN_EXE_cordon")])
        .args(arguments)
        .output()
        .unwrap()
}

/// Standard output of a command that must succeed.
pub(crate) fn succeed(arguments: &[&str], input: &str) -> String {
    let output = cordon(arguments, input);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "cordon {}: {said}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}
