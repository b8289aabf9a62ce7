//! Who may use what: one row for each route and for each message of the two sockets.
//!
//! A route is registered by its row ([`super::Routes`]), which also looks whether it may be used; a message has its
//! row by a match without a wildcard. So neither comes in without one. docs/security.md shows the table, and
//! `tests/it/rights.rs` tries each row as everybody.

use super::account::{Account, Role};

/// Whom something is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Anybody,
    /// Whoever has opened a dialogue on this socket.
    Citizen,
    /// Whoever has signed in, whatever the role, and also before a second factor that is demanded.
    Staff,
    /// Agents and supervisors.
    Desk,
    Supervisor,
    /// Editors and administrators.
    Editor,
}

impl Who {
    /// Whether an account is one of these.
    pub(crate) fn includes(self, account: &Account) -> bool {
        match self {
            Self::Anybody | Self::Citizen | Self::Staff => true,
            Self::Desk => account.works_at_desk(),
            Self::Supervisor => account.is(Role::Supervisor),
            Self::Editor => account.is(Role::Editor) || account.is(Role::Admin),
        }
    }

    /// Whether a session is needed.
    pub(crate) fn signed_in(self) -> bool {
        !matches!(self, Self::Anybody | Self::Citizen)
    }
}

/// What a request must show of the page that it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    Any,
    /// Where websites are listed, the `Origin` of one of them, or our own.
    Website,
    /// Our own `Origin`.
    Ours,
    /// That, and the session's csrf value.
    Vouched,
}

/// What is looked at besides, where it is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Nothing: all of it is for all of these.
    All,
    /// One's own session, account and presence.
    Own,
    /// The dialogue whose secret was shown.
    Dialogue,
    /// What is offered to, or held by, oneself; late owners are refused by epoch.
    Held,
    /// Items of municipalities that one may serve.
    Served,
    /// The municipality that is named.
    Municipality,
    /// The layer of each file that it writes.
    Layers,
    /// What one has begun oneself.
    Begun,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Delete,
}

impl Method {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// A route, and who may use it. Only this module makes any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) method: Method,
    /// As axum has it.
    pub(crate) path: &'static str,
    pub(crate) who: Who,
    pub(crate) page: Page,
    pub(crate) reach: Reach,
    /// Nobody else can make one.
    row: (),
}

/// A message of a socket, and who may send it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Its `type`.
    pub(crate) name: &'static str,
    pub(crate) who: Who,
    pub(crate) reach: Reach,
}

macro_rules! routes {
    ($($name:ident: $method:ident $path:literal, $who:ident, $page:ident, $reach:ident;)*) => {
        $(pub(crate) const $name: Route = Route {
            method: Method::$method,
            path: $path,
            who: Who::$who,
            page: Page::$page,
            reach: Reach::$reach,
            row: (),
        };)*
        pub(crate) const ROUTES: &[Route] = &[$($name),*];
    };
}

macro_rules! messages {
    ($all:ident: $($name:ident: $text:literal, $who:ident, $reach:ident;)*) => {
        $(pub(crate) const $name: Message = Message {
            name: $text,
            who: Who::$who,
            reach: Reach::$reach,
        };)*
        #[cfg(test)]
        pub(crate) const $all: &[Message] = &[$($name),*];
    };
}

