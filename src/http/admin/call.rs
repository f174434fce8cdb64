//! What the paths of the admin listener lead to. Pure.

use hyper::Method;

use crate::admin::action::Action;
use crate::http::failed::ROW;

/// Where the latest actions are.
const ACTIONS: &str = "/api/queue/actions";

/// What a request of the admin listener asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Entrance,
    Page,
    Style,
    Script,
    Overview,
    Failed,
    FailedRow,
    Act(Action),
    Actions,
    OfAction(u64, OfAction),
    Reload,
    NotFound,
    NotAllowed(&'static str),
}

/// What is asked of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OfAction {
    Look,
    Stop,
    Undo,
}

impl Call {
    /// Returns the name under which it is counted.
    pub(super) fn handler(self) -> &'static str {
        match self {
            Self::Entrance | Self::Page => "page",
            Self::Style | Self::Script => "page_part",
            Self::Overview => "overview",
            Self::Failed => "failed",
            Self::FailedRow => "failed_row",
            Self::Act(action) => action.as_str(),
            Self::Actions | Self::OfAction(_, OfAction::Look) => "actions",
            Self::OfAction(_, OfAction::Stop) => "stop",
            Self::OfAction(_, OfAction::Undo) => "undo",
            Self::Reload => "reload",
            Self::NotFound => "not_found",
            Self::NotAllowed(_) => "not_allowed",
        }
    }

    /// Finds what a path leads to.
    pub(super) fn of(method: &Method, path: &str) -> Self {
        let (call, methods) = match path {
            "" => (Self::Entrance, "GET, HEAD"),
            "/" => (Self::Page, "GET, HEAD"),
            "/page.css" => (Self::Style, "GET, HEAD"),
            "/page.js" => (Self::Script, "GET, HEAD"),
            "/api/queue/overview" => (Self::Overview, "GET, HEAD"),
            "/api/queue/failed" => (Self::Failed, "GET, HEAD"),
            path if path.starts_with(ROW) => (Self::FailedRow, "GET, HEAD"),
            "/api/queue/retry" => (Self::Act(Action::Retry), "POST"),
            "/api/queue/skip" => (Self::Act(Action::Skip), "POST"),
            "/-/reload" => (Self::Reload, "POST, PUT"),
            ACTIONS => (Self::Actions, "GET, HEAD"),
            path if path.starts_with(ACTIONS) => match of_action(&path[ACTIONS.len()..]) {
                Some((number, OfAction::Look)) => {
                    (Self::OfAction(number, OfAction::Look), "GET, HEAD")
                }
                Some((number, change)) => (Self::OfAction(number, change), "POST"),
                None => return Self::NotFound,
            },
            _ => return Self::NotFound,
        };
        let is_allowed = methods
            .split(", ")
            .any(|allowed| allowed == method.as_str());
        if is_allowed {
            call
        } else {
            Self::NotAllowed(methods)
        }
    }
}

/// Reads what stands after the place of the actions: `/7`, `/7/stop` or `/7/undo`.
fn of_action(path: &str) -> Option<(u64, OfAction)> {
    let mut parts = path.strip_prefix('/')?.split('/');
    let number = parts.next()?.parse().ok()?;
    let of_action = match (parts.next(), parts.next()) {
        (None, None) => OfAction::Look,
        (Some("stop"), None) => OfAction::Stop,
        (Some("undo"), None) => OfAction::Undo,
        _ => return None,
    };
    Some((number, of_action))
}
