//! Lines of a text, each with its end.

/// The text with `\n` at the end of every line, whatever ended it before.
pub fn unified(text: &str) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() }
}

/// The lines with their ends; the last may have none.
pub fn split(text: &str) -> Vec<String> {
    text.split_inclusive('\n').map(str::to_owned).collect()
}

/// Gives a line an end if it has none.
pub fn end(line: &mut String) {
    if !line.ends_with('\n') {
        line.push('\n');
    }
}

/// A line without its end.
pub fn bare(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}
