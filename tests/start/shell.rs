//! Completions, man pages, help with examples, and the word that was meant.

use std::fs;
use std::process::Command;

use crate::support::{cordon, succeed};

/// The commands that the help lists.
fn commands() -> Vec<String> {
    let help = succeed(&["--help"], "");
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap().to_owned();
    let first = |line: &str| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')).map(str::to_owned);
    let lines = list.lines().filter_map(first);
    lines.map(|line| line.split_whitespace().next().unwrap().to_owned()).filter(|c| c != "help").collect()
}

#[test]
fn the_help_of_each_command_ends_with_an_example_of_it() {
    let commands = commands();
    assert!(commands.len() >= 13, "{commands:?}");
    for command in commands {
        let help = succeed(&[&command, "--help"], "");
        let examples = help.split("Example").nth(1).unwrap_or_else(|| panic!("no example in: {help}"));
        assert!(examples.contains(&format!("cordon {command}")), "{help}");
    }
}

#[test]
fn a_slip_of_the_finger_is_answered_with_the_word_that_is_meant() {
    for (arguments, meant) in [
        (vec!["chek"], "'check'"),
        (vec!["verfiy"], "'verify'"),
        (vec!["check", "--fromat", "json"], "'--format'"),
        (vec!["check", "--format", "jsno"], "'json'"),
        (vec!["completions", "bsh"], "'bash'"),
    ] {
        let output = cordon(&arguments, "");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("similar") && said.contains(meant), "{said}");
    }
}

#[test]
fn each_shell_has_completions_that_name_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = succeed(&["completions", shell], "");
        for command in commands() {
            assert!(script.contains(&command), "{shell} does not know {command}");
        }
    }
}

#[test]
fn bash_completes_commands_options_and_values() {
    let script = succeed(&["completions", "bash"], "");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("cordon.bash");
    fs::write(&file, script).unwrap();
    let complete = |words: &str, at: usize| {
        let program = format!(
            "source {}; COMP_WORDS=({words}); COMP_CWORD={at}; _cordon cordon \"${{COMP_WORDS[{at}]}}\" \"${{COMP_WORDS[{}]}}\"; echo \"${{COMPREPLY[*]}}\"",
            file.display(),
            at - 1
        );
        let output = Command::new("bash").args(["-c", &program]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(complete("cordon che", 1), "check");
    assert_eq!(complete("cordon check --as", 2), "--as-of");
    assert!(complete("cordon check --format js", 3).contains("json"));
}

#[test]
fn there_is_a_man_page_for_each_command() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("man1");
    succeed(&["man", &place.to_string_lossy()], "");
    for command in commands() {
        let page = fs::read_to_string(place.join(format!("cordon-{command}.1"))).unwrap();
        assert!(page.contains(".SH NAME") && page.contains("Example"), "{page}");
    }
    let pages = fs::read_dir(&place).unwrap().count();
    assert!(pages > commands().len(), "{pages}");
    fs::write(directory.path().join("file"), "").unwrap();
    let output = cordon(&["man", &directory.path().join("file/man").to_string_lossy()], "");
    assert_eq!(output.status.code(), Some(2));
}
