//! Questions that a server plans once and is asked again and again.
//!
//! Behind a transaction pooler the next transaction may be given a server that knows no statement
//! of ours, or another by the same name, so nothing is remembered here: each transaction begins by
//! asking its server which statements it knows, and a name stands for one text only. A question
//! that is not known is prepared in the round trip that asks it.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::values::Value;

/// Writes the SQL that asks a question; `known` are the names that the server knows, with blanks
/// between them.
pub(super) fn execute(question: &str, values: &[Value], known: &str) -> String {
    let name = name(question);
    let (mut types, mut arguments) = (list(values, Value::kind), list(values, Value::literal));
    if !values.is_empty() {
        (types, arguments) = (format!("({types})"), format!("({arguments})"));
    }
    let execute = format!("EXECUTE {name}{arguments}");
    if known.split(' ').any(|known| known == name) {
        return execute;
    }
    format!("PREPARE {name}{types} AS {question};{execute}")
}

/// Writes the SQL that asks a question of a server of which nothing is known yet.
pub(super) fn execute_anywhere(question: &str) -> String {
    let name = name(question);
    format!(
        "DO $do$ BEGIN
             IF NOT EXISTS (SELECT FROM pg_prepared_statements WHERE name = '{name}')
             THEN EXECUTE $prepare$PREPARE {name} AS {question}$prepare$; END IF;
         END $do$;
         EXECUTE {name}"
    )
}

/// Writes the SQL that shows the plan of a question, and prepares nothing.
pub(super) fn explain(question: &str, values: &[Value]) -> String {
    // The last first: `$1` stands in `$10` as well.
    let numbered = values.iter().enumerate().rev();
    let inlined = numbered.fold(question.to_owned(), |question, (index, value)| {
        question.replace(&format!("${}", index + 1), value.literal())
    });
    format!("EXPLAIN {inlined}")
}

fn name(question: &str) -> String {
    let mut hasher = DefaultHasher::new();
    question.hash(&mut hasher);
    format!("queueboard_{:016x}", hasher.finish())
}

fn list<'a>(values: &'a [Value], part: impl Fn(&'a Value) -> &'a str) -> String {
    values.iter().map(part).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_prepared_where_it_is_not_known() {
        let values = [Value::texts(&["a'b".to_owned()])];
        let first = execute("SELECT $1", &values, "sqlx_s_1");
        let name = name("SELECT $1");
        let execution = format!("EXECUTE {name}(ARRAY['a''b']::text[])");
        assert_eq!(
            first,
            format!("PREPARE {name}(text[]) AS SELECT $1;{execution}")
        );
        let known = format!("sqlx_s_1 {name}");
        assert_eq!(execute("SELECT $1", &values, &known), execution);
        assert_ne!(execute("SELECT $1, 2", &values, &known), execution);
    }

    #[test]
    fn a_question_without_values_has_no_brackets() {
        let name = name("SELECT 1");
        let both = format!("PREPARE {name} AS SELECT 1;EXECUTE {name}");
        assert_eq!(execute("SELECT 1", &[], ""), both);
    }
}
