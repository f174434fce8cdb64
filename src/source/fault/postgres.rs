//! What PostgreSQL's codes mean. A code that stands for two things is told apart by the name of
//! the server's routine that raised it, which is in no language.

use super::Fault;

/// Tells what a SQLSTATE means.
pub(super) fn fault(code: &str, routine: Option<&str>) -> Fault {
    match (code, routine) {
        ("55P03", _) => Fault::Locked,
        ("57014", _) => Fault::TimedOut,
        ("57P01", _) => Fault::Ended,
        ("57P02" | "57P03", _) => Fault::Down,
        ("40001", _) => Fault::Conflict,
        ("23505" | "40P01", _) => Fault::Overtaken,
        ("25006", _) => Fault::ReadOnly,
        // With `row_security` off, a policy that could hide rows is an error.
        ("42501", Some("check_enable_rls")) => Fault::Hidden,
        ("42501", _) => Fault::Forbidden,
        // No line of pg_hba.conf lets the client in, or one refuses it.
        ("28000", Some("ClientAuthentication")) => Fault::NotAdmitted,
        ("28P01" | "28000", _) => Fault::Credentials,
        ("3D000", _) => Fault::NoDatabase,
        ("53300", _) => Fault::TooManyConnections,
        // Limits on how long a session or a transaction may do nothing, or go on.
        ("25P03" | "25P04", _) => Fault::Lost,
        ("3F000", _) => Fault::WrongSchema,
        _ => of_class(code),
    }
}

fn of_class(code: &str) -> Fault {
    match code.get(..3) {
        Some("57P") => Fault::Lost,
        Some(class) if class.starts_with("08") => Fault::Lost,
        Some(class) if class.starts_with("22") || class.starts_with("42") => Fault::WrongSchema,
        _ => Fault::Other,
    }
}
