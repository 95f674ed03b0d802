//! A user's line of /etc/shadow; only root can read it.

/// What shadow says of a user.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shadow {
    /// The password's hash; `!` before it locks it.
    pub password: String,
    /// Days between changes, at least.
    pub min: Option<i64>,
    /// Days between changes, at most.
    pub max: Option<i64>,
    /// Days of warning.
    pub warn: Option<i64>,
    /// Days from a password's end to the account's.
    pub inactive: Option<i64>,
    /// The day the account expires, counted from 1970.
    pub expires: Option<i64>,
}

impl Shadow {
    /// The user's line, where it can be read.
    pub fn of(name: &str) -> Option<Self> {
        let text = std::fs::read("/etc/shadow").ok()?;
        String::from_utf8_lossy(&text).lines().find_map(|line| Self::parse(line, name))
    }

    fn parse(line: &str, name: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split(':').collect();
        if fields.first() != Some(&name) {
            return None;
        }
        let number = |index: usize| fields.get(index).and_then(|field| field.parse().ok());
        Some(Self {
            password: fields.get(1).copied().unwrap_or_default().to_owned(),
            min: number(3),
            max: number(4),
            warn: number(5),
            inactive: number(6),
            expires: number(7),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let shadow = Shadow::parse("a:!x:19000:0:99999:7:::", "a").unwrap();
        assert_eq!((shadow.password.as_str(), shadow.max, shadow.expires), ("!x", Some(99999), None));
        assert_eq!(Shadow::parse("ab:x", "a"), None);
    }
}
