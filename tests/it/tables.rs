/// What a retry and a skip answer, and what they make of the rows.
mod acts;
/// The board that every table holds, and what retry and skip make of it.
mod board;
/// What a table is like, and what should come of it.
mod case;
/// The numbers and lists that are compared with the model.
mod judge;
/// What stands for the numbers by which the board names its rows.
mod names;
/// One table in a database, and the commands that look at it.
mod table;
/// Whether a table is read right, or refused in words that mend it.
mod verdict;

/// Columns, and a table, that are not there.
mod absent;
/// Bytes that are no text.
mod bytes;
/// Many deferrals, and deferrals that belong to no machine.
mod deferrals;
/// Files that are replaced or removed while they are read.
mod files;
/// Rows that the server hides.
mod hidden;
/// Kinds of ids.
mod ids;
/// Rows skipped on a machine that does nothing.
mod skipped;
/// Tables of SQLite.
mod sqlite;
/// Types of columns.
mod types;
/// Views and partitions.
mod views;
/// Words for the four statuses.
mod words;
/// Timestamps without a zone.
mod zones;
