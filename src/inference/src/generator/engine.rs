//! The work of the generator's thread: which texts are read or written in a pass, and what becomes of each token.
//!
//! Every text that is being written gets a token in each pass; beside them goes a piece of one prompt, of each in turn. So
//! nobody waits for another's answer or for more than a piece of another's prompt. Memory for keys and values is set aside
//! before a text begins, for the longest it may become: what has begun is never broken off for want of it.

use std::collections::VecDeque;
use std::time::Duration;

use super::cache::{self, Cache};
use super::loaded::Loaded;
use super::model::{Segment, Workspace};
use super::text::Text;
use super::{Event, Job, Limits, Reason, Stats};
use crate::error::{Error, Result};
use crate::kernels::decoder::PAGE;

/// Tokens of prompts in a pass.
pub(super) const PIECE: usize = 96;

/// A fixed part of fewer tokens is not kept: reading it again costs nothing.
const LEAST_FIXED: usize = 8;

/// The fixed part of prompts, read once.
struct Prefix {
    tokens: Vec<u32>,
    cache: Cache,
    /// Number of its latest use.
    used: u64,
    /// Texts under way that began with it.
    users: usize,
}

/// A request that waits for room.
struct Waiting {
    job: Job,
    /// Its tokens and how many of them are fixed, once they were made.
    read: Option<(Vec<u32>, usize)>,
}

/// A text under way.
struct Session {
    job: Job,
    tokens: Vec<u32>,
    cache: Cache,
    /// Tokens of the prompt that are the same in others.
    fixed: usize,
    /// The prefix that it began with, by its number.
    prefix: Option<u64>,
    pages: usize,
    text: Text,
    written: usize,
    /// Prompt tokens that had not to be read.
    known: usize,
}

impl Session {
    fn reading(&self) -> bool {
        self.written == 0
    }
}

/// Everything that lives on the generator's thread.
pub(super) struct Engine {
    loaded: Loaded,
    limits: Limits,
    work: Workspace,
    waiting: VecDeque<Waiting>,
    sessions: VecDeque<Session>,
    prefixes: Vec<(u64, Prefix)>,
    /// Numbers uses and prefixes.
    count: u64,
}

impl Engine {
    pub(super) fn new(loaded: Loaded, limits: Limits) -> Self {
        Self {
            loaded,
            limits,
            work: Workspace::default(),
            waiting: VecDeque::new(),
            sessions: VecDeque::new(),
            prefixes: Vec::new(),
            count: 0,
        }
    }

    pub(super) fn idle(&self) -> bool {
        self.waiting.is_empty() && self.sessions.is_empty()
    }

