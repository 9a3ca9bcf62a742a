//! What docs/simulate.md shows is what the command says.

use crate::support::{AS_OF, examples, root, succeed};

#[test]
fn the_page_shows_what_the_command_says() {
    let page = std::fs::read_to_string(root().join("docs/simulate.md")).unwrap();
    let mut capture = String::new();
    let mut shown = 0;
    for (command, said) in examples(&page) {
        if command.starts_with("cat ") {
            capture = said + "\n";
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
        assert_eq!(said, succeed(&words, &capture).trim(), "{command}");
        shown += 1;
    }
    assert_eq!(shown, 2);
}
