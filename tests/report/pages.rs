//! The pages as a whole: well formed, accessible, joined by links that lead somewhere, and alone in the world.

use std::collections::BTreeSet;

use super::markup::{Piece, elements, pieces, text_of};
use super::{ending, example, policy_files, reported};
use crate::support::{AS_OF, cordon, hospital, succeed};

/// The places on a page that links can lead to.
fn anchors(page: &str) -> BTreeSet<String> {
    let found = pieces(page);
    let ids: Vec<String> = elements(&found).iter().filter_map(|(_, own)| own.get("id").cloned()).collect();
    let set: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(set.len(), ids.len(), "an id stands twice");
    set
}

#[test]
fn every_link_leads_to_a_place_of_the_report() {
    let (_, files) = example();
    let mut links = 0;
    for (path, page) in ending(files, "html") {
        for (name, attributes) in elements(&pieces(page)) {
            let target = attributes.get("href").or(attributes.get("src"));
            let Some(target) = target.filter(|target| *target != "data:,") else { continue };
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { path } else { file };
            let goal = files.get(file).unwrap_or_else(|| panic!("{path}: <{name}> leads to {target}"));
            assert!(
                anchor.is_empty() || anchors(goal).contains(anchor),
                "{path}: <{name}> leads to {target}"
            );
            links += 1;
        }
    }
    assert!(links > 3_000, "{links}");
}

#[test]
fn every_link_of_the_markdown_leads_to_a_place_of_the_report() {
    let (_, files) = example();
    let mut links = 0;
    for (path, page) in ending(files, "md") {
        for target in page.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let goal = files.get(file).unwrap_or_else(|| panic!("{path} leads to {target}"));
            let place = format!("<a id=\"{anchor}\"></a>");
            assert!(anchor.is_empty() || goal.contains(&place), "{path} leads to {target}");
            links += 1;
        }
    }
    assert!(links > 2_000, "{links}");
}

#[test]
fn each_page_says_the_same_in_both_forms() {
    let (_, files) = example();
    let words = |text: &str| -> BTreeSet<String> {
        let split = text.split(|c: char| !c.is_ascii_alphanumeric());
        split.filter(|word| word.len() > 2).map(str::to_owned).collect()
    };
    for (path, page) in ending(files, "html") {
        let (before, _) = page.split_once("</main>").unwrap();
        let (_, main) = before.split_once("<h1>").unwrap();
        let main = main.split("<div class=\"panels\">").next().unwrap();
        // What only a screen needs: the search, the drawings, which are files of their own, and the legend.
        let found: String = without(main, &["<svg", "<ul class=\"legend\"", "<div id=\"search\""]);
        let markdown = words(&files[&path.replace(".html", ".md")]);
        let missing: Vec<String> = words(&found).difference(&markdown).cloned().collect();
        assert!(missing.is_empty(), "{path}: {missing:?}");
    }
}

/// The text of a piece of a page, without some elements.
fn without(page: &str, starts: &[&str]) -> String {
    let mut left = page.to_owned();
    for start in starts {
        while let Some(from) = left.find(start) {
            let name: String = start.chars().skip(1).take_while(char::is_ascii_alphabetic).collect();
            let end = format!("</{name}>");
            let to = from + left[from..].find(&end).unwrap() + end.len();
            left.replace_range(from..to, " ");
        }
    }
    let mut text = String::new();
    let mut rest = left.as_str();
    while let Some((before, tail)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        rest = tail.split_once('>').unwrap().1;
    }
    (text + rest)
        .replace("&lt;", " ")
        .replace("&gt;", " ")
        .replace("&quot;", " ")
        .replace("&#x27;", " ")
        .replace("&#x2f;", " ")
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    let (_, files) = example();
    for (path, text) in files.iter().filter(|(path, _)| !path.ends_with(".md")) {
        let text = text.replace("http://www.w3.org/2000/svg", "");
        for foreign in
            ["http:", "https:", "//cdn", "@import", "url(http", "fetch(", "XMLHttpRequest", "WebSocket"]
        {
            assert!(!text.contains(foreign), "{path} holds {foreign}");
        }
    }
    for (path, page) in ending(files, "html") {
        assert!(page.contains("default-src 'none'; style-src 'self'; script-src 'self'"), "{path}");
    }
}

