//! Tables, as aligned text for a terminal and as Markdown for the documents.

use clap::ValueEnum;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned text.
    Text,
    /// Markdown tables.
    Markdown,
}

/// A column's heading and alignment.
#[derive(Debug, Clone)]
pub struct Column {
    heading: String,
    right: bool,
}

impl Column {
    /// A column of texts.
    pub fn left(heading: impl Into<String>) -> Self {
        Self {
            heading: heading.into(),
            right: false,
        }
    }

    /// A column of numbers.
    pub fn right(heading: impl Into<String>) -> Self {
        Self {
            heading: heading.into(),
            right: true,
        }
    }
}

/// A table with a title.
#[derive(Debug, Clone)]
pub struct Table {
    title: String,
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
}

impl Table {
    /// A table without rows.
    pub fn new(title: impl Into<String>, columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            title: title.into(),
            columns: columns.into_iter().collect(),
            rows: vec![],
            notes: vec![],
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Adds a sentence below the table.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// The table in a format, with a line feed at its end.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Text => self.text(),
            Format::Markdown => self.markdown(),
        }
    }

    fn text(&self) -> String {
        let plain = |cell: &str| cell.replace("**", "").replace('`', "");
        let headings = self.columns.iter().map(|column| column.heading.clone()).collect();
        let lines: Vec<Vec<String>> = std::iter::once(&headings)
            .chain(&self.rows)
            .map(|row: &Vec<String>| row.iter().map(|cell| plain(cell)).collect())
            .collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                lines
                    .iter()
                    .map(|row| row[column].chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let mut text = format!("{}\n\n", plain(&self.title));
        for row in lines {
            let mut line = String::new();
            for ((cell, column), width) in row.iter().zip(&self.columns).zip(&widths) {
                let cell = if column.right {
                    format!("{cell:>width$}  ")
                } else {
                    format!("{cell:<width$}  ")
                };
                line.push_str(&cell);
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        for note in &self.notes {
            text.push_str(&format!("\n{}\n", plain(note)));
        }
        text
    }

    fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let headings: Vec<_> = self.columns.iter().map(|column| column.heading.clone()).collect();
        let rules: Vec<_> = self
            .columns
            .iter()
            .map(|column| if column.right { "---:" } else { "---" }.to_owned())
            .collect();
        let mut text = format!("**{}**\n\n{}{}", self.title, line(&headings), line(&rules));
        for row in &self.rows {
            text.push_str(&line(row));
        }
        for note in &self.notes {
            text.push_str(&format!("\n{note}\n"));
        }
        text
    }
}

/// Several tables, separated by empty lines.
pub fn render(tables: &[Table], format: Format) -> String {
    let rendered: Vec<_> = tables.iter().map(|table| table.render(format)).collect();
    rendered.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligns_numbers_on_the_right() {
        let mut table = Table::new("`Title`", [Column::left("what"), Column::right("n")]);
        table.row(["**all**".to_owned(), "1,000".to_owned()]);
        table.note("A note.");
        assert_eq!(
            table.render(Format::Text),
            "Title\n\nwhat      n\nall   1,000\n\nA note.\n"
        );
        assert_eq!(
            table.render(Format::Markdown),
            "**`Title`**\n\n| what | n |\n| --- | ---: |\n| **all** | 1,000 |\n\nA note.\n"
        );
    }
}
