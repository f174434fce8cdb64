//! What is asked before an action, and what is said after it; the script fills in both.

use maud::{Markup, html};

/// How many rows a minute may be chosen.
const PACES: [i64; 3] = [10, 100, 1000];

/// The question before an action.
pub(super) fn confirmation() -> Markup {
    html! {
        dialog #confirm aria-labelledby="confirm-title" aria-describedby="confirm-means" {
            form method="dialog" {
                h2 #confirm-title {}
                p #confirm-means {}
                ul #confirm-stages {}
                label #confirm-pace hidden {
                    span { "How fast" }
                    select {
                        option value="" { "at once" }
                        @for rows in PACES { option value=(rows) { (rows) " rows a minute" } }
                    }
                }
                div .buttons {
                    button #confirm-no value="" { "Cancel" }
                    button #confirm-yes .main value="yes" {}
                }
            }
        }
    }
}

/// The summary after an action, and the rows that were left alone. It is empty until then, since
/// a live region must stand before it speaks.
pub(super) fn outcome() -> Markup {
    html! {
        section #outcome tabindex="-1" aria-label="What became of the last action" {
            div .line {
                p #outcome-text role="status" {}
                button #outcome-undo type="button" data-run-call="undo" hidden { "Undo" }
                button #outcome-dismiss type="button" hidden { "Dismiss" }
            }
            ul #outcome-rows {}
        }
    }
}