    pub(super) fn take(&mut self, job: Job) {
        self.waiting.push_back(Waiting { job, read: None });
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            waiting: self.waiting.len(),
            active: self.sessions.len(),
            prefixes: self.prefixes.len(),
            kv_bytes: self.pages() * self.page_bytes(),
        }
    }

    /// Ends everything.
    pub(super) fn stop(&mut self, reason: &Reason) {
        for waiting in self.waiting.drain(..) {
            waiting.job.end(reason.clone(), 0, 0, 0);
        }
        while let Some(session) = self.sessions.pop_front() {
            self.end(session, reason.clone());
        }
    }

    fn page_bytes(&self) -> usize {
        cache::page_bytes(&self.loaded.decoder.architecture)
    }

    /// Pages set aside.
    fn pages(&self) -> usize {
        let prefixes = self
            .prefixes
            .iter()
            .map(|(_, p)| cache::pages_for(p.tokens.len()));
        let sessions = self.sessions.iter().map(|s| s.pages);
        prefixes.sum::<usize>() + sessions.sum::<usize>()
    }

    /// One pass, if there is anything to do: whoever left or is out of time goes, whoever fits comes.
    pub(super) fn step(&mut self, now: Duration, between: &(dyn Fn() + Sync)) -> Result<()> {
        self.sweep(now);
        self.admit();
        if self.sessions.is_empty() {
            return Ok(());
        }
        // Prompts take turns: the one that has waited longest is read and goes behind whoever came since.
        let turn = self.sessions.iter().position(Session::reading);
        if let Some(session) = turn.and_then(|at| self.sessions.remove(at)) {
            self.sessions.push_back(session);
        }
        let reading = turn.map(|_| self.sessions.len() - 1);
        let mut pieces = Vec::with_capacity(self.sessions.len());
        for (n, session) in self.sessions.iter().enumerate() {
            let from = session.cache.len();
            let to = match session.reading() {
                false => session.tokens.len(),
                true if Some(n) != reading => from,
                true => {
                    let to = session.tokens.len().min(from + PIECE);
                    // Where the fixed part ends, it is kept for others.
                    if from < session.fixed {
                        to.min(session.fixed)
                    } else {
                        to
                    }
                }
            };
            pieces.push((from, to));
        }
        let mut segments = Vec::with_capacity(self.sessions.len());
        let mut whose = Vec::new();
        for (n, (session, (from, to))) in self.sessions.iter_mut().zip(pieces).enumerate() {
            if from == to {
                continue;
            }
            let scored = to == session.tokens.len();
            whose.push((n, scored));
            segments.push(Segment {
                tokens: &session.tokens[from..to],
                cache: &mut session.cache,
                scored,
            });
        }
        self.loaded
            .decoder
            .forward(&mut self.work, &mut segments, between)?;
        drop(segments);
        let mut over = Vec::new();
        let mut row = 0;
        for (n, scored) in whose {
            self.keep_prefix(n);
            if scored {
                let token = self.work.scores.highest(row);
                row += 1;
                if let Some(reason) = self.write(n, token) {
                    over.push((n, reason));
                }
            }
        }
        for (n, reason) in over.into_iter().rev() {
            if let Some(session) = self.sessions.remove(n) {
                self.end(session, reason);
            }
        }
        Ok(())
    }

    /// One token of a text; a reason when it was the last.
    fn write(&mut self, n: usize, token: u32) -> Option<Reason> {
        let session = &mut self.sessions[n];
        if self.loaded.tokenizer.ends(token) {
            return Some(Reason::Stop);
        }
        session.written += 1;
        session.tokens.push(token);
        self.loaded.tokenizer.decode(token, session.text.bytes());
        let (text, stopped) = session.text.take();
        if !text.is_empty() {
            session.job.tell(Event::Text(text));
        }
        if stopped {
            Some(Reason::Stop)
        } else if session.written >= session.job.request.max_tokens {
            Some(Reason::Length)
        } else {
            None
        }
    }

    fn end(&mut self, mut session: Session, reason: Reason) {
        let rest = session.text.rest();
        if !rest.is_empty() {
            session.job.tell(Event::Text(rest));
        }
        self.release(session.prefix);
        let prompt = session.tokens.len() - session.written;
        session
            .job
            .end(reason, prompt, session.known, session.written);
    }

    fn release(&mut self, prefix: Option<u64>) {
        let found = self.prefixes.iter_mut().find(|(id, _)| Some(*id) == prefix);
        if let Some((_, prefix)) = found {
            prefix.users -= 1;
        }
    }

    /// Those who left, and those whose time is over.
    fn sweep(&mut self, now: Duration) {
        let reason = |job: &Job| {
            if job.left() {
                Some(Reason::Cancelled)
            } else if job.request.deadline.is_some_and(|d| now >= d) {
                Some(Reason::Deadline)
            } else {
                None
            }
        };
        for n in (0..self.sessions.len()).rev() {
            if let Some(reason) = reason(&self.sessions[n].job)
                && let Some(session) = self.sessions.remove(n)
            {
                self.end(session, reason);
            }
        }
        for n in (0..self.waiting.len()).rev() {
            if let Some(reason) = reason(&self.waiting[n].job)
                && let Some(waiting) = self.waiting.remove(n)
            {
                waiting.job.end(reason, 0, 0, 0);
            }
        }
    }

    /// Begins what waits, in order, while there is room.
    fn admit(&mut self) {
        while self.sessions.len() < self.limits.at_once
            && let Some(waiting) = self.waiting.pop_front()
        {
            match self.begin(waiting) {
                Ok(None) => {}
                Ok(Some(waiting)) => {
                    self.waiting.push_front(waiting);
                    return;
                }
                Err(failed) => failed.0.end(Reason::Failed(failed.1.to_string()), 0, 0, 0),
            }
        }
    }

    /// Begins one; gives it back when it has to wait for room.
    fn begin(&mut self, waiting: Waiting) -> Result<Option<Waiting>, Box<(Job, Error)>> {
        let Waiting { job, read } = waiting;
        let request = &job.request;
        let Loaded {
            tokenizer,
            template,
            ..
        } = &self.loaded;
        let read = match read {
            Some(read) => Ok(read),
            None => template.tokens(&request.prefix, &request.prompt, tokenizer),
        };
        let (tokens, fixed) = match read {
            Ok((tokens, fixed)) if fixed < LEAST_FIXED => (tokens, 0),
            Ok(found) => found,
            Err(error) => return Err(Box::new((job, error))),
        };
        let longest = tokens.len().saturating_add(request.max_tokens);
        let fault = if tokens.is_empty() {
            Some("the prompt has no tokens".to_owned())
        } else if longest > self.limits.context {
            Some(format!(
                "a prompt of {} tokens and an answer of {} exceed the {} that this model is run with",
                tokens.len(),
                request.max_tokens,
                self.limits.context
            ))
        } else {
            None
        };
        if let Some(fault) = fault {
            return Err(Box::new((job, Error::Failed(fault))));
        }
        let known = self.prefixes.iter_mut();
        let known = known.filter(|(_, p)| p.tokens.len() <= fixed && tokens.starts_with(&p.tokens));
        let known = known.max_by_key(|(_, p)| p.tokens.len()).map(|(id, p)| {
            p.users += 1;
            (*id, p.tokens.len())
        });
        let (mut prefix, shared) = known.unzip();
        let mut shared = shared.unwrap_or(0);
        let whole = cache::pages_for(longest);
        // Whole pages of the prefix are never written.
        let mut pages = whole - shared / PAGE;
        let mut room = self.make_room(pages);
        if !room && prefix.is_some() {
            // The prefix holds room as well. What fits without it is read anew.
            self.release(prefix.take());
            (shared, pages) = (0, whole);
            room = self.make_room(pages);
        }
        if !room {
            if self.sessions.is_empty() {
                let fault = format!(
                    "keys and values of {longest} tokens exceed the {} MB set aside for dialogues",
                    self.limits.kv_bytes >> 20
                );
                return Err(Box::new((job, Error::Failed(fault))));
            }
            let read = Some((tokens, fixed));
            return Ok(Some(Waiting { job, read }));
        }
        self.count += 1;
        let mut cache = Cache::default();
        if let Some((_, found)) = self.prefixes.iter_mut().find(|(id, _)| Some(*id) == prefix) {
            found.used = self.count;
            cache = found.cache.clone();
        }
        let session = Session {
            text: Text::new(&request.stop),
            job,
            tokens,
            cache,
            fixed,
            prefix,
            pages,
            written: 0,
            known: shared,
        };
        if session.job.request.max_tokens == 0 {
            self.end(session, Reason::Length);
        } else {
            self.sessions.push_back(session);
        }
        Ok(None)
    }

    /// Gives up prefixes that nobody uses, the least recently used first, until so many pages fit.
    fn make_room(&mut self, pages: usize) -> bool {
        let most = self.limits.kv_bytes / self.page_bytes();
        while self.pages() + pages > most {
            let unused = self
                .prefixes
                .iter()
                .enumerate()
                .filter(|(_, (_, p))| p.users == 0);
            let Some((at, _)) = unused.min_by_key(|(_, (_, p))| p.used) else {
                return false;
            };
            self.prefixes.remove(at);
        }
        true
    }

    /// Keeps the fixed part of a text for others, when it has just been read whole and there is room.
    fn keep_prefix(&mut self, n: usize) {
        let session = &self.sessions[n];
        let fixed = session.fixed;
        if fixed == 0 || session.cache.len() != fixed || session.known == fixed {
            return;
        }
        let tokens = session.tokens[..fixed].to_vec();
        if self.prefixes.iter().any(|(_, p)| p.tokens == tokens)
            || !self.make_room(cache::pages_for(fixed))
        {
            return;
        }
        self.count += 1;
        let prefix = Prefix {
            cache: self.sessions[n].cache.clone(),
            tokens,
            used: self.count,
            users: 0,
        };
        self.prefixes.push((self.count, prefix));
    }
}

#[cfg(test)]
mod tests;
