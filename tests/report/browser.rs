//! The report in headless Chromium: pages load without an error, cells open, searches find, and dark mode applies.

use serde_json::json;

use super::webdriver::{Browser, ready};
use super::{Files, ending, example};

/// The key Escape, as WebDriver writes it.
const ESCAPE: &str = "\u{e00c}";

/// The report of the example in a directory of its own, and the address of a page of it.
fn written(files: &Files) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    for (path, content) in files {
        std::fs::write(directory.path().join(path), content).unwrap();
    }
    let address = format!("file://{}", directory.path().display());
    (directory, address)
}

#[test]
fn every_page_loads_without_an_error_and_loads_nothing_from_elsewhere() {
    if !ready("every_page_loads_without_an_error_and_loads_nothing_from_elsewhere") {
        return;
    }
    let (_, files) = example();
    let (_directory, address) = written(files);
    let browser = Browser::start();
    // A page that asks for what it may not have is what the log would show.
    browser.open(&format!("{address}/index.html"));
    browser.value(
        "(() => { const i = new Image(); i.src = 'https://evil.example/x.png'; document.body.append(i); })()",
    );
    assert!(!browser.logged().is_empty(), "a load from elsewhere is refused and logged");
    for (path, _) in ending(files, "html") {
        browser.open(&format!("{address}/{path}"));
        let logged = browser.logged();
        assert!(logged.is_empty(), "{path}: {logged:?}");
        let foreign = "performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith('file:') && !n.startsWith('data:'))";
        assert_eq!(browser.value(foreign), json!([]), "{path}");
        assert_eq!(
            browser
                .value("getComputedStyle(document.body).display !== 'inline' && document.styleSheets.length"),
            json!(1),
            "{path}"
        );
        let wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.value(wider), json!(0), "{path} is wider than the window");
    }
}

#[test]
fn a_cell_of_the_matrix_opens_into_its_rules_and_closes_again() {
    if !ready("a_cell_of_the_matrix_opens_into_its_rules_and_closes_again") {
        return;
    }
    let (_directory, address) = written(&example().1);
    let browser = Browser::start();
    browser.open(&format!("{address}/matrix.html"));
    let display = "getComputedStyle(document.getElementById('at.pump_wifi.dev_srv')).display";
    assert_eq!(browser.text(display), "none");
    browser.click("[id='from.at.pump_wifi.dev_srv']");
    assert_eq!(browser.text(display), "block");
    let shown = browser.text("document.querySelector('.panel:target').innerText");
    for word in [
        "From pump_wifi to dev_srv",
        "pumps",
        "pump_srv",
        "tcp 3613",
        "encrypted",
        "drug library",
        "dist1",
        "access-bedside.cordon",
    ] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    assert_eq!(
        browser.text("document.activeElement.id"),
        "at.pump_wifi.dev_srv",
        "the keyboard goes on there"
    );
    browser.type_into(".panel:target", ESCAPE);
    assert_eq!(browser.text(display), "none");
    // By the keyboard alone, and without the scripts of the page.
    browser.tool("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    browser.open(&format!("{address}/matrix.html#at.img_a.img_core"));
    browser.tool("Emulation.setScriptExecutionDisabled", &json!({ "value": false }));
    let open = "document.querySelector('.panel:target h2').textContent";
    assert_eq!(browser.text(open), "From img_a to img_core");
}

#[test]
fn searches_find_rows_and_pages() {
    if !ready("searches_find_rows_and_pages") {
        return;
    }
    let (_directory, address) = written(&example().1);
    let browser = Browser::start();
    browser.open(&format!("{address}/rules.html"));
    let rows = "[...document.querySelector('table.long').tBodies[0].rows].filter(r => r.offsetParent).length";
    assert_eq!(browser.value(rows), json!(53));
    browser.type_into("#filter-0", "DRUG library");
    assert_eq!(browser.value(rows), json!(1));
    assert_eq!(browser.text("document.querySelector('.filter [role=status]').textContent"), "1 of 53");
    browser.open(&format!("{address}/index.html"));
    browser.type_into("#find", "pump serv");
    let found = browser.text("document.getElementById('found').innerText");
    assert!(found.contains("pump_srv") && found.contains("Systems Manager"), "{found}");
    browser.click("#found a[href='peer-pump_srv.html']");
    assert!(browser.text("document.querySelector('h1').textContent").contains("pump_srv"));
    assert!(browser.logged().is_empty());
}

#[test]
fn dark_mode_and_print_and_a_narrow_window_change_what_they_should() {
    if !ready("dark_mode_and_print_and_a_narrow_window_change_what_they_should") {
        return;
    }
    let (_directory, address) = written(&example().1);
    let browser = Browser::start();
    let ground = "getComputedStyle(document.documentElement).backgroundColor";
    let prefer = |scheme: &str| {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        browser.tool("Emulation.setEmulatedMedia", &features);
    };
    browser.open(&format!("{address}/matrix.html"));
    prefer("light");
    assert_eq!(browser.text(ground), "rgb(255, 255, 255)");
    prefer("dark");
    assert_eq!(browser.text(ground), "rgb(21, 24, 28)");
    browser.tool("Emulation.setEmulatedMedia", &json!({ "media": "print", "features": [] }));
    assert_eq!(browser.text("getComputedStyle(document.querySelector('nav')).display"), "none");
    assert_eq!(
        browser.text("getComputedStyle(document.querySelector('.panel')).display"),
        "block",
        "all panels are printed"
    );
    browser.tool("Emulation.setEmulatedMedia", &json!({ "media": "", "features": [] }));
    let narrow = json!({ "width": 380, "height": 800, "deviceScaleFactor": 1, "mobile": false });
    browser.tool("Emulation.setDeviceMetricsOverride", &narrow);
    for page in ["index", "matrix", "map", "class-mri", "evidence"] {
        browser.open(&format!("{address}/{page}.html"));
        let wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.value(wider), json!(0), "{page} is wider than a narrow window");
    }
}

#[test]
fn a_zone_of_the_map_shows_its_lines_when_it_is_reached() {
    if !ready("a_zone_of_the_map_shows_its_lines_when_it_is_reached") {
        return;
    }
    let (_directory, address) = written(&example().1);
    let browser = Browser::start();
    browser.open(&format!("{address}/map.html"));
    let on = "document.querySelectorAll('.line.on').length";
    assert_eq!(browser.value(on), json!(0));
    browser.value("document.querySelector('.node[data-name=pump_wifi]').focus()");
    assert_eq!(browser.value(on), json!(2));
    browser.value("document.activeElement.blur()");
    assert_eq!(browser.value(on), json!(0));
    browser.click(".node[data-name=pump_wifi]");
    assert_eq!(browser.text("document.querySelector('h1').textContent"), "pump_wifi");
}
