//! A small client of WebDriver (W3C), which drives Chromium through chromedriver over the loopback interface.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// The longest that one command may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What Chromium is started with: without windows, and without anything that would speak to the network.
const ARGUMENTS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
];

/// A browser. It ends with this value.
pub(super) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: tempfile::TempDir,
}

/// True if a browser and its driver are there; the caller returns early if not.
///
/// # Panics
/// One is missing and `CORDON_REQUIRE_BROWSER=1`.
#[must_use]
pub(super) fn ready(test: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = |tool: &&&str| std::env::split_paths(&path).any(|folder| folder.join(tool).is_file());
    let Some(missing) = ["chromium", "chromedriver"].iter().find(|tool| !found(tool)) else { return true };
    let required = std::env::var_os("CORDON_REQUIRE_BROWSER").is_some_and(|value| value == "1");
    assert!(!required, "{test} cannot run: `{missing}` is not installed");
    // Past the harness, which would capture it; nobody is left to tell when standard error is closed.
    let _closed = std::io::stderr()
        .write_all(format!("\n{test} did not run: `{missing}` is not installed\n").as_bytes());
    false
}

impl Browser {
    /// Starts a browser with a profile of its own.
    pub(super) fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let port = port_of(&mut driver);
        let mut browser = Browser { driver, port, session: String::new(), _profile: profile };
        let mut arguments: Vec<String> = ARGUMENTS.iter().map(|argument| (*argument).to_owned()).collect();
        arguments.push(format!("--user-data-dir={}", browser._profile.path().display()));
        let wanted = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let made = browser.send("POST", "/session", &json!({ "capabilities": { "alwaysMatch": wanted } }));
        browser.session = format!("/session/{}", made["sessionId"].as_str().unwrap());
        browser
    }

    /// Loads a page.
    pub(super) fn open(&self, address: &str) {
        self.command("POST", "/url", &json!({ "url": address }));
    }

    /// The value of a script.
    pub(super) fn value(&self, script: &str) -> Value {
        self.command("POST", "/execute/sync", &json!({ "script": format!("return {script};"), "args": [] }))
    }

    /// The value of a script that gives a text.
    pub(super) fn text(&self, script: &str) -> String {
        self.value(script).as_str().unwrap_or_else(|| panic!("{script} is no text")).to_owned()
    }

    /// Clicks on what a CSS selector finds first.
    pub(super) fn click(&self, selector: &str) {
        let element = self.find(selector);
        self.command("POST", &format!("/element/{element}/click"), &json!({}));
    }

    /// Types into what a CSS selector finds first; the letters may be keys of WebDriver.
    pub(super) fn type_into(&self, selector: &str, text: &str) {
        let element = self.find(selector);
        self.command("POST", &format!("/element/{element}/value"), &json!({ "text": text }));
    }

    /// What a page logged since it was last asked: errors of scripts, of loading and of the policy of content.
    pub(super) fn logged(&self) -> Vec<Value> {
        let logged = self.command("POST", "/se/log", &json!({ "type": "browser" }));
        logged.as_array().cloned().unwrap_or_default()
    }

    /// A command of the protocol of Chromium's own tools.
    pub(super) fn tool(&self, command: &str, parameters: &Value) -> Value {
        self.command("POST", "/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    fn find(&self, selector: &str) -> String {
        let found = self.command("POST", "/element", &json!({ "using": "css selector", "value": selector }));
        let id = found.as_object().and_then(|object| object.values().next()).and_then(Value::as_str);
        id.unwrap_or_else(|| panic!("nothing is at {selector}")).to_owned()
    }

    fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        self.send(method, &format!("{}{path}", self.session), body)
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        self.try_send(method, path, body).unwrap_or_else(|problem| panic!("{method} {path}: {problem}"))
    }

    fn try_send(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let said = |error: std::io::Error| error.to_string();
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).map_err(said)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(said)?;
        let body = if method == "DELETE" { String::new() } else { body.to_string() };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            self.port,
            body.len()
        );
        stream.write_all(request.as_bytes()).map_err(said)?;
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).map_err(said)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) =
                line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            {
                length = value.trim().parse().map_err(|_| format!("{name}: {value}"))?;
            }
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer).map_err(said)?;
        let answer: Value = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
        match answer["value"].get("error") {
            Some(_) => Err(answer["value"].to_string().chars().take(600).collect()),
            None => Ok(answer["value"].clone()),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A session that is gone needs no end.
        let _gone = self.try_send("DELETE", &self.session, &Value::Null);
        let _ended = self.driver.kill();
        let _reaped = self.driver.wait();
    }
}

/// The port that a driver says it listens on.
fn port_of(driver: &mut Child) -> u16 {
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let line =
        lines.by_ref().map_while(Result::ok).find(|line| line.contains("started successfully on port"));
    let line = line.expect("chromedriver says where it listens");
    let port = line.split_whitespace().filter_map(|word| word.trim_end_matches('.').parse().ok()).next_back();
    // What else it says is read, so that it never waits for a reader.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    port.expect("a port")
}
