//! `docs/formats.md` shows what the command really says.

use std::fs;

use super::{command, directory};
use crate::support::root;

/// The blocks of a page that are indented by four spaces, without that.
fn blocks(page: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in page.lines() {
        match line.strip_prefix("    ") {
            Some(code) => *blocks.last_mut().unwrap() += &format!("{code}\n"),
            // An empty line within a block stays in it.
            None if line.is_empty() && !blocks.last().unwrap().is_empty() => {
                *blocks.last_mut().unwrap() += "\n"
            }
            None if !blocks.last().unwrap().is_empty() => blocks.push(String::new()),
            None => {}
        }
    }
    blocks.iter().map(|block| block.trim_end().to_owned() + "\n").filter(|block| block != "\n").collect()
}

#[test]
fn each_example_is_what_the_command_says() {
    let page = fs::read_to_string(root().join("docs/formats.md")).unwrap();
    let blocks = blocks(&page);
    let policy = blocks.iter().find(|block| block.starts_with("zone ")).unwrap();
    let place = directory(&[("site/rules.cordon", policy)]);
    let mut shown = Vec::new();
    for block in &blocks {
        let Some((line, said)) = block.strip_prefix("$ cordon ").and_then(|block| block.split_once('\n'))
        else {
            continue;
        };
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let output = command(place.path(), &arguments).output().unwrap();
        let (out, err) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        let without_space: String =
            (out + &err).trim_end().lines().map(|line| line.trim_end().to_owned() + "\n").collect();
        let said: String = said.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
        assert_eq!(said, without_space, "cordon {line}\nnow says:\n{without_space}");
        shown.extend(arguments.iter().rev().take(1).map(|word| (*word).to_owned()));
    }
    assert_eq!(shown, ["human", "concise", "json", "sarif", "junit", "github", "gitlab"]);
}
