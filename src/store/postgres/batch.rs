//! New rows for a table. A few travel as arrays within a statement, which goes with others in one way to the server and back; many are
//! copied (`COPY`), which costs the server a third less and a way there and back of its own.

use std::borrow::Cow;

use tokio_postgres::types::{ToSql, Type};

use super::session::OwnValue;

/// From how many rows on they are copied.
const MANY: usize = 512;

/// Rows that are new in a table.
pub(super) struct Batch<'a> {
    table: &'static str,
    columns: Vec<(&'static str, Column<'a>)>,
    rows: usize,
}

/// The values of a column, one for each row.
pub(super) enum Column<'a> {
    /// `bigint`.
    Numbers(Vec<Option<i64>>),
    /// `text`, as `super::writing::text` makes it.
    Texts(Vec<Option<Cow<'a, str>>>),
    /// `bytea`.
    Octets(Vec<Option<&'a [u8]>>),
}

impl<'a> Batch<'a> {
    /// No columns yet of some rows.
    pub(super) fn new(table: &'static str, rows: usize) -> Self {
        Batch { table, columns: Vec::new(), rows }
    }

    /// With a column of numbers.
    pub(super) fn numbers<Value: Into<Option<i64>>>(
        self,
        name: &'static str,
        values: impl Iterator<Item = Value>,
    ) -> Self {
        self.with(name, Column::Numbers(values.map(Into::into).collect()))
    }

    /// With a column of texts.
    pub(super) fn texts<Value: Into<Option<Cow<'a, str>>>>(
        self,
        name: &'static str,
        values: impl Iterator<Item = Value>,
    ) -> Self {
        self.with(name, Column::Texts(values.map(Into::into).collect()))
    }

    /// With a column of octets.
    pub(super) fn octets<Value: Into<Option<&'a [u8]>>>(
        self,
        name: &'static str,
        values: impl Iterator<Item = Value>,
    ) -> Self {
        self.with(name, Column::Octets(values.map(Into::into).collect()))
    }

    fn with(mut self, name: &'static str, column: Column<'a>) -> Self {
        self.columns.push((name, column));
        self
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Whether they are to be copied.
    pub(super) fn is_large(&self) -> bool {
        self.rows >= MANY
    }

    /// The statement that they are copied with.
    pub(super) fn copy_sql(&self) -> String {
        format!("COPY {} ({}) FROM STDIN (FORMAT binary)", self.table, self.names())
    }

    /// The statement that takes each column as an array.
    pub(super) fn insert_sql(&self) -> String {
        let arrays = self.columns.iter().enumerate();
        let arrays = arrays.map(|(at, (_, column))| format!("${}::{}[]", at + 1, column.sql_type().name()));
        let arrays = arrays.collect::<Vec<_>>().join(", ");
        format!("INSERT INTO {} ({}) SELECT * FROM unnest({arrays})", self.table, self.names())
    }

    fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    /// Each column's type.
    pub(super) fn types(&self) -> Vec<Type> {
        self.columns.iter().map(|(_, column)| column.sql_type()).collect()
    }

    /// Each column as an array.
    pub(super) fn arrays(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.columns.iter().map(|(_, column)| column.array()).collect()
    }

    /// Each column as an array, for another statement than these.
    pub(super) fn into_values(self) -> Vec<OwnValue<'a>> {
        self.columns.into_iter().map(|(_, column)| column.into_value()).collect()
    }

    /// Row by row, each column's value.
    pub(super) fn rows(&self) -> impl Iterator<Item = impl ExactSizeIterator<Item = &(dyn ToSql + Sync)>> {
        (0..self.rows).map(|row| self.columns.iter().map(move |(_, column)| column.value(row)))
    }
}

impl<'a> Column<'a> {
    fn sql_type(&self) -> Type {
        match self {
            Column::Numbers(_) => Type::INT8,
            Column::Texts(_) => Type::TEXT,
            Column::Octets(_) => Type::BYTEA,
        }
    }

    fn array(&self) -> &(dyn ToSql + Sync) {
        match self {
            Column::Numbers(values) => values,
            Column::Texts(values) => values,
            Column::Octets(values) => values,
        }
    }

    fn into_value(self) -> OwnValue<'a> {
        match self {
            Column::Numbers(values) => Box::new(values),
            Column::Texts(values) => Box::new(values),
            Column::Octets(values) => Box::new(values),
        }
    }

    fn value(&self, row: usize) -> &(dyn ToSql + Sync) {
        match self {
            Column::Numbers(values) => &values[row],
            Column::Texts(values) => &values[row],
            Column::Octets(values) => &values[row],
        }
    }
}
