//! The Containerfile: what it copies is all that a build needs, and its Rust is the one that the project asks for. No
//! image is built here, since its base would come from the network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::root;

fn containerfile() -> String {
    fs::read_to_string(root().join("Containerfile")).unwrap()
}

/// What is copied from the project into the stage that builds.
fn copied() -> Vec<String> {
    let text = containerfile();
    let lines = text.lines().filter_map(|line| line.strip_prefix("COPY "));
    lines
        .filter(|line| !line.starts_with("--from"))
        .flat_map(|line| {
            let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            words.pop();
            words
        })
        .collect()
}

/// All Rust files below a directory.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn what_is_copied_holds_every_file_that_the_code_includes() {
    let copied = copied();
    let is_copied = |path: &Path| copied.iter().any(|copied| path.starts_with(root().join(copied)));
    let mut seen = 0;
    for source in sources(&root().join("src")) {
        let text = fs::read_to_string(&source).unwrap();
        let includes = text.split("include_str!(\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        let beside = source.parent().unwrap();
        let mut paths: Vec<PathBuf> = includes.map(|include| beside.join(include)).collect();
        let grammars = text.split("#[grammar = \"").skip(1).map(|rest| rest.split('"').next().unwrap());
        paths.extend(grammars.map(|grammar| root().join("src").join(grammar)));
        for path in paths {
            let real = fs::canonicalize(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(is_copied(&real), "{} is not copied", real.display());
            seen += 1;
        }
    }
    assert!(seen >= 25, "{seen}");
    assert!(is_copied(&root().join("examples/small-hospital/zones.cordon")), "what `init` writes");
}

#[test]
fn cargo_takes_what_is_copied_for_a_package() {
    let place = tempfile::tempdir().unwrap();
    for path in copied() {
        std::os::unix::fs::symlink(root().join(&path), place.path().join(&path)).unwrap();
    }
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--locked", "--format-version", "1"])
        .current_dir(place.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let wanted = metadata["packages"][0]["rust_version"].as_str().unwrap().to_owned();
    let image = format!("FROM docker.io/library/rust:{wanted}-");
    assert!(containerfile().contains(&image), "the image has another Rust than {wanted}");
}

#[test]
fn the_image_runs_cordon_without_rights_and_has_git() {
    let text = containerfile();
    let last = text.rsplit("FROM ").next().unwrap();
    for line in ["USER nobody", "ENTRYPOINT [\"cordon\"]", "install --yes --no-install-recommends git"] {
        assert!(last.contains(line), "{line}");
    }
    let installed = text.lines().find(|line| line.starts_with("COPY --from=build")).unwrap();
    assert_eq!(installed, "COPY --from=build /source/target/release/cordon /usr/local/bin/cordon");
}
