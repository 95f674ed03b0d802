//! `KEYWORDS`: every keyword of a playbook, where it may stand and how it is passed on to what is inside. Parsing, "not valid
//! here", "did you mean" and inheritance all read this one table.

use std::fmt;

/// Where a keyword may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// An entry of a playbook.
    Play,
    /// An entry of `roles:`.
    Role,
    /// `block:` with its rescue and always.
    Block,
    /// An entry of `tasks:`.
    Task,
    /// An entry of `handlers:`.
    Handler,
    /// `loop_control:`.
    LoopControl,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Play => "Play",
            Self::Role => "RoleInclude",
            Self::Block => "Block",
            Self::Task => "Task",
            Self::Handler => "Handler",
            Self::LoopControl => "LoopControl",
        })
    }
}

/// How a keyword is passed on to what is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inherit {
    /// It is not.
    No,
    /// What is inside may set its own; else it has this one.
    Override,
    /// Outer values first, then the inner ones: `when`, `environment`, `module_defaults`, `vars`.
    OuterFirst,
    /// Inner values first, then the outer ones: `tags`.
    InnerFirst,
}

/// Whether this version does what the keyword says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It does.
    Yes,
    /// Not yet: an error with its place, never ignored.
    NotYet,
}

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    /// The keyword.
    pub keyword: Keyword,
    /// As users write it.
    pub name: &'static str,
    /// Where it may stand.
    pub places: &'static [Place],
    /// How it is passed on.
    pub inherit: Inherit,
    /// Whether it is done.
    pub support: Support,
}

macro_rules! keywords {
    ($($keyword:ident $name:literal [$($place:ident)*] $inherit:ident $support:ident;)*) => {
        /// A keyword of a playbook.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Keyword {
            $(#[doc = concat!("`", $name, "`")] $keyword,)*
        }

        /// All keywords, sorted by name.
        pub const KEYWORDS: &[Row] = &[
            $(Row {
                keyword: Keyword::$keyword,
                name: $name,
                places: &[$(Place::$place),*],
                inherit: Inherit::$inherit,
                support: Support::$support,
            },)*
        ];
    };
}

keywords! {
    Action "action" [Task Handler] No Yes;
    Always "always" [Block] No Yes;
    AnyErrorsFatal "any_errors_fatal" [Play Role Block Task Handler] Override Yes;
    Args "args" [Task Handler] No Yes;
    Async "async" [Task Handler] No Yes;
    Become "become" [Play Role Block Task Handler] Override Yes;
    BecomeExe "become_exe" [Play Role Block Task Handler] Override Yes;
    BecomeFlags "become_flags" [Play Role Block Task Handler] Override Yes;
    BecomeMethod "become_method" [Play Role Block Task Handler] Override Yes;
    BecomeUser "become_user" [Play Role Block Task Handler] Override Yes;
    Block "block" [Block] No Yes;
    BreakWhen "break_when" [LoopControl] No Yes;
    ChangedWhen "changed_when" [Task Handler] No Yes;
    CheckMode "check_mode" [Play Role Block Task Handler] Override Yes;
    Collections "collections" [Play Role Block Task Handler] Override Yes;
    Connection "connection" [Play Role Block Task Handler] Override Yes;
    Debugger "debugger" [Play Role Block Task Handler] Override Yes;
    Delay "delay" [Task Handler] No Yes;
    DelegateFacts "delegate_facts" [Role Block Task Handler] Override Yes;
    DelegateTo "delegate_to" [Role Block Task Handler] Override Yes;
    Diff "diff" [Play Role Block Task Handler] Override Yes;
    Environment "environment" [Play Role Block Task Handler] OuterFirst Yes;
    Extended "extended" [LoopControl] No Yes;
    ExtendedAllitems "extended_allitems" [LoopControl] No Yes;
    FactPath "fact_path" [Play] No Yes;
    FailedWhen "failed_when" [Task Handler] No Yes;
    ForceHandlers "force_handlers" [Play] No Yes;
    GatherFacts "gather_facts" [Play] No Yes;
    GatherSubset "gather_subset" [Play] No Yes;
    GatherTimeout "gather_timeout" [Play] No Yes;
    Handlers "handlers" [Play] No Yes;
    Hosts "hosts" [Play] No Yes;
    IgnoreErrors "ignore_errors" [Play Role Block Task Handler] Override Yes;
    IgnoreUnreachable "ignore_unreachable" [Play Role Block Task Handler] Override Yes;
    IndexVar "index_var" [LoopControl] No Yes;
    Label "label" [LoopControl] No Yes;
    Listen "listen" [Handler] No Yes;
    LocalAction "local_action" [Task Handler] No Yes;
    Loop "loop" [Task Handler] No Yes;
    LoopControl "loop_control" [Task Handler] No Yes;
    LoopVar "loop_var" [LoopControl] No Yes;
    MaxFailPercentage "max_fail_percentage" [Play] No Yes;
    ModuleDefaults "module_defaults" [Play Role Block Task Handler] OuterFirst Yes;
    Name "name" [Play Role Block Task Handler] No Yes;
    NoLog "no_log" [Play Role Block Task Handler] Override Yes;
    Notify "notify" [Block Task Handler] Override Yes;
    Order "order" [Play] No Yes;
    Pause "pause" [LoopControl] No Yes;
    Poll "poll" [Task Handler] No Yes;
    Port "port" [Play Role Block Task Handler] Override Yes;
    PostTasks "post_tasks" [Play] No Yes;
    PreTasks "pre_tasks" [Play] No Yes;
    Register "register" [Task Handler] No Yes;
    RemoteUser "remote_user" [Play Role Block Task Handler] Override Yes;
    Rescue "rescue" [Block] No Yes;
    Retries "retries" [Task Handler] No Yes;
    Role "role" [Role] No Yes;
    Roles "roles" [Play] No Yes;
    RunOnce "run_once" [Play Role Block Task Handler] Override Yes;
    Serial "serial" [Play] No Yes;
    Strategy "strategy" [Play] No Yes;
    Tags "tags" [Play Role Block Task Handler] InnerFirst Yes;
    Tasks "tasks" [Play] No Yes;
    Throttle "throttle" [Play Role Block Task Handler] Override Yes;
    Timeout "timeout" [Play Role Block Task Handler] Override Yes;
    Until "until" [Task Handler] No Yes;
    ValidateArgspec "validate_argspec" [Play] No Yes;
    Vars "vars" [Play Role Block Task Handler] OuterFirst Yes;
    VarsFiles "vars_files" [Play] No Yes;
    VarsPrompt "vars_prompt" [Play] No Yes;
    When "when" [Role Block Task Handler] OuterFirst Yes;
}

impl Keyword {
    /// The row of the keyword as users write it, wherever it may stand.
    pub fn row_named(name: &str) -> Option<&'static Row> {
        KEYWORDS.binary_search_by(|row| row.name.cmp(name)).ok().map(|index| &KEYWORDS[index])
    }

    /// Its row.
    pub fn row(self) -> &'static Row {
        &KEYWORDS[self as usize]
    }

    /// As users write it.
    pub fn name(self) -> &'static str {
        self.row().name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_each_keyword_finds_its_row() {
        assert!(KEYWORDS.windows(2).all(|pair| pair[0].name < pair[1].name));
        assert!(KEYWORDS.iter().all(|row| row.keyword.row().name == row.name));
    }
}
