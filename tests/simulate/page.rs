//! What docs/simulate.md shows is what the command says.

use crate::support::{AS_OF, root, succeed};

#[test]
fn the_page_shows_what_the_command_says() {
    let page = std::fs::read_to_string(root().join("docs/simulate.md")).unwrap();
    let block = |rest: &str| -> String {
        let lines = rest.lines().take_while(|line| line.is_empty() || line.starts_with("    "));
        let lines: Vec<&str> = lines.map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
        lines.join("\n").trim().to_owned()
    };
    let mut capture = String::new();
    let mut shown = 0;
    for example in page.split("    $ ").skip(1) {
        let (command, rest) = example.split_once('\n').unwrap();
        if command.starts_with("cat ") {
            capture = block(rest) + "\n";
            continue;
        }
        let words: Vec<String> = command
            .split(' ')
            .skip(1)
            .map(|word| match word {
                "flows.csv" => "-".to_owned(),
                word => word.to_owned(),
            })
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).chain(["--as-of", AS_OF]).collect();
        assert_eq!(block(rest), succeed(&words, &capture).trim(), "{command}");
        shown += 1;
    }
    assert_eq!(shown, 2);
}
