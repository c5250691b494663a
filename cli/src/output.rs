//! Standard output: results only, as a table for people or as JSON for programs.

use std::io::{self, Write};

use comfy_table::{Table, presets};
use serde::Serialize;

/// How a result is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    #[default]
    Table,
    Json,
}

/// The choice between them, the same for every command.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Output {
    /// How to show the result
    #[arg(short = 'o', long = "output", value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}

impl Output {
    /// Shows `value`: as JSON, or as the table that `rows` makes.
    pub(crate) fn show<T: Serialize + ?Sized>(
        self,
        value: &T,
        header: &[&str],
        rows: impl FnOnce() -> Vec<Vec<String>>,
    ) -> anyhow::Result<()> {
        match self.format {
            Format::Json => json(value),
            Format::Table => Ok(line(table(header, rows()))?),
        }
    }
}

/// Prints one line, or several that belong together. Whatever they tell of, they cannot drive a terminal.
pub(crate) fn line(text: impl AsRef<str>) -> io::Result<()> {
    bytes(format!("{}\n", lines(text.as_ref())).as_bytes())
}

/// Prints bytes as they are.
pub(crate) fn bytes(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Prints a value as JSON.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> anyhow::Result<()> {
    Ok(json_text(&serde_json::to_string_pretty(value)?)?)
}

/// Prints what is JSON already. What could drive a terminal can only be in its strings, and is escaped there: it stays
/// what it is.
pub(crate) fn json_text(text: &str) -> io::Result<()> {
    line(escaped(text))
}

/// JSON as it can be shown.
pub(crate) fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for char in json.chars() {
        if is_driving(char) && char != '\n' {
            // All of them are in the first plane, where one escape is enough.
            text.push_str(&format!("\\u{:04x}", u32::from(char)));
        } else {
            text.push(char);
        }
    }
    text
}

/// Tells a person something that is not the result. Standard error may be gone; there is nobody left
/// to tell then.
pub(crate) fn remark(text: impl AsRef<str>) {
    let _gone = writeln!(io::stderr().lock(), "{}", lines(text.as_ref()));
}

/// Text of somebody else on one line, without what could drive a terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|char| if is_driving(char) { '\u{fffd}' } else { char }).collect()
}

/// The same for what may have several lines.
fn lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// What does something to a terminal instead of being shown, or changes the order in which the rest is.
fn is_driving(char: char) -> bool {
    char.is_control() && char != '\t'
        || matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Columns without borders, which `cut` and `awk` can read as well.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header.to_vec());
    for row in rows {
        table.add_row(row.iter().map(|cell| printable(cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_no_borders_and_no_trailing_space() {
        let text =
            table(&["ID", "PATH"], vec![vec!["a".into(), "/x".into()], vec!["bbb".into(), "/".into()]]);
        assert_eq!(text, "ID    PATH\na     /x\nbbb   /");
    }

    #[test]
    fn what_others_wrote_cannot_drive_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\tc\nd"), "a\u{fffd}[2Jb\tc\u{fffd}d");
        assert_eq!(printable("\u{9b}31m \u{202e}txt.exe \u{2066}x"), "\u{fffd}31m \u{fffd}txt.exe \u{fffd}x");
        assert_eq!(printable("خانه‌ها 👩‍💻"), "خانه‌ها 👩‍💻", "what people write stays");
        let text = table(&["TITLE"], vec![vec!["a\u{1b}]0;x\u{7}\nb".into()]]);
        assert_eq!(text, "TITLE\na\u{fffd}]0;x\u{fffd}\u{fffd}b");
        assert_eq!(lines("a\nb\r\u{1b}c"), "a\nb\u{fffd}\u{fffd}c");
    }

    #[test]
    fn json_says_the_same_and_drives_no_terminal() {
        let value = serde_json::json!({"title": "\u{1b}[2J\u{9b}\u{202e}\u{7f}é\n"});
        let text = escaped(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!text.chars().any(|char| is_driving(char) && char != '\n'), "{text:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
