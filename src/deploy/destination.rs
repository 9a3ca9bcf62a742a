//! Where a device is, and where cordon keeps its files there: both of a closed alphabet, since both become part of commands.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How a device is reached.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Destination {
    /// The machine that cordon runs on.
    Local,
    /// Over the system's ssh.
    Ssh {
        /// Who logs in; ssh decides without it.
        user: Option<String>,
        /// A name, an address, or a name of the configuration of ssh.
        host: String,
        /// The port; ssh decides without it.
        port: Option<u16>,
    },
}

/// A directory on a device, which is made if it is not there and belongs to root alone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Directory(String);

/// Why a text is no place.
#[derive(Error, Clone, PartialEq, Eq, Debug)]
pub enum BadDestination {
    /// It names no way to a device.
    #[error(
        "`{0}` is no way to a device; write `local`, or `ssh://USER@HOST:PORT`, where USER and PORT can be left out"
    )]
    Way(String),
    /// It is no directory that cordon takes.
    #[error(
        "`{0}` is no directory for a device; write an absolute path of letters, digits and `/ . _ -`, without `..`"
    )]
    Directory(String),
}

impl TryFrom<String> for Destination {
    type Error = BadDestination;

    fn try_from(text: String) -> Result<Self, BadDestination> {
        parse(&text).ok_or(BadDestination::Way(text))
    }
}

fn parse(text: &str) -> Option<Destination> {
    if text == "local" {
        return Some(Destination::Local);
    }
    let rest = text.strip_prefix("ssh://")?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, rest),
    };
    let (host, port) = match rest.strip_prefix('[') {
        Some(bracketed) => {
            let (host, port) = bracketed.split_once(']')?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
        }
        None => match rest.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        },
    };
    let port = match port {
        Some(port) => Some(port.parse().ok().filter(|port| *port != 0)?),
        None => None,
    };
    let is_user = user.is_none_or(|user| is_plain(user, "._-"));
    let is_host = is_plain(host, "._-:%");
    (is_user && is_host).then(|| Destination::Ssh {
        user: user.map(str::to_owned),
        host: host.to_owned(),
        port,
    })
}

/// True for what is no option, and holds letters, digits and some other characters only.
fn is_plain(text: &str, others: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Destination::Ssh { user, host, port } = self else { return write!(f, "local") };
        write!(f, "ssh://")?;
        if let Some(user) = user {
            write!(f, "{user}@")?;
        }
        if host.contains(':') {
            write!(f, "[{host}]")?
        } else {
            write!(f, "{host}")?
        }
        port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl From<Destination> for String {
    fn from(destination: Destination) -> Self {
        destination.to_string()
    }
}

impl TryFrom<String> for Directory {
    type Error = BadDestination;

    fn try_from(text: String) -> Result<Self, BadDestination> {
        let is_path = text.len() > 1
            && text.starts_with('/')
            && !text.ends_with('/')
            && text.split('/').skip(1).all(|part| part != ".." && is_plain(part, "._-"));
        if is_path { Ok(Directory(text)) } else { Err(BadDestination::Directory(text)) }
    }
}

impl From<Directory> for String {
    fn from(directory: Directory) -> Self {
        directory.0
    }
}

impl Directory {
    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_read_and_written_the_same() {
        for text in [
            "local",
            "ssh://core",
            "ssh://root@10.0.0.1:2222",
            "ssh://a@[2001:db8::1]:22",
            "ssh://[fe80::1%eth0]",
        ] {
            let destination = Destination::try_from(text.to_owned()).unwrap();
            assert_eq!(destination.to_string(), text);
        }
    }

    #[test]
    fn nothing_that_a_shell_or_ssh_takes_for_more_is_a_place() {
        for text in [
            "",
            "core",
            "ssh://",
            "ssh://-oProxyCommand=x",
            "ssh://a b",
            "ssh://a;b",
            "ssh://a@-b",
            "ssh://-a@b",
            "ssh://a:0",
            "ssh://a:70000",
            "ssh://a:",
            "ssh://$(x)",
            "ssh://a/b",
            "ssh://[::1",
            "ssh://@a",
            "ssh://a\n",
        ] {
            assert!(Destination::try_from(text.to_owned()).is_err(), "{text}");
        }
        for text in
            ["", "/", "relative", "/a/", "/a//b", "/a/../b", "/a b", "/a'b", "/-a", "/a\n", "/a;b", "/$a"]
        {
            assert!(Directory::try_from(text.to_owned()).is_err(), "{text}");
        }
        assert_eq!(Directory::try_from("/var/lib/cordon".to_owned()).unwrap().as_str(), "/var/lib/cordon");
    }
}