#[test]
fn pages_can_be_read_by_who_cannot_see_them() {
    let (_, files) = example();
    for (path, page) in ending(files, "html") {
        let found = pieces(page);
        let elements = elements(&found);
        let count = |name: &str| elements.iter().filter(|(own, _)| *own == name).count();
        assert!(elements[0].0 == "html" && elements[0].1["lang"] == "en", "{path}");
        for landmark in ["h1", "main", "header", "footer", "nav"] {
            assert_eq!(count(landmark), 1, "{path}: <{landmark}>");
        }
        assert_eq!(count("table"), count("caption"), "{path}: a table without caption");
        assert!(
            elements.iter().filter(|(name, _)| *name == "th").all(|(_, own)| own.contains_key("scope")),
            "{path}"
        );
        let first = elements.iter().find(|(name, _)| *name == "a").unwrap();
        assert_eq!((first.1["class"].as_str(), first.1["href"].as_str()), ("skip", "#content"), "{path}");
        let mut level = 0;
        for (name, _) in &elements {
            let own = ["h1", "h2", "h3", "h4"].iter().position(|heading| heading == name);
            if let Some(own) = own {
                assert!(own <= level + 1, "{path}: <{name}> skips a level");
                level = own;
            }
        }
        for window in found.windows(2) {
            let empty = matches!(&window[0], Piece::Start(name, _) if name == "a")
                && matches!(&window[1], Piece::End(_));
            assert!(!empty, "{path}: a link without text");
        }
        for (_, svg) in elements.iter().filter(|(name, _)| *name == "svg") {
            for id in svg["aria-labelledby"].split(' ') {
                assert!(anchors(page).contains(id), "{path}: {id}");
            }
        }
    }
}

