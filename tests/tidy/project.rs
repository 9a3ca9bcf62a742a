//! What holds the project together: dependencies, the changelog, the README's commands, links, targets.

use std::path::{Component, Path, PathBuf};
use std::process::Command;

use super::files::{File, folders_in, relative, root};
use super::{Finding, assert_lines, files, report};

/// The commands of the README that CI runs, by how they start.
const CHECKED_COMMANDS: [&str; 2] = ["cargo run --release -- build", "cargo test"];

/// Each dependency says on its line what it is there for.
fn dependency_reasons(manifest: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut in_dependencies = false;
    for (line, text) in manifest.lines() {
        if let Some(section) = text.strip_prefix('[') {
            in_dependencies = section.contains("dependencies");
        } else if in_dependencies && text.contains('=') {
            let reason = text.rsplit_once(" # ").map_or("", |(_, reason)| reason.trim());
            if reason.is_empty() {
                let what = "a dependency without a reason; add `# what it is there for` to its line";
                findings.push(Finding::new(manifest, line, what));
            }
        }
    }
    findings
}

fn unreleased_section(changelog: &File) -> Vec<Finding> {
    if changelog.lines().any(|(_, text)| text.trim_matches(['#', ' ', '[', ']']) == "Unreleased") {
        return Vec::new();
    }
    vec![Finding::new(changelog, 1, "no section `Unreleased`; add `## Unreleased` above the latest release")]
}

/// The one command of a text that starts with these words, each on a line of its own.
fn command<'f>(file: &'f File, start: &str) -> Result<&'f str, Finding> {
    let commands = file.lines().map(|(_, text)| text.trim_start());
    let commands = commands.map(|text| text.strip_prefix("$ ").unwrap_or(text));
    let leads =
        |text: &&str| text.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    let mut commands: Vec<&str> = commands.filter(leads).collect();
    commands.dedup();
    match commands.as_slice() {
        [command] => Ok(command),
        _ => {
            Err(Finding::new(file, 1, format!("{} commands start with `{start}`; keep one", commands.len())))
        }
    }
}

/// Links to files that are not there.
fn broken_links(file: &File, exists: &dyn Fn(&Path) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut in_code = false;
    for (line, text) in file.lines() {
        if text.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        let is_code = in_code || text.starts_with("    ");
        for target in links(text).filter(|target| !is_code && is_relative(target)) {
            let name = target.split(['#', '?']).next().unwrap_or_default();
            if !exists(&joined(&file.path, name)) {
                findings.push(Finding::new(file, line, format!("nothing is at `{name}`; correct the link")));
            }
        }
    }
    findings
}

/// The targets of the links in a line, those in code left out; that of a link around code, [`a`](b), is behind it.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let outside_of_code = line.split('`').step_by(2);
    let inline = outside_of_code.clone().flat_map(|text| text.split("](").skip(1)).filter_map(|rest| {
        let target = rest.split(')').next()?;
        target.split_whitespace().next()
    });
    let definition =
        line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|(_, target)| target.trim());
    inline.chain(definition)
}

fn is_relative(target: &str) -> bool {
    !target.starts_with('#') && !target.contains("://") && !target.starts_with("mailto:")
}

/// A path that stands in `file`, below the root.
fn joined(file: &str, target: &str) -> PathBuf {
    let mut path = Path::new(file).parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::Normal(name) => path.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    path
}

/// Targets without notes, and files of targets that nothing uses.
fn targets(folders: &[String], all: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for folder in folders {
        let notes = format!("{folder}/NOTES.md");
        if !all.iter().any(|file| file.path == notes) {
            let what = "a target without notes; write down the facts that it relies on, each with its source";
            findings.push(Finding::new(&File::new(&notes, ""), 1, what));
        }
        for file in all.iter().filter(|file| file.is_below(folder) && file.has_extension("j2")) {
            let source = |other: &&File| other.is_below("src") && other.has_extension("rs");
            if !all.iter().filter(source).any(|source| source.text.contains(&file.path)) {
                findings.push(Finding::new(
                    file,
                    1,
                    "a template that nothing in src includes; use it or delete it",
                ));
            }
        }
    }
    findings
}

