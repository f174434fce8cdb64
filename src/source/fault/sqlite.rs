//! What SQLite's codes mean. The low byte is the kind of an error, the rest tells its varieties.

use super::Fault;

/// Somebody put another file in the place of the one that is open.
const READONLY_DBMOVED: u32 = 8 | 4 << 8;

/// Tells what a result code means.
pub(super) fn fault(code: u32) -> Fault {
    match code & 0xff {
        _ if code == READONLY_DBMOVED => Fault::CannotOpen,
        1 | 20 => Fault::WrongSchema,
        3 | 14 => Fault::CannotOpen,
        5 | 6 => Fault::Locked,
        8 => Fault::ReadOnly,
        9 => Fault::TimedOut,
        11 | 26 => Fault::Corrupt,
        23 => Fault::Forbidden,
        _ => Fault::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variety_is_known_by_its_kind() {
        let codes = [5, 6, 261, 262, 517, 518, 773];
        assert!(codes.into_iter().all(|code| fault(code) == Fault::Locked));
        let codes = [8, 264, 520, 776, 1288, 1544];
        assert!(codes.into_iter().all(|code| fault(code) == Fault::ReadOnly));
        assert_eq!(fault(1032), Fault::CannotOpen);
    }
}
