//! What the tests have already.

#[path = "../it/support/counts.rs"]
mod counts;
#[expect(dead_code, reason = "the tests also cut connections")]
#[path = "../it/support/proxy.rs"]
mod proxy;

pub(crate) use counts::{Counts, counting_proxy};
