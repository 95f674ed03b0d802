//! Flags that several commands share, as Ansible names them.

use std::path::PathBuf;

use clap::{ArgAction, Args};

/// Which hosts, which variables.
#[derive(Args, Clone, Debug, Default)]
pub struct InventoryFlags {
    /// An inventory: a file, a folder, or names with commas between and one at the end.
    #[arg(short = 'i', long = "inventory", visible_alias = "inventory-file", action = ArgAction::Append)]
    pub inventory: Vec<String>,
    /// Only these of the hosts: a pattern, or `@file`.
    #[arg(short = 'l', long = "limit", allow_hyphen_values = true)]
    pub limit: Option<String>,
    /// Variables: `key=value`, JSON or YAML, or `@file`.
    #[arg(short = 'e', long = "extra-vars", action = ArgAction::Append, allow_hyphen_values = true)]
    pub extra_vars: Vec<String>,
    /// Show more; up to four times.
    #[arg(short = 'v', long = "verbose", action = ArgAction::Count)]
    pub verbose: u8,
    #[command(flatten)]
    pub vault: VaultFlags,
    /// A folder beside which variable files are looked for.
    #[arg(long = "playbook-dir")]
    pub playbook_dir: Option<PathBuf>,
}

/// Where the secrets of vaults come from.
#[derive(Args, Clone, Debug, Default)]
pub struct VaultFlags {
    /// A vault's secret: `label@source`, where the source is `prompt`, a file or a program.
    #[arg(long = "vault-id", action = ArgAction::Append)]
    pub vault_id: Vec<String>,
    /// A file with a vault's password, or a program that says it.
    #[arg(long = "vault-password-file", visible_alias = "vault-pass-file", action = ArgAction::Append)]
    pub vault_password_file: Vec<String>,
    /// Ask for a vault's password.
    #[arg(short = 'J', long = "ask-vault-password", visible_alias = "ask-vault-pass", conflicts_with = "vault_password_file")]
    pub ask_vault_password: bool,
}

/// How hosts are reached.
#[derive(Args, Clone, Debug, Default)]
pub struct ConnectionFlags {
    /// The user to log in as.
    #[arg(short = 'u', long = "user")]
    pub user: Option<String>,
    /// How to connect: `ssh`, `openssh` or `local`.
    #[arg(short = 'c', long = "connection")]
    pub connection: Option<String>,
    /// The private key to log in with.
    #[arg(long = "private-key", visible_alias = "key-file")]
    pub private_key: Option<PathBuf>,
    /// Seconds that a connection may take.
    #[arg(short = 'T', long = "timeout", allow_negative_numbers = true)]
    pub timeout: Option<i64>,
    /// Ask for the login password.
    #[arg(short = 'k', long = "ask-pass")]
    pub ask_pass: bool,
    /// A file with the login password.
    #[arg(long = "connection-password-file", visible_alias = "conn-pass-file")]
    pub connection_password_file: Option<PathBuf>,
    /// More arguments for ssh.
    #[arg(long = "ssh-common-args", allow_hyphen_values = true)]
    pub ssh_common_args: Option<String>,
    /// More arguments for ssh alone.
    #[arg(long = "ssh-extra-args", allow_hyphen_values = true)]
    pub ssh_extra_args: Option<String>,
    /// Arguments for sftp, which is not used.
    #[arg(long = "sftp-extra-args", allow_hyphen_values = true, hide = true)]
    pub sftp_extra_args: Option<String>,
    /// Arguments for scp, which is not used.
    #[arg(long = "scp-extra-args", allow_hyphen_values = true, hide = true)]
    pub scp_extra_args: Option<String>,
    /// Become another user.
    #[arg(short = 'b', long = "become")]
    pub becomes: bool,
    /// How: `sudo`, `su` or `doas`.
    #[arg(long = "become-method")]
    pub become_method: Option<String>,
    /// Which user.
    #[arg(long = "become-user")]
    pub become_user: Option<String>,
    /// Ask for the password that becoming needs.
    #[arg(short = 'K', long = "ask-become-pass")]
    pub ask_become_pass: bool,
    /// A file with the password that becoming needs.
    #[arg(long = "become-password-file", visible_alias = "become-pass-file")]
    pub become_password_file: Option<PathBuf>,
}

/// How a run goes.
#[derive(Args, Clone, Debug, Default)]
pub struct RunFlags {
    /// How many hosts at once; as many as there are, at most 500, where nothing is said.
    #[arg(short = 'f', long = "forks")]
    pub forks: Option<usize>,
    /// Change nothing; foretell what would be changed.
    #[arg(short = 'C', long = "check")]
    pub check: bool,
    /// Show what differs.
    #[arg(short = 'D', long = "diff")]
    pub diff: bool,
    /// Folders with modules.
    #[arg(short = 'M', long = "module-path", hide = true)]
    pub module_path: Vec<String>,
    /// List the hosts that would be met.
    #[arg(long = "list-hosts")]
    pub list_hosts: bool,
    /// Check what is written, run nothing.
    #[arg(long = "syntax-check")]
    pub syntax_check: bool,
    /// Forget the facts of earlier runs.
    #[arg(long = "flush-cache")]
    pub flush_cache: bool,
}

impl ConnectionFlags {
    /// What is said of flags that have no effect here.
    pub fn without_effect(&self) -> Option<String> {
        let named = [("--sftp-extra-args", &self.sftp_extra_args), ("--scp-extra-args", &self.scp_extra_args)];
        let (flag, _) = named.iter().find(|(_, value)| value.is_some())?;
        Some(format!("`{flag}` has no effect: files travel over the one connection, without sftp or scp"))
    }
}

impl RunFlags {
    /// What is said of flags that have no effect here.
    pub fn without_effect(&self) -> Option<String> {
        (!self.module_path.is_empty()).then(|| "`--module-path` has no effect: modules are part of the program".to_owned())
    }
}
