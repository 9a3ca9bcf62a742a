//! `docs/ci.md` is about the files that there are: its steps are theirs, and its examples name what is in them.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::ci::OF_GITHUB;
use crate::support::{hospital, root};

const OF_GITLAB: &str = "examples/small-hospital/.gitlab-ci.yml";

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn page() -> String {
    read("docs/ci.md")
}

/// The block of the page that starts with a line, without its indentation.
fn block(start: &str) -> String {
    let page = page();
    let lines: Vec<&str> = page.lines().collect();
    let first = lines.iter().position(|line| line.trim_start() == start).unwrap();
    let indentation = &lines[first][..lines[first].len() - start.len()];
    assert!(indentation.len() >= 4, "{start} is no block");
    let block = lines[first..].iter().map_while(|line| line.strip_prefix(indentation));
    block.map(|line| format!("{line}\n")).collect()
}

fn parsed<T: DeserializeOwned>(yaml: &str) -> T {
    serde_saphyr::from_str(yaml).unwrap()
}

/// Names and commands of the table of steps.
fn steps_of_the_page() -> Vec<(String, String)> {
    let page = page();
    let table = page.split("## What is run\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| ")).skip(2);
    rows.map(|row| {
        let mut cells = row.split(" | ");
        let mut cell = || cells.next().unwrap().trim_matches('`').to_owned();
        (cell(), cell())
    })
    .collect()
}

/// What is run, as `cordon` and the word behind it.
fn commands(script: &str) -> Vec<String> {
    let pieces = script.split("cordon ").skip(1).map(|rest| rest.split([' ', '\n']).next().unwrap());
    ["check", "fmt", "test", "build", "diff"]
        .iter()
        .filter(|command| pieces.clone().any(|piece| piece == **command))
        .map(|command| format!("cordon {command}"))
        .collect()
}

#[test]
fn the_steps_of_the_page_are_those_of_each_service() {
    let steps = steps_of_the_page();
    assert_eq!(steps.len(), 5);
    for path in OF_GITHUB {
        let own: Vec<_> = super::ci::steps(path)
            .into_iter()
            .filter(|step| !step.name.is_empty() && step.name != "install cordon")
            .map(|step| (step.name.clone(), commands(&step.run.unwrap())))
            .collect();
        assert_eq!(own.len(), steps.len(), "{path}");
        for ((own_name, own), (name, command)) in own.iter().zip(&steps) {
            assert_eq!(own_name, name, "{path}");
            assert!(own.len() == 1 && command.starts_with(&own[0]), "{path}: {own:?} {command}");
        }
    }
    let of_page: Vec<String> = steps.iter().flat_map(|(_, command)| commands(command)).collect();
    assert_eq!(commands(&read(OF_GITLAB)), of_page);
}

#[test]
fn permissions_and_variables_are_those_of_the_workflow() {
    #[derive(Deserialize)]
    struct Permissions {
        permissions: BTreeMap<String, String>,
    }
    let workflow = read(OF_GITHUB[1]);
    let of_page: Permissions = parsed(&block("permissions:"));
    let own: Permissions = parsed(&workflow);
    assert_eq!(of_page.permissions, own.permissions);
    assert_eq!(own.permissions.len(), 2);
    for (file, variables) in
        [(workflow.as_str(), &["CORDON_GIT", "CORDON_REV"][..]), (&read(OF_GITLAB), &["CORDON_IMAGE"])]
    {
        for variable in variables {
            assert!(file.contains(variable) && page().contains(&format!("`{variable}`")), "{variable}");
        }
    }
    assert!(workflow.contains("  pull_request:\n") && !workflow.contains("pull_request_target"));
}

#[test]
fn the_action_is_used_with_inputs_that_it_has() {
    #[derive(Deserialize)]
    struct Action {
        inputs: BTreeMap<String, serde_json::Value>,
    }
    #[derive(Deserialize)]
    struct Step {
        uses: String,
        #[serde(default)]
        with: BTreeMap<String, serde_json::Value>,
    }
    #[derive(Deserialize)]
    struct Used {
        steps: Vec<Step>,
    }
    let action: Action = parsed(&read("action.yml"));
    let used: Used = parsed(&block("steps:"));
    let ours = used.steps.iter().find(|step| step.uses.contains("cordon")).unwrap();
    assert!(!ours.with.is_empty() && ours.with.keys().all(|input| action.inputs.contains_key(input)));
    assert!(used.steps.iter().any(|step| step.with.contains_key("fetch-depth")), "nothing to compare with");
    for input in action.inputs.keys() {
        assert!(page().contains(&format!("`{input}`")) || ours.with.contains_key(input), "{input}");
    }
}

#[test]
fn the_hooks_of_the_page_are_those_that_there_are() {
    #[derive(Deserialize, PartialEq, Debug)]
    struct Hook {
        id: String,
    }
    #[derive(Deserialize)]
    struct Repository {
        hooks: Vec<Hook>,
    }
    #[derive(Deserialize)]
    struct Document {
        repos: Vec<Repository>,
    }
    let of_page: Document = parsed(&block("repos:"));
    let own: Vec<Hook> = parsed(&read(".pre-commit-hooks.yaml"));
    assert_eq!(of_page.repos[0].hooks, own);
}

#[test]
fn the_image_is_made_and_run_as_its_own_file_says() {
    let containerfile = read("Containerfile");
    let page = page();
    let commands: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|l| l.starts_with("podman"))
        .collect();
    assert_eq!(commands.len(), 2);
    for command in commands {
        assert!(containerfile.contains(&format!(": {command}\n")), "{command}");
    }
}

#[test]
fn each_file_that_the_page_gives_an_owner_is_there() {
    let owners = block("*.cordon                 @hospital/network");
    let mut named = 0;
    for line in owners.lines() {
        let (pattern, owner) = line.split_once(' ').unwrap();
        assert!(owner.trim().starts_with("@hospital/"), "{line}");
        let is_there = match pattern {
            "*.cordon" => true,
            ".github/" => root().join("examples/small-hospital").join(pattern).is_dir(),
            _ => hospital().join(pattern).exists(),
        };
        assert!(is_there, "{pattern}");
        named += 1;
    }
    assert!(named >= 8, "{named}");
}
