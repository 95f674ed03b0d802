//! Colours by what a text is, as people know them from Ansible.

use std::collections::BTreeMap;
use std::sync::Arc;

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A result without change.
    Ok,
    /// A result with a change.
    Changed,
    /// A result that was skipped.
    Skip,
    /// An inclusion.
    Included,
    /// A failure.
    Error,
    /// A host that cannot be reached.
    Unreachable,
    /// A warning.
    Warning,
    /// Something that will not work one day.
    Deprecated,
    /// Details.
    Verbose,
    /// Something to notice.
    Highlight,
    /// A line that a change adds.
    DiffAdd,
    /// A line that a change takes away.
    DiffRemove,
    /// Where in a file a change is.
    DiffLines,
    /// All else.
    Plain,
}

/// The colour of each role, as an escape code.
#[derive(Clone, Debug, Default)]
pub struct Palette(BTreeMap<Role, String>);

impl Palette {
    /// Takes another colour for a role, by its name; `false` where no colour has that name.
    pub fn set(&mut self, role: Role, colour: &str) -> bool {
        let Some(code) = code(colour) else { return false };
        self.0.insert(role, code);
        true
    }

    fn code(&self, role: Role) -> Option<&str> {
        if let Some(code) = self.0.get(&role) {
            return Some(code);
        }
        Some(match role {
            Role::Ok | Role::DiffAdd => "0;32",
            Role::Changed => "0;33",
            Role::Skip | Role::Included | Role::DiffLines => "0;36",
            Role::Error | Role::DiffRemove => "0;31",
            Role::Unreachable => "1;31",
            Role::Warning => "1;35",
            Role::Deprecated => "0;35",
            Role::Verbose => "0;34",
            Role::Highlight => "1;37",
            Role::Plain => return None,
        })
    }
}

/// The names of colours that Ansible knows; `color0` to `color255`, `rgb000` to `rgb555` and `gray0` to `gray23` are known, too.
const COLOURS: &[(&str, &str)] = &[
    ("black", "0;30"),
    ("blue", "0;34"),
    ("bright blue", "1;34"),
    ("bright cyan", "1;36"),
    ("bright gray", "0;37"),
    ("bright green", "1;32"),
    ("bright magenta", "1;35"),
    ("bright purple", "1;35"),
    ("bright red", "1;31"),
    ("bright yellow", "1;33"),
    ("cyan", "0;36"),
    ("dark gray", "1;30"),
    ("green", "0;32"),
    ("magenta", "0;35"),
    ("normal", "0"),
    ("purple", "0;35"),
    ("red", "0;31"),
    ("white", "1;37"),
    ("yellow", "0;33"),
];

fn code(name: &str) -> Option<String> {
    if let Some((_, code)) = COLOURS.iter().find(|(known, _)| *known == name) {
        return Some((*code).to_owned());
    }
    let number = if let Some(number) = name.strip_prefix("color") {
        number.parse::<u8>().ok()?
    } else if let Some(digits) = name.strip_prefix("rgb") {
        let digits: Vec<u8> =
            digits.chars().map(|digit| digit.to_digit(6).and_then(|digit| u8::try_from(digit).ok())).collect::<Option<_>>()?;
        let [red, green, blue] = digits[..] else { return None };
        16 + 36 * red + 6 * green + blue
    } else {
        let gray = name.strip_prefix("gray")?.parse::<u8>().ok().filter(|gray| *gray < 24)?;
        232 + gray
    };
    Some(format!("38;5;{number}"))
}

/// Paints, or does not.
#[derive(Clone, Debug, Default)]
pub struct Paint {
    /// Whether it paints.
    pub on: bool,
    /// With which colours.
    pub palette: Arc<Palette>,
}

impl Paint {
    /// `text` in the colour of its role, line by line, so that a pager can cut it.
    pub fn text(&self, role: Role, text: &str) -> String {
        let Some(code) = self.palette.code(role).filter(|_| self.on) else { return text.to_owned() };
        text.split('\n').map(|line| format!("\x1b[{code}m{line}\x1b[0m")).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_those_of_ansible() {
        let check = |name: &str, expected: Option<&str>| assert_eq!(code(name).as_deref(), expected, "{name}");
        check("bright purple", Some("1;35"));
        check("color123", Some("38;5;123"));
        check("rgb153", Some("38;5;85"));
        check("gray7", Some("38;5;239"));
        for wrong in ["gray24", "rgb6", "rgb666", "color256", "nonesuch"] {
            check(wrong, None);
        }
    }
}