#[test]
fn dependencies_have_reasons_and_changes_have_a_place() {
    let manifest = files::read("Cargo.toml").unwrap();
    let changelog = files::read("CHANGELOG.md").unwrap();
    report(dependency_reasons(&manifest).into_iter().chain(unreleased_section(&changelog)));
}

#[test]
fn ci_runs_the_commands_of_the_readme() {
    let readme = files::read("README.md").unwrap();
    let (commands, problems): (Vec<_>, Vec<_>) =
        CHECKED_COMMANDS.iter().map(|start| command(&readme, start)).partition(Result::is_ok);
    report(problems.into_iter().filter_map(Result::err));
    let commands: Vec<&str> = commands.into_iter().flatten().collect();
    let run = Command::new("bash").arg(".ci/run").arg("--commands").current_dir(root()).output();
    let run = run.expect("bash, which .ci/run is written for");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let printed = String::from_utf8(run.stdout).unwrap();
    assert_eq!(
        printed.lines().collect::<Vec<_>>(),
        commands,
        "`.ci/run` takes other commands from README.md"
    );
}

#[test]
fn links_lead_somewhere() {
    let pages = files::with_extension("md").unwrap();
    report(pages.iter().flat_map(|page| broken_links(page, &|path| root().join(path).exists())));
}

#[test]
fn targets_have_notes_and_use_their_templates() {
    let folders: Vec<String> = folders_in("targets").unwrap().iter().map(|path| relative(path)).collect();
    assert!(!folders.is_empty(), "targets/ has a folder for each target");
    report(targets(&folders, &files::all().unwrap()));
}

#[test]
fn a_dependency_without_a_reason_is_found() {
    let text = "[package]\nname = \"a\"\n[dependencies]\nb = \"1\" # tables\nc = \"1\"\n[dev-dependencies]\nd = \"1\" #\n";
    assert_lines(&dependency_reasons(&File::new("Cargo.toml", text)), &[5, 7]);
}

#[test]
fn a_changelog_without_a_place_for_changes_is_found() {
    assert_lines(
        &unreleased_section(&File::new("CHANGELOG.md", "# Changelog\n## 0.1.0\nUnreleased things\n")),
        &[1],
    );
    assert_lines(&unreleased_section(&File::new("CHANGELOG.md", "# Changelog\n## [Unreleased]\n")), &[]);
}

#[test]
fn a_readme_with_no_or_two_test_commands_is_found() {
    let check = |text: &str| command(&File::new("README.md", text), "cargo test").map(str::to_owned);
    assert_eq!(
        check("Run\n\n    $ cargo test --release\n\nor cargo test.\n").ok().as_deref(),
        Some("cargo test --release")
    );
    assert!(check("    cargo tests\n").is_err());
    assert!(check("    cargo test\n    cargo test --release\n").is_err());
}

#[test]
fn a_link_to_nowhere_is_found() {
    let text = "[a](b.md) and [c](../d.md#e \"f\")\n[g](https://h.example/i.md) `[j](k.md)` [l](#m)\n\
                    [n](o.md)\n[`p`](q.md)\n\n[r]: s.md\n";
    let exists = |path: &Path| path == Path::new("docs/b.md");
    assert_lines(&broken_links(&File::new("docs/a.md", text), &exists), &[1, 3, 4, 6]);
    assert_eq!(joined("docs/a.md", "../d.md"), Path::new("d.md"));
}

#[test]
fn a_target_without_notes_or_with_a_forgotten_template_is_found() {
    let files = ["targets/a/NOTES.md", "targets/a/x.j2", "targets/a/y.j2", "targets/b/z.j2"];
    let mut files: Vec<File> = files.iter().map(|path| File::new(path, "")).collect();
    files.push(File::new("src/emit/a.rs", "include_str!(\"../../targets/a/x.j2\")"));
    let found = targets(&["targets/a".to_owned(), "targets/b".to_owned()], &files);
    let found: Vec<&str> = found.iter().map(|finding| finding.path.as_str()).collect();
    assert_eq!(found, ["targets/a/y.j2", "targets/b/NOTES.md", "targets/b/z.j2"]);
}
