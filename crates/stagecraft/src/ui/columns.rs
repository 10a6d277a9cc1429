//! Lines whose words stand below each other.

use anstyle::Style;

use super::text::{FAINT, PLAIN, Text, longest_piece, width_of};
use crate::harmless::{brief, clean};

/// The last column gets at least this much room, and enough for its longest piece, or lines of its
/// own.
const ROOM: usize = 32;
/// How many characters of a name are shown: all cells of its column become as wide.
const MOST: usize = 250;
/// Columns between columns.
const GAP: usize = 2;

/// One place of a table.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    words: String,
    style: Style,
}

impl Cell {
    /// Words in a style.
    pub(crate) fn styled(style: Style, words: impl Into<String>) -> Self {
        Self { words: words.into(), style }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(words: T) -> Self {
        Self { words: words.into(), style: PLAIN }
    }
}

/// Rows of cells. All rows have the same number of cells; the last cell of a row may wrap, the
/// others never do, so that names can always be copied and searched for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    indent: usize,
    rows: Vec<Vec<Cell>>,
}

impl Columns {
    /// Rows that start at this column.
    pub(crate) fn indented(indent: usize) -> Self {
        Self { indent, rows: Vec::new() }
    }

    /// Rows below a heading.
    pub(crate) fn with_heading(heading: &[&str]) -> Self {
        let mut columns = Self::default();
        columns.row(heading.iter().map(|&words| Cell::styled(FAINT, words)).collect());
        columns
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, mut cells: Vec<Cell>) {
        if let Some((_, names)) = cells.split_last_mut() {
            for cell in names {
                cell.words = brief(&cell.words, MOST).into_owned();
            }
        }
        self.rows.push(cells);
    }

    /// Whether there are no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether all but the last cells, which never wrap, stand within `width` columns.
    pub(crate) fn fit(&self, width: usize) -> bool {
        self.start_of_last(&self.widths()) <= width + GAP
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (known, cell) in widths.iter_mut().zip(row) {
                *known = (*known).max(width_of(&clean(&cell.words)));
            }
        }
        widths
    }

    fn start_of_last(&self, widths: &[usize]) -> usize {
        let before_last = &widths[..widths.len().saturating_sub(1)];
        self.indent + before_last.iter().filter(|w| **w > 0).map(|w| w + GAP).sum::<usize>()
    }

    /// The lines, at most `width` columns wide where words allow. Columns in which no row says
    /// anything are left out.
    pub(crate) fn render(&self, width: usize) -> Text {
        let widths = self.widths();
        let start = self.start_of_last(&widths);
        let lasts = self.rows.iter().filter_map(|row| row.last());
        let longest = lasts.map(|cell| longest_piece(&cell.words)).max().unwrap_or_default();
        let own_line = start + longest.max(ROOM) > width;
        let hang = self.indent + 6;

        let mut text = Text::new();
        for row in &self.rows {
            let Some((last, cells)) = row.split_last() else { continue };
            let remark = cells.iter().all(|cell| cell.words.is_empty());
            if own_line && remark {
                text.space(hang).wrapped(last.style, &last.words, hang, hang, width);
                continue;
            }
            text.space(self.indent);
            for (cell, column) in cells.iter().zip(&widths).filter(|(_, column)| **column > 0) {
                let used = width_of(&clean(&cell.words));
                text.styled(cell.style, &cell.words).space(column - used + GAP);
            }
            let whole = start + width_of(&clean(&last.words));
            if own_line && whole > width {
                text.end_line().space(hang);
                text.wrapped(last.style, &last.words, hang, hang, width);
            } else {
                text.wrapped(last.style, &last.words, start, start, width);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Columns {
        let mut columns = Columns::with_heading(&["HOST", "PRICE", "WHY"]);
        columns.row(vec!["a".into(), "".into(), "short".into()]);
        columns.row(vec![
            "größer-1".into(),
            "".into(),
            "a reason that is long enough to wrap".into(),
        ]);
        columns
    }

    #[test]
    fn the_last_column_wraps_below_itself() {
        insta::assert_snapshot!(table().render(50).plain(), @"
        HOST      PRICE  WHY
        a                short
        größer-1         a reason that is long enough to
                         wrap
        ");
    }

    #[test]
    fn without_room_the_last_column_gets_its_own_lines() {
        insta::assert_snapshot!(table().render(36).plain(), @r"
        HOST      PRICE  WHY
        a                short
        größer-1
              a reason that is long enough
              to wrap
        ");
    }

    #[test]
    fn a_name_without_end_does_not_make_every_line_as_long() {
        let mut columns = table();
        columns.row(vec!["x".repeat(1_000_000).into(), "".into(), "short".into()]);
        let shown = columns.render(80).plain();
        assert!(shown.lines().all(|line| line.chars().count() < 300), "{} bytes", shown.len());
        assert!(shown.contains("xxx… (999750 more characters)"), "{shown}");
    }

    #[test]
    fn a_column_without_words_takes_no_room() {
        let mut columns = Columns::indented(2);
        columns.row(vec!["a".into(), "".into(), "b".into()]);
        assert_eq!(columns.render(80).as_str(), "  a  b\n");
    }
}
