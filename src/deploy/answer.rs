//! What a device answers: lines of `cordon:KEY:VALUE`, among whatever else its login shell says.

use thiserror::Error;

/// What stands in front of each line that is meant for cordon.
const MARK: &str = "cordon:";

/// The answer of a device.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answer {
    lines: Vec<(String, String)>,
}

/// Why there is no answer.
#[derive(Error, Clone, PartialEq, Eq, Debug)]
pub enum BadAnswer {
    /// Its last line is missing.
    #[error("the answer of the device is cut off")]
    CutOff,
}

impl Answer {
    /// Takes an answer apart.
    ///
    /// # Errors
    /// [`BadAnswer::CutOff`] if its end is missing: what a part of a listing says is not what the device runs.
    pub fn new(text: &str) -> Result<Self, BadAnswer> {
        let marked = text.lines().filter_map(|line| line.strip_prefix(MARK)?.split_once(':'));
        let lines: Vec<(String, String)> =
            marked.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        match lines.last() {
            Some((key, _)) if key == "end" => Ok(Answer { lines }),
            _ => Err(BadAnswer::CutOff),
        }
    }

    /// All values of a key, in their order.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.lines.iter().filter(move |(own, _)| own == key).map(|(_, value)| value.as_str())
    }

    /// What came of it, in one word of the script.
    pub fn result(&self) -> &str {
        self.all("result").last().unwrap_or_default()
    }

    /// What the device says of it.
    pub fn said(&self) -> String {
        self.all("said").collect::<Vec<_>>().join("; ")
    }

    /// The lines of a key as a text in which each line ends; empty if there are none.
    pub fn text(&self, key: &str) -> String {
        self.all(key).map(|line| format!("{line}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_is_no_part_of_an_answer_and_a_part_is_none() {
        let whole = "Welcome!\ncordon:state:a: b\ncordon:state:\ncordon:result:state\ncordon:end:\n";
        let answer = Answer::new(whole).unwrap();
        assert_eq!(answer.text("state"), "a: b\n\n");
        assert_eq!(answer.result(), "state");
        for cut in ["", "cordon:end", whole.strip_suffix("end:\n").unwrap(), "cordon:state:a\n"] {
            assert_eq!(Answer::new(cut), Err(BadAnswer::CutOff), "{cut}");
        }
    }
}