routes! {
    FRONT: Get "/", Anybody, Any, All;
    DEMO: Get "/demo/{code}", Anybody, Any, All;
    PAGES_CSS: Get "/pages/pages.css", Anybody, Any, All;
    WIDGET: Get "/widget/borgerlinje.js", Anybody, Any, All;
    SCRIPT: Get "/widget/{script}", Anybody, Any, All;
    MUNICIPALITIES: Get "/api/municipalities", Anybody, Any, All;
    THEME: Get "/api/municipalities/{code}/theme", Anybody, Any, All;
    LIVE: Get "/health/live", Anybody, Any, All;
    READY: Get "/health/ready", Anybody, Any, All;
    DESK_PAGE: Get "/desk", Anybody, Any, All;
    DESK_FILE: Get "/desk/{*file}", Anybody, Any, All;
    STUDIO_PAGE: Get "/studio", Anybody, Any, All;
    STUDIO_FILE: Get "/studio/{*file}", Anybody, Any, All;
    CHAT: Get "/ws/chat", Anybody, Website, Dialogue;
    DESK: Get "/ws/desk", Desk, Ours, Served;

    SIGN_IN: Post "/api/session", Anybody, Ours, All;
    PROVIDERS: Get "/api/session/providers", Anybody, Any, All;
    BEGIN_OIDC: Get "/api/session/oidc/{id}", Anybody, Any, All;
    OIDC_RETURN: Get "/api/session/oidc/{id}/return", Anybody, Any, All;
    OIDC_CODE: Post "/api/session/oidc", Anybody, Ours, All;
    SESSION: Get "/api/session", Staff, Any, Own;
    SIGN_OUT: Delete "/api/session", Staff, Vouched, Own;
    SESSIONS: Get "/api/session/all", Staff, Any, Own;
    END_SESSION: Delete "/api/session/all/{id}", Staff, Vouched, Own;
    SECOND: Get "/api/session/second-factor", Staff, Any, Own;
    BEGIN_SECOND: Post "/api/session/second-factor", Staff, Vouched, Own;
    CONFIRM_SECOND: Post "/api/session/second-factor/confirm", Staff, Vouched, Own;
    NEW_RECOVERY: Post "/api/session/second-factor/recovery-codes", Staff, Vouched, Own;
    REMOVE_SECOND: Post "/api/session/second-factor/remove", Staff, Vouched, Own;
    CHALLENGE: Post "/api/session/second-factor/challenge", Staff, Vouched, Own;
    BEGIN_KEY: Post "/api/session/second-factor/keys", Staff, Vouched, Own;
    CONFIRM_KEY: Post "/api/session/second-factor/keys/confirm", Staff, Vouched, Own;
    NAME_KEY: Post "/api/session/second-factor/keys/{id}/name", Staff, Vouched, Own;
    REMOVE_KEY: Post "/api/session/second-factor/keys/{id}/remove", Staff, Vouched, Own;

    ME: Get "/api/studio/me", Editor, Any, Own;
    STATUS: Get "/api/studio/status", Editor, Any, All;
    OPENAPI: Get "/api/studio/openapi.json", Editor, Any, All;
    KNOWLEDGE: Get "/api/studio/knowledge", Editor, Any, All;
    ARTICLE: Get "/api/studio/articles/{id}", Editor, Any, All;
    PREVIEW: Post "/api/studio/preview", Editor, Vouched, All;
    SLOTS: Get "/api/studio/slots", Editor, Any, All;
    RATES: Get "/api/studio/rates", Editor, Any, All;
    FACTS: Get "/api/studio/facts/{code}", Editor, Any, All;
    DRAFTS: Get "/api/studio/drafts", Editor, Any, All;
    NEW_DRAFT: Post "/api/studio/drafts", Editor, Vouched, Layers;
    DRAFT: Get "/api/studio/drafts/{id}", Editor, Any, All;
    CHANGE: Post "/api/studio/drafts/{id}/changes", Editor, Vouched, Layers;
    DIFF: Get "/api/studio/drafts/{id}/diff", Editor, Any, All;
    VERSIONS: Get "/api/studio/drafts/{id}/versions", Editor, Any, All;
    CONFLICTS: Get "/api/studio/drafts/{id}/conflicts", Editor, Any, All;
    RESOLVE: Post "/api/studio/drafts/{id}/resolve", Editor, Vouched, Layers;
    COMMENT: Post "/api/studio/drafts/{id}/comments", Editor, Vouched, All;
    STATE: Post "/api/studio/drafts/{id}/state", Editor, Vouched, Layers;
    PUBLISH: Post "/api/studio/drafts/{id}/publish", Editor, Vouched, Layers;
    REPLAY: Post "/api/studio/drafts/{id}/replay", Editor, Vouched, All;
    NEXT: Post "/api/studio/next", Editor, Vouched, Municipality;
    THRESHOLDS: Get "/api/studio/thresholds", Editor, Any, All;
    LINKS: Get "/api/studio/links", Editor, Any, All;
    LOOK_AT_LINKS: Post "/api/studio/links", Editor, Vouched, All;
    IMPORT: Post "/api/studio/import", Editor, Vouched, Layers;
    RELEASES: Get "/api/studio/releases", Editor, Any, All;
    RELEASE: Get "/api/studio/releases/{number}", Editor, Any, All;
    UNDO: Post "/api/studio/releases/{number}/undo", Editor, Vouched, Layers;
    FOLDER: Post "/api/studio/releases/folder", Editor, Vouched, Layers;
    JOB: Get "/api/studio/jobs/{id}", Editor, Any, Begun;
    STOP_JOB: Delete "/api/studio/jobs/{id}", Editor, Vouched, Begun;
}

/// The chat, docs/protocol.md.
pub(crate) mod chat {
    use super::{Message, Reach, Who};

    messages! { ALL:
        HELLO: "hello", Anybody, Dialogue;
        PING: "ping", Anybody, All;
        PONG: "pong", Citizen, All;
        MESSAGE: "message", Citizen, Dialogue;
        CHOOSE: "choose", Citizen, Dialogue;
        HUMAN: "human", Citizen, Dialogue;
        CALLBACK: "callback", Citizen, Dialogue;
        REVEAL: "reveal", Citizen, Dialogue;
        QUEUE: "queue", Citizen, Dialogue;
        LEAVE: "leave", Citizen, Dialogue;
        CANCEL_CALLBACK: "cancel_callback", Citizen, Dialogue;
        RATE: "rate", Citizen, Dialogue;
        LANG: "lang", Citizen, Dialogue;
        TYPING: "typing", Citizen, Dialogue;
        BYE: "bye", Citizen, Dialogue;
    }
}

