//! Every edge of the program: command line, configuration, HTTP, sockets.

mod app;
mod auth;
mod backup;
mod boot;
mod centre;
mod chat;
mod cli;
mod composer;
mod config;
mod desk;
mod drain;
mod editor;
mod embed;
mod fair;
mod files;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod metrics;
mod pages;
mod reader;
mod retention;
mod router;
mod runtime;
mod shed;
mod switches;
mod telemetry;
mod tls;
mod transcript;
mod web;
mod websites;
mod wire;

pub use cli::main;
