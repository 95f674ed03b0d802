//! Colours by what a text is, as people know them from Ansible.

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A result without change.
    Ok,
    /// A result with a change.
    Changed,
    /// A result that was skipped, an inclusion.
    Skip,
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

/// Paints, or does not.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    /// Whether it paints.
    pub on: bool,
}

impl Paint {
    /// `text` in the colour of its role, line by line, so that a pager can cut it.
    pub fn text(self, role: Role, text: &str) -> String {
        let code = match role {
            Role::Ok | Role::DiffAdd => "0;32",
            Role::Changed => "0;33",
            Role::Skip | Role::DiffLines => "0;36",
            Role::Error | Role::DiffRemove => "0;31",
            Role::Unreachable => "1;31",
            Role::Warning => "1;35",
            Role::Deprecated => "0;35",
            Role::Verbose => "0;34",
            Role::Highlight => "1;37",
            Role::Plain => return text.to_owned(),
        };
        if !self.on {
            return text.to_owned();
        }
        text.split('\n').map(|line| format!("\x1b[{code}m{line}\x1b[0m")).collect::<Vec<_>>().join("\n")
    }
}
