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

/// Prints one line, or several that belong together.
pub(crate) fn line(text: impl AsRef<str>) -> io::Result<()> {
    bytes(text.as_ref().as_bytes())?;
    bytes(b"\n")
}

/// Prints bytes as they are.
pub(crate) fn bytes(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Prints a value as JSON.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> anyhow::Result<()> {
    Ok(line(serde_json::to_string_pretty(value)?)?)
}

/// Tells a person something that is not the result. Standard error may be gone; there is nobody left
/// to tell then.
pub(crate) fn remark(text: impl AsRef<str>) {
    let _gone = writeln!(io::stderr().lock(), "{}", text.as_ref());
}

/// Columns without borders, which `cut` and `awk` can read as well.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header.to_vec());
    for row in rows {
        table.add_row(row);
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
}
