//! Committed output: what stands beside an example is what cordon makes of it, byte for byte.

use std::path::Path;

use crate::support::{AS_OF, copy_policy, hospital, root, succeed};

/// All files below a directory with their contents, by path.
fn tree(directory: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut waiting = vec![directory.to_path_buf()];
    while let Some(path) = waiting.pop() {
        for entry in std::fs::read_dir(&path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let name = path.strip_prefix(directory).unwrap().to_string_lossy().into_owned();
                files.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn the_output_beside_the_example_is_what_the_example_compiles_to() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("build");
    let directory = hospital().to_string_lossy().into_owned();
    succeed(&["build", &directory, "--as-of", AS_OF, "--out", &path.to_string_lossy()], "");
    let (committed, made) = (tree(&hospital().join("build")), tree(&path));
    let names = |files: &[(String, String)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&committed), names(&made));
    for ((name, committed), (_, made)) in committed.iter().zip(&made) {
        let line = committed.lines().zip(made.lines()).position(|(one, other)| one != other);
        assert!(
            committed == made,
            "{name} differs from line {:?} on; build the example again and read the difference",
            line.map(|line| line + 1)
        );
    }
}

#[test]
fn the_same_build_twice_gives_the_same_bytes_and_replaces_the_first() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("build");
    let directory = hospital().to_string_lossy().into_owned();
    let build = || {
        succeed(&["build", &directory, "--as-of", AS_OF, "--out", &path.to_string_lossy()], "");
        tree(&path)
    };
    let first = build();
    assert_eq!(first, build());
    let beside: Vec<_> =
        std::fs::read_dir(out.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside, ["build"], "nothing is left over");
}

#[test]
fn the_output_does_not_depend_on_files_or_on_the_order_of_statements() {
    let mut texts: Vec<String> = std::fs::read_dir(hospital())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cordon"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    assert!(texts.len() > 5);
    texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
    let policy = tempfile::tempdir().unwrap();
    copy_policy(&hospital(), policy.path(), |_, _| None);
    std::fs::write(policy.path().join("all.cordon"), texts.concat()).unwrap();
    let out = policy.path().join("build");
    let directory = policy.path().to_string_lossy().into_owned();
    succeed(&["build", &directory, "--as-of", AS_OF, "--out", &out.to_string_lossy()], "");
    let without_manifest = |mut files: Vec<(String, String)>| {
        files.retain(|(name, _)| name != "manifest.json");
        files
    };
    assert_eq!(without_manifest(tree(&out)), without_manifest(tree(&hospital().join("build"))));
}

/// The indented blocks of a page, without their indent.
fn blocks(page: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in page.lines() {
        match line.strip_prefix("    ") {
            Some(code) => blocks.last_mut().unwrap().push_str(&format!("{code}\n")),
            None if line.is_empty() => blocks.last_mut().unwrap().push('\n'),
            None => blocks.push(String::new()),
        }
    }
    blocks.iter().map(|block| block.trim().to_owned()).filter(|block| !block.is_empty()).collect()
}

#[test]
fn the_policy_in_the_readme_compiles_to_the_output_beside_it() {
    let page = std::fs::read_to_string(root().join("README.md")).unwrap();
    let [policy, output] = &blocks(&page)[..2] else { panic!("{page}") };
    let firewall =
        "firewall core { target nftables  interface vlan210 zone pump_wifi  interface vlan300 zone dev_srv }";
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a.cordon"), format!("{policy}\n{firewall}\n")).unwrap();
    succeed(&["build", &directory.path().to_string_lossy(), "--as-of", AS_OF], "");
    let ruleset = std::fs::read_to_string(directory.path().join("build/core/ruleset.nft")).unwrap();
    let stripped: Vec<&str> = ruleset.lines().map(str::trim).collect();
    let shown: Vec<&str> = output.lines().map(str::trim).collect();
    assert!(stripped.windows(shown.len()).any(|lines| lines == shown), "{output}");
}