/// The desk, docs/desk-protocol.md.
pub(crate) mod desk {
    use super::{Message, Reach, Who};

    messages! { ALL:
        HELLO: "hello", Desk, Own;
        PONG: "pong", Desk, Own;
        WATCH: "watch", Desk, Served;
        TYPING: "typing", Desk, Held;
        PAUSE: "pause", Desk, Own;
        RESUME: "resume", Desk, Own;
        MODE: "mode", Desk, Own;
        SIGN_OUT: "sign_out", Desk, Own;
        ACCEPT: "accept", Desk, Held;
        DECLINE: "decline", Desk, Held;
        PICK: "pick", Desk, Served;
        OPEN: "open", Desk, Served;
        MESSAGE: "message", Desk, Held;
        NOTE: "note", Desk, Held;
        TRANSFER: "transfer", Desk, Held;
        TARGETS: "targets", Desk, Served;
        CLOSE: "close", Desk, Held;
        WRAP_UP_DONE: "wrap_up_done", Desk, Held;
        DIAL: "dial", Desk, Served;
        RENEW_DIAL: "renew_dial", Desk, Held;
        END_DIAL: "end_dial", Desk, Held;
        SEARCH: "search", Desk, Municipality;
        DRAFT: "draft", Desk, Served;
        SUPERVISE: "supervise", Supervisor, Served;
        STOP_SUPERVISING: "stop_supervising", Supervisor, Served;
        SUPERVISOR_MESSAGE: "supervisor_message", Supervisor, Served;
        RELEASE: "release", Supervisor, Served;
    }
}

/// The list of supervisors, of those that `watch` names; the others are for every desk.
pub(crate) const SUPERVISORS_LIST: Who = Who::Supervisor;

/// What changes something on behalf of a session is asked by a page of ours with the session's word.
const _: () = {
    let mut n = 0;
    while n < ROUTES.len() {
        let r = ROUTES[n];
        let reads = matches!(r.method, Method::Get);
        let vouched = matches!(r.page, Page::Vouched);
        assert!(reads || vouched || matches!(r.who, Who::Anybody));
        assert!(!matches!(r.who, Who::Citizen));
        n += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    fn who(w: Who) -> &'static str {
        match w {
            Who::Anybody => "anybody",
            Who::Citizen => "citizen",
            Who::Staff => "staff",
            Who::Desk => "desk",
            Who::Supervisor => "supervisor",
            Who::Editor => "editor",
        }
    }

    fn reach(r: Reach) -> &'static str {
        match r {
            Reach::All => "all",
            Reach::Own => "own",
            Reach::Dialogue => "dialogue",
            Reach::Held => "held",
            Reach::Served => "served",
            Reach::Municipality => "municipality",
            Reach::Layers => "layers",
            Reach::Begun => "begun",
        }
    }

    fn page(p: Page) -> &'static str {
        match p {
            Page::Any => "any",
            Page::Website => "website",
            Page::Ours => "origin",
            Page::Vouched => "csrf",
        }
    }

    fn table() -> String {
        let mut out = String::from("| route | who | page | reach |\n|---|---|---|---|\n");
        for r in ROUTES {
            let method = format!("{:?}", r.method).to_uppercase();
            let (who, page, reach) = (who(r.who), page(r.page), reach(r.reach));
            out += &format!("| `{method} {}` | {who} | {page} | {reach} |\n", r.path);
        }
        for (title, all) in [("chat", chat::ALL), ("desk", desk::ALL)] {
            out += &format!("\n| message of the {title} | who | reach |\n|---|---|---|\n");
            for m in all {
                out += &format!("| `{}` | {} | {} |\n", m.name, who(m.who), reach(m.reach));
            }
        }
        out
    }

    #[test]
    fn the_security_page_has_the_table_as_it_is() {
        let (page, table) = (include_str!("../../../../docs/security.md"), table());
        assert!(
            page.contains(&table),
            "docs/security.md should have:\n{table}"
        );
    }

    #[test]
    fn no_two_rows_are_of_one_route_or_message() {
        let routes = ROUTES.iter().enumerate();
        for (n, r) in routes {
            let same = |o: &&Route| (o.method, o.path) == (r.method, r.path);
            assert!(!ROUTES[n + 1..].iter().any(|o| same(&o)), "{r:?}");
        }
        for all in [chat::ALL, desk::ALL] {
            for (n, m) in all.iter().enumerate() {
                assert!(!all[n + 1..].iter().any(|o| o.name == m.name), "{m:?}");
            }
        }
    }
}
