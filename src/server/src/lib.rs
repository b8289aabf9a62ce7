//! Every edge of the program: command line, configuration, HTTP, sockets.

mod app;
mod boot;
mod chat;
mod cli;
mod config;
mod pages;
mod router;
mod runtime;
mod wire;

pub use cli::main;
