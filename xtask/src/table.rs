//! Tables of text.

use crate::terminal::{Terminal, Tone};

/// A table with a line of headings. A cell may have several lines.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<Cell>>,
}

/// What is in one place of a table.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    lines: Vec<String>,
    tone: Option<Tone>,
}

impl Table {
    pub(crate) fn new(headings: impl IntoIterator<Item = Cell>) -> Self {
        Self { rows: vec![headings.into_iter().collect()] }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table with a rule below its headings.
    pub(crate) fn draw(&self, terminal: &Terminal) -> String {
        let widths = self.widths();
        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            let height = row.iter().map(|cell| cell.lines.len()).max().unwrap_or(0);
            for line in 0..height {
                let cells = row.iter().zip(&widths).map(|(cell, width)| cell.draw(line, *width, terminal));
                let drawn = cells.collect::<Vec<_>>().join("  ");
                text.push_str(drawn.trim_end());
                text.push('\n');
            }
            if index == 0 {
                let width = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
                text.push_str(&"─".repeat(width));
                text.push('\n');
            }
        }
        text
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width =
            |column| self.rows.iter().filter_map(|row| row.get(column)).map(Cell::width).max().unwrap_or(0);
        (0..columns).map(width).collect()
    }
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { lines: text.into().lines().map(str::to_owned).collect(), tone: None }
    }

    pub(crate) fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { tone: Some(tone), ..Self::new(text) }
    }

    fn width(&self) -> usize {
        self.lines.iter().map(|line| line.chars().count()).max().unwrap_or(0)
    }

    fn draw(&self, line: usize, width: usize, terminal: &Terminal) -> String {
        let text = self.lines.get(line).map(String::as_str).unwrap_or_default();
        let fill = " ".repeat(width.saturating_sub(text.chars().count()));
        match self.tone {
            Some(tone) => terminal.paint(text, tone) + &fill,
            None => text.to_owned() + &fill,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_line() {
        let mut table = Table::new(["caller".into(), "go".into()]);
        table.row(["python".into(), Cell::new("a@b.example\n12 µs")]);
        table.row(["c".into(), "–".into()]);
        let expected = "caller  go\n\
                        ───────────────────\n\
                        python  a@b.example\n        12 µs\n\
                        c       –\n";
        assert_eq!(table.draw(&Terminal::plain()), expected);
    }
}
