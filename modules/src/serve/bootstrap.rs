//! The shell text that starts a helper, and puts it there first when it is not: for the login user (sent by the controller) and for
//! the users it becomes (sent by the login helper). POSIX `sh`, also dash and busybox; one line, without `'` and `!`, so that any
//! login shell can be asked to hand it to `/bin/sh`.
//!
//! The script says, on lines of their own: [`WANT`] (send me the binary), [`PLATFORM`] (none of yours runs here), [`FAILED`]; or it
//! becomes the helper, whose first line is [`driftless_wire::MARKER`]. After `WANT` it reads one line, `SIZE SHA256`, and then that
//! many bytes. Nothing else may be sent before the marker: some `head`s read ahead.

/// `DRIFTLESS-WANT gzip|raw FOLDER NAME`: the binary is not there; send it, compressed or not.
pub const WANT: &str = "DRIFTLESS-WANT ";

/// `DRIFTLESS-PLATFORM uname -sm`: none of the binaries is for this platform.
pub const PLATFORM: &str = "DRIFTLESS-PLATFORM ";

/// `DRIFTLESS-FAILED why`: no folder serves.
pub const FAILED: &str = "DRIFTLESS-FAILED ";

/// The folders that are tried, in order; `$u` is the user's number.
pub const FOLDERS: &[&str] = &["$HOME/.cache/driftless", "/var/tmp/driftless-$u", "/tmp/driftless-$u", "/dev/shm/driftless-$u"];

/// A binary that may be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binary {
    /// As `uname -sm` says it: `Linux x86_64`.
    pub platform: String,
    /// The SHA-256 of the binary, in hexadecimal digits.
    pub sha256: String,
}

impl Binary {
    /// Its file's name on the managed host: content-addressed.
    pub fn file_name(&self) -> String {
        format!("helper-{}", &self.sha256[..self.sha256.len().min(40)])
    }
}

/// What becomes of the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// The helper takes its place.
    Replaced,
    /// It waits for the helper and passes its exit code on, a signal as 128 and its number.
    Stays,
}

/// How the binary can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// By gzip where the host has it.
    Gzip,
    /// As it is.
    None,
}

/// The text for `/bin/sh -c`. `skip`: how many of [`FOLDERS`] not to try. `arguments`: the helper's, words without quotes.
pub fn script(binaries: &[Binary], skip: usize, packing: Packing, shell: Shell, arguments: &str) -> String {
    let names: String = binaries.iter().map(|binary| format!("\"{}\") n={};; ", binary.platform, binary.file_name())).collect();
    let folders: Vec<String> = FOLDERS.iter().skip(skip).map(|folder| format!("\"{folder}\"")).collect();
    let start = match shell {
        Shell::Replaced => format!("exec \"$d/$n\" {arguments}"),
        Shell::Stays => format!("{{ \"$d/$n\" {arguments}; exit $?; }}"),
    };
    TEXT.replace("@NAMES", &names)
        .replace("@FOLDERS", &folders.join(" "))
        .replace("@START", &start)
        .replace("@GZIP", if packing == Packing::Gzip { "gzip" } else { "raw" })
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// `safe` looks at the folder and the file: ours, no symlinks, not writable by others. A home that is not ours is not used, since its
/// owner could exchange the folder between the look and the start. `fits` makes the folder and starts a script in it: `noexec`
/// shows before anything is sent. Helpers that were pushed more than a month ago go when a new one comes. Changes of the umask stay in
/// subshells, or the helper and all that it runs would inherit them.
const TEXT: &str = r##"
p=$(uname -sm);
case $p in @NAMES *) echo "DRIFTLESS-PLATFORM $p"; exit 0;; esac;
u=$(id -u);
mine() { [ -O "$1" ] || return 1; [ -h "$1" ] && return 1; return 0; };
home() { case $1 in "${HOME:-/-}"/*) [ -O "$HOME" ] || return 1;; esac; return 0; };
closed() { ls -ldn "$@" | while read -r m _; do case $m in l*|?????w*|????????w*) exit 1;; esac; done; };
safe() { home "$d" && mine "$d" && mine "$d/$n" && closed "$d" "$d/$n"; };
fits() {
home "$d" || return 1;
(umask 077; mkdir -p "$d") 2>/dev/null; mine "$d" && closed "$d" || return 1;
t=$d/.$n.$$; rm -f "$t";
(umask 077; set -C; printf "#\041/bin/sh\nexit 0\n" >"$t") 2>/dev/null && chmod 700 "$t" && "$t" 2>/dev/null; r=$?;
rm -f "$t"; return $r;
};
for d in @FOLDERS; do if safe; then @START; fi; done;
for d in @FOLDERS; do if fits; then
z=raw; command -v gzip >/dev/null 2>&1 && z=@GZIP;
echo "DRIFTLESS-WANT $z $d $n";
read -r s h || exit 1;
if [ $z = gzip ]; then (umask 077; set -C; head -c "$s" | gzip -dc >"$t");
else (umask 077; set -C; head -c "$s" >"$t"); fi;
chmod 700 "$t" && "$t" verify "$h" && mv -f "$t" "$d/$n" && {
find "$d" -name "helper-*" -mtime +30 -exec rm -f {} + 2>/dev/null;
@START; };
rm -f "$t"; echo "DRIFTLESS-FAILED could not be written to $d"; exit 1;
fi; done;
echo "DRIFTLESS-FAILED found no folder that this user may write to and run programs in, tried: "@FOLDERS; exit 1
"##;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_one_plain_line() {
        let binary = Binary { platform: "Linux x86_64".into(), sha256: "0123456789abcdef".repeat(4) };
        for shell in [Shell::Replaced, Shell::Stays] {
            let script = script(std::slice::from_ref(&binary), 0, Packing::Gzip, shell, "serve");
            assert!(!["@NAMES", "@FOLDERS", "@START", "@GZIP"].iter().any(|hole| script.contains(hole)), "{script}");
            assert!(!script.contains(['\'', '!', '\n']), "{script}");
        }
    }
}