/// The relative luminance of a colour written as `#rrggbb` (WCAG 2.1).
fn luminance(colour: &str) -> f64 {
    let part = |place: usize| {
        let value = f64::from(u8::from_str_radix(&colour[place..place + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
}

#[test]
fn text_stands_out_from_its_ground_in_light_and_dark() {
    let (_, files) = example();
    let style = &files["style.css"];
    let schemes: Vec<&str> =
        style.split(":root {").skip(1).take(2).map(|rest| rest.split('}').next().unwrap()).collect();
    for scheme in schemes {
        let colour = |name: &str| {
            let start = format!("--{name}: ");
            let found = scheme.split_once(&start).unwrap_or_else(|| panic!("{name}")).1;
            found.split(';').next().unwrap().to_owned()
        };
        let pairs = [
            ("ink", "paper"),
            ("ink", "side"),
            ("soft", "paper"),
            ("soft", "side"),
            ("link", "paper"),
            ("link", "side"),
            ("green", "paper"),
            ("amber", "paper"),
            ("red", "paper"),
            ("red", "red-ground"),
            ("ink", "amber-ground"),
            ("ink", "blue-ground"),
            ("soft", "faint"),
            ("link", "amber-ground"),
            ("soft", "amber-ground"),
        ];
        for (text, ground) in pairs {
            let (one, other) = (luminance(&colour(text)), luminance(&colour(ground)));
            let contrast = (one.max(other) + 0.05) / (one.min(other) + 0.05);
            assert!(contrast >= 4.5, "{text} on {ground}: {contrast:.2}");
        }
    }
}

#[test]
fn the_report_does_not_depend_on_the_order_of_files_or_statements() {
    let files = policy_files(&hospital());
    let (_, made) = example();
    let reversed: Vec<(String, String)> = files.iter().rev().cloned().collect();
    assert_eq!(&reported(&reversed).1, made, "files in another order");
    // Where a statement stands is part of the report, so places and digests are left out.
    let masked = |text: &str| -> String {
        let words = text.split_inclusive(|c: char| c.is_whitespace() || "<>`|\"".contains(c));
        let is_place = |word: &str| {
            word.contains(".cordon")
                || word.trim_end_matches(['<', '`']).len() == 16
                    && word.bytes().take(16).all(|byte| byte.is_ascii_hexdigit())
        };
        words.filter(|word| !is_place(word)).collect()
    };
    let joined = |order: &[(String, String)]| {
        let text: String = order.iter().map(|(_, text)| format!("{text}\n")).collect();
        reported(&[("all.cordon".to_owned(), text)]).1
    };
    let (one, other) = (joined(&files), joined(&reversed));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (path, text) in one.iter().filter(|(path, _)| !path.starts_with("evidence")) {
        assert!(masked(text) == masked(&other[path]), "{path}");
    }
}

#[test]
fn the_command_writes_the_report_as_a_whole_and_leaves_what_is_not_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_string_lossy().into_owned();
    let policy = "zone a { net 10.1.0.0/24 }\nzone b { net 10.2.0.0/24 }\nallow x { from a to b via tcp 1 }\n\
                  firewall core { target nftables  interface eth0 zone a  interface eth1 zone b }\n";
    std::fs::write(directory.path().join("a.cordon"), policy).unwrap();
    let said = cordon(&["report", &path, "--as-of", AS_OF], "");
    assert!(said.status.success());
    assert!(String::from_utf8_lossy(&said.stderr).contains("\nwrote "), "{said:?}");
    let index = directory.path().join("report/index.html");
    let first = std::fs::read_to_string(&index).unwrap();
    assert!(text_of(&pieces(&first)).contains("A policy without a name"));
    let json = succeed(&["report", &path, "--as-of", AS_OF, "--format", "json"], "");
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    let files = document["result"]["files"].as_array().unwrap();
    assert!(files.contains(&"index.html".into()) && files.contains(&"manifest.json".into()), "{json}");
    assert_eq!(std::fs::read_to_string(&index).unwrap(), first, "the same bytes again");

    std::fs::write(directory.path().join("report/mine.txt"), "keep").unwrap();
    let refused = cordon(&["report", &path, "--as-of", AS_OF], "");
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("`mine.txt`, which cordon did not write"));
    succeed(&["build", &path, "--as-of", AS_OF], "");
    for (command, other) in [("report", "build"), ("build", "report")] {
        std::fs::remove_file(directory.path().join("report/mine.txt")).ok();
        let out = format!("{path}/{other}");
        let refused = cordon(&[command, &path, "--as-of", AS_OF, "--out", &out], "");
        assert_eq!(refused.status.code(), Some(2), "{command} over {other}");
        let says = format!("holds what `cordon {other}` wrote");
        assert!(String::from_utf8_lossy(&refused.stderr).contains(&says), "{refused:?}");
    }

    std::fs::write(directory.path().join("b.cordon"), "allow { from nowhere to b via tcp 1 }").unwrap();
    let broken = cordon(&["report", &path, "--as-of", AS_OF], "");
    assert_eq!(broken.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&broken.stderr).contains("nothing was written: 1 error"));
    assert_eq!(std::fs::read_to_string(&index).unwrap(), first, "the last good report stays");
    std::fs::write(directory.path().join("b.cordon"), "service idle { tcp 1 }").unwrap();
    assert_eq!(cordon(&["report", &path, "--deny-warnings"], "").status.code(), Some(1));
    let warned = succeed(&["report", &path, "--as-of", AS_OF], "");
    assert!(warned.is_empty());
    let index = std::fs::read_to_string(&index).unwrap();
    assert!(index.contains("2 warnings") && index.contains("b.cordon:1"), "the overview lists the warning");
}

#[test]
fn what_inventories_know_and_what_is_in_no_class_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_string_lossy().into_owned();
    let policy = "zone a { net 10.1.0.0/24 }\nzone b { net 10.2.0.0/24 }\ninventory med { file \"d.csv\" owner biomed }\n\
                  class pump in a { members from inventory where type == \"pump\" }\nallow x { from pump to b via tcp 1 }\n\
                  firewall core { target nftables  interface eth0 zone a  interface eth1 zone b }\n";
    std::fs::write(directory.path().join("a.cordon"), policy).unwrap();
    let table = "name,address,type,vendor,model,os,owner,supported until\n\
                 p1,10.1.0.5,pump,BD,8015,Windows XP,biomed,2014-01-01\np2,10.1.0.6,pump,BD,8015,Windows XP,biomed,\n\
                 odd <b>,10.1.0.77,fridge,Cool,One,,x,\nlost,192.0.2.1,fridge,Cool,One,,x,\n";
    std::fs::write(directory.path().join("d.csv"), table).unwrap();
    succeed(&["report", &path, "--as-of", AS_OF], "");
    let read = |name: &str| std::fs::read_to_string(directory.path().join("report").join(name)).unwrap();
    let inventory = read("inventory.md");
    assert!(
        inventory.contains("- **4** [devices in inventories]")
            && inventory.contains("- **2** [unclassified]"),
        "{inventory}"
    );
    assert!(
        inventory.contains("| odd &lt;b&gt; | `10.1.0.77` | fridge, Cool, One | [`a`](zone-a.md) | none |"),
        "{inventory}"
    );
    assert!(
        inventory.contains("| lost | `192.0.2.1` | fridge, Cool, One | **no zone** | none |"),
        "{inventory}"
    );
    assert!(
        inventory.contains("| [`pump`](class-pump.md) | 2 | 1 | 1 | **until 2014-01-01, 12 years ago** |"),
        "{inventory}"
    );
    let class = read("class-pump.md");
    assert!(
        class.contains("| 8015<br>BD | Windows XP | 2 | **until 2014-01-01, 12 years ago** |"),
        "{class}"
    );
    assert!(
        read("index.md")
            .contains("**2** [devices of inventories are unclassified](inventory.md#unclassified)")
    );
    pieces(&read("inventory.html"));

    let more = "class strange in a { members unclassified }\nallow y { from strange to b via tcp 2 }\n";
    std::fs::write(directory.path().join("b.cordon"), more).unwrap();
    succeed(&["report", &path, "--as-of", AS_OF], "");
    let inventory = read("inventory.md");
    assert!(inventory.contains("- **1** [of these in a class for what has none]"), "{inventory}");
    assert!(inventory.contains("[`a`](zone-a.md) | [`strange`](class-strange.md) |"), "{inventory}");
}
